"""The time tier's verdicts: what pairs of workers allow one to say, and how often that is wrong."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reduce.regression import (
    ALPHA,
    POWER,
    SCREEN_ALPHA,
    is_suspect,
    judge,
    p_value,
    paired,
    rejected,
    smallest_detectable,
    verdicts,
)

PAIRS, THRESHOLD, SCATTER = 25, 0.02, 0.03

P_VALUES = st.dictionaries(st.integers(0, 30), st.floats(0, 1), max_size=12)


def pairs(shuffle: random.Random, slowdown: float, *, scatter: float = SCATTER, count: int = PAIRS) -> list[float]:
    """The figures of pairs whose load is slower by a share, their logarithms normal."""
    return [math.exp(shuffle.gauss(math.log1p(slowdown), scatter)) for _ in range(count)]


def fails(shuffle: random.Random, slowdown: float) -> bool:
    """Whether one load alone fails: screened, then decided on fresh pairs."""
    if not is_suspect(pairs(shuffle, slowdown), THRESHOLD):
        return False
    return bool(rejected({"load": p_value(pairs(shuffle, slowdown), THRESHOLD)}))


def test_an_interval_is_student_s_of_the_logarithms() -> None:
    shown = paired([1.0, 1.1, 1.21, 1.1, 1.0], THRESHOLD)

    assert shown is not None
    assert shown.value == pytest.approx(1.1 ** (4 / 5))
    half = 4.604095 * math.log(1.1) * math.sqrt(0.7) / math.sqrt(5)  # t(0.995, 4), and the deviation of 0 1 2 1 0
    assert shown.low == pytest.approx(shown.value * math.exp(-half), rel=1e-5)
    assert shown.high == pytest.approx(shown.value * math.exp(half), rel=1e-5)
    assert shown.noise == pytest.approx(math.exp(half) - 1, rel=1e-5)


def test_fewer_than_five_pairs_say_nothing() -> None:
    assert paired([1.5] * 4, THRESHOLD) is None
    assert not is_suspect([1.5] * 4, THRESHOLD)
    assert judge([1.5] * 4, None, THRESHOLD, falls=False) == "inconclusive"


def test_a_load_alone_falls_just_where_its_interval_lies_above_the_threshold() -> None:
    shuffle = random.Random(1)
    outcomes = set()
    for _ in range(200):
        found = pairs(shuffle, 0.035)
        shown = paired(found, THRESHOLD)
        assert shown is not None
        falls = bool(rejected({0: p_value(found, THRESHOLD)}))
        assert falls == (shown.low > 1 + THRESHOLD)
        outcomes.add(falls)
    assert outcomes == {True, False}


@given(P_VALUES)
def test_holm_rejects_no_more_than_each_alone_and_no_less_than_bonferroni(found: dict[int, float]) -> None:
    fallen = rejected(found)

    assert {name for name, p in found.items() if p < ALPHA / max(1, len(found))} <= fallen
    assert fallen <= {name for name, p in found.items() if p < ALPHA}
    assert all(found[one] <= found[other] for one in fallen for other in found.keys() - fallen)


def test_holm_s_bound_widens_with_every_one_that_falls() -> None:
    assert rejected({"a": ALPHA / 3 - 1e-6, "b": ALPHA / 2 - 1e-6, "c": ALPHA - 1e-6}) == {"a", "b", "c"}
    assert rejected({"a": ALPHA / 3 + 1e-6, "b": ALPHA / 2 - 1e-6, "c": ALPHA - 1e-6}) == set()


def test_the_same_load_is_called_slower_less_than_once_in_a_thousand() -> None:
    shuffle = random.Random(2)

    assert sum(fails(shuffle, 0.0) for _ in range(3000)) <= 3


def test_a_slowdown_of_the_threshold_itself_is_let_pass() -> None:
    shuffle = random.Random(3)

    assert sum(fails(shuffle, THRESHOLD) for _ in range(3000)) <= 3000 * SCREEN_ALPHA * ALPHA + 5


def test_the_smallest_detectable_slowdown_is_seen_as_often_as_is_said() -> None:
    shuffle = random.Random(4)
    detectable = smallest_detectable(SCATTER, PAIRS, THRESHOLD)

    seen = sum(fails(shuffle, detectable) for _ in range(2000)) / 2000

    assert seen == pytest.approx(POWER, abs=0.04)


@given(st.floats(0.001, 0.2), st.integers(5, 100))
def test_more_pairs_and_less_noise_see_smaller_slowdowns(scatter: float, count: int) -> None:
    detectable = smallest_detectable(scatter, count, THRESHOLD)

    assert detectable > THRESHOLD
    assert smallest_detectable(scatter, count * 2, THRESHOLD) < detectable
    assert smallest_detectable(scatter * 1.5, count, THRESHOLD) > detectable


def test_pairs_without_any_scatter_are_judged_all_the_same() -> None:
    assert p_value([1.05] * 6, THRESHOLD) == 0.0
    assert p_value([1.0] * 6, THRESHOLD) == 1.0
    assert judge([1.0] * 6, None, THRESHOLD, falls=False) == "same"


def test_verdicts_of_what_did_not_fall() -> None:
    shuffle = random.Random(5)

    assert judge(pairs(shuffle, 0.0), None, THRESHOLD, falls=False) == "same"
    assert judge(pairs(shuffle, -0.2), None, THRESHOLD, falls=False) == "faster"
    assert judge(pairs(shuffle, 0.0, scatter=0.5), None, THRESHOLD, falls=False) == "inconclusive"
    assert judge(pairs(shuffle, 0.1), pairs(shuffle, 0.1), THRESHOLD, falls=True) == "slower"


SLOW, SAME = [1.20, 1.21, 1.19, 1.20, 1.22], [1.0, 1.001, 0.999, 1.0, 1.0]
BARELY = [1.0235, 1.03, 1.03, 1.0365, 1.03]  # p lies between ALPHA and a half of it


def judged(first: dict[str, list[float]], fresh: dict[str, list[float]]) -> dict[str, str]:
    return dict(verdicts(first, fresh, dict.fromkeys(first, THRESHOLD)))


def test_a_load_that_was_screened_in_is_undecided_until_its_fresh_pairs_are_there() -> None:
    first = {"slow": SLOW, "same": SAME}

    assert judged(first, {}) == {"slow": "undecided", "same": "same"}
    assert judged(first, {"slow": SLOW[:4]}) == {"slow": "undecided", "same": "same"}
    assert judged(first, {"slow": SLOW}) == {"slow": "slower", "same": "same"}
    assert judged(first, {"slow": SAME}) == {"slow": "same", "same": "same"}


def test_what_falls_or_stands_whatever_the_others_come_to_is_said_before_they_are_decided() -> None:
    first = {"one": SLOW, "other": SLOW}

    assert judged(first, {"one": SLOW}) == {"one": "slower", "other": "undecided"}
    assert judged(first, {"one": SAME}) == {"one": "same", "other": "undecided"}


def test_what_hangs_on_a_load_that_is_not_decided_is_undecided_too() -> None:
    assert ALPHA / 2 < p_value(BARELY, THRESHOLD) < ALPHA
    first = {"barely": SLOW, "other": SLOW}

    assert judged(first, {"barely": BARELY}) == {"barely": "undecided", "other": "undecided"}
    assert judged(first, {"barely": BARELY, "other": SLOW}) == {"barely": "slower", "other": "slower"}
    assert judged(first, {"barely": BARELY, "other": SAME})["barely"] == "same"
