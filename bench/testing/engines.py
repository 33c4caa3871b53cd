"""What a test has at hand, an engine, a connection or a session of any kind, as the engines behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import UnboundExecutionError
from sqlalchemy.orm import Session

from bench.errors import BenchError


def engines_of(sources: Iterable[Any]) -> tuple[Engine, ...]:
    """Return the engines of engines, connections and sessions, sync or async, or of what makes sessions; each once.

    Raises BenchError for what is none of these.
    """
    return tuple(dict.fromkeys(root_of(engine) for source in sources for engine in _engines(source)))


def session_of(source: Any) -> Session | None:
    """Return the session that a source is or stands before, sync; None where it is an engine or makes sessions."""
    found = None if _is_maker(source) else _plain(source)
    return found if isinstance(found, Session) else None


def root_of(engine: Engine) -> Engine:
    """Return the engine that another was made of by `execution_options`: both send over the same connections."""
    while (proxied := getattr(engine, "_proxied", None)) is not None:
        engine = proxied
    return engine


def _engines(source: Any) -> Iterator[Engine]:
    found = _plain(source)
    if isinstance(found, Session):
        yield from _engines_of_session(found, source)
    elif isinstance(found, Connection):
        yield found.engine
    elif isinstance(found, Engine):
        yield found
    else:
        raise BenchError(
            f"Statements of {_named(source)} cannot be counted.",
            remedy="Give an engine, a connection, a session or a sessionmaker, or nothing for all engines there are.",
        )


def _plain(source: Any) -> Session | Connection | Engine | None:
    """Return what stands behind an async face, a scoped session or a sessionmaker."""
    if isinstance(source, type):
        return None
    for found in (source, *(getattr(source, way, None) for way in ("sync_session", "sync_connection", "sync_engine"))):
        if isinstance(found, (Session, Connection, Engine)):
            return found
    # A scoped session gives the thread's own; a sessionmaker's is new, and without a connection until it is used.
    return _plain(source()) if _is_maker(source) or hasattr(source, "registry") else None


def _is_maker(source: Any) -> bool:
    return callable(source) and isinstance(getattr(source, "kw", None), dict)


def _engines_of_session(session: Session, source: Any) -> Iterator[Engine]:
    """Yield the engine that a session is bound to, and those to which it binds classes or tables."""
    several = getattr(session, "binds", None) or getattr(session, "_Session__binds", {})  # private before 2.1
    binds = [*several.values()]
    try:
        binds.append(session.get_bind())
    except UnboundExecutionError:
        if not binds:
            raise BenchError(
                f"The session, {_named(source)}, is bound to no engine.",
                remedy="Name the engines that are to be counted.",
            ) from None
    for bind in binds:
        yield bind.engine


def _named(source: Any) -> str:
    name = source.__name__ if isinstance(source, type) else type(source).__name__
    return f"{'an' if name[:1] in 'AEIOUaeiou' else 'a'} {name}"
