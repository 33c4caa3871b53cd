from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.publishing import RECIPE

from bench.datasets import Dataset, blocks
from bench.datasets.columns import MOST_CUT
from bench.datasets.pools import pool, prose
from bench.errors import BenchError
from bench.model import (
    Column,
    DatasetOptions,
    Dates,
    Integers,
    Numbered,
    Pick,
    Recipe,
    Serial,
    Size,
    Table,
    Text,
    Values,
)
from scenarios.one_to_many import ONE_TO_MANY


def values_of(values: Values, *, rows: int = 1000, seed: int = 1) -> list[Any]:
    """What a column of such values holds in the first rows."""
    table = Table(
        name="things", level=0, columns=(Column(name="id", values=Serial()), Column(name="it", values=values))
    )
    dataset = Dataset(Recipe(tables=(table,)), Size((rows,)), DatasetOptions(seed=seed))
    return dataset.values("things", "it", np.arange(rows))


def all_rows(size: Size, options: DatasetOptions) -> list[tuple[Any, ...]]:
    return [
        (block.table, *row) for block in blocks(Dataset(ONE_TO_MANY.recipe, size, options)) for row in block.tuples()
    ]


def digest(rows: list[tuple[Any, ...]]) -> str:
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def test_rows_do_not_change_between_releases_or_machines() -> None:
    options = DatasetOptions(seed=42, children="zipf", childless=0.1, order="shuffled", text_width=20)

    assert all_rows(Size((3, 2)), DatasetOptions(text_width=20)) == [
        ("users", 1, "Nicolas Ferguson", "user1@example.org", "Recent play quickly "),
        ("users", 2, "Evelyn Davila", "user2@example.org", "miss. Worker detail "),
        ("users", 3, "Keith Banks", "user3@example.org", "Stand our entire ano"),
        ("books", 1, 1, "Gutierrez's Impossible Bus", 1918, "senior kid managemen"),
        ("books", 2, 1, "The Both Subject", 1914, "Window this reflect "),
        ("books", 3, 2, "Brown's Ugly Son", 1901, "road turn. Thus disc"),
        ("books", 4, 2, "The Stock, the Shape and the Test", 1971, "carry account of. Ab"),
        ("books", 5, 3, "The Joke, the Tune and the East", 1972, "human us. Actually s"),
        ("books", 6, 3, "A Damage in Hallland", 1927, "grow politics ask na"),
    ]
    assert (
        digest(all_rows(Size((200, 20)), options)) == "933a5976e243eeadb9283b0746988fb045ff82edd26e23c7a741bbf90892a4c4"
    )


def test_every_value_is_a_plain_one() -> None:
    kinds = {
        type(value)
        for block in blocks(Dataset(RECIPE, Size((5, 5, 5)), DatasetOptions(order="shuffled", childless=0.2)))
        for values in block.values
        for value in values
    }

    assert kinds == {int, str, date}


def test_a_column_added_to_a_recipe_changes_no_other() -> None:
    users, books = ONE_TO_MANY.recipe.tables
    wider = Recipe(
        tables=(replace(users, columns=(Column(name="city", values=Pick(pool="city")), *users.columns)), books)
    )
    before, after = (Dataset(recipe, Size((50, 4)), DatasetOptions()) for recipe in (ONE_TO_MANY.recipe, wider))

    for table in (users, books):
        rows = np.arange(before.rows[table.name])
        for column in table.columns:
            assert before.values(table.name, column.name, rows) == after.values(table.name, column.name, rows)


@given(rows=st.lists(st.integers(0, 599), min_size=1, max_size=50))
def test_any_row_can_be_made_alone(rows: list[int]) -> None:
    dataset = Dataset(RECIPE, Size((20, 5, 6)), DatasetOptions(order="shuffled", children="uniform"))
    whole = {column: dataset.values("works", column, np.arange(600)) for column in ("id", "author_id", "code", "blurb")}

    for column, values in whole.items():
        assert dataset.values("works", column, np.array(rows)) == [values[row] for row in rows]


@pytest.mark.parametrize("options", [DatasetOptions(), DatasetOptions(order="shuffled", children="zipf")])
def test_blocks_hold_every_row_once_by_primary_key_whatever_their_length(options: DatasetOptions) -> None:
    dataset = Dataset(RECIPE, Size((7, 5, 3)), options)

    lengths = {
        block_rows: [(block.table, row) for block in blocks(dataset, block_rows=block_rows) for row in block.tuples()]
        for block_rows in (1, 10, 4096)
    }

    assert lengths[1] == lengths[10] == lengths[4096]
    assert [row[0] for table, row in lengths[10] if table == "authors"] == list(range(1000, 1035))


def test_seeds_have_their_own_values() -> None:
    assert values_of(Pick(pool="name"), seed=1) != values_of(Pick(pool="name"), seed=2)


def test_a_pick_is_any_of_its_pool() -> None:
    assert set(values_of(Pick(pool="city"), rows=10_000)) == set(pool("city"))


def test_numbered_values_count_from_one_and_take_any_pattern() -> None:
    assert values_of(Numbered(pattern="{}: {x} %s {}"), rows=2) == ["1: {x} %s 1", "2: {x} %s 2"]


@pytest.mark.parametrize("width", [0, 1, 32, 1000, MOST_CUT // 2000, 50_000])
def test_a_text_is_as_wide_as_asked_and_reads_on_in_the_prose(width: int) -> None:
    read_on = prose() * (2 + width // len(prose()))

    for text in values_of(Text(width=width), rows=5):
        assert len(text) == width
        assert text in read_on


def test_a_text_is_the_same_whether_cut_in_advance_or_not() -> None:
    narrow, wide = values_of(Text(width=1000), rows=100), values_of(Text(width=20_000), rows=100)

    assert [text[:1000] for text in wide] == narrow


def test_a_text_without_a_width_has_that_of_the_options() -> None:
    dataset = Dataset(ONE_TO_MANY.recipe, Size((3, 1)), DatasetOptions(text_width=77))

    assert [len(str(bio)) for bio in dataset.values("users", "bio", np.arange(3))] == [77, 77, 77]


@pytest.mark.parametrize(("low", "high"), [(-5, 5), (0, 0), (2**62, 2**62 + 3), (-(2**63), -(2**63) + 1)])
def test_whole_numbers_reach_from_end_to_end(low: int, high: int) -> None:
    assert set(values_of(Integers(low=low, high=high))) == set(range(low, high + 1))


def test_days_reach_from_the_first_to_the_last() -> None:
    assert set(values_of(Dates(first="2024-02-28", days=3))) == {date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)}


@pytest.mark.parametrize(
    "values",
    [
        Integers(low=1, high=0),
        Integers(low=0, high=2**32),
        Integers(low=2**63 - 1, high=2**63),
        Dates(first="yesterday", days=1),
        Dates(first="2024-01-01", days=0),
        Dates(first="9999-12-31", days=2),
        Dates(first="0001-01-01", days=5_000_000),
        Pick(pool="planet"),
    ],
)
def test_values_that_cannot_be_drawn_are_an_error_with_a_remedy(values: Values) -> None:
    with pytest.raises(BenchError) as caught:
        values_of(values)

    assert caught.value.remedy
