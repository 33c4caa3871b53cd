import dataclasses
import random
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import make_arm, make_case, make_samples, without_samples

from bench.model import Samples
from bench.reduce.summaries import is_tied, summarise
from bench.reduce.types import ArmSummary, CaseSummary, Estimate

Times = list[list[float | None]]

ROUNDS = [[10.0, 11.0, 12.0]] * 5
times_ms = st.lists(
    st.lists(st.floats(min_value=0.01, max_value=10_000), min_size=3, max_size=3), min_size=5, max_size=7
)


def row(summary: CaseSummary, name: str) -> ArmSummary:
    return next(row for row in summary.rows if row.arm.name == name)


def known(figure):
    """The figure, for a test that fails here where it is None."""
    assert figure is not None
    return figure


def scaled(times, factor):
    return [[ms * factor for ms in rounds] for rounds in times]


def ratio(value, low=None, high=None):
    return Estimate(value=value, low=low, high=high, workers=5, samples=5)


def test_the_ratio_is_the_median_of_paired_ratios_within_a_worker_and_not_the_ratio_of_medians():
    drifting = [[10.0, 100.0, 1000.0]] * 5
    other = [[30.0, 150.0, 1000.0]] * 5  # paired 3, 1.5, 1: median 1.5; ratio of medians 1.5 too
    mixed = [[20.0, 1000.0, 2000.0]] * 5  # paired 2, 10, 2: median 2; ratio of medians 10
    summary = summarise(make_case({"selectin": drifting, "joined": other, "lazy": mixed}, twin=False))
    assert known(row(summary, "lazy").to_best).value == pytest.approx(2)
    assert median([20, 1000, 2000]) / median([10, 100, 1000]) == 10
    assert known(row(summary, "joined").to_best).value == pytest.approx(1.5)


def paired(*rounds: float) -> Times:
    return [list(rounds)] * 5


def test_the_best_is_the_one_that_no_other_beats_in_the_rounds_they_shared():
    # By medians selectin takes 10 and joined 11; but in each round, side by side, joined takes 0.8 of selectin's time.
    missed: Times = [[10.0, 10.0, 20.0, 10.0]] * 5
    beside: Times = [[None, 8.0, 16.0, None]] * 5
    summary = summarise(make_case({"selectin": missed, "joined": beside, "lazy": paired(30, 30, 30, 30)}, twin=False))
    selectin, joined = row(summary, "selectin"), row(summary, "joined")
    assert known(selectin.quiet).value < known(joined.quiet).value
    assert summary.best == "joined"
    assert [one.arm.name for one in summary.rows] == ["joined", "selectin", "lazy"]
    assert joined.to_best is None
    assert known(selectin.to_best).value == pytest.approx(1.25)


def test_rows_stand_in_the_order_of_their_ratio_to_the_best():
    # lazy has the lesser time, 30 against 31, and the greater ratio: the rounds that it was sampled in were quick.
    times = {
        "selectin": paired(10, 10, 20),
        "joined": [[None, 31.0, 31.0]] * 5,
        "lazy": [[30.0, 30.0, None]] * 5,
    }
    summary = summarise(make_case(times, twin=False))
    assert [one.arm.name for one in summary.rows] == ["selectin", "joined", "lazy"]


def test_ratios_that_run_in_a_circle_fall_back_to_the_least_time_and_claim_no_order():
    # Each is quicker than the next in two rounds of three.
    times = {"selectin": paired(10, 20, 31), "joined": paired(20, 30, 10), "lazy": paired(30, 10, 20.5)}
    summary = summarise(make_case(times, twin=False))
    assert summary.best == summary.rows[0].arm.name == "selectin"
    below = [one for one in summary.rows if one.to_best and one.to_best.value < 1]
    assert below
    assert all(one.tied for one in below)


@given(times_ms, times_ms, times_ms)
def test_no_row_claims_to_take_less_time_than_the_best(one, other, third):
    summary = summarise(make_case({"selectin": one, "joined": other, "lazy": third}, floor=None))
    assert all(row.tied or row.to_best.value >= 1 for row in summary.rows if row.to_best)


def test_a_round_without_its_other_half_is_left_out():
    whole = [[10.0, 10.0, 10.0]] * 5
    holes: Times = [[None, 20.0, None], [20.0, None, 20.0], [20.0] * 3, [20.0] * 3, [20.0] * 3]
    found = known(row(summarise(make_case({"selectin": whole, "joined": holes}, twin=False)), "joined").to_best)
    assert (found.value, found.workers, found.samples) == (pytest.approx(2), 5, 1 + 2 + 3 + 3 + 3)


