"""A run as CSV, for a data frame: one row a sample, and one row a strategy with its counts and figures.

Every row says where it comes from, so that files of several runs can be put one after another. Names carry the unit.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from bench.model import Arm, Case, Run
from bench.reduce.compare_facts import python_of, sqlalchemy_of
from bench.reduce.summaries import summarise_all
from bench.reduce.types import ArmSummary, Estimate
from bench.reduce.views import views

Value = str | int | float | None
Fields = Mapping[str, Value]

SAMPLES, SUMMARY = "samples.csv", "summary.csv"

COUNTS = ("statements", "rows", "repeated_rows", "entities", "occurrences", "parameters", "bytes")

TIMES = ("quiet", "default", "tuned")
"""Collector policies, as the fields of a summary are called."""

RATIOS = ("to_best", "to_baseline", "to_floor", "own_floor", "collector", "collector_tuned")


def csv_files(run: Run) -> dict[str, bytes]:
    """Return `samples.csv`, a row for each timed load, and `summary.csv`, a row for each strategy of a case.

    A file that would have no row is not among them.
    """
    files = {SAMPLES: _csv(_sample_rows(run)), SUMMARY: _csv(_summary_rows(run))}
    return {name: content for name, content in files.items() if content}


def _csv(rows: Iterable[Fields]) -> bytes:
    text = io.StringIO(newline="")
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(text, fieldnames=list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(dict(row))
    return text.getvalue().encode("utf-8", "replace")


def _sample_rows(run: Run) -> Iterator[Fields]:
    """Every sample of every arm, twins and floors too, in the order taken; where it was wrong there are none."""
    for case in run.cases:
        of_case = [(view, arm) for view in views(case) for arm in view.arms]
        seen = {id(arm) for _, arm in of_case}
        # The twin of a target belongs to no view: its place is that of the target that it repeats, the first.
        of_case += [(views(case)[0], arm) for arm in case.arms if id(arm) not in seen]
        for view, arm in of_case:
            yield from _samples(_place(run, view), arm)


def _samples(place: Fields, arm: Arm) -> Iterator[Fields]:
    for samples in arm.samples:
        columns = (samples.worker, samples.round, samples.wall_ns, samples.cpu_ns, samples.collections)
        for worker, round_, wall_ns, cpu_ns, collections in zip(*columns, strict=True):
            yield {
                **place,
                "target": arm.target or place["target"],
                "strategy": arm.strategy,
                "arm": arm.name,
                "kind": arm.kind,
                "collector": samples.collector,
                "worker": worker,
                "round": round_,
                "wall_ns": wall_ns,
                "cpu_ns": cpu_ns,
                "collections": collections,
            }


def _summary_rows(run: Run) -> Iterator[Fields]:
    for summary in summarise_all(run):
        for row in summary.rows:
            yield {**_place(run, summary.case), "strategy": row.arm.name, **_figures(row), "noise": summary.noise}


def _figures(row: ArmSummary) -> dict[str, Value]:
    counters = row.arm.counters
    figures: dict[str, Value] = {name: getattr(counters, name) if counters else None for name in COUNTS}
    figures["peak_bytes"] = row.arm.peak_bytes
    for name in TIMES:
        figures |= _estimate(f"{name}_ns", getattr(row, name))
    for name in RATIOS:
        figures |= _estimate(name, getattr(row, name))
    figures["tied"] = str(row.tied).lower() if row.quiet else None
    figures["error"] = row.arm.error
    return figures


def _estimate(name: str, estimate: Estimate | None) -> dict[str, Value]:
    return {
        name: estimate.value if estimate else None,
        f"{name}_low": estimate.low if estimate else None,
        f"{name}_high": estimate.high if estimate else None,
    }


def _place(run: Run, view: Case) -> dict[str, Value]:
    """What names a measurement: the run, the scenario, its size, the target, and what the load ran in there.

    changed: the files were not those of the revision.
    """
    target, environment, asked = view.targets[0], run.environment, view.spec.targets[0]
    counts = (*view.spec.size.counts, None, None, None)
    own = target.environment
    revision = own.revision if own else ""
    return {
        "run": run.id,
        "created": run.created,
        "scenario": view.spec.scenario,
        "size": str(view.spec.size),
        "parents": counts[0],
        "children": counts[1],
        "grandchildren": counts[2],
        "target": target.name,
        "dialect": target.dialect,
        "server_version": target.server_version,
        "driver": target.driver,
        "driver_version": target.driver_version,
        "origin": target.origin,
        "rtt_us": asked.rtt_us,
        "python": python_of(run, target),
        "sqlalchemy": sqlalchemy_of(run, target),
        "revision": revision or environment.git_revision,
        "changed": str(environment.git_dirty and not revision).lower(),
        "host": environment.host,
    }
