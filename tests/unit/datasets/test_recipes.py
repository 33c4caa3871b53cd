"""Recipes beyond parents and children: references and links, generations, inheritance, two-column keys."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.catalogue import find_scenario
from bench.datasets import Dataset, blocks, shape
from bench.datasets.key import _plain
from bench.errors import BenchError
from bench.model import Column, Cycle, DatasetOptions, Parent, Pick, Recipe, Reference, Scenario, Size, Table
from scenarios.composite_keys import COMPOSITE_KEYS
from scenarios.many_to_many import MANY_TO_MANY
from scenarios.polymorphic import POLYMORPHIC

OPTIONS = st.builds(
    DatasetOptions,
    children=st.sampled_from(["fixed", "uniform"]),
    childless=st.sampled_from([0.0, 0.3]),
    order=st.sampled_from(["clustered", "shuffled"]),
    seed=st.integers(0, 2**64 - 1),
)


def rows(scenario: Scenario, size: Size, options: DatasetOptions) -> dict[str, list[dict[str, Any]]]:
    """The rows of each of the database's tables."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for block in blocks(Dataset(scenario.recipe, size, options)):
        found[block.table] += [dict(zip(block.columns, row, strict=True)) for row in block.tuples()]
    return found


@given(size=st.tuples(st.integers(1, 30), st.integers(1, 15)).map(Size), options=OPTIONS)
def test_a_links_rows_are_different_ones_for_each_parent_and_use_all_equally_often(
    size: Size, options: DatasetOptions
) -> None:
    links = rows(find_scenario("many_to_many[tags=30]"), size, options)["post_tags"]
    used = Counter(link["tag_id"] for link in links)

    assert len({(link["post_id"], link["tag_id"]) for link in links}) == len(links)
    assert set(used) <= set(range(1, 31))
    assert max(used.values()) - min(used[tag] for tag in range(1, 31)) <= 1


def test_a_parent_that_would_need_more_links_than_there_are_rows_is_refused() -> None:
    with pytest.raises(BenchError, match=r"'posts' is to be linked to 11 different rows of 'tags', which has 10\."):
        Dataset(find_scenario("many_to_many[tags=10]").recipe, Size((5, 11)), DatasetOptions())


@given(roots=st.integers(1, 12), children=st.integers(1, 4), options=OPTIONS)
def test_generations_number_on_in_one_table_and_each_row_has_a_parent_of_the_one_before(
    roots: int, children: int, options: DatasetOptions
) -> None:
    size, scenario = Size((roots,)), find_scenario(f"tree[depth=2,children={children}]")
    categories = rows(scenario, size, options)["categories"]
    depth: dict[int, int] = {}
    for category in categories:
        parent = category.get("parent_id")
        depth[category["id"]] = depth[parent] + 1 if parent else 0

    assert [category["id"] for category in categories] == list(range(1, len(categories) + 1))
    assert list(depth.values()) == sorted(depth.values())
    assert Counter(depth.values()).total() == sum(shape(scenario.recipe, size, options).tables.values())
    assert set(depth.values()) <= {0, 1, 2}


@given(count=st.integers(1, 50))
def test_a_row_goes_on_in_the_table_of_its_class_alone_under_the_key_that_it_has(count: int) -> None:
    found = rows(POLYMORPHIC, Size((count,)), DatasetOptions())
    of = {kind: [row["id"] for row in found["employees"] if row["kind"] == kind] for kind in ("engineer", "manager")}

    assert [row["id"] for row in found["engineers"]] == of["engineer"]
    assert [row["id"] for row in found["managers"]] == of["manager"]


@given(size=st.tuples(st.integers(1, 120), st.integers(1, 3)).map(Size), options=OPTIONS)
def test_a_two_column_key_is_told_apart_and_referred_to_by_both(size: Size, options: DatasetOptions) -> None:
    found = rows(COMPOSITE_KEYS, size, options)
    keys = [(order["shop_id"], order["number"]) for order in found["orders"]]

    assert keys == sorted(set(keys))
    assert {(line["shop_id"], line["order_number"]) for line in found["lines"]} <= set(keys)


def test_what_was_added_to_recipes_leaves_older_keys_of_datasets_as_they_were() -> None:
    table = Table(name="users", level=0, columns=(Column(name="up", values=Parent()),))

    assert _plain(Recipe(tables=(table,))) == [
        "Recipe",
        {
            "tables": [
                [
                    "Table",
                    {"name": "users", "level": 0, "columns": [["Column", {"name": "up", "values": ["Parent", {}]}]]}
                    | {"parent": None},
                ]
            ]
        },
    ]
    assert _plain(replace(table, each=1))[1]["each"] == 1


def test_parameters_that_make_more_rows_than_a_dataset_may_have_are_refused() -> None:
    with pytest.raises(
        BenchError, match=r"A dataset of 10 is [0-9,]+ rows of this scenario; 2,000,000,000 is the most"
    ):
        Dataset(find_scenario("tree[depth=20,children=100]").recipe, Size((10,)), DatasetOptions())


EMPLOYEES, ENGINEERS, _ = POLYMORPHIC.recipe.tables
POSTS, TAGS, LINKS = MANY_TO_MANY.recipe.tables
OTHER_KINDS = Column(name="kind", values=Cycle(values=("a", "b")))
ORDERS, LINES = COMPOSITE_KEYS.recipe.tables


def without(table: Table, *names: str) -> Table:
    return replace(table, columns=tuple(column for column in table.columns if column.name not in names))


@pytest.mark.parametrize(
    ("tables", "remedy"),
    [
        ((ENGINEERS, EMPLOYEES), "What it extends has to come before it"),
        (
            (replace(EMPLOYEES, columns=(EMPLOYEES.columns[0], OTHER_KINDS)), ENGINEERS),
            "with a Cycle that has its value",
        ),
        ((POSTS, LINKS, TAGS), "Put it after the tables that it refers to."),
        ((POSTS, without(LINKS, "post_id")), "Give it one Parent column"),
        ((without(ORDERS, "number"),), "or a Quotient and a Remainder by the same"),
        ((ORDERS, without(LINES, "order_number")), "Give it one Parent column"),
        ((replace(POSTS, columns=(Column(name="word", values=Pick(pool="word")),)),), "Give it one Serial column"),
        (
            (TAGS, replace(POSTS, columns=(Column(name="t", values=Reference(table="nowhere")), *POSTS.columns))),
            "Put it after the tables that it refers to.",
        ),
    ],
)
def test_a_recipe_that_cannot_be_made_says_what_to_mend(tables: tuple[Table, ...], remedy: str) -> None:
    with pytest.raises(BenchError, match="cannot be made") as caught:
        shape(Recipe(tables=tables), Size((3, 3)), DatasetOptions())

    assert remedy in caught.value.remedy
