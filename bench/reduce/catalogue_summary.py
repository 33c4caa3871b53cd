"""A run of several scenarios reduced: who wins each case on each target, and what the worst choice costs there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.model import Case, Run
from bench.reduce.across import by_case
from bench.reduce.rule_of_thumb import Held, leading, rule_held
from bench.reduce.types import AcrossTargets, ArmSummary, CaseSummary, Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """A case of a run with what it was reduced to. at: its place in the run.

    compared: what its targets change, where it has several. views: its summary on each target, by their place among
    all of the run's summaries.
    """

    at: int
    case: Case
    compared: AcrossTargets | None
    views: Mapping[int, CaseSummary]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioPart:
    """All that a run has of one scenario. at: its place among the run's scenarios. reference: as it was asked for."""

    at: int
    reference: str
    cases: tuple[Reduced, ...]

    @property
    def name(self) -> str:
        """The scenario's name, with the parameters that are not at their defaults."""
        return self.cases[0].case.scenario.name

    @property
    def question(self) -> str:
        """What the scenario asks."""
        return self.cases[0].case.scenario.question


@dataclass(frozen=True, slots=True, kw_only=True)
class Won:
    """A case on one target: who wins there. at: its place among all of the run's summaries; part: its scenario's.

    leaders: the fastest strategy and those that tie with it; empty where nothing was timed. time: of the fastest, in
    ns. rule: how the rule of thumb fared. worst: the strategy with the greatest ratio to the fastest of those that can
    be told from it; without intervals of all; None where there is none. timed: strategies that were.
    """

    at: int
    part: int
    summary: CaseSummary
    leaders: tuple[str, ...]
    time: Estimate | None
    rule: Held | None
    worst: ArmSummary | None
    timed: int


def by_scenario(run: Run, summaries: Sequence[CaseSummary]) -> tuple[ScenarioPart, ...]:
    """Return the scenarios of a run in the order of their first cases, each with all of its cases.

    summaries: of the whole run, as `summarise_all` gives them.
    """
    found: dict[str, list[Reduced]] = {}
    first = 0
    for at, (compared, of_case) in enumerate(by_case(run, summaries)):
        case = run.cases[at]
        reduced = Reduced(at=at, case=case, compared=compared, views=dict(enumerate(of_case, start=first)))
        found.setdefault(case.spec.scenario, []).append(reduced)
        first += len(of_case)
    return tuple(
        ScenarioPart(at=at, reference=reference, cases=tuple(cases))
        for at, (reference, cases) in enumerate(found.items())
    )


def catalogue_summary(parts: Sequence[ScenarioPart]) -> tuple[Won, ...]:
    """Return who wins each case on each of its targets, scenario by scenario; nothing of fewer than two scenarios."""
    if len(parts) < 2:
        return ()
    return tuple(
        won(summary, at=at, part=part.at)
        for part in parts
        for reduced in part.cases
        for at, summary in reduced.views.items()
    )


def won(summary: CaseSummary, *, at: int = 0, part: int = 0) -> Won:
    """Return who wins a case of one target."""
    ranked = [row for row in summary.rows if row.to_best is not None]
    apart = [row for row in ranked if not row.tied]
    return Won(
        at=at,
        part=part,
        summary=summary,
        leaders=tuple(leading(summary)),
        time=next((row.quiet for row in summary.rows if row.arm.name == summary.best), None),
        rule=rule_held(summary),
        worst=max(apart, key=_ratio, default=None),
        timed=sum(row.quiet is not None for row in summary.rows),
    )


def _ratio(row: ArmSummary) -> float:
    return row.to_best.value if row.to_best else 0.0
