"""Where a statement comes from: who asked for it, what it loads, and the user's line that had it sent.

Who asked and for which relationship, SQLAlchemy says itself, in `do_orm_execute`, before it executes a statement for
the ORM. What a join loads beside its entity stands in the compile state's attributes, under keys that are private:
they are used in this file alone, and a test fails loudly when they change.
"""

from __future__ import annotations

import linecache
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import sqlalchemy

from bench.model.profile import Asking

TREE = Path(__file__).resolve().parents[2]

_LIBRARIES = tuple(
    f"{path}/" for path in (Path(sqlalchemy.__file__).parent, TREE / "bench", Path(sysconfig.get_path("stdlib")))
)
_JOINED = ("eager_row_processor", "user_defined_eager_row_processor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who asked for a statement, and the path of the relationship; empty for what the load itself asked for.

    option: the loader option by which it is loaded for all entities at once, as it is written.
    """

    asking: Asking = "load"
    path: str = ""
    option: str = ""


def origin_of(state: Any) -> Origin:
    """Return where the statement of an `ORMExecuteState` comes from."""
    if state.is_column_load:
        return Origin(asking="column")
    if not state.is_relationship_load:
        return Origin()
    asking: Asking = "eager" if state.lazy_loaded_from is None else "lazy"
    path = state.loader_strategy_path.path
    return Origin(asking=asking, path=path_text(path), option=option_text(path))


def loaded_paths(origin: Origin, compiled: Any) -> tuple[str, ...]:
    """Return what a statement loads: its entity or its relationship, and the relationships that it joins."""
    state = getattr(compiled, "compile_state", None)
    joined = [
        path_text(key[1])
        for key in getattr(state, "attributes", ())
        if isinstance(key, tuple) and len(key) == 2 and key[0] in _JOINED
    ]
    if not origin.path:
        return tuple(dict.fromkeys([*_entities(state), *joined]))
    # What a loader's statement joins is named from the entity that it loads; a reader starts at the load's own.
    return tuple(dict.fromkeys([origin.path, *(_continued(origin.path, path) for path in joined)]))


def _continued(path: str, joined: str) -> str:
    root, _, rest = joined.partition(".")
    return joined if path.partition(".")[0] == root else f"{path}.{rest}"


def path_text(path: Any) -> str:
    """Return a path of mappers and relationships as `User.books.author`."""
    elements = tuple(getattr(path, "path", path))
    names = [element.key for element in elements if hasattr(element, "strategy_key") or hasattr(element, "direction")]
    return ".".join([elements[0].mapper.class_.__name__, *names])


def option_text(path: Any) -> str:
    """Return the option that loads a path of mappers and relationships: `selectinload(User.books)`, and so on."""
    elements = tuple(getattr(path, "path", path))
    pairs = zip(elements[::2], elements[1::2], strict=False)
    return ".".join(f"selectinload({owner.mapper.class_.__name__}.{element.key})" for owner, element in pairs)


def users_line() -> tuple[str, str]:
    """Return `file:line` and the text of the innermost line on the stack that is neither a library's nor ours."""
    for frame in _frames():
        file = frame.f_code.co_filename
        if _is_users(file):
            number = _number(frame)
            return f"{_short(file)}:{number}", linecache.getline(file, number).strip()
    return "", ""


def _number(frame: FrameType) -> int:
    """Return the number of the line; of a Jinja template its own, not that of the Python that was made of it."""
    template = frame.f_globals.get("__jinja_template__")
    return frame.f_lineno if template is None else int(template.get_corresponding_lineno(frame.f_lineno))


def _frames() -> Iterator[FrameType]:
    """Yield the frames of the stack, the innermost first, and those of the coroutine that awaits this greenlet."""
    frame: FrameType | None = sys._getframe(1)
    greenlet = sys.modules["greenlet"].getcurrent() if "greenlet" in sys.modules else None
    while frame is not None:
        yield frame
        frame = frame.f_back
        if frame is None and greenlet is not None and greenlet.parent is not None:
            greenlet = greenlet.parent
            frame = greenlet.gr_frame


@cache
def _is_users(file: str) -> bool:
    installed = "/site-packages/" in file or "/dist-packages/" in file
    return not (file.startswith((*_LIBRARIES, "<")) or (installed and "/scenarios/" not in file))


@cache
def _short(file: str) -> str:
    for folder in (Path.cwd(), TREE):
        if Path(file).is_relative_to(folder):
            return str(Path(file).relative_to(folder))
    return file


def _entities(compile_state: Any) -> list[str]:
    """Return the names of the entities that an ORM statement selects as such."""
    mappers = [getattr(entity, "mapper", None) for entity in getattr(compile_state, "_entities", ())]
    return [mapper.class_.__name__ for mapper in mappers if mapper is not None]
