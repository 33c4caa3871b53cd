"""A run of several scenarios, reduced: who wins, how the rule of thumb fared, what the worst choice costs."""

from __future__ import annotations

from typing import Any

import pytest
from support.runs import (
    make_arm,
    make_case,
    make_catalogue_run,
    make_run,
    make_scenario,
    make_targets_case,
    without_samples,
)

from bench.model import Run
from bench.reduce.catalogue_summary import Won, by_scenario, catalogue_summary, won
from bench.reduce.rule_of_thumb import Held, kind_of, rule_held
from bench.reduce.summaries import summarise, summarise_all


def wins_of(run: Run) -> tuple[Won, ...]:
    return catalogue_summary(by_scenario(run, summarise_all(run)))


def exact(ms: float, workers: int = 5) -> list[list[float | None]]:
    """Times without any noise."""
    return [[ms] * 4 for _ in range(workers)]


def held(times: dict[str, float], *, rule: str = "selectin", workers: int = 5, **how: Any) -> Held:
    exactly = {name: exact(ms, workers) for name, ms in times.items()}
    found = rule_held(summarise(make_scenario("shape", make_case(exactly, workers=workers, **how), rule=rule)))
    assert found is not None
    return found


def test_a_run_of_one_scenario_has_no_summary_however_many_sizes() -> None:
    run = make_run([make_case(size=size, rounds=2) for size in ("10x5", "10x50")])

    assert wins_of(run) == ()
    assert [len(part.cases) for part in by_scenario(run, summarise_all(run))] == [2]


def test_cases_of_a_scenario_are_together_wherever_they_stand_in_the_run() -> None:
    one, other, again = (
        make_scenario(name, make_case({"selectin": 5.0, "joined": 9.0}, size=size, rounds=2))
        for name, size in (("one", "10x5"), ("other", "10x5"), ("one", "10x50"))
    )
    run = make_run([one, other, again])

    wins = wins_of(run)

    assert [(win.summary.case.spec.scenario, win.at, win.part) for win in wins] == [
        ("one", 0, 0),
        ("one", 2, 0),
        ("other", 1, 1),
    ]


def test_places_are_those_of_the_summaries_where_cases_have_several_targets() -> None:
    run = make_catalogue_run(targets=["sqlite", "postgres:17"])
    summaries = summarise_all(run)

    wins = wins_of(run)

    assert [win.at for win in wins] == list(range(10))
    for win in wins:
        assert win.summary == summaries[win.at]


@pytest.mark.parametrize(
    ("times", "rule", "outcome", "price"),
    [
        ({"selectin": 10, "joined": 20}, "selectin", "holds", None),
        ({"selectin": 20, "joined": 10}, "selectin", "contradicted", 2.0),
        ({"selectin": 10, "joined": 10, "lazy": 30}, "selectin", "ties", None),
        ({"selectin": 20, "joined": 10}, "subquery", "not measured", None),
        ({"selectin": 10, "selectin[50]": 20}, "selectin", "no rival", None),
        ({"selectin": 20, "selectin[50]": 10, "lazy": 40}, "selectin", "holds", None),
        ({"joined": 20, "joined_inner": 10, "selectin": 40}, "joined", "holds", None),
        ({"selectin": 20, "selectin+load_only": 10, "lazy": 40}, "selectin", "holds", None),
        ({"selectin+selectin": 20, "selectin+joined": 10, "selectin": 40}, "selectin+selectin", "contradicted", 2.0),
    ],
)
def test_the_rule_is_held_against_the_fastest(
    times: dict[str, float], rule: str, outcome: str, price: float | None
) -> None:
    found = held(times, rule=rule)

    assert found.outcome == outcome
    assert (found.price.value if found.price else None) == (pytest.approx(price) if price else None)


def test_without_intervals_nothing_is_said_of_the_rule() -> None:
    assert held({"selectin": 20, "joined": 10}, workers=2).outcome == "unclear"


@pytest.mark.parametrize(("fault", "outcome"), [("unequal", "unequal"), ("failed", "not timed"), ("died", "not timed")])
def test_a_rule_whose_strategy_could_not_be_ranked_says_why(fault: Any, outcome: str) -> None:
    broken = make_arm("joined", None, error="It broke.", fault=fault, target="sqlite")

    assert held({"selectin": 10, "lazy": 20}, rule="joined", arms=[broken]).outcome == outcome


def test_what_was_never_timed_has_no_winner() -> None:
    result = won(summarise(without_samples(make_case())))

    assert (result.leaders, result.time, result.rule, result.worst, result.timed) == ((), None, None, None, 0)


def test_the_worst_choice_is_the_dearest_of_those_that_do_not_tie() -> None:
    wild = [[ms] * 4 for ms in (5.0, 300.0, 6.0, 200.0, 9.0)]  # dear on the whole, but its interval holds 1
    case = make_case({"selectin": exact(10.0), "joined": exact(12.0), "lazy": exact(15.0), "subquery": wild})

    result = won(summarise(case))

    assert result.worst is not None
    assert result.worst.arm.name == "lazy"
    assert result.worst.to_best is not None
    assert result.worst.to_best.value == pytest.approx(1.5)
    assert result.leaders == ("selectin", "subquery")


def test_where_all_tie_there_is_no_worst_choice() -> None:
    result = won(summarise(make_case({"selectin": exact(10.0), "joined": exact(10.0)})))

    assert result.worst is None
    assert sorted(result.leaders) == ["joined", "selectin"]
    assert result.timed == 2


def test_without_intervals_the_dearest_of_all_is_named() -> None:
    case = make_case({"selectin": exact(10.0, 2), "joined": exact(10.1, 2), "lazy": exact(30.0, 2)}, workers=2)

    worst = won(summarise(case)).worst

    assert worst is not None
    assert worst.arm.name == "lazy"
    assert worst.to_best is not None
    assert worst.to_best.low is None


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [
        ("selectin[50]", "selectin"),
        ("selectin+selectin", "selectin+selectin"),
        ("joined_inner", "joined"),
        ("joined+load_only", "joined"),
        ("selectin_all", "selectin_all"),
        ("lazy", "lazy"),
    ],
)
def test_a_kind_is_what_advice_would_call_a_strategy(strategy: str, kind: str) -> None:
    assert kind_of(strategy) == kind


def test_a_case_of_several_targets_has_a_winner_on_each() -> None:
    times = {"sqlite": {"selectin": 10.0, "lazy": 5.0}, "postgres:17": {"selectin": 10.0, "lazy": 90.0}}
    run = make_run(make_scenario(name, make_targets_case(times, rounds=3)) for name in ("one", "other"))

    assert [win.leaders for win in wins_of(run)] == [("lazy",), ("selectin",)] * 2
