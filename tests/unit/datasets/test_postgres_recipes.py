"""On a real server: the rows of recipes beyond parents and children are the same as anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.catalogue import find_scenario
from bench.datasets import Dataset, blocks, seed_postgres
from bench.model import DatasetOptions, Size

if TYPE_CHECKING:  # pytest imports it as a plugin, and has to be the first to
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]

OPTIONS = DatasetOptions(order="shuffled", children="uniform", childless=0.2)


@pytest.mark.parametrize("name", ["tree[depth=2]", "polymorphic", "many_to_many", "composite_keys"])
def test_the_tables_hold_the_datasets_rows(name: str, postgres: PostgresForTests, database: str) -> None:
    scenario = find_scenario(name)
    size = Size((30, 4)[: scenario.levels])
    seed_postgres(scenario, size, OPTIONS, postgres.target(database))

    found: dict[str, list[dict[str, Any]]] = {}
    for block in blocks(Dataset(scenario.recipe, size, OPTIONS)):
        made: list[dict[str, Any]] = [dict(zip(block.columns, row, strict=True)) for row in block.tuples()]
        found.setdefault(block.table, []).extend(made)

    for table, rows in found.items():
        columns = sorted({column for row in rows for column in row})
        held = postgres.query(f"SELECT {', '.join(columns)} FROM {table}", database=database)
        expected = [tuple(row.get(column) for column in columns) for row in rows]
        assert sorted(held, key=repr) == sorted(expected, key=repr)


@pytest.mark.parametrize(
    ("name", "there"), [("newest_children", True), ("newest_children[index=no]", False)], ids=["with", "without"]
)
def test_an_index_that_is_to_be_missing_is(name: str, there: bool, postgres: PostgresForTests, database: str) -> None:
    seed_postgres(find_scenario(name), Size((5, 2)), OPTIONS, postgres.target(database))

    indexes = [index for (index,) in postgres.query("SELECT indexname FROM pg_indexes", database=database)]
    assert ("ix_posts_newest" in indexes) is there
    assert "ix_posts_user_id" in indexes
