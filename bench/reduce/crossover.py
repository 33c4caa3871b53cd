"""Crossovers: where, in a series of sizes, one strategy stops being the fastest and another takes over."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from bench.model import Asked, CaseSpec, DatasetOptions, Run
from bench.reduce.pairing import grid, paired_ratio
from bench.reduce.summaries import summarise_all
from bench.reduce.types import ArmSummary, CaseSummary, Crossover, CrossoverPoint, Estimate

LEVELS = ("parents", "children", "grandchildren")
"""What the numbers of a size count, per row of the level above; deeper ones are named by their level."""


def crossovers(run: Run, *, summaries: Sequence[CaseSummary] | None = None) -> tuple[Crossover, ...]:
    """Return the series of a run: cases of a target that differ in one number of their size, two at the least.

    summaries: the run's cases reduced, where the caller has them already.
    """
    cases = summarise_all(run) if summaries is None else summaries
    series: dict[_Series, dict[int, CaseSummary]] = defaultdict(dict)
    for case in cases:
        for level, count in enumerate(case.case.spec.size.counts):
            if count < 1:  # no command asks for it, a file may hold it: a logarithmic scale has no place for it
                continue
            series[_series(level, case.case.spec)][count] = case
    return tuple(_crossover(key.level, members) for key, members in series.items() if len(members) > 1)


def level_name(level: int) -> str:
    """What a number of a size counts: `parents`, `children` (of each parent), `grandchildren`, `level 4`."""
    return LEVELS[level] if level < len(LEVELS) else f"level {level + 1}"


def row_of(case: CaseSummary, strategy: str) -> ArmSummary | None:
    """Return the row of the strategy arm of that name, if it was timed."""
    return next((row for row in case.rows if row.arm.name == strategy and row.quiet), None)


def is_clear(winner: str, loser: str, case: CaseSummary) -> bool:
    """Whether the whole interval of the loser's own paired ratio to the winner lies above the noise.

    Who is the best of the case does not matter: a third strategy may be ahead of both.
    """
    ratio = _ratio(loser, winner, case)
    return ratio is not None and ratio.low is not None and ratio.low > 1 + (case.noise or 0.0)


def _ratio(strategy: str, other: str, case: CaseSummary) -> Estimate | None:
    row, yardstick = row_of(case, strategy), row_of(case, other)
    if row is None or yardstick is None:
        return None
    if case.best == other:
        return row.to_best
    return paired_ratio(grid(row.arm, "quiet"), grid(yardstick.arm, "quiet"))


class _Series(NamedTuple):
    """What the cases of a series have in common: the number that grows, and everything but that number."""

    level: int
    scenario: str
    targets: tuple[Asked, ...]
    dataset: DatasetOptions
    above: tuple[int, ...]
    below: tuple[int, ...]


def _series(level: int, spec: CaseSpec) -> _Series:
    counts = spec.size.counts
    return _Series(level, spec.scenario, spec.targets, spec.dataset, counts[:level], counts[level + 1 :])


def _crossover(level: int, members: Mapping[int, CaseSummary]) -> Crossover:
    cases = tuple(members[count] for count in sorted(members))
    counts = cases[0].case.spec.size.counts
    return Crossover(
        axis=level_name(level),
        fixed="x".join("n" if at == level else str(count) for at, count in enumerate(counts)),
        cases=cases,
        points=tuple(_points(cases, level)),
    )


def _points(cases: Sequence[CaseSummary], level: int) -> Iterator[CrossoverPoint]:
    """Yield where the winner changes between neighbours; a case in which nothing was timed is nobody's neighbour."""
    for before, after in pairwise(case for case in cases if case.best):
        if before.best is None or after.best is None or before.best == after.best:
            continue
        at = _crossing(before, after, level)
        if at is not None:
            yield CrossoverPoint(
                before=before.case.spec,
                after=after.case.spec,
                winner_before=before.best,
                winner_after=after.best,
                at=at,
                certain=is_clear(before.best, after.best, before) and is_clear(after.best, before.best, after),
            )


def _crossing(before: CaseSummary, after: CaseSummary, level: int) -> float | None:
    """Where the straight line between the logarithms of the two paired ratios passes through a ratio of 1.

    None where one of the two strategies was not timed at both ends. Should the pairs contradict the order of the
    times, as they may within the noise, the crossing is at the end where they do.
    """
    winner = row_of(before, after.best or "")
    loser = row_of(after, before.best or "")
    if winner is None or loser is None or winner.to_best is None or loser.to_best is None:
        return None
    first, last = (math.log(case.case.spec.size.counts[level]) for case in (before, after))
    ahead, behind = max(0.0, math.log(winner.to_best.value)), max(0.0, math.log(loser.to_best.value))
    share = ahead / (ahead + behind) if ahead + behind else 0.5
    return math.exp(first + share * (last - first))
