"""Counting statements and rows: what really reaches the driver and what it really hands over.

A statement is an execution of SQL text that the load asked for, by the ORM or by hand; an `executemany` is one. What
goes over the wire around it is none: the BEGIN of a transaction and the ROLLBACK of a session that is closed, the
preparing and deallocating of a driver, what it or SQLAlchemy asks a server when a connection is new. A server-side
cursor (`yield_per`) is one statement, and what is fetched from it are its rows, in however many round trips.

Rows are counted where they leave the driver: the cursor of each execution is replaced by one that counts what every
fetch method returns, once the statement has run and before SQLAlchemy's result takes hold of the cursor. It is so for
synchronous drivers and for SQLAlchemy's adapters of asynchronous ones alike. What a driver has received and nobody
fetched is not counted: a result that is left early, or what asyncpg's adapter reads ahead of a server-side cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Engine, event

from bench.measure.entities import EntityColumns, entity_columns
from bench.model import Counters, StatementCount

VALUE_BYTES = 8
"""What a value that is neither text nor binary counts for in the estimate of bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One execution: the SQL text and the parameters as the driver got them."""

    sql: str
    parameters: Any
    many: bool


@dataclass(slots=True)
class _Text:
    """What has been counted of one SQL text."""

    executions: int = 0
    rows: int = 0
    parameters: int = 0


@dataclass(slots=True)
class Tally:
    """What has been counted so far; grows while the observer is on."""

    sent: list[Sent] = field(default_factory=list)
    rows: int = 0
    repeated_rows: int = 0
    occurrences: int = 0
    bytes: int = 0
    _seen: set[tuple[str, tuple[Any, ...]]] = field(default_factory=set)
    _texts: dict[str, _Text] = field(default_factory=dict)
    _entities: dict[Any, tuple[EntityColumns, ...]] = field(default_factory=dict)

    def counters(self) -> Counters:
        """Freeze what was counted."""
        return Counters(
            statements=len(self.sent),
            rows=self.rows,
            repeated_rows=self.repeated_rows,
            entities=len(self._seen),
            occurrences=self.occurrences,
            parameters=sum(text.parameters for text in self._texts.values()),
            bytes=self.bytes,
            by_statement=tuple(
                StatementCount(sql=sql, executions=text.executions, rows=text.rows, parameters=text.parameters)
                for sql, text in self._texts.items()
            ),
        )

    def executed(self, sql: str, parameters: Any, *, many: bool) -> _Text:
        """Count one execution and return where its rows are counted."""
        self.sent.append(Sent(sql=sql, parameters=parameters, many=many))
        text = self._texts.setdefault(sql, _Text())
        text.executions += 1
        text.parameters += sum(map(len, parameters)) if many else len(parameters)
        return text

    def entities_of(self, compiled: Any) -> tuple[EntityColumns, ...]:
        """Return the entities that the statement's rows carry, worked out once a compiled statement."""
        if compiled not in self._entities:
            self._entities[compiled] = entity_columns(compiled)
        return self._entities[compiled]

    def fetched(self, rows: Sequence[Sequence[Any]], text: _Text, entities: tuple[EntityColumns, ...]) -> None:
        """Count rows as the driver returned them."""
        self.rows += len(rows)
        text.rows += len(rows)
        for row in rows:
            self.bytes += sum(_size(value) for value in row)
            self.repeated_rows += self._carries_again(row, entities)

    def _carries_again(self, row: Sequence[Any], entities: tuple[EntityColumns, ...]) -> bool:
        again = False
        for entity in entities:
            key = tuple(row[position] for position in entity.positions)
            if None in key:  # the outer side of a join that found nothing
                continue
            self.occurrences += 1
            carried = (entity.table, key)
            again = again or carried in self._seen
            self._seen.add(carried)
        return again


class CountingCursor:
    """A driver's cursor that has the rows counted which its fetch methods return; all else is the cursor's own."""

    def __init__(self, cursor: Any, fetched: Callable[[Sequence[Sequence[Any]]], None]) -> None:
        self._cursor, self._fetched = cursor, fetched

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def fetchone(self) -> Any:
        """Fetch and count one row, or none."""
        row = self._cursor.fetchone()
        if row is not None:
            self._fetched((row,))
        return row

    def fetchmany(self, size: int | None = None) -> Any:
        """Fetch and count some rows."""
        rows = self._cursor.fetchmany() if size is None else self._cursor.fetchmany(size)
        self._fetched(rows)
        return rows

    def fetchall(self) -> Any:
        """Fetch and count all rows."""
        rows = self._cursor.fetchall()
        self._fetched(rows)
        return rows

    def __iter__(self) -> Iterator[Any]:
        for row in self._cursor:
            self._fetched((row,))
            yield row


@contextmanager
def counting(engine: Engine) -> Iterator[Tally]:
    """Count every statement that the engine's connections execute while the block runs, and their rows."""
    tally = Tally()

    def after_cursor_execute(
        _connection: Any, cursor: Any, sql: str, parameters: Any, context: Any, executemany: bool
    ) -> None:
        text = tally.executed(sql, parameters, many=executemany)
        if context is not None and context.cursor is cursor:
            fetched = partial(tally.fetched, text=text, entities=tally.entities_of(context.compiled))
            context.cursor = CountingCursor(cursor, fetched)

    event.listen(engine, "after_cursor_execute", after_cursor_execute)
    try:
        yield tally
    finally:
        event.remove(engine, "after_cursor_execute", after_cursor_execute)


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    if isinstance(value, (bytes, bytearray, memoryview)):
        return len(value)
    return 0 if value is None else VALUE_BYTES
