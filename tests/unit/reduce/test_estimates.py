import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.run import FEWEST_WORKERS
from bench.reduce.estimates import estimate, t_quantile

figures = st.floats(min_value=1e-3, max_value=1e12)
enough = st.lists(figures, min_size=FEWEST_WORKERS, max_size=12)


def test_the_interval_is_students_t_on_logarithms():
    # Logarithms -1, -0.5, 0, 0.5, 1: mean 0, s = sqrt(2.5 / 4), and t(0.975, 4) = 2.7764451 by any printed table.
    found = estimate([math.exp(log) for log in (-1, -0.5, 0, 0.5, 1)], samples=5)
    half = 2.7764451051977987 * math.sqrt(2.5 / 4) / math.sqrt(5)
    assert found is not None
    assert found.value == pytest.approx(1.0)
    assert (found.low, found.high) == pytest.approx((math.exp(-half), math.exp(half)))


@pytest.mark.parametrize(("degrees", "printed"), [(4, 2.776), (5, 2.571), (6, 2.447), (30, 2.042)])
def test_the_quantile_is_that_of_the_printed_tables(degrees, printed):
    assert t_quantile(degrees) == pytest.approx(printed, abs=5e-4)


@pytest.mark.parametrize("workers", range(1, FEWEST_WORKERS))
def test_fewer_than_five_workers_give_a_point_and_no_interval(workers):
    found = estimate([2.0] * workers, samples=9)
    assert found is not None
    assert found.value == pytest.approx(2.0)
    assert (found.low, found.high, found.workers, found.samples) == (None, None, workers, 9)


def test_no_worker_gives_nothing():
    assert estimate([], samples=0) is None


@given(enough)
def test_the_interval_holds_the_value_which_lies_among_the_figures(by_worker):
    found = estimate(by_worker, samples=len(by_worker))
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high
    assert min(by_worker) * (1 - 1e-12) <= found.value <= max(by_worker) * (1 + 1e-12)


@given(enough, st.randoms())
def test_the_order_of_workers_does_not_matter(by_worker, rng):
    shuffled = rng.sample(by_worker, len(by_worker))
    assert estimate(shuffled, samples=1) == estimate(by_worker, samples=1)


@given(enough)
def test_the_interval_of_reciprocals_is_the_reciprocal_interval(by_worker):
    found, turned = estimate(by_worker, samples=1), estimate([1 / figure for figure in by_worker], samples=1)
    assert found is not None
    assert turned is not None
    assert (turned.value, turned.low, turned.high) == pytest.approx(
        (1 / found.value, 1 / (found.high or 0), 1 / (found.low or 0)), rel=1e-9
    )


@pytest.mark.parametrize("workers", [5, 7])
def test_the_interval_covers_the_truth_in_about_95_of_100_log_normal_cases(workers):
    rng = random.Random(20)
    trials, truth = 4000, 1.4
    covered = 0
    for _ in range(trials):
        found = estimate([truth * math.exp(rng.gauss(0, 0.05)) for _ in range(workers)], samples=workers)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    assert covered / trials == pytest.approx(0.95, abs=0.01)  # three standard errors of the share
