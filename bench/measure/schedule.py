"""What a round holds: every arm once, in a freshly shuffled order, and the rarer samples now and then."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from bench.model import Arm
from bench.model.run import TWIN_MARK, Collector

RARE = 4
"""A round in so many also samples the default collector and the floors, the first round of a worker among them."""

LEAST_ROUNDS = 2
"""Rounds that every arm takes part in, in each worker, before it may be stopped early."""

FAR_ABOVE = 2.0
"""An arm whose every paired ratio to the quickest lies above this has nothing more to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One sample to take. kept: whether it is one, or is only loaded so that its worker is as busy as another."""

    arm: Arm
    collector: Collector
    kept: bool = True


Key = tuple[str, str]
"""An arm in its case: its target's name, and its own."""


def key(arm: Arm) -> Key:
    """Return what tells an arm from all others of its case."""
    return arm.target, arm.name


def companions(arms: Sequence[Arm]) -> dict[Key, Arm]:
    """Return what the worker of a twin loads too, by the arm that it keeps up with in the worker of what it repeats.

    A worker that loads nothing else between two samples finds the caches less its own, or more: with 200 rows to load a
    twin that was alone in its worker took 1.24 times as long as the same load among four (docs/performance.md). That
    would be told as noise, and is none.
    """
    return {
        key(arm): replace(arm, name=f"{arm.name} (companion)", target=twin.target)
        for twin in arms
        if twin.kind == "twin" and twin.target.endswith(TWIN_MARK)
        for arm in arms
        if arm.target == twin.target.removesuffix(TWIN_MARK)
        and arm.kind != "floor"
        and (arm.kind, arm.strategy) != ("strategy", twin.strategy)
    }


def round_tasks(
    arms: Sequence[Arm],
    *,
    round_number: int,
    collectors: bool,
    stopped: frozenset[Key],
    tuned: frozenset[Key],
    shuffle: random.Random,
    beside: Mapping[Key, Arm] | None = None,
) -> list[Task]:
    """Return the tasks of a round in the order to take them.

    round_number counts from 0 within a worker. collectors: whether there is time for the other collector policies.
    stopped: arms that are sampled no more in this worker. tuned: arms whose load is also timed with the tuned
    thresholds, in the rounds that sample the default ones. beside: see `companions`.
    """
    rare = round_number % RARE == 0
    costly = rare and collectors
    tasks = []
    for arm in arms:
        if key(arm) in stopped:
            continue
        if arm.kind == "floor":
            tasks += [Task(arm=arm, collector="quiet")] * rare
        else:
            tasks.append(Task(arm=arm, collector="quiet"))
            tasks += [Task(arm=arm, collector="default")] * (costly and arm.kind == "strategy")
            tasks += [Task(arm=arm, collector="tuned")] * (costly and key(arm) in tuned)
    if beside:
        quiet = [key(task.arm) for task in tasks if task.collector == "quiet"]
        tasks += [Task(arm=beside[one], collector="quiet", kept=False) for one in quiet if one in beside]
    shuffle.shuffle(tasks)
    return tasks


def far_above(arms: Sequence[Arm], quiet_ns: Sequence[Mapping[Key, Sequence[int]]]) -> frozenset[Key]:
    """Return the arms that need no more samples in the worker under way.

    quiet_ns: for each worker so far, the one under way last, each arm's quiet times, a round each. An arm is far above
    when in every round of every worker so far it took more than `FAR_ABOVE` times what the quickest arm of its target
    took in that round: that of least median time in this worker. The twins are always kept, and so is a strategy that
    is not far above on every target: targets are compared by what was sampled on all of them.
    """
    twinned = {arm.strategy for arm in arms if arm.kind == "twin"}
    strategies = [arm for arm in arms if arm.kind == "strategy"]
    far = {
        key(arm)
        for target in dict.fromkeys(arm.target for arm in strategies)
        for arm in _far_above([arm for arm in strategies if arm.target == target], quiet_ns)
    }
    near = {arm.strategy for arm in strategies if key(arm) not in far}
    return frozenset(key(arm) for arm in strategies if arm.strategy not in near | twinned)


def _far_above(strategies: Sequence[Arm], quiet_ns: Sequence[Mapping[Key, Sequence[int]]]) -> list[Arm]:
    """Return those of one target's strategies that lie far above its quickest."""
    now = quiet_ns[-1]
    sampled = [arm for arm in strategies if len(now.get(key(arm), ())) >= LEAST_ROUNDS]
    if not sampled:
        return []
    quickest = min(sampled, key=lambda arm: median(now[key(arm)]))
    return [
        arm
        for arm in sampled
        if all(
            own > FAR_ABOVE * best
            for worker in quiet_ns
            for own, best in zip(worker.get(key(arm), ()), worker.get(key(quickest), ()), strict=False)
        )
    ]
