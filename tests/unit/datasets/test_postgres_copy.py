from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.datasets import Dataset, blocks
from bench.datasets.postgres_copy import SIGNATURE, TRAILER, Field, binary_copy
from bench.model import Column, DatasetOptions, Integers, Numbered, Pick, Recipe, Serial, Size, Table, Text, Values

SMALLINT, INTEGER, BIGINT, TEXT, NUMERIC = 21, 23, 20, 25, 1700
CODES = {SMALLINT: ">h", INTEGER: ">i", BIGINT: ">q"}


def spell(value: Any) -> bytes:
    data = str(value).encode()
    return struct.pack(">i", len(data)) + data


def made(columns: list[tuple[Values, int]], *, rows: int, first: Values | None = None) -> tuple[Dataset, list[Field]]:
    """A dataset of one table, with the types that its columns have in the server."""
    kinds = [(Serial() if first is None else first, INTEGER), *columns]
    table = Table(
        name="things",
        level=0,
        columns=tuple(Column(name=f"c{number}", values=values) for number, (values, _) in enumerate(kinds)),
    )
    fields = [Field(name=f"c{number}", type_oid=oid, spell=spell) for number, (_, oid) in enumerate(kinds)]
    return Dataset(Recipe(tables=(table,)), Size((rows,)), DatasetOptions()), fields


def rows_read_back(copied: bytes, types: list[int]) -> Iterator[tuple[Any, ...]]:
    """Read the format as it is documented: fields in a row, bytes in a field."""
    assert copied.startswith(SIGNATURE)
    at = len(SIGNATURE)
    while True:
        (fields,) = struct.unpack_from(">h", copied, at)
        at += 2
        if fields == -1:
            assert at == len(copied)
            return
        assert fields == len(types)
        row = []
        for oid in types:
            (length,) = struct.unpack_from(">i", copied, at)
            data = copied[at + 4 : at + 4 + length]
            at += 4 + length
            row.append(struct.unpack(CODES[oid], data)[0] if oid in CODES else data.decode())
        yield tuple(row)


KINDS: list[tuple[Values, int]] = [
    (Integers(low=-(2**15), high=2**15 - 1), SMALLINT),
    (Integers(low=-(2**31), high=2**31 - 2), INTEGER),
    (Integers(low=-(2**63), high=-(2**63) + 9), BIGINT),
    (Integers(low=-5, high=5), NUMERIC),
    (Pick(pool="name"), TEXT),
    (Numbered(pattern="é {} %s"), TEXT),
    (Text(width=0), TEXT),
    (Text(width=20), TEXT),
]


@given(st.lists(st.sampled_from(KINDS), max_size=7), st.integers(min_value=1, max_value=20))
def test_what_is_copied_is_the_datasets_rows_whatever_columns_lie_together(
    columns: list[tuple[Values, int]], rows: int
) -> None:
    dataset, fields = made(columns, rows=rows)
    types = [field.type_oid for field in fields]

    copied = b"".join(binary_copy(dataset, dataset.recipe.tables[0], fields))

    expected = [row for block in blocks(dataset) for row in block.tuples()]
    assert list(rows_read_back(copied, types)) == [
        tuple(value if oid in CODES else str(value) for value, oid in zip(row, types, strict=True)) for row in expected
    ]


def test_a_table_that_begins_with_text_has_its_fields_counted_too() -> None:
    dataset, fields = made([(Integers(low=1, high=9), INTEGER)], rows=3)
    table = dataset.recipe.tables[0]
    reordered = replace(table, columns=(Column(name="t", values=Text(width=3)), *table.columns))
    dataset = Dataset(Recipe(tables=(reordered,)), Size((3,)), DatasetOptions())

    copied = b"".join(binary_copy(dataset, reordered, [Field(name="t", type_oid=TEXT, spell=spell), *fields]))

    read = list(rows_read_back(copied, [TEXT, INTEGER, INTEGER]))
    assert [(len(text), number) for text, number, _ in read] == [(3, 1), (3, 2), (3, 3)]


def test_rows_of_several_blocks_come_each_once_between_one_signature_and_one_trailer() -> None:
    dataset, fields = made([], rows=10_000)

    copied = b"".join(binary_copy(dataset, dataset.recipe.tables[0], fields))

    assert [number for (number,) in rows_read_back(copied, [INTEGER])] == list(range(1, 10_001))
    assert copied.count(SIGNATURE) == 1
    assert copied.endswith(TRAILER)


def test_a_number_that_its_type_cannot_hold_is_refused() -> None:
    dataset, fields = made([(Integers(low=2**15, high=2**15), SMALLINT)], rows=1)

    with pytest.raises(OverflowError):
        b"".join(binary_copy(dataset, dataset.recipe.tables[0], fields))