def test_a_worker_without_any_pair_is_no_worker_of_the_ratio():
    early = [[10.0, None]] * 5
    late: Times = [[None, 20.0], [20.0, 20.0], [20.0, 20.0], [20.0, 20.0], [20.0, 20.0]]
    found = row(summarise(make_case({"selectin": early, "joined": late}, twin=False)), "joined")
    assert (known(found.quiet).workers, known(found.to_best).workers) == (5, 4)
    assert known(found.to_best).low is None  # four workers give no interval


def test_rows_stand_fastest_first_and_those_without_a_time_last():
    case = make_case({"lazy": 300.0, "joined": 200.0, "selectin": 100.0}, wrong={"joined_inner": "User 7 is missing."})
    summary = summarise(case)
    assert [row.arm.name for row in summary.rows] == ["selectin", "joined", "lazy", "joined_inner"]
    assert summary.best == "selectin"
    assert row(summary, "selectin").to_best is None


def test_neither_the_twin_nor_a_floor_is_ranked():
    summary = summarise(make_case())
    assert {row.arm.kind for row in summary.rows} == {"strategy"}
    assert {row.arm.kind for row in summary.floors} == {"floor"}


def test_a_wrong_arm_is_never_fast_though_samples_of_it_exist():
    wrong = make_arm("joined_inner", 1.0, error="User 7 is missing.")
    summary = summarise(make_case({"selectin": 100.0}, arms=[wrong]))
    assert summary.best == "selectin"
    assert row(summary, "joined_inner") == ArmSummary(arm=wrong)


def test_the_floor_of_a_wrong_arm_is_no_yardstick():
    wrong = make_arm("joined_inner", None, error="User 7 is missing.")
    its_floor = make_arm("joined_inner", 1.0, kind="floor")
    summary = summarise(make_case({"selectin": 100.0}, arms=[wrong, its_floor]))
    assert [row.arm.strategy for row in summary.floors] == ["selectin"]


def test_the_floor_of_a_case_is_the_cheapest_and_each_strategy_has_its_own_beside_it():
    tenth, fifth = (
        make_arm("selectin", scaled(ROUNDS, 0.2), kind="floor"),
        make_arm("joined", scaled(ROUNDS, 0.1), kind="floor"),
    )
    case = make_case({"selectin": ROUNDS, "joined": scaled(ROUNDS, 2)}, floor=None, arms=[tenth, fifth])
    selectin = row(summarise(case), "selectin")
    assert known(selectin.to_floor).value == pytest.approx(10)
    assert known(selectin.own_floor).value == pytest.approx(5)
    assert [row.arm.strategy for row in summarise(case).floors] == ["joined", "selectin"]


def test_identical_samples_give_a_ratio_of_exactly_one_without_width():
    summary = summarise(make_case({"selectin": ROUNDS, "joined": ROUNDS}))
    twins = known(summary.twins)
    assert (twins.value, twins.low, twins.high) == (1.0, 1.0, 1.0)
    assert summary.noise == 0.0
    assert row(summary, "joined").tied


def test_the_noise_floor_is_the_farther_end_of_the_twins_interval():
    quick = make_arm("selectin", [[ms] for ms in (9.0, 9.2, 9.5, 9.9, 10.0)], kind="twin")
    summary = summarise(make_case({"selectin": [[10.0]] * 5}, twin=False, arms=[quick]))
    twins = known(summary.twins)
    assert twins.value < 1
    assert summary.noise == pytest.approx(1 / twins.low - 1)
    assert summary.noise > twins.high - 1


def test_there_is_no_noise_floor_without_a_twin_or_without_an_interval():
    assert summarise(make_case(twin=False)).noise is None
    few = summarise(make_case(workers=4))
    assert few.noise is None
    assert few.twins is not None


@pytest.mark.parametrize(
    ("found", "noise", "tied"),
    [
        (ratio(1.05, 0.99, 1.12), 0.01, True),  # the interval holds 1
        (ratio(1.05, 1.02, 1.08), 0.06, True),  # below the noise floor
        (ratio(1.05, 1.02, 1.08), 0.04, False),
        (ratio(0.96, 0.93, 0.98), 0.05, True),  # as near as 1.05, by factors
        (ratio(0.90, 0.88, 0.92), 0.05, False),
        (ratio(1.05, 1.02, 1.08), None, False),
        (ratio(1.00), 0.5, False),  # without an interval nothing is claimed, not even a tie
    ],
)
def test_a_tie_is_an_interval_that_holds_one_or_a_difference_under_the_noise(found, noise, tied):
    assert is_tied(found, noise) is tied


