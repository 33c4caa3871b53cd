"""What stored runs hold, strategy by strategy and target by target, and the letters that the runs go by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.model import Asked, Run, TargetFacts
from bench.reduce.across import across
from bench.reduce.summaries import summarise
from bench.reduce.types import ArmSummary, CaseSummary
from bench.reduce.views import views


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A strategy at a size on a target, as one run measured it. run, case: places, counted from 0.

    summary: the case on that target; row: the strategy's own figures in it.
    """

    run: int
    case: int
    stored: Run
    summary: CaseSummary
    row: ArmSummary
    noise_across: float | None

    @property
    def target(self) -> str:
        """The name of the target, as it was asked for."""
        return self.facts.name

    @property
    def asked(self) -> Asked:
        """What the target was asked for as."""
        return self.summary.case.spec.targets[0]

    @property
    def facts(self) -> TargetFacts:
        """What the target was."""
        return self.summary.case.targets[0]


def letter(run: int) -> str:
    """The letter that a run goes by in tables."""
    return chr(ord("A") + run)


def points_of(at: int, run: Run) -> Iterator[Point]:
    """Yield what a run has measured. at: its place among the runs that are compared."""
    for place, case in enumerate(run.cases):
        seen = tuple(summarise(view) for view in views(case))
        beside = across(case, seen)
        for summary in seen:
            for row in summary.rows:
                yield Point(
                    run=at,
                    case=place,
                    stored=run,
                    summary=summary,
                    row=row,
                    noise_across=beside.noise if beside else None,
                )
