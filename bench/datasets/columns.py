"""What a column holds in given rows: one maker for each kind of values that a recipe can name."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from json.encoder import encode_basestring_ascii as quoted
from typing import Any
from uuid import UUID

import numpy as np

from bench.datasets.ownership import Rows
from bench.datasets.pools import pool, prose, word_starts
from bench.datasets.splitmix import WIDEST, Stream
from bench.errors import BenchError
from bench.model import (
    Bytes,
    Column,
    Cycle,
    DatasetOptions,
    Dates,
    Documents,
    Integers,
    Moments,
    Numbered,
    Parent,
    Pick,
    Place,
    Quotient,
    Reference,
    Remainder,
    Serial,
    Text,
    Uuids,
    Values,
    plain_value,
)

Maker = Callable[[Rows], list[Any]]
"""From row numbers to values, as the application sees them."""

Spelling = Callable[[Any], Any]
"""From a value that is no whole number to what stands for it."""

MOST_CUT = 4_000_000
"""Characters of prose that are cut up in advance: a wider text is cut anew for every row."""

FIRST_MS = 1_735_689_600_000
"""The time that the first UUID of a column carries: 2025, in milliseconds."""

MOST_DAYS = 1_000_000
"""Days that a column of dates may span: about what the calendar of Python's `date` has left after the year 1."""


def plain(value: Any) -> Any:
    """Return the value as it is."""
    return value


def as_json(value: Any) -> str:
    """Return the JSON of a value, in ASCII. A whole number needs none: its digits are its JSON."""
    return quoted(value) if isinstance(value, str) else _encode(value)


_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), sort_keys=True, default=plain_value).encode


def are_numbers(values: Values) -> bool:
    """Whether a column that is no foreign key holds whole numbers, which are never spelled."""
    if isinstance(values, Cycle):
        return all(type(value) is int for value in values.values)
    return isinstance(values, Serial | Integers | Quotient | Remainder | Place)


def make_column(table: str, column: Column, options: DatasetOptions, *, spell: Spelling = plain) -> Maker:
    """Return the maker of a column that depends on no other row, its values spelled by `spell`.

    What is drawn from a pool is spelled once for all rows. Raises BenchError for values that cannot be made.
    """
    stream, where = Stream.named(options.seed, "column", table, column.name), f"{table}.{column.name}"
    match column.values:
        case Serial() | Parent() | Reference() | Place():
            raise ValueError(f"{where} is a key: whose row it is is no matter of its column")
        case Numbered() | Cycle() | Quotient() | Remainder() as counted:
            return _by_arithmetic(counted, spell)
        case Pick(pool=name):
            return _pick(stream, pool(name), spell)
        case Integers() | Dates() | Moments() as drawn:
            return _from_a_range(stream, drawn, spell, where=where)
        case Uuids(text=text):
            return _uuids(stream, spell, text=text)
    return _prose(stream, column.values, options.text_width, spell)


def _from_a_range(stream: Stream, values: Integers | Dates | Moments, spell: Spelling, *, where: str) -> Maker:
    match values:
        case Integers(low=low, high=high):
            return _integers(stream, low, high, where=where)
        case Dates(first=first, days=days):
            return _dates(stream, first, days, spell, where=where)
        case Moments(first=first, seconds=seconds, utc=utc):
            return _moments(stream, first, seconds, spell, utc=utc, where=where)


def _prose(stream: Stream, values: Text | Documents | Bytes, usual: int, spell: Spelling) -> Maker:
    """Return the maker of what holds prose, as wide as usual where it names no width."""
    width = usual if values.width is None else values.width
    match values:
        case Text():
            return _text(stream, width, spell)
        case Documents():
            return _documents(stream, width, spell)
        case Bytes():
            return _text(stream, width, lambda text: spell(text.encode()[:width]))


