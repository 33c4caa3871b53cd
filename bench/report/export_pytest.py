"""A run in the JSON of pytest-benchmark, so that its `compare` shows what was measured here.

One file a target, with the same full names in each: what `pytest-benchmark compare --between=median` pivots. The
figures are those that it would compute of the same samples. What it has no place for, such as statements, rows and
intervals, stands in `extra_info`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

from bench.model import Arm, Case, Environment, Run, TargetFacts
from bench.model.environment import EnvironmentFacts
from bench.model.run import Collector
from bench.reduce.compare_facts import sqlalchemy_of
from bench.reduce.summaries import summarise_all
from bench.reduce.types import ArmSummary, Estimate
from bench.report.columns import NOT_TIMED, fault_text

FORMAT = "5.3.1"
"""The version of pytest-benchmark whose JSON this is; it has not changed within 5."""

LABEL_LENGTH = 12
"""Characters of a file's name that its tables show, unless they are asked for the whole name."""

_LONGEST_STEM = 80
_NS = 1e9


def pytest_benchmark_files(run: Run, *, collector: Collector = "quiet") -> dict[str, bytes]:
    """Return the files by their names, in the order of the targets; none for a target of which nothing was timed.

    collector: the policy whose samples are taken.
    """
    by_target: dict[str, list[dict[str, Any]]] = {}
    facts: dict[str, TargetFacts] = {}
    for summary in summarise_all(run):
        case = summary.case
        target = case.targets[0]
        found = [_benchmark(run, case, row, collector) for row in summary.rows if times_of(row.arm, collector)]
        if found:
            facts.setdefault(target.name, target)
            by_target.setdefault(target.name, []).extend(found)
    stems = _stems(list(by_target))
    return {f"{stems[name]}.json": _document(run, facts[name], found) for name, found in by_target.items()}


def left_out(run: Run, *, collector: Collector = "quiet") -> tuple[str, ...]:
    """Return the strategies that have no samples to export, each with its case and why."""
    return tuple(
        f"{row.arm.name} of {summary.case.spec.scenario} {summary.case.spec.size} on {summary.case.targets[0].name} "
        f"({fault_text(row.arm) if row.arm.error is not None else NOT_TIMED})"
        for summary in summarise_all(run)
        for row in summary.rows
        if not times_of(row.arm, collector)
    )


def compare_command(files: Sequence[Path]) -> str:
    """Return what a user types to have the files compared; whole names where short ones would look alike."""
    labels = {path.stem[:LABEL_LENGTH] for path in files}
    named = " --name=long" if len(labels) < len(files) else ""
    return f"pytest-benchmark compare --between=median{named} {shlex.join(map(str, files))}"


def times_of(arm: Arm, collector: Collector) -> tuple[int, ...]:
    """Return the wall times of an arm in ns, in the order taken; none of one that is not to be compared."""
    if arm.error is not None:
        return ()
    taken = chain.from_iterable(samples.wall_ns for samples in arm.samples if samples.collector == collector)
    return tuple(wall_ns for wall_ns in taken if wall_ns > 0)


