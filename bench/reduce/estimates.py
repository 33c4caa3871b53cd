"""From figures of workers to an Estimate: the mean of the logarithms, with a Student-t interval.

A time or a ratio varies by factors, not by sums, so its logarithm is what is averaged; the value is then the
geometric mean over workers, and the interval is as far from it in relative terms on either side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

from bench.model.run import FEWEST_WORKERS
from bench.reduce.types import Estimate

CONFIDENCE = 0.95


def estimate(by_worker: Sequence[float], *, samples: int) -> Estimate | None:
    """Return the geometric mean of one positive figure a worker, with its interval; None where there is no figure.

    The interval is `exp(m -+ t(0.975, n - 1) * s / sqrt(n))`, with m and s the mean and the sample standard
    deviation of the n logarithms (Kalibera and Jones 2013: the highest level of repetition is the unit).
    """
    count = len(by_worker)
    if not count:
        return None
    logs = [math.log(figure) for figure in by_worker]
    mean = math.fsum(logs) / count
    low = high = None
    if count >= FEWEST_WORKERS:
        # statistics.stdev works in exact fractions, at ten times the price; logarithms of one size do not need it.
        deviation = math.sqrt(math.fsum((log - mean) ** 2 for log in logs) / (count - 1))
        half = t_quantile(count - 1) * deviation / math.sqrt(count)
        low, high = math.exp(mean - half), math.exp(mean + half)
    return Estimate(value=math.exp(mean), low=low, high=high, workers=count, samples=samples)


@cache
def t_quantile(degrees: int) -> float:
    """Return the quantile of Student's t that leaves (1 - CONFIDENCE) / 2 above it, for `degrees` of freedom."""
    from scipy.special import stdtrit  # here, so that importing the types stays light

    return float(stdtrit(degrees, (1 + CONFIDENCE) / 2))
