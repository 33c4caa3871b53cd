"""Samples by worker and round: medians within a worker, and the ratios of samples that were taken side by side."""

from __future__ import annotations

from statistics import median

from bench.model import Arm
from bench.model.run import Collector
from bench.reduce.estimates import estimate
from bench.reduce.types import Estimate

Grid = dict[int, dict[int, int]]
"""wall_ns by worker, then by round."""


def grid(arm: Arm, collector: Collector) -> Grid:
    """Return the arm's wall times under one policy. What a clock that stood still gave is no sample and left out."""
    times: Grid = {}
    for samples in arm.samples:
        if samples.collector == collector:
            for worker, round_, wall_ns in zip(samples.worker, samples.round, samples.wall_ns, strict=True):
                if wall_ns > 0:
                    times.setdefault(worker, {})[round_] = wall_ns
    return times


def time_of(times: Grid) -> Estimate | None:
    """Return the time of one load in ns: the median of each worker, the geometric mean over workers."""
    return estimate([median(rounds.values()) for rounds in times.values()], samples=_samples(times))


def paired_ratio(times: Grid, others: Grid) -> Estimate | None:
    """Return how many times as long as `others` these took, by samples of the same worker and round.

    A round where one of the two is missing is left out, and so is a worker without any pair. `samples` of the result
    counts pairs.
    """
    medians, pairs = paired_medians(times, others)
    return estimate(list(medians.values()), samples=pairs)


def paired_medians(times: Grid, others: Grid) -> tuple[dict[int, float], int]:
    """Return the median of the paired ratios of each worker that has any, and the number of pairs."""
    medians, pairs = {}, 0
    for worker, rounds in times.items():
        theirs = others.get(worker)
        if theirs:
            ratios = [wall_ns / theirs[round_] for round_, wall_ns in rounds.items() if round_ in theirs]
            if ratios:
                medians[worker] = median(ratios)
                pairs += len(ratios)
    return medians, pairs


def worker_ratio(times: Grid, others: Grid) -> Estimate | None:
    """Return how many times as long as `others` these took, by the medians of each worker.

    For policies that are sampled in fewer rounds than the quiet one: all of the quiet rounds steady its median.
    """
    shared = [worker for worker in times if worker in others]
    medians = [median(times[worker].values()) / median(others[worker].values()) for worker in shared]
    return estimate(medians, samples=sum(len(times[worker]) for worker in shared))


def _samples(times: Grid) -> int:
    return sum(map(len, times.values()))
