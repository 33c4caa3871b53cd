"""Who holds what: a load's memory at one moment, each block counted once, for the first that holds it.

tracemalloc knows every block that Python gave out since it was started, and who asked for it, but not who needs it:
a string that the driver decoded is first a row's and then an entity's. So the objects at hand are walked, entities
first, then the driver's own objects, then rows; from each to all that it refers to, as far as the load made it. What
none of them reaches is told by the file whose code made it.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections import Counter, deque
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from types import CoroutineType, FrameType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

import sqlalchemy
from sqlalchemy import Row
from sqlalchemy.orm.state import InstanceState

from bench.model.memory_use import Held

_SQLALCHEMY = str(Path(sqlalchemy.__file__).parent)
_INSTALLED = f"{Path(_SQLALCHEMY).parent}/"
_STANDARD = f"{Path(tracemalloc.__file__).parent}/"
_ENGINE = (f"{_SQLALCHEMY}/engine/", f"{_SQLALCHEMY}/dialects/", f"{_SQLALCHEMY}/connectors/")
_LOADING = f"{_SQLALCHEMY}/orm/loading.py"
_ENTITIES = tuple(
    f"{_SQLALCHEMY}/orm/{name}.py"
    for name in ("attributes", "collections", "identity", "instrumentation", "loading", "state")
)
"""Files whose code makes what belongs to entities. What is left there once its objects have been claimed are places of
an instance's attributes, which are no object; or less than nothing, where an instance's dict says it takes more."""

_OURS = (str(Path(__file__).parents[1]), str(tracemalloc.__file__))
"""What looking at memory takes itself, and is left out."""


DRIVERS = ("sqlite3", "aiosqlite", "psycopg", "psycopg_binary", "psycopg_c", "asyncpg")
"""Packages of drivers."""

_BESIDE_DRIVERS = ("asyncio", "selectors", "concurrent")
"""Packages of the standard library whose code makes what drivers wait with."""

_ADAPTERS = ("sqlalchemy.dialects", "sqlalchemy.connectors")
"""Where SQLAlchemy keeps what stands in the place of a driver's cursor."""

_NOT_FOLLOWED = (type, FrameType, GeneratorType, CoroutineType, FunctionType, MethodType, ModuleType)
"""What refers to things without holding them for their own sake."""


def held(beside: Iterable[Any] = ()) -> tuple[Held, int]:
    """Return who holds what tracemalloc traces just now, and how many entities are among it.

    What was there before the load has to be out of the collector's sight (`gc.freeze`). beside: dicts from before the
    load that have grown with it.
    """
    objects = gc.get_objects()
    blocks = tracemalloc.take_snapshot()
    made_by = {one.traceback[0].filename: one.size for one in blocks.statistics("filename")}
    del blocks
    total = sum(size for name, size in made_by.items() if not name.startswith(_OURS))
    walk = _Walk(made_by, set(map(id, objects)))
    kinds = {kind: _kind(kind) for kind in set(map(type, objects))}
    known: dict[str, list[Any]] = {"state": [], "driver": [], "row": [], "plain": []}
    for one in objects:
        if kind := kinds[type(one)]:
            known[kind].append(one)
    states = known["state"]
    entities = walk.claim([*states, *filter(None, map(_entity, states))])
    entities += sum(map(walk.claim_growth, beside))
    driver = walk.claim(known["driver"])
    rows = walk.claim([*known["row"], *filter(walk.is_row_like, known["plain"])])
    return (
        Held(
            total_bytes=total,
            entities_bytes=entities + walk.left("entities"),
            rows_bytes=rows + walk.left("rows"),
            driver_bytes=driver + walk.left("driver"),
            sqlalchemy_bytes=walk.left("sqlalchemy"),
            own_bytes=walk.left("own"),
        ),
        len(states),
    )


