"""The sampling loop: fresh workers, a team at a time, interleaved rounds, until the budget or the count is reached.

A team is one worker for each target. They live side by side, and a round goes over the arms of all of them, so that
whatever disturbs the machine disturbs every target alike.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.errors import WorkerDied
from bench.measure.events import Doubted, Provisioning, Sampled, Unit
from bench.measure.observing import sent_path
from bench.measure.pace import MOST_ROUNDS, Clock, Pace
from bench.measure.schedule import LEAST_ROUNDS, Key, Task, companions, far_above, key, round_tasks
from bench.measure.team import Team
from bench.measure.timings import Timings
from bench.measure.workers import LoadFailed
from bench.model import Arm, Sampling, Warned, WorkerFacts
from bench.model.run import FEWEST_WORKERS, TWIN_MARK

DEATHS = 3
"""Workers that may die in one case before its timing is given up."""

Start = Callable[[int], AbstractContextManager[Team]]


@dataclass(slots=True, kw_only=True)
class SamplingLoop:
    """Times the arms of one case.

    start: starts a team with a hash seed. provision: brings up the servers of the team of a number, counted from 0,
    where each team has fresh ones; None where all use the same. check: raises DatabaseUnavailable where a target has
    gone away. scratch: where the observed statements lie. clock: seconds, monotonic. seed: what every shuffle and
    hash seed of the case follows from. warm: loads before the first that counts, by target. quiet_only: no other
    collector policy is sampled. unit: what a team is called.
    """

    arms: Sequence[Arm]
    sampling: Sampling
    start: Start
    check: Callable[[str], None]
    scratch: Path
    clock: Clock
    seed: str
    warm: Mapping[str, int]
    provision: Callable[[int], None] | None = None
    timings: Timings = field(default_factory=Timings)
    quiet_only: bool = False
    unit: Unit = "worker"
    _tuned: frozenset[Key] = frozenset()
    _quiet: list[dict[Key, list[int]]] = field(default_factory=list)

    def run(self) -> Iterator[Sampled | Provisioning | Doubted]:
        """Take samples until enough; what was taken stands in `timings` at every moment."""
        if not self._timed():
            return
        pace = Pace(self.sampling, self.clock, began_s=self.clock())
        deaths, number = 0, 0
        while number < (workers := pace.workers(number)) and deaths < DEATHS:
            try:
                yield from self._provisioned(number, workers, pace)
                yield from self._one_team(number, workers, pace)
            except WorkerDied as death:
                deaths += 1
                yield Doubted(warning=_died(number, death, gave_up=deaths == DEATHS))
            finally:
                self.timings.spent = replace(self.timings.spent, total_s=self.clock() - pace.began_s)
            number += 1
        if number < FEWEST_WORKERS and self.sampling.workers is None and deaths < DEATHS:
            yield Doubted(warning=_too_few(number, pace))

    def _provisioned(self, number: int, workers: int, pace: Pace) -> Iterator[Provisioning]:
        """Bring up what is fresh for a team. The first uses what was observed, so that no server is made in vain."""
        if self.provision is None or number == 0:
            return
        yield Provisioning(worker=number + 1, workers=workers)
        from_s = self.clock()
        self.provision(number)
        took_s = self.clock() - from_s
        self.timings.spend(provisioning_s=took_s)
        pace.excuse(took_s)

    def _one_team(self, number: int, workers: int, pace: Pace) -> Iterator[Sampled]:
        hash_seed = random.Random(f"{self.seed}/{number}").randrange(2**32)  # noqa: S311 - a seed to repeat by
        from_s = self.clock()
        pace.worker_begins(number, workers)
        with self.start(hash_seed) as team:
            self.timings.spend(starting_s=self.clock() - from_s)
            facts = {
                target: WorkerFacts(pid=worker.pid, hash_seed=hash_seed, live_objects=0, rounds=0, target=target)
                for target, worker in team.items()
            }
            try:
                warm_from = self.clock()
                self._warm_up(team)
                for target, worker in team.items():
                    facts[target] = replace(facts[target], **worker.ask("live_objects"))
                self.timings.spend(warming_s=self.clock() - warm_from)
                for rounds in self._rounds(team, number, pace):
                    facts = {target: replace(one, rounds=rounds) for target, one in facts.items()}
                    yield self._progress(number, workers, rounds, pace)
            except WorkerDied as death:
                facts = {
                    target: replace(one, ended=death.reason) if one.pid == death.pid else one
                    for target, one in facts.items()
                }
                raise
            finally:
                self.timings.workers += facts.values()

    def _rounds(self, team: Team, number: int, pace: Pace) -> Iterator[int]:
        """Take rounds with one team; yield how many are complete, after each sample and after each round."""
        quiet: dict[Key, list[int]] = defaultdict(list)
        self._quiet.append(quiet)
        stopped: frozenset[Key] = frozenset()
        beside = companions(self._timed())
        for round_number in range(self.sampling.rounds or MOST_ROUNDS):
            pace.round_begins()
            for task in round_tasks(
                self._timed(),
                round_number=round_number,
                collectors=not self.quiet_only and pace.collector_fits(number, round_number),
                stopped=stopped,
                tuned=self._tuned,
                beside=beside,
                shuffle=random.Random(f"{self.seed}/{number}/{round_number}"),  # noqa: S311 - an order to repeat
            ):
                from_s = self.clock()
                taken = self._sample(team, task)
                if taken is None:
                    continue
                self.timings.add(task, taken, worker=number, round_number=round_number)
                if task.collector == "quiet":
                    quiet[key(task.arm)].append(taken["wall_ns"])
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

    def _warm_up(self, team: Team) -> None:
        """Load everything before the first sample that counts; each target's quickest tries other thresholds."""
        quiet_ns: dict[Key, int] = {}
        timed = self._timed()
        for arm in (*timed, *companions(timed).values()):
            if arm.kind == "floor":
                path = str(sent_path(self.scratch, arm))
                if self._ask(team, arm, "floor", path=path) is None:
                    continue
            for _ in range(self.warm[arm.target] if _warms_itself(arm) else 0):
                taken = self._sample(team, Task(arm=arm, collector="quiet"))
                if taken and arm.kind == "strategy" and not arm.target.endswith(TWIN_MARK):
                    quiet_ns[key(arm)] = taken["wall_ns"]
        if not self._tuned:
            self._tuned = frozenset(
                min((one for one in quiet_ns if one[0] == target), key=quiet_ns.__getitem__)
                for target in {target for target, _ in quiet_ns}
            )

    def _sample(self, team: Team, task: Task) -> dict[str, Any] | None:
        return self._ask(team, task.arm, "time", floor=task.arm.kind == "floor", collector=task.collector)

    def _ask(self, team: Team, arm: Arm, do: str, **request: Any) -> dict[str, Any] | None:
        """Ask for something of an arm; where that raises, the arm has failed and takes no further part.

        Unless it was the server that went away: then nothing more can be had of any arm of it.
        """
        try:
            return team[arm.target].ask(do, strategy=arm.strategy, **request)
        except LoadFailed as failure:
            self.check(arm.target)
            self.timings.failed[key(arm)] = f"The load raised {failure}"
            return None

    def _timed(self) -> list[Arm]:
        return [arm for arm in self.arms if arm.error is None and key(arm) not in self.timings.failed]

    def _progress(self, number: int, workers: int, rounds: int, pace: Pace) -> Sampled:
        return Sampled(
            worker=number + 1,
            workers=workers,
            round=rounds,
            rounds=self.sampling.rounds,
            samples=self.timings.count(),
            left_s=pace.left_s,
            unit=self.unit,
        )


def _warms_itself(arm: Arm) -> bool:
    """Whether nothing else in its worker warms an arm: a twin is the same load again, unless it has its own worker."""
    return arm.kind != "twin" or arm.target.endswith(TWIN_MARK)


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
