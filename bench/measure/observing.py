"""Verifying, counting and memory: every arm once, in a worker of its own that no time is ever taken in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.errors import WorkerDied
from bench.measure.events import ArmObserved
from bench.measure.workers import LoadFailed, WorkerProcess
from bench.model import Arm, Counters, StatementCount

ATTEMPTS = 2
"""Workers that an arm may take down before it is given up."""

Start = Callable[[], WorkerProcess]
FirstDifference = Callable[[Path], str]


def observe(
    arms: Sequence[Arm], *, start: Start, expected: str, scratch: Path, explain: FirstDifference, memory: bool
) -> Iterator[ArmObserved]:
    """Yield each strategy's arm with its counters and peak memory, or with the error that keeps it from being timed.

    expected: the dataset's fingerprint. scratch: where the statements that each arm sent are kept for its floor, as
    `sent_path` names them. explain: says where a graph written to a file first differs from the dataset's. A worker
    that dies is replaced, and the arm observed once more: only one that takes down its second worker too is to blame.
    """
    with ExitStack() as stack:
        worker: WorkerProcess | None = None
        for done, arm in enumerate(arms, start=1):
            seen = arm
            for _attempt in range(ATTEMPTS):
                worker = worker or stack.enter_context(start())
                try:
                    seen = _observe(arm, worker, expected=expected, scratch=scratch, explain=explain, memory=memory)
                    break
                except WorkerDied as death:
                    seen, worker = replace(arm, error=_last_words(death), fault="died"), None
            yield ArmObserved(arm=seen, done=done, of=len(arms))


def sent_path(scratch: Path, arm: Arm) -> Path:
    """Where the statements that an arm's strategy sent are kept."""
    return scratch / f"{arm.strategy}.sent"


def _observe(
    arm: Arm, worker: WorkerProcess, *, expected: str, scratch: Path, explain: FirstDifference, memory: bool
) -> Arm:
    try:
        seen = worker.ask("observe", strategy=arm.strategy, expected=expected, sent_to=str(sent_path(scratch, arm)))
        counted = replace(arm, counters=_counters(seen["counters"]))
        if not seen["equal"]:
            graph = scratch / "found.graph"
            worker.ask("graph", strategy=arm.strategy, path=str(graph))
            return replace(counted, error=explain(graph), fault="unequal")
        if seen["further"]:
            return replace(
                counted,
                error=f"The load left {seen['further']:,} statements unsent: it does not touch all that it returns.",
                fault="unequal",
            )
        if not memory:
            return counted
        return replace(counted, peak_bytes=worker.ask("memory", strategy=arm.strategy)["peak_bytes"])
    except LoadFailed as failure:
        return replace(arm, error=f"The load raised {failure}", fault="failed")


def _counters(reply: dict[str, Any]) -> Counters:
    by_statement = tuple(StatementCount(**one) for one in reply.pop("by_statement"))
    return Counters(**reply, by_statement=by_statement)


def _last_words(death: WorkerDied) -> str:
    return f"{death} {death.log}".strip()
