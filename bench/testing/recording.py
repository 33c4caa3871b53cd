"""Recording what engines send while a block of a test runs, whichever session or thread sends it.

What is a statement is said in `bench.measure.statements`. In a test transactions begin and end inside the block, and
some recipes send BEGIN by hand: what controls a transaction is no statement here, whoever sends it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any
from weakref import ref

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bench.measure.cursors import WatchedCursor
from bench.measure.tracing import Execution, Trace
from bench.testing.engines import root_of
from bench.testing.listening import SESSION, listening

_CONTROL = re.compile(
    r"\s*(?:(?:START\s+TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE\s+SAVEPOINT)\b"
    # Oracle's blocks of code begin with the same word.
    r"|BEGIN(?:\s+(?:DEFERRED|IMMEDIATE|EXCLUSIVE|TRANSACTION|WORK|ISOLATION|READ)\b.*)?\s*;?\s*$)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(slots=True)
class _Buffer:
    """Rows that SQLAlchemy gathers, of which execution, and how many of them are counted; it may still grow."""

    rows: Sequence[Any]
    execution: Execution
    counted: int = 0


class Record:
    """What was sent and fetched until the record was closed; several threads may add to it.

    engines: those whose statements are recorded; without any, all.
    """

    def __init__(self, engines: Sequence[Engine] = ()) -> None:
        self._engines = frozenset(map(root_of, engines))
        self._trace = Trace()
        self._lock = Lock()
        self._open = True
        self._buffers: dict[int, _Buffer] = {}
        self._sessions: set[ref[Session]] = set()

    def sessions(self) -> frozenset[ref[Session]]:
        """Return the sessions for which the ORM executed some of it."""
        with self._lock:
            return frozenset(self._sessions)

    def executions(self) -> list[Execution]:
        """Return what was seen so far, by text, purpose and line, in the order of first execution."""
        with self._lock:
            self._take_buffers()
            return list(self._trace.seen.values())

    def close(self) -> None:
        """Count nothing more: rows that are fetched later belong to no block."""
        with self._lock:
            self._take_buffers()
            self._buffers = {}
            self._open = False

    def after_cursor_execute(
        self, connection: Any, cursor: Any, sql: str, parameters: Any, context: Any, executemany: bool
    ) -> None:
        """Take note of an execution of a recorded engine, and have its rows counted when they are fetched."""
        if (self._engines and root_of(connection.engine) not in self._engines) or is_control(sql):
            return
        # Of an INSERT in batches they are one set, though it is an executemany to SQLAlchemy.
        first = parameters[0] if executemany and isinstance(parameters, list) and parameters else parameters
        with self._lock:
            if not self._open:  # another thread was about to call it when it ended
                return
            execution = self._trace.executed(sql, first, context)
            session = getattr(context, "execution_options", {}).get(SESSION)
            if session is not None:
                self._sessions.add(session)
        # The rows of an INSERT in batches are fetched past every event, and gathered in this list.
        gathered = getattr(context, "_insertmanyvalues_rows", None)
        if gathered is not None:
            with self._lock:
                self._buffers.setdefault(id(gathered), _Buffer(rows=gathered, execution=execution))
        elif context is not None and context.cursor is not None:
            self._watch(context, cursor, execution)

    def _watch(self, context: Any, cursor: Any, execution: Execution) -> None:
        """Count the rows that are fetched from an execution's cursor, above whoever else counts them.

        A cursor that comes here watched served another statement before, as that of a default does: its rows are not
        those of this one.
        """

        def fetched(rows: int) -> None:
            with self._lock:
                if self._open:
                    execution.fetched(rows)

        inner = _bare(cursor) if context.cursor is cursor else context.cursor
        context.cursor = WatchedCursor(inner, _nothing, fetched)

    def _take_buffers(self) -> None:
        for buffer in self._buffers.values():
            buffer.execution.fetched(len(buffer.rows) - buffer.counted)
            buffer.counted = len(buffer.rows)


@contextmanager
def recording(engines: Sequence[Engine]) -> Iterator[Record]:
    """Record what the engines send while the block runs; without any, what every engine of the process sends."""
    record = Record(engines)
    with listening(record.after_cursor_execute):
        try:
            yield record
        finally:
            record.close()


def is_control(sql: str) -> bool:
    """Whether a text begins, ends or divides a transaction, and does nothing else."""
    return _CONTROL.match(sql) is not None


def _bare(cursor: Any) -> Any:
    while isinstance(cursor, WatchedCursor):
        cursor = cursor.watched
    return cursor


def _nothing() -> None:
    """Begin a fetch: nothing is to be done."""
