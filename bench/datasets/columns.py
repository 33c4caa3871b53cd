"""What a column holds in given rows: one maker for each kind of values that a recipe can name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

import numpy as np

from bench.datasets.ownership import Rows
from bench.datasets.pools import pool, prose, word_starts
from bench.datasets.splitmix import WIDEST, Stream
from bench.errors import BenchError
from bench.model import (
    Column,
    Cycle,
    DatasetOptions,
    Dates,
    Integers,
    Numbered,
    Parent,
    Pick,
    Quotient,
    Reference,
    Remainder,
    Serial,
    Text,
    Values,
)

Maker = Callable[[Rows], list[Any]]
"""From row numbers to values, each a plain `int`, `str` or `date`."""

Spelling = Callable[[Any], Any]
"""From a text or a date to what stands for it."""

MOST_CUT = 4_000_000
"""Characters of prose that are cut up in advance: a wider text is cut anew for every row."""

MOST_DAYS = 1_000_000
"""Days that a column of dates may span: about what the calendar of Python's `date` has left after the year 1."""


def plain(value: Any) -> Any:
    """Return the value as it is."""
    return value


def as_json(value: str | date) -> str:
    """Return the JSON of a text or a date, in ASCII. A whole number needs none: its digits are its JSON."""
    return quoted(value) if isinstance(value, str) else f'"{value.isoformat()}"'


def are_numbers(values: Values) -> bool:
    """Whether a column holds whole numbers, which are never spelled."""
    if isinstance(values, Cycle):
        return isinstance(values.values[0], int)
    return isinstance(values, Serial | Integers | Quotient | Remainder | Parent | Reference)


def make_column(table: str, column: Column, options: DatasetOptions, *, spell: Spelling = plain) -> Maker:
    """Return the maker of a column that depends on no other row, its texts and dates spelled by `spell`.

    What is drawn from a pool is spelled once for all rows. Raises BenchError for values that cannot be made.
    """
    stream = Stream.named(options.seed, "column", table, column.name)
    match column.values:
        case Pick(pool=name):
            return _pick(stream, pool(name), spell)
        case Text(width=width):
            return _text(stream, options.text_width if width is None else width, spell)
        case Integers(low=low, high=high):
            return _integers(stream, low, high, where=f"{table}.{column.name}")
        case Dates(first=first, days=days):
            return _dates(stream, first, days, spell, where=f"{table}.{column.name}")
        case Serial() | Parent() | Reference():
            raise ValueError(f"{table}.{column.name} is a key: whose row it is is no matter of its column")
    return _by_arithmetic(column.values, spell)


def _by_arithmetic(values: Numbered | Cycle | Quotient | Remainder, spell: Spelling) -> Maker:
    """Return the maker of values that follow from the row's number, nothing drawn."""
    match values:
        case Numbered(pattern=pattern):
            return _numbered(pattern, spell)
        case Cycle(values=turns):
            return _cycle(turns, spell)
        case Quotient(by=by):
            return lambda rows: (rows // np.int64(by) + np.int64(1)).tolist()
        case Remainder(by=by):
            return lambda rows: (rows % np.int64(by) + np.int64(1)).tolist()


def _numbered(pattern: str, spell: Spelling) -> Maker:
    return lambda rows: [spell(pattern.replace("{}", str(number))) for number in (rows + np.int64(1)).tolist()]


def _cycle(values: Sequence[str | int], spell: Spelling) -> Maker:
    held = np.empty(len(values), dtype=object)
    held[:] = [spell(value) if isinstance(value, str) else value for value in values]
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