def _document(run: Run, target: TargetFacts, benchmarks: Sequence[Mapping[str, Any]]) -> bytes:
    document = {
        "machine_info": _machine(run.environment, target.environment),
        "commit_info": _commit(run.environment, target.environment),
        "benchmarks": benchmarks,
        "datetime": run.created,
        "version": FORMAT,
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def _benchmark(run: Run, case: Case, row: ArmSummary, collector: Collector) -> dict[str, Any]:
    spec, strategy = case.spec, row.arm.name
    name = f"{spec.scenario}[{spec.size}-{strategy}]"
    return {
        "group": f"{spec.scenario} {spec.size}",
        "name": name,
        "fullname": f"bench::{name}",
        "params": {"scenario": spec.scenario, "size": str(spec.size), "strategy": strategy},
        "param": f"{spec.size}-{strategy}",
        "extra_info": _extra(run, case, row, collector),
        "options": {"disable_gc": collector == "quiet", "timer": run.environment.clock, "warmup": True},
        "stats": statistics_of([wall_ns / _NS for wall_ns in times_of(row.arm, collector)]),
    }


def _extra(run: Run, case: Case, row: ArmSummary, collector: Collector) -> dict[str, Any]:
    """What the format has no field of its own for."""
    arm, target = row.arm, case.targets[0]
    counted = arm.counters
    counts = {
        name: getattr(counted, name)
        for name in ("statements", "rows", "repeated_rows", "entities", "parameters", "bytes")
        if counted is not None
    }
    return {
        **counts,
        "peak_bytes": arm.peak_bytes,
        "collector": collector,
        "ratio_to_baseline": _ratio(row.to_baseline),
        "target": target.name,
        "database": f"{target.dialect} {target.server_version}".strip(),
        "driver": f"{target.driver} {target.driver_version}".strip(),
        "origin": target.origin,
        "sqlalchemy": sqlalchemy_of(run, target),
        "run": run.id,
    }


def _ratio(ratio: Estimate | None) -> dict[str, Any] | None:
    if ratio is None:
        return None
    return {"value": ratio.value, "low": ratio.low, "high": ratio.high, "workers": ratio.workers}


def _machine(environment: Environment, own: EnvironmentFacts | None) -> dict[str, Any]:
    """The machine, with the Python that loaded from the target: one of its own, or the harness's."""
    implementation, _, version = (own.python if own else environment.python).rpartition(" ")
    system, release, machine = (*environment.os.split(" "), "", "", "")[:3]
    return {
        "node": environment.host,
        "processor": "",
        "machine": machine,
        "python_compiler": "" if own else environment.python_build,
        "python_implementation": implementation or "CPython",
        "python_implementation_version": version,
        "python_version": version,
        "python_build": ["", ""],
        "release": release,
        "system": system,
        "cpu": {"brand_raw": environment.cpu, "count": environment.cpu_count},
    }


def _commit(environment: Environment, own: EnvironmentFacts | None) -> dict[str, Any]:
    revision = own.revision if own else ""
    return {
        "id": revision or environment.git_revision or "unversioned",
        "time": None,
        "author_time": None,
        "dirty": environment.git_dirty and not revision,
        "project": "orm-loading-bench",
        "branch": "(unknown)",
    }


def statistics_of(data: Sequence[float]) -> dict[str, Any]:
    """Return the figures of pytest-benchmark of times in seconds, by its own definitions; there has to be one."""
    ordered = sorted(data)
    mean, deviation = fmean(data), stdev(data) if len(data) > 1 else 0.0
    q1, q3 = _quartiles(ordered)
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    far = sum(not mean - deviation <= each <= mean + deviation for each in data)
    out = sum(not low <= each <= high for each in data)
    return {
        "min": ordered[0],
        "max": ordered[-1],
        "mean": mean,
        "stddev": deviation,
        "rounds": len(data),
        "median": median(ordered),
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": out,
        "stddev_outliers": far,
        "outliers": f"{far};{out}",
        "ld15iqr": next((each for each in ordered if each >= low), ordered[0]),
        "hd15iqr": next((each for each in reversed(ordered) if each <= high), ordered[-1]),
        "ops": len(data) / sum(data),
        "total": sum(data),
        "data": list(data),
        "iterations": 1,
    }


def _quartiles(ordered: Sequence[float]) -> tuple[float, float]:
    """The quartiles of sorted figures: medians of the halves, or between neighbours where their number is odd.

    Methods 2 and 3 of https://en.wikipedia.org/wiki/Quartile#Computing_methods, as pytest-benchmark takes them.
    """
    count, half = len(ordered), len(ordered) // 2
    if count == 1:
        return ordered[0], ordered[0]
    if not count % 2:
        return median(ordered[:half]), median(ordered[half:])
    at, rest = divmod(count, 4)
    if rest == 1:
        return (
            0.25 * ordered[at - 1] + 0.75 * ordered[at],
            0.75 * ordered[3 * at] + 0.25 * ordered[3 * at + 1],
        )
    return (
        0.75 * ordered[at] + 0.25 * ordered[at + 1],
        0.25 * ordered[3 * at + 1] + 0.75 * ordered[3 * at + 2],
    )


def _stems(targets: Sequence[str]) -> dict[str, str]:
    """Names of files for targets: `postgres-17` for `postgres:17`, no two alike on a disk that ignores case."""
    found: dict[str, str] = {}
    for target, base in _plain(targets):
        stem, number = base, 2
        while stem.casefold() in {taken.casefold() for taken in found.values()}:
            stem, number = f"{base}-{number}", number + 1
        found[target] = stem
    return found


def _plain(targets: Sequence[str]) -> Iterator[tuple[str, str]]:
    for target in targets:
        yield target, re.sub(r"[^A-Za-z0-9._]+", "-", target)[:_LONGEST_STEM].strip("-.") or "target"
