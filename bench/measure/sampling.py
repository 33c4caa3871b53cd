"""The sampling loop: fresh workers one after another, interleaved rounds, until the budget or the count is reached."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.errors import WorkerDied
from bench.measure.events import Doubted, Sampled
from bench.measure.observing import sent_path
from bench.measure.pace import MOST_ROUNDS, Clock, Pace
from bench.measure.schedule import LEAST_ROUNDS, Task, far_above, round_tasks
from bench.measure.workers import LoadFailed, WorkerProcess
from bench.model import Arm, Samples, Sampling, Warned, WorkerFacts
from bench.model.run import FEWEST_WORKERS, Collector, Spent

DEATHS = 3
"""Workers that may die in one case before its timing is given up."""

Start = Callable[[int], WorkerProcess]

_Row = tuple[int, int, int, int, int]
"""A sample: worker, round, wall_ns, cpu_ns, collections."""


@dataclass(slots=True)
class Timings:
    """What has been timed of a case; grows sample by sample, so that an interruption loses none."""

    samples: dict[tuple[str, Collector], list[_Row]] = field(default_factory=lambda: defaultdict(list))
    workers: list[WorkerFacts] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    spent: Spent = field(default_factory=Spent)
    failed: dict[str, str] = field(default_factory=dict)

    def of(self, arm: Arm) -> Arm:
        """Return the arm with its samples."""
        taken = tuple(
            _columns(collector, rows) for (name, collector), rows in sorted(self.samples.items()) if name == arm.name
        )
        failed = self.failed.get(arm.name)
        return replace(
            arm,
            samples=taken,
            stopped_early=arm.name in self.stopped,
            error=arm.error or failed,
            fault="failed" if failed else arm.fault,
        )

    def add(self, task: Task, taken: dict[str, Any], *, worker: int, round_number: int) -> None:
        """Keep a sample, and what was spent on it outside the clock."""
        self.samples[task.arm, task.collector].append(
            (worker, round_number, taken["wall_ns"], taken["cpu_ns"], taken["collections"])
        )
        self.spent = replace(
            self.spent,
            loading_s=self.spent.loading_s + taken["wall_ns"] / 1e9,
            freeing_s=self.spent.freeing_s + taken["freeing_ns"] / 1e9,
            collecting_s=self.spent.collecting_s + taken["collecting_ns"] / 1e9,
        )


@dataclass(slots=True, kw_only=True)
class SamplingLoop:
    """Times the arms of one case.

    start: starts a worker with a hash seed. scratch: where the observed statements lie. clock: seconds, monotonic.
    seed: what every shuffle and hash seed of the case follows from. warm: loads before the first that counts.
    """

    arms: Sequence[Arm]
    sampling: Sampling
    start: Start
    scratch: Path
    clock: Clock
    seed: str
    warm: int = 1
    timings: Timings = field(default_factory=Timings)
    _tuned: frozenset[str] = frozenset()
    _quiet: list[dict[str, list[int]]] = field(default_factory=list)

    def run(self) -> Iterator[Sampled | Doubted]:
        """Take samples until enough; what was taken stands in `timings` at every moment."""
        if not self._timed():
            return
        pace = Pace(self.sampling, self.clock, began_s=self.clock())
        deaths, number = 0, 0
        while number < (workers := pace.workers(number)) and deaths < DEATHS:
            try:
                yield from self._one_worker(number, workers, pace)
            except WorkerDied as death:
                deaths += 1
                yield Doubted(warning=_died(number, death, gave_up=deaths == DEATHS))
            finally:
                self.timings.spent = replace(self.timings.spent, total_s=self.clock() - pace.began_s)
            number += 1
        if number < FEWEST_WORKERS and self.sampling.workers is None and deaths < DEATHS:
            yield Doubted(warning=_too_few(number, pace))

    def _one_worker(self, number: int, workers: int, pace: Pace) -> Iterator[Sampled]:
        hash_seed = random.Random(f"{self.seed}/{number}").randrange(2**32)  # noqa: S311 - a seed to repeat by
        from_s = self.clock()
        pace.worker_begins(number, workers)
        with self.start(hash_seed) as worker:
            self._spend(starting_s=self.clock() - from_s)
            facts = WorkerFacts(pid=worker.pid, hash_seed=hash_seed, live_objects=0, rounds=0)
            try:
                warm_from = self.clock()
                self._warm_up(worker)
                facts = replace(facts, **worker.ask("live_objects"))
                self._spend(warming_s=self.clock() - warm_from)
                for rounds in self._rounds(worker, number, pace):
                    facts = replace(facts, rounds=rounds)
                    yield self._progress(number, workers, rounds, pace)
            except WorkerDied as death:
                facts = replace(facts, ended=death.reason)
                raise
            finally:
                self.timings.workers.append(facts)

    def _rounds(self, worker: WorkerProcess, number: int, pace: Pace) -> Iterator[int]:
        """Take rounds in one worker; yield how many are complete, after each sample and after each round."""
        quiet: dict[str, list[int]] = defaultdict(list)
        self._quiet.append(quiet)
        stopped: frozenset[str] = frozenset()
        for round_number in range(self.sampling.rounds or MOST_ROUNDS):
            pace.round_begins()
            for task in round_tasks(
                self._timed(),
                round_number=round_number,
                collectors=pace.collector_fits(number, round_number),
                stopped=stopped,
                tuned=self._tuned,
                shuffle=random.Random(f"{self.seed}/{number}/{round_number}"),  # noqa: S311 - an order to repeat
            ):
                from_s = self.clock()
                taken = self._sample(worker, task)
                if taken is None:
                    continue
                self.timings.add(task, taken, worker=number, round_number=round_number)
                if task.collector == "quiet":
                    quiet[task.arm].append(taken["wall_ns"])
                else:
                    pace.collector_took(self.clock() - from_s)
                yield round_number
            pace.round_ends(round_number)
            yield round_number + 1
            if self.sampling.rounds is None and round_number + 1 >= LEAST_ROUNDS:
                stopped |= far_above(self.arms, self._quiet)
                self.timings.stopped |= stopped
            if not pace.another_round():
                return

    def _warm_up(self, worker: WorkerProcess) -> None:
        """Load everything before the first sample that counts; the quickest is the one to try other thresholds on."""
        quiet_ns = {}
        for arm in self._timed():
            if arm.kind == "floor" and self._ask(worker, arm, "floor", path=str(sent_path(self.scratch, arm))) is None:
                continue
            for _ in range(self.warm if arm.kind != "twin" else 0):
                taken = self._sample(worker, Task(arm=arm.name, collector="quiet"))
                if taken and arm.kind == "strategy":
                    quiet_ns[arm.name] = taken["wall_ns"]
        if not self._tuned and quiet_ns:
            self._tuned = frozenset({min(quiet_ns, key=quiet_ns.__getitem__)})

    def _sample(self, worker: WorkerProcess, task: Task) -> dict[str, Any] | None:
        arm = next(arm for arm in self.arms if arm.name == task.arm)
        return self._ask(worker, arm, "time", floor=arm.kind == "floor", collector=task.collector)

    def _ask(self, worker: WorkerProcess, arm: Arm, do: str, **request: Any) -> dict[str, Any] | None:
        """Ask for something of an arm; where that raises, the arm has failed and takes no further part."""
        try:
            return worker.ask(do, strategy=arm.strategy, **request)
        except LoadFailed as failure:
            self.timings.failed[arm.name] = f"The load raised {failure}"
            return None

    def _timed(self) -> list[Arm]:
        return [arm for arm in self.arms if arm.error is None and arm.name not in self.timings.failed]

    def _progress(self, number: int, workers: int, rounds: int, pace: Pace) -> Sampled:
        return Sampled(
            worker=number + 1,
            workers=workers,
            round=rounds,
            rounds=self.sampling.rounds,
            samples=sum(map(len, self.timings.samples.values())),
            left_s=pace.left_s,
        )

    def _spend(self, **seconds: float) -> None:
        spent = self.timings.spent
        self.timings.spent = replace(spent, **{name: getattr(spent, name) + more for name, more in seconds.items()})


def _columns(collector: Collector, rows: Sequence[_Row]) -> Samples:
    worker, round_, wall_ns, cpu_ns, collections = zip(*rows, strict=True)
    return Samples(
        collector=collector, worker=worker, round=round_, wall_ns=wall_ns, cpu_ns=cpu_ns, collections=collections
    )


def _died(number: int, death: WorkerDied, *, gave_up: bool) -> Warned:
    then = "The timing of this case is given up." if gave_up else "Its samples are kept; a fresh worker goes on."
    return Warned(
        code="worker_died", text=f"Worker {number + 1} ended early: {death.reason}. {then} {death.log}".strip()
    )


def _too_few(workers: int, pace: Pace) -> Warned:
    enough = f" (--budget {pace.enough_s}s)" if pace.enough_s else ""
    return Warned(
        code="few_workers",
        text=f"The budget of {pace.sampling.budget_s:g} s bought {workers} of the {FEWEST_WORKERS} workers that an "
        f"interval needs. Give more{enough}, or use a smaller size.",
    )