class _Walk:
    """Claims objects, each once, with all that they refer to of the load's making; keeps what is left by file.

    collected: the ids of those that the collector knows. Some of them tracemalloc cannot tell the maker of: in CPython
    3.11 instances that have a dict.
    """

    def __init__(self, made_by: dict[str, int], collected: set[int]) -> None:
        self._left = Counter(made_by)
        self._collected = collected
        self._seen: set[int] = set()

    def is_row_like(self, one: Any) -> bool:
        """Whether it is a plain row, or a list of rows or entities: a container made where only those are made."""
        if id(one) in self._seen:
            return False
        maker = _maker(one)
        return _makes_rows(maker) or (maker == _LOADING and type(one) is list)

    def claim(self, roots: list[Any]) -> int:
        """Return the bytes of these objects and of all that they reach, that nobody has claimed before."""
        claimed = 0
        waiting = roots
        while waiting:
            following: list[Any] = []
            for one in waiting:
                if id(one) in self._seen:
                    continue
                self._seen.add(id(one))
                if issubclass(type(one), _NOT_FOLLOWED):
                    continue
                maker = _maker(one) or (_supposed_maker(type(one)) if id(one) in self._collected else "")
                if maker and not maker.startswith(_OURS):
                    size = sys.getsizeof(one, 0)
                    claimed += size
                    self._left[maker] -= size
                    following += gc.get_referents(one)
            waiting = following
        return claimed

    def claim_growth(self, grown: Any) -> int:
        """Return the bytes of a dict's table that was made anew since the load began; the dict itself was not."""
        size = sys.getsizeof(grown) - sys.getsizeof({})
        self._left[f"{_SQLALCHEMY}/orm/identity.py"] -= size
        return size

    def left(self, whose: str) -> int:
        """Return what nobody claimed of what the code of one of `_whose` made."""
        return sum(size for name, size in self._left.items() if _whose(name) == whose)


def _entity(state: Any) -> Any:
    """Return the entity of a state; None where it is gone, or is only being made."""
    return state.obj() if hasattr(state, "obj") else None


def _maker(one: Any) -> str:
    """Return the file whose code made an object; empty for one from before the load."""
    traceback = tracemalloc.get_object_traceback(one)
    return traceback[0].filename if traceback else ""


def _supposed_maker(kind: type) -> str:
    """Return the file of a class's module, and for mapped ones that in which SQLAlchemy makes their instances."""
    if hasattr(kind, "_sa_class_manager") or issubclass(kind, InstanceState):
        return _ENTITIES[0]
    return getattr(sys.modules.get(kind.__module__), "__file__", None) or "<unknown>"


@lru_cache(maxsize=2**12)
def _whose(name: str) -> str:
    """Return by a file's name whose code it is."""
    if name in _ENTITIES:
        return "entities"
    if _makes_rows(name):
        return "driver" if _package(name) in DRIVERS else "rows"
    if name.startswith(_SQLALCHEMY):
        return "sqlalchemy"
    if name.startswith(_OURS):
        return "bench"
    if _package(name) in _BESIDE_DRIVERS:
        return "driver"
    return "standard" if name.startswith((_STANDARD, "<")) and not name.startswith(_INSTALLED) else "own"


@lru_cache(maxsize=2**12)
def _makes_rows(name: str) -> bool:
    return name.startswith(_ENGINE) or _package(name) in DRIVERS


def _package(name: str) -> str:
    """Return the package that a file belongs to, installed or of the standard library; empty for another file."""
    for folder in (_INSTALLED, _STANDARD):
        if name.startswith(folder):
            return name[len(folder) :].partition("/")[0].removesuffix(".py")
    return ""


def _kind(kind: type) -> str:
    """Return what a class's instances are to a load; empty for any other class."""
    if InstanceState in kind.__mro__:  # asking an abstract class would have it remember the answer
        return "state"
    module, name = str(getattr(kind, "__module__", "")), kind.__name__
    of_driver = module.partition(".")[0] in DRIVERS
    if Row in kind.__mro__ or (of_driver and name == "Record"):
        return "row"
    if of_driver or (module.startswith(_ADAPTERS) and name.endswith("cursor")):
        return "driver"
    return "plain" if kind in (tuple, list, deque) else ""