def test_without_five_workers_nothing_ties():
    summary = summarise(make_case({"selectin": ROUNDS[:4], "joined": ROUNDS[:4]}))
    assert [row.tied for row in summary.rows] == [False, False]


def test_the_collectors_price_is_held_against_the_same_workers_quiet_median():
    summary = summarise(make_case({"selectin": ROUNDS}, collectors={"default": 3.5, "tuned": 1.25}))
    selectin = row(summary, "selectin")
    # Both were sampled in the first round only, whose quiet time is 10 against a median of 11.
    assert known(selectin.collector).value == pytest.approx(35 / 11)
    assert known(selectin.collector_tuned).value == pytest.approx(12.5 / 11)
    assert known(selectin.default).value == pytest.approx(35e6)


def test_the_baseline_is_the_arm_that_has_a_twin():
    arms = [make_arm("joined", scaled(ROUNDS, 2), kind="twin")]
    case = make_case({"joined": scaled(ROUNDS, 2), "lazy": scaled(ROUNDS, 3)}, arms=arms)
    summary = summarise(case)
    assert known(row(summary, "lazy").to_baseline).value == pytest.approx(1.5)
    assert row(summary, "joined").to_baseline is None


def test_a_case_cut_short_before_any_sample_has_rows_and_no_figure():
    summary = summarise(without_samples(make_case()))
    assert (summary.best, summary.noise, summary.twins, summary.floors) == (None, None, None, ())
    assert all(row == ArmSummary(arm=row.arm) for row in summary.rows)


def test_empty_samples_are_no_samples():
    nothing = Samples(collector="quiet", worker=(), round=(), wall_ns=(), cpu_ns=(), collections=())
    case = make_case({"selectin": 100.0}, arms=[dataclasses.replace(make_arm("lazy", None), samples=(nothing,))])
    assert row(summarise(case), "lazy").quiet is None


def test_a_clock_that_stood_still_gives_no_sample():
    still = dataclasses.replace(make_arm("lazy", None), samples=(make_samples([[0.0, 5.0]] * 5),))
    assert known(row(summarise(make_case({"selectin": 1.0}, arms=[still])), "lazy").quiet).samples == 5


def test_a_case_without_arms_is_reduced_to_nothing():
    assert summarise(make_case({})).rows == ()


@given(times_ms, times_ms, st.integers(min_value=2, max_value=1000))
def test_ratios_do_not_depend_on_the_unit_of_time(one, other, factor):
    case = make_case({"selectin": one, "joined": other}, floor=None)
    slower = dataclasses.replace(
        case,
        arms=tuple(
            dataclasses.replace(
                arm,
                samples=tuple(
                    dataclasses.replace(taken, wall_ns=tuple(ns * factor for ns in taken.wall_ns))
                    for taken in arm.samples
                ),
            )
            for arm in case.arms
        ),
    )
    before, after = summarise(case), summarise(slower)
    assert [row.to_baseline for row in before.rows] == [row.to_baseline for row in after.rows]
    assert before.noise == after.noise


@given(times_ms, times_ms, st.randoms(use_true_random=False))
def test_the_order_of_samples_and_arms_does_not_matter(one, other, rng: random.Random):
    case = make_case({"selectin": one, "joined": other}, floor=None)

    def shuffled(taken: Samples) -> Samples:
        order = rng.sample(range(len(taken.wall_ns)), len(taken.wall_ns))
        columns: dict[str, Any] = {
            name: tuple(getattr(taken, name)[at] for at in order)
            for name in ("worker", "round", "wall_ns", "cpu_ns", "collections")
        }
        return dataclasses.replace(taken, **columns)

    arms = [dataclasses.replace(arm, samples=tuple(map(shuffled, arm.samples))) for arm in case.arms]
    mixed = summarise(dataclasses.replace(case, arms=tuple(rng.sample(arms, len(arms)))))
    straight = summarise(case)
    assert mixed.noise == straight.noise
    for name in ("selectin", "joined"):
        for figure in ("quiet", "default", "to_baseline", "collector"):
            assert getattr(row(mixed, name), figure) == getattr(row(straight, name), figure)
