"""What other tools' rules say of the same samples: is the load slower now? Each with its tool's own defaults.

A rule is given nanoseconds before and now, as its tool has them: a list each, without pairs or processes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean, median

import numpy as np
from scipy.stats import mannwhitneyu

RESAMPLES = 1_000
"""Of criterion's bootstrap, which takes 100,000 itself: enough for shares of many comparisons."""

Rule = Callable[[Sequence[int], Sequence[int]], bool]


def pytest_benchmark(before: Sequence[int], now: Sequence[int]) -> bool:
    """`--benchmark-compare-fail=mean:5%`: the mean has grown by more than that."""
    return fmean(now) / fmean(before) > 1.05


def asv(before: Sequence[int], now: Sequence[int]) -> bool:
    """`asv continuous`: the median has grown by the factor 1.1, and Mann and Whitney's U gives p < 0.002."""
    return median(now) / median(before) > 1.1 and _u_test(before, now) < 0.002


def benchstat(before: Sequence[int], now: Sequence[int]) -> bool:
    """Mann and Whitney's U gives p < 0.05, and the median has grown."""
    return median(now) > median(before) and _u_test(before, now) < 0.05


def criterion(before: Sequence[int], now: Sequence[int]) -> bool:
    """A bootstrapped t-test gives p < 0.05, and the mean's whole 95 % interval has grown by more than 1 %."""
    random = np.random.default_rng(1)
    base, new = np.asarray(before, float), np.asarray(now, float)
    pool, count = np.concatenate([base, new]), len(base)
    mixed = random.choice(pool, (RESAMPLES, len(pool)))
    extreme = np.abs(_t(mixed[:, :count], mixed[:, count:])) >= abs(float(_t(base[None], new[None])[0]))
    means = [random.choice(each, (RESAMPLES, len(each))).mean(axis=1) for each in (base, new)]
    return float(extreme.mean()) < 0.05 and float(np.quantile(means[1] / means[0] - 1, 0.025)) > 0.01


RULES: dict[str, Rule] = {
    "pytest-benchmark, mean:5%": pytest_benchmark,
    "asv, factor 1.1": asv,
    "benchstat, alpha 0.05": benchstat,
    "criterion, 1 %": criterion,
}


def _u_test(before: Sequence[int], now: Sequence[int]) -> float:
    return float(mannwhitneyu(before, now, alternative="two-sided", method="asymptotic").pvalue)


def _t(base: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Welch's t of each row."""
    errors = base.var(axis=1, ddof=1) / base.shape[1] + new.var(axis=1, ddof=1) / new.shape[1]
    return np.asarray((new.mean(axis=1) - base.mean(axis=1)) / np.sqrt(errors))
