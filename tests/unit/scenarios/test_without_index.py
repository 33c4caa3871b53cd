"""`index=no`: where a load needs an index, it can be seen without it; the counts are the same, the plans are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from bench.connect import engine
from bench.datasets import seed
from bench.measure.plans import statement_plans
from bench.measure.statements import counting
from bench.model import DatasetOptions, Scenario, Size, Target
from scenarios import SCENARIOS

WITH_A_CHOICE = [one for one in SCENARIOS if "index" in {parameter.name for parameter in one.parameters}]
SIZE = Size((12, 3, 2))


def looked_at(scenario: Scenario, path: Path) -> tuple[list[tuple[str, int, int]], str]:
    """What each strategy sends and fetches, and all that its plans say."""
    target = Target(name="sqlite", dialect="sqlite", driver="pysqlite", provider="embedded", database=str(path))
    seed(scenario, Size(SIZE.counts[: scenario.levels]), DatasetOptions(), target)
    made, sent, counts = engine(target), [], []

    @event.listens_for(made, "before_cursor_execute")
    def keep(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        sent.append((sql, parameters))

    for strategy in scenario.strategies:
        if strategy.dialects and "sqlite" not in strategy.dialects:
            continue
        with Session(made) as session:
            if scenario.prepare is not None:
                scenario.prepare(session)
            with counting(made) as tally:
                scenario.load(session, strategy)
            counts.append((strategy.name, tally.counters().statements, tally.counters().rows))
    plans = statement_plans(made, [one for one in sent if one[0].lstrip().upper().startswith(("SELECT", "WITH"))])
    made.dispose()
    return counts, repr(plans)


@pytest.mark.parametrize("scenario", WITH_A_CHOICE, ids=lambda scenario: scenario.name)
def test_without_the_index_the_counts_stay_and_the_plans_do_not(scenario: Scenario, tmp_path: Path) -> None:
    without = scenario.configured({"index": "no"})
    counts, plans = looked_at(scenario, tmp_path / "with.sqlite3")
    counts_without, plans_without = looked_at(without, tmp_path / "without.sqlite3")

    assert without.recipe.unindexed
    assert scenario.recipe.unindexed == ()
    assert counts == counts_without
    assert [index for index in without.recipe.unindexed if index in plans]
    assert not [index for index in without.recipe.unindexed if index in plans_without]


def test_what_finds_children_by_a_foreign_key_has_the_choice() -> None:
    assert {one.name for one in WITH_A_CHOICE} == {
        "one_to_many", "nested", "two_collections", "first_page", "one_by_key", "filtered_children", "newest_children",
        "wide_parents", "tree", "composite_keys", "partly_used", "counts_only", "writeonly_dynamic",
    }  # fmt: skip
