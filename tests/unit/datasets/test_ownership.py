from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.publishing import RECIPE

from bench.datasets import Dataset
from bench.model import DatasetOptions, Size

OPTIONS = st.builds(
    DatasetOptions,
    seed=st.integers(0, 2**64 - 1),
    children=st.sampled_from(["fixed", "uniform", "zipf"]),
    childless=st.sampled_from([0.0, 0.2, 0.5]),
    order=st.sampled_from(["clustered", "shuffled"]),
)
SIZE = st.tuples(st.integers(1, 30), st.integers(1, 12), st.integers(1, 6)).map(Size)


def owners(dataset: Dataset, child: str) -> list[int]:
    found: list[int] = dataset.owners(child, np.arange(dataset.rows[child])).tolist()
    return found


@given(options=OPTIONS, size=SIZE)
@pytest.mark.parametrize(
    ("child", "parent"), [("authors", "publishers"), ("prizes", "publishers"), ("works", "authors")]
)
def test_a_row_is_owned_by_the_one_that_it_names(options: DatasetOptions, size: Size, child: str, parent: str) -> None:
    dataset = Dataset(RECIPE, size, options)
    by_owner: dict[int, list[int]] = {row: [] for row in range(dataset.rows[parent])}
    for row, owner in enumerate(owners(dataset, child)):
        by_owner[owner].append(row)

    rows, counts = dataset.owned(child, np.arange(dataset.rows[parent]))

    assert counts.tolist() == [len(owned) for owned in by_owner.values()]
    assert rows.tolist() == [row for owned in by_owner.values() for row in owned]


@given(options=OPTIONS, size=SIZE)
def test_any_parents_are_answered_for_alone(options: DatasetOptions, size: Size) -> None:
    dataset = Dataset(RECIPE, size, options)
    parents = np.arange(dataset.rows["publishers"])[::-2]

    rows, counts = dataset.owned("authors", parents)

    one_by_one = [dataset.owned("authors", parents[nth : nth + 1]) for nth in range(parents.size)]
    assert rows.tolist() == [row for owned, _ in one_by_one for row in owned.tolist()]
    assert counts.tolist() == [int(count[0]) for _, count in one_by_one]


def test_clustered_children_of_a_parent_lie_together() -> None:
    dataset = Dataset(RECIPE, Size((50, 8, 3)), DatasetOptions(children="zipf", order="clustered"))

    for child in ("authors", "prizes", "works"):
        assert owners(dataset, child) == sorted(owners(dataset, child))


def test_shuffled_children_of_a_parent_lie_anywhere() -> None:
    dataset = Dataset(RECIPE, Size((50, 100, 1)), DatasetOptions(order="shuffled"))

    first_half = owners(dataset, "authors")[:2500]

    assert all(25 <= first_half.count(publisher) <= 75 for publisher in range(50))  # 50 each, five standard errors


def test_order_changes_who_is_next_to_whom_and_not_how_many_each_owns() -> None:
    clustered, shuffled = (
        Dataset(RECIPE, Size((40, 10, 2)), DatasetOptions(children="uniform", childless=0.1, order=order))
        for order in ("clustered", "shuffled")
    )

    assert owners(clustered, "authors") == sorted(owners(shuffled, "authors")) != owners(shuffled, "authors")
