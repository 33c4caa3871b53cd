"""Verifying, counting and memory: every arm once, in a worker of its own that no time is ever taken in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.errors import WorkerDied
from bench.measure.workers import LoadFailed, WorkerProcess
from bench.model import Arm, Counters, StatementCount

ATTEMPTS = 2
"""Workers that an arm may take down before it is given up."""

Start = Callable[[], WorkerProcess]
FirstDifference = Callable[[Path], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observing:
    """What the arms of a target are held against, and where.

    expected: the dataset's fingerprint. scratch: where the statements that each arm sent are kept for its floor, as
    `sent_path` names them. explain: says where a graph written to a file first differs from the dataset's. check:
    raises DatabaseUnavailable where a target has gone away. memory: whether to measure it.
    """

    expected: str
    scratch: Path
    explain: FirstDifference
    check: Callable[[str], None]
    memory: bool


def observe(arms: Sequence[Arm], start: Start, how: Observing) -> Iterator[Arm]:
    """Yield each strategy's arm with its counters and peak memory, or with the error that keeps it from being timed.

    A worker that dies is replaced, and the arm observed once more: only one that takes down its second worker too is to
    blame.
    """
    with ExitStack() as stack:
        worker: WorkerProcess | None = None
        for arm in arms:
            seen = arm
            for _attempt in range(ATTEMPTS):
                worker = worker or stack.enter_context(start())
                try:
                    seen = _observe(arm, worker, how)
                    break
                except WorkerDied as death:
                    seen, worker = replace(arm, error=death.in_full, fault="died"), None
            yield seen


def sent_path(scratch: Path, arm: Arm) -> Path:
    """Where the statements that an arm's strategy sent are kept: drivers are sent different texts of the same."""
    digest = hashlib.sha256(f"{arm.target}\0{arm.strategy}".encode()).hexdigest()
    return scratch / f"{digest[:32]}.sent"


def _observe(arm: Arm, worker: WorkerProcess, how: Observing) -> Arm:
    try:
        sent_to = str(sent_path(how.scratch, arm))
        seen = worker.ask("observe", strategy=arm.strategy, expected=how.expected, sent_to=sent_to)
        counted = replace(arm, counters=_counters(seen["counters"]), jit=seen["jit"])
        if not seen["equal"]:
            graph = how.scratch / "found.graph"
            worker.ask("graph", strategy=arm.strategy, path=str(graph))
            return replace(counted, error=how.explain(graph), fault="unequal")
        if seen["further"]:
            return replace(
                counted,
                error=f"The load left {seen['further']:,} statements unsent: it does not touch all that it returns.",
                fault="unequal",
            )
        if not how.memory:
            return counted
        return replace(counted, peak_bytes=worker.ask("memory", strategy=arm.strategy)["peak_bytes"])
    except LoadFailed as failure:
        how.check(arm.target)
        return replace(arm, error=f"The load raised {failure}", fault="failed")


def _counters(reply: dict[str, Any]) -> Counters:
    by_statement = tuple(StatementCount(**one) for one in reply.pop("by_statement"))
    return Counters(**reply, by_statement=by_statement)