def _by_arithmetic(values: Numbered | Cycle | Quotient | Remainder, spell: Spelling) -> Maker:
    """Return the maker of values that follow from the row's number, nothing drawn."""
    match values:
        case Numbered(pattern=pattern, digits=digits):
            return _numbered(pattern, digits, spell)
        case Cycle(values=turns):
            return _cycle(turns, spell)
        case Quotient(by=by):
            return lambda rows: (rows // np.int64(by) + np.int64(1)).tolist()
        case Remainder(by=by):
            return lambda rows: (rows % np.int64(by) + np.int64(1)).tolist()


def _numbered(pattern: str, digits: int, spell: Spelling) -> Maker:
    return lambda rows: [
        spell(pattern.replace("{}", str(number).zfill(digits))) for number in (rows + np.int64(1)).tolist()
    ]


def _cycle(values: Sequence[Any], spell: Spelling) -> Maker:
    held = np.empty(len(values), dtype=object)
    held[:] = [value if type(value) is int else spell(value) for value in values]
    return lambda rows: held[rows % np.int64(len(values))].tolist()


def _pick(stream: Stream, choices: Sequence[Any], spell: Spelling = plain) -> Maker:
    held = np.empty(len(choices), dtype=object)
    held[:] = [spell(choice) for choice in choices]
    return lambda rows: held[stream.below(len(choices), rows.view(np.uint64))].tolist()


def _text(stream: Stream, width: int, spell: Spelling) -> Maker:
    """Cut `width` characters of the prose, read round and round, from a word's beginning that is drawn."""
    starts = word_starts()
    round_and_round = prose() * (2 + width // len(prose()))
    if len(starts) * width <= MOST_CUT:
        return _pick(stream, [round_and_round[start : start + width] for start in starts], spell)
    drawn = _pick(stream, starts)
    return lambda rows: [spell(round_and_round[start : start + width]) for start in drawn(rows)]


def _integers(stream: Stream, low: int, high: int, *, where: str) -> Maker:
    if not 1 <= high - low + 1 <= WIDEST or not -(2**63) <= low <= high < 2**63:
        raise BenchError(
            f"{where}: whole numbers from {low} to {high} cannot be drawn.",
            remedy="The higher end must not lie below the lower, nor more than 2**32 - 1 above it; both take 64 bits.",
        )
    return lambda rows: (stream.below(high - low + 1, rows.view(np.uint64)).view(np.int64) + np.int64(low)).tolist()


def _dates(stream: Stream, first: str, days: int, spell: Spelling, *, where: str) -> Maker:
    try:
        start = date.fromisoformat(first)
        if not 1 <= days <= MOST_DAYS:
            raise ValueError
        return _pick(stream, [start + timedelta(days=day) for day in range(days)], spell)
    except (ValueError, OverflowError):
        raise BenchError(
            f"{where}: {days} days from {first!r} on cannot be drawn.",
            remedy=f"Name a first day such as '2020-01-31', and 1 to {MOST_DAYS:,} days, up to the year 9999.",
        ) from None


def _moments(stream: Stream, first: str, seconds: int, spell: Spelling, *, utc: bool, where: str) -> Maker:
    try:
        start = datetime.fromisoformat(first)
        if start.tzinfo is not None or not 1 <= seconds <= WIDEST:
            raise ValueError
        start + timedelta(seconds=seconds - 1)
    except (ValueError, OverflowError):
        raise BenchError(
            f"{where}: {seconds} seconds from {first!r} on cannot be drawn.",
            remedy="Name a first moment such as '2025-01-31T12:00:00', without an offset, and 1 to 2**32 seconds, "
            "up to the year 9999.",
        ) from None
    start = start.replace(tzinfo=UTC) if utc else start
    return lambda rows: [
        spell(start + timedelta(seconds=later)) for later in stream.below(seconds, rows.view(np.uint64)).tolist()
    ]


def _uuids(stream: Stream, spell: Spelling, *, text: bool) -> Maker:
    """Make UUIDs of version 7 (RFC 9562): 48 bits that count, for which there it has milliseconds, and 74 drawn."""

    def make(rows: Rows) -> list[Any]:
        places = rows.view(np.uint64) * np.uint64(2)
        made = [
            UUID(int=(FIRST_MS + row) << 80 | 7 << 76 | (one >> 52) << 64 | 2 << 62 | other >> 2)
            for row, one, other in zip(
                rows.tolist(), stream.words(places).tolist(), stream.words(places + np.uint64(1)).tolist(), strict=True
            )
        ]
        return [spell(str(each) if text else each) for each in made]

    return make


def _documents(stream: Stream, width: int, spell: Spelling) -> Maker:
    prose_of = _text(stream, width, plain)
    return lambda rows: [
        spell({"number": row + 1, "text": text}) for row, text in zip(rows.tolist(), prose_of(rows), strict=True)
    ]
