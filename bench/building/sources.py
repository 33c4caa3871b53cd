"""Sources: where a column's values come from when its type alone decides, and whether they are loaded as they were."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    String,
    Time,
    Uuid,
)
from sqlalchemy import Column as Mapped
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeDecorator, TypeEngine

from bench.errors import BenchError
from bench.model import (
    Bytes,
    Cycle,
    Dates,
    Documents,
    Integers,
    Moments,
    Numbered,
    Serial,
    Table,
    Text,
    Uuids,
    Values,
)

WIDEST = 32
"""Characters of a text, and bytes of a binary value, whose column has room for more."""

LEAST_ROOM = 10
"""Characters that a column needs for texts that are numbered: as many digits as the largest dataset's rows."""

GIVE = "Give values={{{name!r}: ...}}, such as Integers(low=1, high=9), or write the recipe."

SAMPLES: tuple[tuple[Values, Any], ...] = (
    (Documents(), {"number": 1, "text": "prose"}),
    (Moments(first="2025-01-01T00:00:00", seconds=31_536_000, utc=True), datetime(2025, 6, 1, tzinfo=UTC)),
    (Moments(first="2025-01-01T00:00:00", seconds=31_536_000), datetime(2025, 6, 1)),  # noqa: DTZ001 - it has none
    (Uuids(), UUID(int=1 << 80)),
    (Uuids(text=True), str(UUID(int=1 << 80))),
    (Text(width=8), "a prose "),
    (Cycle(values=(True, False)), True),
    (Integers(low=0, high=9), 7),
    (Dates(first="2025-01-01", days=365), date(2025, 6, 1)),
    (Bytes(width=8), b"a prose "),
)
"""What a type of the application's own may take, each with a value of it."""


def by_type(column: Mapped[Any]) -> Values:
    """Return the source that a mandatory column's type allows. Raises BenchError for a type that none is known for."""
    found = _of_own_type(column.type) if _is_decorated(column.type) else _of(column.type)
    if found is None:
        raise BenchError(
            f"{named(column)} may not be NULL, and nothing makes values of {column.type!r}.",
            remedy="Give it a server_default, or make it nullable; both leave it out. "
            + GIVE.format(name=named(column)),
        )
    return found


def ascending(column: Mapped[Any]) -> Values | None:
    """Return the source of a key's column: distinct, and sorted as the rows are. None where its type has none."""
    match column.type:
        case TypeDecorator() | Enum():
            return None
        case Integer():
            return Serial()
        case Uuid(as_uuid=as_uuid):
            return Uuids(text=not as_uuid)
        case String() if has_room(column):
            return Numbered(pattern="{}", digits=LEAST_ROOM)
    return None


def has_room(column: Mapped[Any]) -> bool:
    """Whether a text column holds every number that a row may have."""
    return (getattr(column.type, "length", None) or LEAST_ROOM) >= LEAST_ROOM


def named(column: Mapped[Any]) -> str:
    """Return a column as values are given for it: `table.column`."""
    return f"{column.table.name}.{column.name}"


def is_comparable(column: Mapped[Any], table: Table | None) -> bool:
    """Whether what a load returns of a column is what the recipe says, so that objects can be compared by it."""
    source = next((one.values for one in table.columns if one.name == column.name), None) if table else None
    if _is_decorated(column.type):
        return False  # what the application makes of it is its own
    if source is None:
        return column.server_default is None and column.computed is None
    return _is_told_as_loaded(column.type, source)


def _is_told_as_loaded(kind: TypeEngine[Any], source: Values) -> bool:
    turns = source.values if isinstance(source, Cycle) else ()
    match kind:
        case Enum(enum_class=members) if members is not None:
            return bool(turns) and all(isinstance(one, members) for one in turns)
        case Uuid(as_uuid=as_uuid):
            return not isinstance(source, Uuids) or source.text != as_uuid
        case DateTime():
            return isinstance(source, Moments)
        case JSON() | LargeBinary():
            return isinstance(source, Documents | Bytes)
        case Boolean() | Time() | Interval():
            return bool(turns) and all(isinstance(one, bool | time | timedelta) for one in turns)
        case Numeric(asdecimal=asdecimal) | Float(asdecimal=asdecimal):
            return bool(turns) and all(isinstance(one, Decimal if asdecimal else float) for one in turns)
    return isinstance(kind, Integer | String | Date)


def _of(kind: TypeEngine[Any]) -> Values | None:  # noqa: C901 - a table of types, one line each
    match kind:
        case Enum(enums=labels, enum_class=members):
            return Cycle(values=tuple(labels if members is None else members))
        case Boolean():
            return Cycle(values=(True, False))
        case DateTime(timezone=zoned):
            return Moments(first="2025-01-01T00:00:00", seconds=31_536_000, utc=bool(zoned))
        case Date():
            return Dates(first="2025-01-01", days=365)
        case Time(timezone=zoned):
            return Cycle(values=tuple(time(hour, tzinfo=UTC if zoned else None) for hour in range(24)))
        case Interval():
            return Cycle(values=tuple(timedelta(minutes=15 * quarters) for quarters in range(1, 97)))
        case Uuid(as_uuid=as_uuid):
            return Uuids(text=not as_uuid)
        case JSON():
            return Documents()
        case LargeBinary(length=length):
            return Bytes(width=min(length or WIDEST, WIDEST))
        case String(length=length):
            return Text(width=min(length, WIDEST)) if length else Text()
        case Integer():
            return Integers(low=0, high=9)
        case Numeric() | Float():
            return _amounts(kind)
    return None


def _amounts(kind: Numeric[Any] | Float[Any]) -> Cycle:
    """Return amounts that a type stores as they are: with two digits after the point, if it has as many."""
    if not kind.asdecimal:
        return Cycle(values=tuple(number / 4 for number in range(40)))  # binary fractions: exact in four bytes
    scale = getattr(kind, "scale", None)
    places = 2 if scale is None else min(scale, 2)
    whole = 2 if kind.precision is None else max(0, kind.precision - (scale or 0))
    return Cycle(values=tuple(Decimal(number).scaleb(-places) for number in range(min(100, 10 ** (whole + places)))))


def _is_decorated(kind: TypeEngine[Any]) -> bool:
    return isinstance(kind, TypeDecorator) and not isinstance(kind, Interval)


def _of_own_type(kind: TypeEngine[Any]) -> Values | None:
    """Return a source whose values a type of the application's own takes and gives back as they were."""
    usual = _of(kind.impl_instance) if isinstance(kind, TypeDecorator) else None
    ordered = sorted(SAMPLES, key=lambda pair: type(pair[0]) is not type(usual))
    return next((source for source, sample in ordered if _comes_back(kind, sample)), None)


def _comes_back(kind: TypeEngine[Any], sample: Any) -> bool:
    dialect = sqlite.dialect()
    found = kind.dialect_impl(dialect)
    bind, result = found.bind_processor(dialect), found.result_processor(dialect, None)
    try:
        stored = bind(sample) if bind else sample
        loaded = result(stored) if result else stored
    except Exception:  # noqa: BLE001 - the application's code may raise anything for what it does not take
        return False
    plain_number = not isinstance(sample, int) or isinstance(sample, bool) or stored == sample
    return stored is not None and plain_number and type(loaded) is type(sample) and bool(loaded == sample)
