"""The time tier of the gate: whether a load takes longer than a revision's, by pairs of fresh workers. Pure.

A pair is a worker of the revision and one of the work tree, up at the same time, a round going over both: its figure is
the median of the rounds' ratios, and the pair is the unit. Loads are screened one by one, with no correction for their
number; those screened in are decided on fresh pairs alone, by Holm's procedure over them (Holm 1979), so that neither
many loads nor the luck of the screening make a false alarm likelier than ALPHA.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from bench.model.baseline import Place
from bench.model.run import FEWEST_WORKERS
from bench.reduce.compare_counts import CountsDiffer

CONFIDENCE = 0.99
"""Of the intervals that are shown, two-sided."""

ALPHA = (1 - CONFIDENCE) / 2
"""How likely a load that is no slower than the threshold may fail: what an interval of CONFIDENCE leaves below it."""

SCREEN_ALPHA = 0.05
"""The same of the screening, which only decides what is measured again."""

POWER = 0.8
"""How surely the smallest detectable slowdown is seen."""

TOO_BLUNT = 0.10
"""Where not even this slowdown would be seen with POWER, nothing is concluded."""

Judged = Literal["slower", "faster", "same", "inconclusive", "undecided", "unfinished"]
"""What is said of a load. undecided: it was screened in, and the fresh pairs that decide are missing. unfinished: its
first pairs were not all taken, which makes no verdict, however clear they look."""

VERDICTS: tuple[Judged, ...] = ("slower", "faster", "same", "inconclusive")
"""What is said of a load that was measured to its end."""

UNFINISHED: Literal["unfinished"] = "unfinished"

K = TypeVar("K")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedRatio:
    """How many times as long as before a load takes now. low, high: the ends of its interval of CONFIDENCE.

    deviation: the sample standard deviation of the pairs' logarithms. detectable: the smallest slowdown that this
    scatter would let be seen with POWER, screening and decision included (0.03 is 3 %).
    """

    value: float
    low: float
    high: float
    pairs: int
    deviation: float
    detectable: float

    @property
    def noise(self) -> float:
        """The half-width of the interval as a relative difference: what is smaller drowns in the noise."""
        return self.high / self.value - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedLoad:
    """A load of both revisions. before_ns, now_ns: its time, the geometric mean of the pairs' medians. pairs: how many.

    screened: by the first pairs; None where there were too few. decided: by fresh pairs, where it was screened in.
    counts: what the load sends and fetches otherwise than before. statements: how many it sends before and now.
    """

    place: Place
    strategy: str
    threshold: float
    before_ns: float
    now_ns: float
    pairs: int
    screened: PairedRatio | None
    decided: PairedRatio | None
    judged: Judged
    counts: CountsDiffer | None = None

    @property
    def ratio(self) -> PairedRatio | None:
        """What the verdict rests on."""
        return self.decided or self.screened


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """The outcome of the time tier. revision: as it was named; commit: its id. pairs: asked for of each load.

    not_compared: why, of loads that the revision does not have, or that are wrong there. broken: what is wrong now with
    loads that are right there. unreached: of which nothing was timed, where the check was cut short.
    """

    revision: str
    commit: str
    dirty: bool
    pairs: int
    loads: tuple[TimedLoad, ...]
    not_compared: Mapping[tuple[Place, str], str]
    broken: Mapping[tuple[Place, str], str] = field(default_factory=dict)
    unreached: tuple[tuple[Place, str], ...] = ()

    def judged(self, *verdicts: Judged) -> tuple[TimedLoad, ...]:
        """The loads of these verdicts."""
        return tuple(load for load in self.loads if load.judged in verdicts)


def paired(ratios: Sequence[float], threshold: float) -> PairedRatio | None:
    """Return what pairs say, one figure of each; None for fewer than five, which say nothing.

    The interval is `exp(m -+ t((1 + CONFIDENCE) / 2, n - 1) * s / sqrt(n))` of the n logarithms.
    """
    count = len(ratios)
    if count < FEWEST_WORKERS:
        return None
    mean, deviation = _moments(ratios)
    half = _quantile(count - 1, 1 - ALPHA) * deviation / math.sqrt(count)
    return PairedRatio(
        value=math.exp(mean),
        low=math.exp(mean - half),
        high=math.exp(mean + half),
        pairs=count,
        deviation=deviation,
        detectable=smallest_detectable(deviation, count, threshold),
    )


def is_suspect(ratios: Sequence[float], threshold: float) -> bool:
    """Whether a load is to be decided on fresh pairs: its own are slower than the threshold at SCREEN_ALPHA."""
    return len(ratios) >= FEWEST_WORKERS and p_value(ratios, threshold) < SCREEN_ALPHA


def p_value(ratios: Sequence[float], threshold: float) -> float:
    """Return how likely such pairs are where a load is slower by the threshold at the most: one-sided t-test."""
    from scipy.special import stdtr  # here, so that importing the types stays light

    mean, deviation = _moments(ratios)
    over = mean - math.log1p(threshold)
    if deviation == 0:
        return 0.0 if over > 0 else 1.0
    return float(stdtr(len(ratios) - 1, -over / (deviation / math.sqrt(len(ratios)))))


def rejected(p_values: Mapping[K, float]) -> set[K]:
    """Return those whose hypothesis falls by Holm's procedure at ALPHA: the smallest against ALPHA / n, and so on."""
    fallen: set[K] = set()
    ordered = sorted(p_values, key=p_values.__getitem__)
    for at, name in enumerate(ordered):
        if p_values[name] >= ALPHA / (len(ordered) - at):
            break
        fallen.add(name)
    return fallen


