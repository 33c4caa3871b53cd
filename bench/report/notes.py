"""The lines under a table: how its figures were taken, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from bench.model import Case, Sampling
from bench.model.run import FEWEST_WORKERS
from bench.reduce.types import CaseSummary
from bench.report.columns import fault_text
from bench.report.units import (
    APPROXIMATE,
    NO_INTERVAL,
    counted,
    interval_text,
    listed,
    ratio_text,
    share_text,
    short_time_text,
)


def notes(summary: CaseSummary, sampling: Sampling | None = None) -> tuple[str, ...]:
    """Return the lines under a case's table. sampling: the run's, which knows the seed of the shuffles."""
    return tuple(
        line
        for line in (
            *_not_timed(summary),
            _noise(summary),
            _time(summary),
            _approximate(summary),
            _floors(summary),
            _collector(summary),
            _sampled(summary.case, sampling),
            _stopped(summary.case),
            *_doubts(summary.case),
        )
        if line
    )


def _not_timed(summary: CaseSummary) -> Iterator[str]:
    for row in summary.rows:
        if row.arm.error is not None:
            yield f"{fault_text(row.arm)}: {row.arm.name}: {' '.join(row.arm.error.split())}"


def _noise(summary: CaseSummary) -> str:
    if summary.twins is None:
        return "Noise floor: unknown, for nothing was measured twice (no A/A pair)." if summary.best else ""
    twin = next(arm.strategy for arm in summary.case.arms if arm.kind == "twin")
    if summary.noise is None:
        return f"Noise floor: unknown; {twin} against itself came out at {ratio_text(summary.twins)}."
    return (
        f"Noise floor: {share_text(summary.noise)} ({twin} against itself: {interval_text(summary.twins)}). "
        "A smaller difference is a tie."
    )


def _time(summary: CaseSummary) -> str:
    if summary.best is None:
        return ""
    how = "Time: one load with the garbage collector quiet; the median of each worker, then their geometric mean"
    some = any(row.quiet and row.quiet.low is not None for row in summary.rows)
    return f"{how}, with its 95 % interval." if some else f"{how}."


def _approximate(summary: CaseSummary) -> str:
    """What the mark means, wherever in the table or under it a figure carries it."""
    rows = summary.rows
    shown = [figure for row in rows for figure in (row.quiet, row.default, row.to_best, row.to_floor)]
    shown += [floor.quiet for floor in summary.floors]
    marked = any(figure is not None and figure.low is None for figure in shown)
    return f"{APPROXIMATE} {NO_INTERVAL}: sampled in fewer than {FEWEST_WORKERS} workers." if marked else ""


def _floors(summary: CaseSummary) -> str:
    times = [f"{row.arm.strategy} {short_time_text(row.quiet)}" for row in summary.floors if row.quiet]
    return f"Floor (the same statements through the bare driver): {', '.join(times)}." if times else ""


def _collector(summary: CaseSummary) -> str:
    """The heap's size belongs beside the default collector's time, which depends on it."""
    if not any(row.default for row in summary.rows) or not summary.case.workers:
        return ""
    objects = round(median(worker.live_objects for worker in summary.case.workers))
    return (
        f"Collector on: Python's default thresholds, with {counted(objects, 'live object')} before the load; "
        "sampled in fewer rounds."
    )


def _sampled(case: Case, sampling: Sampling | None) -> str:
    if not case.workers:
        return ""
    rounds = sorted({worker.rounds for worker in case.workers})
    each = counted(rounds[0], "round") if len(rounds) == 1 else f"{rounds[0]} to {counted(rounds[-1], 'round')}"
    seed = f", shuffled from seed {sampling.seed}" if sampling else ""
    quick = "; a quick look" if sampling and sampling.quick else ""
    return f"Sampled: {counted(len(case.workers), 'worker')} x {each}{seed}{quick}."


def _stopped(case: Case) -> str:
    names = [arm.name for arm in case.arms if arm.stopped_early and arm.kind == "strategy"]
    sampled_less = "Sampled less, having taken more than twice the quickest's time in every round until then"
    return f"{sampled_less}: {listed(names)}." if names else ""


def _doubts(case: Case) -> Iterator[str]:
    if case.status == "partial":
        yield "This case was cut short: what was measured until then is shown."
    for number, worker in enumerate(case.workers, start=1):
        if worker.ended != "finished":
            yield f"Worker {number} ended early: {worker.ended}."
    for warning in case.warnings:
        yield f"Warning: {' '.join(warning.text.split())}"
