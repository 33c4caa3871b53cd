"""A case reduced to what a table shows: every arm's times and its ratios to the best, the baseline and the floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.model import Arm, Case, Run
from bench.reduce.pairing import Grid, grid, paired_ratio, time_of, worker_ratio
from bench.reduce.types import ArmSummary, CaseSummary, Estimate
from bench.reduce.views import views


def summarise(case: Case) -> CaseSummary:
    """Reduce a case of one target, of which `views` makes one of several.

    An arm that is wrong, failed or was never timed has None for every figure, and is not ranked.

    Every ratio is between samples of the same worker and round, and the best is found by these ratios too: from the
    strategy with the least quiet time on to the one that has the least ratio to it, as long as that is below 1. Should
    the ratios run in a circle, it is the one with the least time. Rows stand in the order of their ratio to the best.
    Without an interval nothing is tied: too little is known to say so.
    """
    timed = [_timed(arm) for arm in case.arms]
    strategies = sorted((one for one in timed if one.arm.kind == "strategy"), key=_fastest_first)
    equal = {one.arm.strategy: one for one in strategies if one.quiet is not None}
    # A floor is no yardstick where its strategy loaded something else: it fetches something else too.
    floors = sorted(
        (one for one in timed if one.arm.kind == "floor" and one.quiet and one.arm.strategy in equal),
        key=_fastest_first,
    )
    twin = next((one for one in timed if one.arm.kind == "twin" and one.arm.strategy in equal), None)
    twins = paired_ratio(twin.grid, equal[twin.arm.strategy].grid) if twin else None
    noise = noise_of(twins)
    best, to_best = _best(list(equal.values()))
    against = _Yardsticks(
        best=best,
        to_best=to_best,
        baseline=equal.get(twin.arm.strategy if twin else case.scenario.baseline),
        floor=floors[0] if floors else None,
        own_floors={one.arm.strategy: one for one in floors},
        noise=noise,
    )
    return CaseSummary(
        case=case,
        rows=tuple(sorted((_row(one, against) for one in strategies), key=lambda row: _place(row, best))),
        floors=tuple(ArmSummary(arm=one.arm, quiet=one.quiet, to_floor=_ratio(one, against.floor)) for one in floors),
        best=best.arm.name if best else None,
        noise=noise,
        twins=twins,
    )


def summarise_all(run: Run) -> tuple[CaseSummary, ...]:
    """Reduce every case of a run on every one of its targets, in their order: what each report is made from."""
    return tuple(summarise(view) for case in run.cases for view in views(case))


def is_tied(ratio: Estimate, noise: float | None) -> bool:
    """Whether a ratio cannot be told from 1: its interval holds 1, or it is nearer to 1 than the noise floor.

    False without an interval, where nothing may be claimed either way.
    """
    if ratio.low is None or ratio.high is None:
        return False
    # Nearness is by factors, as the floor is: 1 / 1.02 is as near as 1.02.
    return ratio.low <= 1 <= ratio.high or max(ratio.value, 1 / ratio.value) - 1 < (noise or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timed:
    """An arm and its quiet samples; `quiet` is None where nothing of it may be compared."""

    arm: Arm
    grid: Grid
    quiet: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Yardsticks:
    """What the arms of a case are held against. to_best: the ratios to the best, by the name of the arm."""

    best: _Timed | None
    to_best: dict[str, Estimate]
    baseline: _Timed | None
    floor: _Timed | None
    own_floors: dict[str, _Timed]
    noise: float | None


def _timed(arm: Arm) -> _Timed:
    times = grid(arm, "quiet") if arm.error is None else {}
    return _Timed(arm=arm, grid=times, quiet=time_of(times))


def _fastest_first(one: _Timed) -> tuple[bool, float]:
    return (one.quiet is None, one.quiet.value if one.quiet else 0.0)


def _best(strategies: Sequence[_Timed]) -> tuple[_Timed | None, dict[str, Estimate]]:
    """Return the best of the timed strategies, which come in the order of their times, and the others' ratios to it."""
    if not strategies:
        return None, {}
    first = best = strategies[0]
    to_first = to_best = _ratios(strategies, best)
    passed = {best.arm.name}
    while below := [one for one in strategies if one.arm.name in to_best and to_best[one.arm.name].value < 1]:
        best = min(below, key=lambda one: to_best[one.arm.name].value)
        if best.arm.name in passed:
            return first, to_first
        passed.add(best.arm.name)
        to_best = _ratios(strategies, best)
    return best, to_best


def _ratios(strategies: Sequence[_Timed], best: _Timed) -> dict[str, Estimate]:
    ratios = ((one.arm.name, _ratio(one, best)) for one in strategies)
    return {name: ratio for name, ratio in ratios if ratio is not None}


def _unsettled(to_best: Estimate, noise: float | None) -> bool:
    """Whether an arm is tied with the best. In a circle of ratios one may be below 1, which is no order either."""
    return is_tied(to_best, noise) or (to_best.low is not None and to_best.value < 1)


def _place(row: ArmSummary, best: _Timed | None) -> tuple[int, float]:
    """Where a row stands: the best, then by ratio to it, then what shares no round with it by time, then the rest."""
    if row.quiet is None:
        return (3, 0.0)
    if best is not None and row.arm is best.arm:
        return (0, 0.0)
    return (1, row.to_best.value) if row.to_best else (2, row.quiet.value)


def noise_of(twins: Estimate | None) -> float | None:
    """Return the noise floor that the ratio of two twins gives; None without an interval."""
    if twins is None or twins.low is None or twins.high is None:
        return None
    return max(twins.high - 1, 1 / twins.low - 1)


def _row(one: _Timed, against: _Yardsticks) -> ArmSummary:
    if one.quiet is None:
        return ArmSummary(arm=one.arm)
    default, tuned = grid(one.arm, "default"), grid(one.arm, "tuned")
    to_best = against.to_best.get(one.arm.name)
    return ArmSummary(
        arm=one.arm,
        quiet=one.quiet,
        default=time_of(default),
        tuned=time_of(tuned),
        to_best=to_best,
        to_baseline=_ratio(one, against.baseline),
        to_floor=_ratio(one, against.floor),
        own_floor=_ratio(one, against.own_floors.get(one.arm.strategy)),
        collector=worker_ratio(default, one.grid),
        collector_tuned=worker_ratio(tuned, one.grid),
        tied=to_best is not None and _unsettled(to_best, against.noise),
    )


def _ratio(one: _Timed, other: _Timed | None) -> Estimate | None:
    return None if other is None or other is one else paired_ratio(one.grid, other.grid)