def verdicts(
    first: Mapping[K, Sequence[float]], fresh: Mapping[K, Sequence[float]], threshold: Mapping[K, float]
) -> dict[K, Judged]:
    """Return the verdict on each load whose first pairs were all taken. fresh: the pairs of those that were decided.

    Holm's bound on a load hangs on the others that were screened in, and some of these may not be decided: what falls
    though each of them stood falls, and what stands though each of them fell is judged by its figures.
    """
    suspects = [load for load, ratios in first.items() if is_suspect(ratios, threshold[load])]
    known = {
        load: p_value(fresh[load], threshold[load]) for load in suspects if len(fresh.get(load, ())) >= FEWEST_WORKERS
    }
    fallen = rejected(dict.fromkeys(suspects, 1.0) | known)
    open_ = rejected(dict.fromkeys(suspects, 0.0) | known) - fallen
    return {
        load: "undecided" if load in open_ else judge(ratios, fresh.get(load), threshold[load], falls=load in fallen)
        for load, ratios in first.items()
    }


def judge(first: Sequence[float], fresh: Sequence[float] | None, threshold: float, *, falls: bool) -> Judged:
    """Return the verdict on a load. fresh: pairs of the decision, None where it was not screened in.

    falls: whether Holm's procedure rejects that it is no slower than the threshold.
    """
    if falls:
        return "slower"
    shown = paired(fresh or first, threshold)
    if shown is not None and shown.high < 1 / (1 + threshold):
        return "faster"
    return "same" if shown is not None and shown.detectable <= TOO_BLUNT else "inconclusive"


def smallest_detectable(deviation: float, pairs: int, threshold: float) -> float:
    """Return the smallest slowdown that is seen with POWER by a load alone: screened in, and then decided.

    Both stages are one-sided t-tests of as many pairs; the power of each is that of the noncentral t distribution.
    """
    if deviation == 0:
        return threshold
    low, high = threshold, math.expm1(math.log1p(threshold) + 30 * deviation / math.sqrt(pairs) + 1e-9)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle, deviation, pairs, threshold) >= POWER else (middle, high)
    return high


def power(slowdown: float, deviation: float, pairs: int, threshold: float) -> float:
    """Return how surely a load that is slower by so much fails: screened in and decided, see `smallest_detectable`."""
    from scipy.special import nctdtr

    over, error, degrees = math.log1p(slowdown) - math.log1p(threshold), deviation / math.sqrt(pairs), pairs - 1
    bounds = [_quantile(degrees, 1 - alpha) for alpha in (SCREEN_ALPHA, ALPHA)]
    return math.prod(1 - float(nctdtr(degrees, over / error, bound)) for bound in bounds)


def _moments(ratios: Sequence[float]) -> tuple[float, float]:
    logs = [math.log(ratio) for ratio in ratios]
    mean = math.fsum(logs) / len(logs)
    return mean, math.sqrt(math.fsum((log - mean) ** 2 for log in logs) / (len(logs) - 1))


def _quantile(degrees: int, share: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, share))
