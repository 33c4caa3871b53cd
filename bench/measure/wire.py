"""What the rows of a load hold, in the bytes that the protocol of PostgreSQL sends them in, and how much comes again.

A row crosses the wire as a DataRow: a letter, a length of 4 bytes, a number of values of 2, and for each value a length
of 4 before its content (https://www.postgresql.org/docs/current/protocol-message-formats.html). psycopg asks for text,
asyncpg for binary. Widths are worked out from the Python values that the driver handed over; those of types without a
rule below are those of their text. So it is an estimate, to be held against what was counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, event

from bench.measure.entities import EntityColumns, entity_columns
from bench.measure.statements import CountingCursor
from bench.measure.timing import Load, Opened
from bench.model.wire import WireBytes

ROW_FRAME = 7
"""Bytes of a DataRow before its first value."""

VALUE_FRAME = 4
"""Bytes before each value, also before one that is NULL, which has none of its own."""

_FIXED_BY_OID = {16: 1, 20: 8, 21: 2, 23: 4, 26: 4, 700: 4, 701: 8}
"""What a value of PostgreSQL's type takes in binary: bool, int8, int2, int4, oid, float4, float8."""

_FIXED_BY_TYPE = {bool: 1, int: 4, float: 8, datetime: 8, date: 4, time: 8, timedelta: 16}
"""The same by Python's type, where the driver does not say PostgreSQL's."""


@dataclass(slots=True)
class RowsHeld:
    """What has been seen of rows so far. width: the bytes that a value takes, by its type's oid where there is one."""

    width: Callable[[Any, int | None], int]
    rows: int = 0
    values: int = 0
    content_bytes: int = 0
    repeated_bytes: int = 0
    _seen: set[tuple[str, tuple[Any, ...]]] = field(default_factory=set)

    def fetched(
        self, rows: Sequence[Sequence[Any]], oids: Sequence[int | None], entities: tuple[EntityColumns, ...]
    ) -> None:
        """Add rows as the driver returned them. oids: of the columns' types."""
        self.rows += len(rows)
        for row in rows:
            widths = [self.width(value, oid) for value, oid in zip(row, oids, strict=True)]
            self.values += len(widths)
            self.content_bytes += sum(widths)
            self.repeated_bytes += sum(widths[place] + VALUE_FRAME for place in self._carried_again(row, entities))

    def _carried_again(self, row: Sequence[Any], entities: tuple[EntityColumns, ...]) -> set[int]:
        """Return the places of values that belong to an entity which was carried before."""
        again: set[int] = set()
        for entity in entities:
            key = tuple(row[place] for place in entity.positions)
            if None in key:  # the outer side of a join that found nothing
                continue
            if (entity.table, key) in self._seen:
                again.update(entity.columns)
            self._seen.add((entity.table, key))
        return again


def rows_held(engine: Engine, opened: Opened, load: Load) -> WireBytes:
    """Run the load and return what its rows hold; what crossed the wire is counted by others."""
    held = RowsHeld(width=binary_width if engine.dialect.driver == "asyncpg" else text_width)
    entities: dict[Any, tuple[EntityColumns, ...]] = {}

    def after_cursor_execute(_conn: Any, cursor: Any, _sql: str, _params: Any, context: Any, _many: bool) -> None:
        if context is None or context.cursor is not cursor or not cursor.description:
            return
        if context.compiled not in entities:
            entities[context.compiled] = entity_columns(context.compiled)
        oids = [column[1] if isinstance(column[1], int) else None for column in cursor.description]
        fetched = partial(held.fetched, oids=oids, entities=entities[context.compiled])
        context.cursor = CountingCursor(cursor, fetched)

    event.listen(engine, "after_cursor_execute", after_cursor_execute)
    try:
        with opened() as session:
            load(session)
    finally:
        event.remove(engine, "after_cursor_execute", after_cursor_execute)
    return WireBytes(
        rows=held.rows,
        values=held.values,
        content_bytes=held.content_bytes,
        framing_bytes=ROW_FRAME * held.rows + VALUE_FRAME * held.values,
        repeated_bytes=held.repeated_bytes,
    )


def text_width(value: Any, _oid: int | None) -> int:
    """Return the bytes of a value as PostgreSQL writes it."""
    match value:
        case None:
            return 0
        case str():
            return _utf8(value)
        case bool():
            return 1
        case float():
            return len(repr(value).removesuffix(".0"))
        case bytes() | bytearray() | memoryview():
            return 2 + 2 * len(value)
        case datetime():
            return len(f"{value:%Y-%m-%d %H:%M:%S.%f}".rstrip("0").rstrip(".")) + (3 if value.tzinfo else 0)
    return _utf8(str(value))


def binary_width(value: Any, oid: int | None) -> int:
    """Return the bytes of a value in PostgreSQL's binary format."""
    match value:
        case None:
            return 0
        case str():
            return _utf8(value)
        case bytes() | bytearray() | memoryview():
            return len(value)
        case Decimal():
            return _numeric(value)
        case UUID():  # asyncpg has a class of its own below it
            return 16
    return _FIXED_BY_OID.get(oid or 0) or _FIXED_BY_TYPE.get(type(value)) or _utf8(str(value))


def _utf8(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _numeric(value: Decimal) -> int:
    """Return the width of a number that is sent four decimal digits at a time, behind 8 bytes; zeros are left out."""
    sign_less = format(abs(value), "f")
    whole, _, fraction = sign_less.partition(".")
    groups = whole.zfill(-(-len(whole) // 4) * 4) + fraction.ljust(-(-len(fraction) // 4) * 4, "0")
    fours = [groups[start : start + 4] for start in range(0, len(groups), 4)]
    while fours and fours[-1] == "0000":
        fours.pop()
    while fours and fours[0] == "0000":
        fours.pop(0)
    return 8 + 2 * len(fours)
