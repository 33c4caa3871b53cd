from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.publishing import RECIPE

from bench.datasets import Dataset, blocks, shape
from bench.errors import BenchError
from bench.model import Column, DatasetOptions, Parent, Pick, Recipe, Serial, Shape, Size, Table
from scenarios.one_to_many import ONE_TO_MANY

BOOKS = ONE_TO_MANY.recipe


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 12)).map(Size),
    options=st.builds(
        DatasetOptions,
        children=st.sampled_from(["fixed", "uniform", "zipf"]),
        childless=st.sampled_from([0.0, 0.3, 0.9]),
        order=st.sampled_from(["clustered", "shuffled"]),
    ),
)
def test_the_shape_is_what_the_rows_add_up_to(size: Size, options: DatasetOptions) -> None:
    keys: dict[str, list[object]] = {"users": [], "books": []}
    for block in blocks(Dataset(BOOKS, size, options)):
        wanted = {"users": "id", "books": "user_id"}[block.table]
        keys[block.table] += block.values[block.columns.index(wanted)]

    assert shape(BOOKS, size, options) == Shape(
        rows=(len(keys["users"]), len(keys["books"])),
        childless=(len(set(keys["users"]) - set(keys["books"])),),
        tables={table: len(each) for table, each in keys.items()},
    )


def test_a_level_counts_the_rows_of_all_its_tables_and_the_childless_of_those_that_own_tables() -> None:
    found = shape(RECIPE, Size((10, 6, 4)), DatasetOptions(childless=0.2))

    # 8 publishers have authors and prizes, 48 of each; 10 of the authors (9.6 rounded) have no work.
    assert (found.rows, found.childless) == ((10, 96, 38 * 4), (2, 10))
    assert found.tables == {"publishers": 10, "authors": 48, "prizes": 48, "works": 38 * 4}


def test_a_dataset_of_nothing_but_childless_parents_is_one_of_parents_alone() -> None:
    found = shape(BOOKS, Size((1, 5)), DatasetOptions(childless=0.9))

    assert (found.rows, found.childless) == ((1, 0), (1,))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (DatasetOptions(seed=-1), "seed -1"),
        (DatasetOptions(seed=2**64), "seed 18446744073709551616"),
        (DatasetOptions(text_width=-1), "text width -1"),
        (DatasetOptions(text_width=2_000_000), "text width 2000000"),
        (DatasetOptions(childless=1.0), "childless share 1.0"),
        (DatasetOptions(childless=-0.1), "childless share -0.1"),
        (DatasetOptions(childless=float("nan")), "childless share nan"),
        (DatasetOptions(children="normal"), "distribution 'normal'"),  # type: ignore[arg-type]
        (DatasetOptions(order="sorted"), "order 'sorted'"),  # type: ignore[arg-type]
    ],
)
def test_options_that_no_dataset_can_have_are_named(options: DatasetOptions, said: str) -> None:
    with pytest.raises(BenchError, match=f"A dataset cannot have the {said}."):
        shape(BOOKS, Size((1, 1)), options)


def test_a_size_with_too_few_numbers_says_how_many_it_takes() -> None:
    with pytest.raises(BenchError, match=r"The size 10x5 has 2 numbers, but table 'works' needs 3."):
        shape(RECIPE, Size((10, 5)), DatasetOptions())


USERS, OWNED = BOOKS.tables
ANOTHER_ID = Column(name="other", values=Serial())


@pytest.mark.parametrize(
    ("tables", "remedy"),
    [
        ((USERS, USERS), "Name every table once."),
        ((replace(USERS, columns=(*USERS.columns, USERS.columns[1])),), "Name every column once."),
        ((replace(USERS, columns=(*USERS.columns, ANOTHER_ID)),), "Give it one Serial column"),
        ((replace(USERS, columns=(Column(name="id", values=Pick(pool="name")),)),), "Give it one Serial column"),
        ((replace(USERS, columns=(*USERS.columns, Column(name="up", values=Parent()))),), "Give it one Parent column"),
        ((OWNED, USERS), "Put it after the table that owns it."),
        ((USERS, replace(OWNED, level=2)), "Its level is one below its parent's"),
        ((replace(USERS, level=1),), "Its level is one below its parent's"),
    ],
)
def test_a_recipe_that_cannot_be_made_says_what_to_mend(tables: tuple[Table, ...], remedy: str) -> None:
    with pytest.raises(BenchError, match=remedy):
        shape(Recipe(tables=tables), Size((3, 3, 3)), DatasetOptions())
