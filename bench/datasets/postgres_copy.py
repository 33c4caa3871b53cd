"""Rows in PostgreSQL's binary COPY format, a block of bytes at a time.

A row is the number of its fields (16 bits), and for each field the bytes of its value (32 bits) and the value itself,
all in network byte order: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".

Whole numbers are packed by numpy, a block at a time, fields that lie together in one piece; what is drawn from a pool
is packed once for all rows. So a row costs a join of few ready pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.datasets.blocks import BLOCK_ROWS
from bench.datasets.columns import Maker, Spelling
from bench.datasets.dataset import Dataset
from bench.datasets.ownership import Rows
from bench.model import Table

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""What the format begins with: its name, no flags, no extension."""

TRAILER = b"\xff\xff"
"""What it ends with: a row of -1 fields."""

WIDTHS = {21: 2, 23: 4, 20: 8}
"""Bytes of `smallint`, `integer` and `bigint`, by the type's object identifier, which is the same in every server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column as the server takes it. type_oid: its type. spell: a value as its bytes, their number before them."""

    name: str
    type_oid: int
    spell: Spelling


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Columns of whole numbers that lie together, packed in one piece a row; the first piece counts the fields too."""

    makers: tuple[Maker, ...]
    template: np.void

    def pieces(self, rows: Rows) -> list[bytes]:
        packed = np.full(len(rows), self.template)
        for number, maker in enumerate(self.makers):
            packed[f"value{number}"] = np.array(maker(rows), dtype=packed.dtype[f"value{number}"])
        return packed.view(f"V{packed.dtype.itemsize}").tolist()


@dataclass(frozen=True, slots=True)
class _Spelled:
    """A column whose values come spelled, but for whole numbers (in a `numeric`, say), which are spelled here."""

    maker: Maker
    spell: Spelling
    numbers: bool

    def pieces(self, rows: Rows) -> list[bytes]:
        made = self.maker(rows)
        return list(map(self.spell, made)) if self.numbers else made


def binary_copy(dataset: Dataset, table: Table, fields: Sequence[Field]) -> Iterator[bytes]:
    """Yield all rows of the table as the bytes of one binary COPY, in the order of their primary key.

    fields: the table's columns in the recipe's order. Raises OverflowError for a number that its type cannot hold.
    """
    parts = _parts(dataset, table, {field.name: field for field in fields})
    yield SIGNATURE
    for first in range(0, dataset.rows[table.name], BLOCK_ROWS):
        rows = np.arange(first, min(first + BLOCK_ROWS, dataset.rows[table.name]), dtype=np.int64)
        pieces: list[bytes] = [b""] * (len(parts) * len(rows))
        for place, part in enumerate(parts):
            pieces[place :: len(parts)] = part.pieces(rows)
        yield b"".join(pieces)
    yield TRAILER


def _parts(dataset: Dataset, table: Table, fields: Mapping[str, Field]) -> list[_Numbers | _Spelled]:
    """Return what makes a row's pieces, in order; the first is always one of numbers, for it counts the fields."""
    parts: list[_Numbers | _Spelled] = []
    together: list[tuple[Maker, int]] = []
    for column in table.columns:
        field = fields[column.name]
        maker = dataset.maker(table.name, column.name, field.spell)
        numbers = dataset.are_numbers(table.name, column.name)
        if numbers and field.type_oid in WIDTHS:
            together.append((maker, WIDTHS[field.type_oid]))
            continue
        parts += _flushed(together, counted=None if parts else len(table.columns))
        parts.append(_Spelled(maker, field.spell, numbers))
    return parts + _flushed(together, counted=None if parts else len(table.columns))


def _flushed(together: list[tuple[Maker, int]], *, counted: int | None) -> list[_Numbers | _Spelled]:
    """Return the numbers that lie together as one part, and empty the list."""
    dtype: list[tuple[str, str]] = [] if counted is None else [("fields", ">i2")]
    for number, (_, width) in enumerate(together):
        dtype += [(f"length{number}", ">i4"), (f"value{number}", f">i{width}")]
    if not dtype:
        return []
    template: Any = np.zeros(1, dtype=dtype)
    if counted is not None:
        template["fields"] = counted
    for number, (_, width) in enumerate(together):
        template[f"length{number}"] = width
    part = _Numbers(tuple(maker for maker, _ in together), template[0])
    together.clear()
    return [part]
