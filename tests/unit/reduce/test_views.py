"""A case of several targets is looked at one target at a time, and nothing of another's is seen."""

from __future__ import annotations

from support.runs import make_case, make_run, make_targets_case, typical_times

from bench.model import Warned
from bench.reduce.crossover import crossovers
from bench.reduce.summaries import summarise, summarise_all
from bench.reduce.views import views

TWO = {"postgres:14": {"selectin": 10.0, "joined": 12.0}, "postgres:18": {"selectin": 9.0, "joined": 8.0}}


def test_a_case_of_one_target_is_its_own_view() -> None:
    case = make_case()
    assert views(case) == (case,)


def test_there_is_a_view_for_each_target_with_what_is_its_own() -> None:
    case = make_targets_case(TWO, warnings=[Warned(code="busy", text="Busy.")])
    for at, (view, name) in enumerate(zip(views(case), TWO, strict=True)):
        assert [str(asked) for asked in view.spec.targets] == [target.name for target in view.targets] == [name]
        assert view.datasets == (case.datasets[at],)
        assert {arm.target for arm in view.arms} == {worker.target for worker in view.workers} == {name}
        assert [arm.name for arm in view.arms if arm.kind == "twin"] == ["selectin (twin)"]
        assert len(view.workers) == 5
        assert view.warnings == ()


def test_the_views_hold_every_arm_but_the_twin_of_the_target() -> None:
    case = make_targets_case(TWO)
    seen = [arm for view in views(case) for arm in view.arms]
    assert [arm.target for arm in case.arms if arm not in seen] == ["postgres:14 (twin)"]


def test_a_run_is_reduced_view_by_view_in_order() -> None:
    run = make_run([make_case(), make_targets_case(TWO)])
    summaries = summarise_all(run)
    assert [summary.case.targets[0].name for summary in summaries] == ["sqlite", "postgres:14", "postgres:18"]
    assert [summary.best for summary in summaries[1:]] == ["selectin", "joined"]
    assert summaries[0] == summarise(run.cases[0])


def test_a_series_is_of_one_target() -> None:
    cases = [make_targets_case({name: typical_times(size) for name in TWO}, size=size) for size in ("100x1", "100x50")]
    series = crossovers(make_run(cases))
    assert [[case.case.targets[0].name for case in one.cases] for one in series] == [
        ["postgres:14"] * 2,
        ["postgres:18"] * 2,
    ]
