"""What has been timed of a case so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench.measure.schedule import Key, Task, key
from bench.model import Arm, Samples, WorkerFacts
from bench.model.run import Collector, Spent

_Row = tuple[int, int, int, int, int]
"""A sample: worker, round, wall_ns, cpu_ns, collections."""


@dataclass(slots=True)
class Timings:
    """Grows sample by sample, so that an interruption loses none."""

    samples: dict[tuple[Key, Collector], list[_Row]] = field(default_factory=lambda: defaultdict(list))
    workers: list[WorkerFacts] = field(default_factory=list)
    stopped: set[Key] = field(default_factory=set)
    spent: Spent = field(default_factory=Spent)
    failed: dict[Key, str] = field(default_factory=dict)

    def of(self, arm: Arm) -> Arm:
        """Return the arm with its samples."""
        taken = tuple(
            _columns(collector, rows)
            for (of, collector), rows in sorted(self.samples.items(), key=lambda item: item[0])
            if of == key(arm)
        )
        failed = self.failed.get(key(arm))
        return replace(
            arm,
            samples=taken,
            stopped_early=key(arm) in self.stopped,
            error=arm.error or failed,
            fault="failed" if failed else arm.fault,
        )

    def add(self, task: Task, taken: dict[str, Any], *, worker: int, round_number: int) -> None:
        """Keep a sample, and what was spent on it; of one that is not to be kept the latter."""
        if task.kept:
            self.samples[key(task.arm), task.collector].append(
                (worker, round_number, taken["wall_ns"], taken["cpu_ns"], taken["collections"])
            )
        self.spend(
            loading_s=taken["wall_ns"] / 1e9,
            freeing_s=taken["freeing_ns"] / 1e9,
            collecting_s=taken["collecting_ns"] / 1e9,
        )

    def spend(self, **seconds: float) -> None:
        """Add to what was spent, by the names of `Spent`."""
        self.spent = replace(self.spent, **{name: getattr(self.spent, name) + more for name, more in seconds.items()})

    def count(self) -> int:
        """How many samples there are."""
        return sum(map(len, self.samples.values()))


def _columns(collector: Collector, rows: Sequence[_Row]) -> Samples:
    worker, round_, wall_ns, cpu_ns, collections = zip(*rows, strict=True)
    return Samples(
        collector=collector, worker=worker, round=round_, wall_ns=wall_ns, cpu_ns=cpu_ns, collections=collections
    )
