from __future__ import annotations

from collections import Counter
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.datasets.counting import HEAVIEST, Counting, childless_rows

DISTRIBUTION = st.sampled_from(["fixed", "uniform", "zipf"])
SHARE = st.sampled_from([0.0, 0.1, 0.25, 0.333, 0.5, 0.99])


def children(
    *, parents: int, mean: int, distribution: str, share: float = 0.0, seed: int = 1, child: str = "books"
) -> list[int]:
    """How many children each parent has."""
    counting = Counting.of(
        parent="users", child=child, parents=parents, mean=mean, distribution=distribution, share=share, seed=seed
    )
    found: list[int] = np.diff(counting.starts()).tolist()
    return found


@given(
    parents=st.integers(0, 300), mean=st.integers(1, 60), distribution=DISTRIBUTION, share=SHARE, seed=st.integers(0, 9)
)
def test_the_mean_over_parents_with_children_is_the_sizes_own_exactly(
    parents: int, mean: int, distribution: str, share: float, seed: int
) -> None:
    counts = children(parents=parents, mean=mean, distribution=distribution, share=share, seed=seed)
    childless = childless_rows(parents, share)

    assert counts.count(0) == childless
    assert sum(counts) == (parents - childless) * mean


def test_fixed_gives_every_parent_the_mean() -> None:
    assert children(parents=4, mean=7, distribution="fixed") == [7, 7, 7, 7]


def test_uniform_gives_every_number_from_one_to_twice_the_mean_less_one_about_as_often() -> None:
    counts = Counter(children(parents=9000, mean=5, distribution="uniform"))

    assert sorted(counts) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert all(850 < times < 1150 for times in counts.values())  # 1000 each, five standard errors around


def test_zipf_gives_each_rank_one_and_a_share_of_the_rest_by_its_weight() -> None:
    parents, mean = 500, 40
    weights = [HEAVIEST // rank for rank in range(1, parents + 1)]
    ends = [parents * (mean - 1) * weight // sum(weights) for weight in accumulate(weights, initial=0)]
    by_rank = [1 + stop - start for start, stop in pairwise(ends)]

    assert Counter(children(parents=parents, mean=mean, distribution="zipf")) == Counter(by_rank)
    assert max(by_rank) > 50 * mean // 10


def test_weights_of_the_most_parents_leave_no_word_overflowing() -> None:
    most = 2_000_000_000
    of_all_ranks = HEAVIEST * (1 + 22)  # the harmonic number of 2e9 is 21.99

    assert of_all_ranks * most < 2**64


@pytest.mark.parametrize("distribution", ["fixed", "uniform", "zipf"])
def test_who_is_childless_has_no_child_in_any_table(distribution: str) -> None:
    books, loans = (
        children(parents=200, mean=9, distribution=distribution, share=0.3, child=child) for child in ("books", "loans")
    )

    assert [count == 0 for count in books] == [count == 0 for count in loans]


def test_who_has_most_in_one_table_has_it_in_another_by_chance_only() -> None:
    books, loans = (children(parents=400, mean=9, distribution="zipf", child=child) for child in ("books", "loans"))

    assert books.index(max(books)) != loans.index(max(loans))


def test_the_childless_are_anywhere() -> None:
    counts = children(parents=1000, mean=3, distribution="fixed", share=0.5)

    assert 200 < counts[:500].count(0) < 300


@pytest.mark.parametrize(
    ("rows", "share", "childless"),
    [(10, 0.1, 1), (10, 0.14, 1), (10, 0.15, 2), (1000, 0.1, 100), (3, 0.5, 2), (1, 0.4, 0), (1, 0.9, 1), (0, 0.5, 0)],
)
def test_a_share_is_taken_as_written_and_rounded_half_up(rows: int, share: float, childless: int) -> None:
    assert childless_rows(rows, share) == childless


def test_counts_do_not_change_between_releases() -> None:
    assert {
        distribution: children(parents=8, mean=6, distribution=distribution, share=0.25)
        for distribution in ("fixed", "uniform", "zipf")
    } == {
        "fixed": [0, 0, 6, 6, 6, 6, 6, 6],
        "uniform": [0, 0, 11, 5, 1, 10, 2, 7],
        "zipf": [0, 0, 4, 4, 3, 13, 7, 5],
    }
