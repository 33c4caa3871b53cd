"""Which rows a load has to return, held against sorting and slicing by hand."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.datasets import Dataset, graph_lines, graph_plan
from bench.datasets.route import follow, roots
from bench.model import DatasetOptions, Scenario, Selection, Size, Where, is_touched
from scenarios.one_to_many import ONE_TO_MANY
from scenarios.partly_used import PARTLY_USED

SIZE = Size((12, 7))
OPTIONS = DatasetOptions(children="uniform", childless=0.2, order="shuffled")
DATASET = Dataset(ONE_TO_MANY.recipe, SIZE, OPTIONS)
HOLDS = {"==": operator.eq, "<": operator.lt, ">=": operator.ge}

SELECTIONS = st.builds(
    Selection,
    where=st.none()
    | st.builds(Where, column=st.just("year"), is_=st.sampled_from(["==", "<", ">="]), value=st.integers(1900, 2025)),
    order_by=st.sampled_from([None, "year", "title"]),
    descending=st.booleans(),
    offset=st.integers(0, 4),
    limit=st.none() | st.integers(0, 5),
)


def by_hand(selection: Selection, rows: list[int], table: str) -> list[int]:
    """The same by Python's own sorting, one parent's rows at a time."""

    def value(row: int, column: str) -> Any:
        return DATASET.values(table, column, np.array([row]))[0]

    where = selection.where
    kept = [row for row in rows if where is None or HOLDS[where.is_](value(row, where.column), where.value)]
    if selection.order_by is None:
        kept.sort(reverse=selection.descending)
    else:
        column = selection.order_by
        kept.sort(key=lambda row: value(row, column), reverse=selection.descending)
        kept = sorted(kept, key=lambda row: value(row, column), reverse=selection.descending)
    end = None if selection.limit is None else selection.offset + selection.limit
    return sorted(kept[selection.offset : end])


@given(selection=SELECTIONS)
def test_the_children_that_are_selected_are_those_of_each_parent_alone(selection: Selection) -> None:
    plan = graph_plan(replace(ONE_TO_MANY, selections=(replace(selection, path="books"),)))
    parents = np.arange(12, dtype=np.int64)

    found, counts = follow(DATASET, plan, plan.relations[0], parents)

    expected = []
    for parent in parents:
        owned, _ = DATASET.owned("books", np.array([parent]))
        expected.append(by_hand(selection, owned.tolist(), "books"))
    assert counts.tolist() == [len(rows) for rows in expected]
    assert found.tolist() == [row for rows in expected for row in rows]


@given(offset=st.integers(0, 14), limit=st.none() | st.integers(0, 14), descending=st.booleans())
def test_the_roots_that_are_selected_are_a_slice_in_the_order_asked_for(
    offset: int, limit: int | None, descending: bool
) -> None:
    selection = Selection(order_by="email", descending=descending, offset=offset, limit=limit)

    found = roots(DATASET, graph_plan(replace(ONE_TO_MANY, selections=(selection,))))

    assert found is not None
    assert found.tolist() == by_hand(selection, list(range(12)), "users")


@pytest.mark.parametrize("percent", [0, 1, 10, 50, 99, 100])
def test_those_that_are_touched_are_as_many_as_said_and_evenly_spread(percent: int) -> None:
    touched = [is_touched(place, percent) for place in range(1000)]

    assert sum(touched) == 10 * percent
    for first in range(0, 1000, 100):
        assert sum(touched[first : first + 100]) == percent


def test_a_root_that_is_not_touched_has_no_relationships() -> None:
    scenario: Scenario = PARTLY_USED.configured({"touched": 50})
    walked: list[Literal["walked", "bare"]] = [
        "bare" if line.endswith(",{}]") else "walked" for line in graph_lines(scenario, Size((4, 1)), DatasetOptions())
    ]

    assert walked == ["bare", "walked", "bare", "walked"]
