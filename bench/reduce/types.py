"""What samples are reduced to: the values that every table, chart and sentence is made from."""

from __future__ import annotations

from dataclasses import dataclass

from bench.model import Arm, Case, CaseSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its interval. `low` and `high` are None when fewer than five workers were sampled.

    The unit is the user's of the value: nanoseconds for a time, 1 for a ratio. `workers` and `samples` say what it
    rests on.
    """

    value: float
    low: float | None
    high: float | None
    workers: int
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmSummary:
    """An arm reduced: one row of a table. A figure that was not taken, or that may not be compared, is None.

    quiet, default, tuned: time of one load in ns under each collector policy, where it was sampled.
    to_best: paired ratio to the best strategy (None for that one's own row, and where nothing was timed).
    to_baseline: paired ratio to the case's baseline arm, the one that has a twin (None for its own row).
    to_floor: paired ratio to the case's floor, the cheapest of the floors. own_floor: ratio to its own floor.
    collector, collector_tuned: ratio of the default and of the tuned collector's time to the quiet time, by the
    medians of the same worker.
    tied: its difference from the best cannot be told from the noise floor, its interval holds 1, or it is below 1,
    which happens where the ratios of a case run in a circle.
    """

    arm: Arm
    quiet: Estimate | None = None
    default: Estimate | None = None
    tuned: Estimate | None = None
    to_best: Estimate | None = None
    to_baseline: Estimate | None = None
    to_floor: Estimate | None = None
    own_floor: Estimate | None = None
    collector: Estimate | None = None
    collector_tuned: Estimate | None = None
    tied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    """A case reduced. rows: the best, the others by their ratio to it, then those that were not timed.

    floors: the floor arms of the strategies that did equal work, cheapest first. best: the strategy to which
    no other has a paired ratio below 1; None where nothing was timed.
    noise: the smallest relative difference that the A/A pair allows one to call one (0.02 is 2 %): the distance from
    1 of the farther end of the interval of the twins' ratio; None without an interval.
    twins: that ratio.
    """

    case: Case
    rows: tuple[ArmSummary, ...]
    floors: tuple[ArmSummary, ...]
    best: str | None
    noise: float | None
    twins: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTarget:
    """A strategy on one target. time: of one load in ns, collector quiet; None where it was not timed there.

    arm: as measured there, if at all. to_baseline: paired ratio to the same strategy on the baseline target; None on
    that one itself, and where the two share no round. tied: that ratio cannot be told from the noise of comparing
    targets.
    """

    arm: Arm | None
    time: Estimate | None = None
    to_baseline: Estimate | None = None
    tied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AcrossTargets:
    """A case of several targets reduced to what they change; the first is the one that the others are held against.

    views: the case on each target, in the order of its targets, which is that of every column here. rows: each
    strategy that did equal work on the baseline target, in the order of that view's rows, on every target. overall:
    each target's ratio to the baseline target over all strategies that were timed on both in every replicate, the
    geometric mean of each replicate, then over replicates; None where there are fewer than two of them. pooled: how
    many strategies that rests on.
    twins: the ratio of the A/A pair of targets; twin: its strategy and its target's name. noise: as of a case.
    two_servers: targets of another version than the baseline's that rest on too few fresh servers to be more than a
    comparison with that one server. mixed_origins: builds of several origins are compared.
    """

    case: Case
    views: tuple[CaseSummary, ...]
    rows: tuple[tuple[OnTarget, ...], ...]
    overall: tuple[Estimate | None, ...]
    pooled: tuple[int, ...]
    twin: Arm | None
    twins: Estimate | None
    noise: float | None
    two_servers: tuple[str, ...]
    mixed_origins: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossoverPoint:
    """Where the winner changes between two neighbouring sizes of one run.

    The sizes differ in one number only. at: where the two strategies' times cross, by straight lines between the
    medians on logarithmic scales, as a count of that number. certain: at both ends the winner's interval is clear of
    the other's (the paired ratio's interval excludes 1 and lies outside the noise floor).
    """

    before: CaseSpec
    after: CaseSpec
    winner_before: str
    winner_after: str
    at: float
    certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossover:
    """A series of cases of one run in which one number of the size grows. axis: `parents` or `children`, ...

    fixed: the size with the growing number shown as `n` (`1000xn`). cases: in growing order. points: the changes.
    """

    axis: str
    fixed: str
    cases: tuple[CaseSummary, ...]
    points: tuple[CrossoverPoint, ...]
