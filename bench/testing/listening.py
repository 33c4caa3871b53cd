"""Two lasting listeners, by which whoever records hears what every engine of the process sends.

SQLAlchemy keeps listeners in deques, and the threads that send statements walk them: where one is added or taken off
meanwhile, the application's own thread gets "deque mutated during iteration". So the first block of the process adds
one listener to all engines and one to all sessions, and they stay. Who is told is a tuple, replaced as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any
from weakref import ref

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from bench.measure.origins import origin_of
from bench.measure.tracing import ORIGIN

SESSION = "bench_session"
"""The execution option by which a statement of the ORM carries a weak reference to its session."""

Heard = Callable[[Any, Any, str, Any, Any, bool], None]
"""What is told of an execution: the arguments of `after_cursor_execute`."""

_listening: tuple[Heard, ...] = ()
_lock = Lock()


@contextmanager
def listening(heard: Heard) -> Iterator[None]:
    """Tell of every execution of every engine while the block runs; blocks may lie in one another and side by side."""
    global _listening
    with _lock:
        _listen()
        _listening = (*_listening, heard)
    try:
        yield
    finally:
        with _lock:
            _listening = tuple(each for each in _listening if each is not heard)


def stop_listening() -> None:
    """Take the lasting listeners off until the next block: for who times loads without them, in one thread."""
    with _lock:
        for target, name, function in _LASTING:
            if event.contains(target, name, function):
                event.remove(target, name, function)


def _listen() -> None:
    """Add what is not there: at the first block, and after somebody cleared the listeners of a class."""
    for target, name, function in _LASTING:
        if not event.contains(target, name, function):
            event.listen(target, name, function)


def _do_orm_execute(state: Any) -> None:
    """Send who asks along with a statement: what is flushed before it, or by other threads, is not its own."""
    if _listening:
        state.update_execution_options(**{ORIGIN: origin_of(state), SESSION: ref(state.session)})


def _after_cursor_execute(
    connection: Any, cursor: Any, sql: str, parameters: Any, context: Any, executemany: bool
) -> None:
    for heard in _listening:
        heard(connection, cursor, sql, parameters, context, executemany)


_LASTING: tuple[tuple[Any, str, Callable[..., None]], ...] = (
    (Session, "do_orm_execute", _do_orm_execute),
    (Engine, "after_cursor_execute", _after_cursor_execute),
)
