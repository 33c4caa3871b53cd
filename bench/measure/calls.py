"""Which Python functions a load calls, and how often: exact, the same in every process of the same versions.

cProfile counts. What is left out is what differs from load to load, or is not the load's:

- The driver's functions, and the event loop's: they are generators and coroutines that wait, and how often they go on
  depends on when bytes arrive. Of an asynchronous load only what runs in its own greenlet is counted.
- Whatever the collector calls: it is off, for when it runs depends on the heap.
- Functions written in C, as compiled parts of SQLAlchemy are, and those of the harness.
"""

from __future__ import annotations

import cProfile
import gc
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

from bench.measure.timing import Load, Opened

TREE = Path(__file__).resolve().parents[2]

_HARNESS = f"{TREE / 'bench'}/"

_WAITING = ("aiosqlite/", "asyncio/", "asyncpg/", "psycopg/", "selectors.py:")
"""Where functions begin that go on as often as it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A Python function, and how often one load called it.

    name: as its code has it. place: `sqlalchemy/orm/loading.py:1082`, from the folder that it is imported from.
    """

    name: str
    place: str
    calls: int


def python_calls(opened: Opened, load: Load) -> int:
    """Return how many times one load calls a Python function; for the rest see `calls_by_function`."""
    return sum(called.calls for called in calls_by_function(opened, load))


def calls_by_function(opened: Opened, load: Load, *, stats: Path | None = None) -> tuple[Called, ...]:
    """Return the functions that one load calls, most often first; of equals by place and name.

    The load has to be warm, by one load more than `bench.measure.warming.warm_loads` says: the first one compiles its
    statements. Opening and closing the session are not counted. A generator counts each time that it goes on. stats:
    where cProfile's statistics are to be written, as `pstats` reads them: of all functions, and with times that are
    whole for a synchronous driver only.
    """
    profile = cProfile.Profile(builtins=False)
    with opened() as session:
        gc.collect()
        gc.disable()
        try:
            result = _counted(profile, load, session)
            del result
        finally:
            gc.enable()
    if stats is not None:
        profile.dump_stats(stats)
    counts: dict[tuple[str, str], int] = {}
    for entry in profile.getstats():
        if isinstance(entry.code, CodeType) and not entry.code.co_filename.startswith(_HARNESS):
            function = entry.code.co_name, place_of(entry.code.co_filename, entry.code.co_firstlineno)
            counts[function] = counts.get(function, 0) + entry.callcount
    found = [
        Called(name=name, place=place, calls=calls)
        for (name, place), calls in counts.items()
        if not place.startswith(_WAITING)
    ]
    return tuple(sorted(found, key=lambda one: (-one.calls, one.place, one.name)))


def place_of(file: str, line: int) -> str:
    """Return where a function begins, from the folder that it is imported from: the same on every machine."""
    return f"{_short(file)}:{line}"


def _counted(profile: cProfile.Profile, load: Load, session: Any) -> Any:
    """Run the load with the profile on, but not while another greenlet runs: SQLAlchemy waits by switching to one."""
    greenlet = sys.modules.get("greenlet")
    if greenlet is None:
        return profile.runcall(load, session)
    own = greenlet.getcurrent()

    def switched(_event: str, ends: tuple[Any, Any]) -> None:
        if ends[1] is own:
            profile.enable()
        else:
            profile.disable()

    before = greenlet.settrace(switched)
    try:
        return profile.runcall(load, session)
    finally:
        greenlet.settrace(before)


@cache
def _short(file: str) -> str:
    """Return a path from the nearest of the folders that modules are imported from."""
    imported_from = (*filter(None, sys.path), sysconfig.get_path("stdlib"), str(TREE))
    path = Path(file)
    folders = [folder for folder in map(Path, imported_from) if path.is_relative_to(folder)]
    return path.relative_to(max(folders, key=lambda folder: len(folder.parts))).as_posix() if folders else file
