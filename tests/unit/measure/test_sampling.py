"""The loop on a clock that is given in: a scripted worker takes the time that each load is said to cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import DatabaseUnavailable, WorkerDied
from bench.measure.events import Doubted, Provisioning, Sampled
from bench.measure.pace import MOST_ROUNDS, MOST_WORKERS
from bench.measure.sampling import SamplingLoop
from bench.measure.workers import LoadFailed
from bench.model import Arm, Samples, Sampling
from bench.model.run import FEWEST_WORKERS, TWIN_MARK

START_S = 0.5
COSTS = {"a": 0.2, "b": 0.3}
ON = "sqlite"


def arms_on(target: str) -> list[Arm]:
    return [
        Arm(name="a", kind="strategy", strategy="a", summary="", target=target),
        Arm(name="b", kind="strategy", strategy="b", summary="", target=target),
        Arm(name="a (twin)", kind="twin", strategy="a", summary="", target=target),
        Arm(name="a (floor)", kind="floor", strategy="a", summary="", target=target),
    ]


ARMS = arms_on(ON)


@dataclass
class World:
    """A clock, and workers that move it on."""

    costs: Mapping[str, float]
    dies_at: frozenset[int] = frozenset()
    fails: str = ""
    now: float = 0.0
    started: list[int] = field(default_factory=list)
    asked: list[tuple[int, str, bool, str]] = field(default_factory=list)
    targets: tuple[str, ...] = (ON,)
    gone: str = ""
    provisioned: list[int] = field(default_factory=list)
    order: list[str] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    @contextmanager
    def start(self, hash_seed: int) -> Iterator[dict[str, Any]]:
        self.now += START_S
        self.started.append(hash_seed)
        yield {target: Scripted(self, len(self.started) - 1, target) for target in self.targets}

    def check(self, target: str) -> None:
        if target == self.gone:
            raise DatabaseUnavailable(f"{target} has ended.")

    def provision(self, number: int) -> None:
        self.now += 100
        self.provisioned.append(number)


class Scripted:
    def __init__(self, world: World, number: int, target: str) -> None:
        self.world, self.number, self.target = world, number, target
        self.pid = 1000 + number + 100 * world.targets.index(target)

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        if do != "time":
            return {"live_objects": 5} if do == "live_objects" else {}
        strategy, collector = request["strategy"], request["collector"]
        self.world.order.append(self.target)
        self.world.asked.append((self.number, strategy, request["floor"], collector))
        if len(self.world.asked) in self.world.dies_at:
            raise WorkerDied("killed by SIGKILL", pid=self.pid)
        if strategy == self.world.fails and len(self.world.asked) > 6:
            raise LoadFailed("RuntimeError: no")
        cost = self.world.costs[strategy] * (3 if collector == "default" else 1)
        self.world.now += cost
        return {
            "wall_ns": int(cost * 1e9),
            "cpu_ns": int(cost * 1e9),
            "collections": 0,
            "freeing_ns": 0,
            "collecting_ns": 0,
        }


def loop(world: World, *, fresh: bool = False, arms: list[Arm] | None = None, **sampling: Any) -> SamplingLoop:
    return SamplingLoop(
        arms=arms or ARMS,
        sampling=Sampling(seed=1, **{"budget_s": None, **sampling}),
        start=world.start,
        check=world.check,
        provision=world.provision if fresh else None,
        warm=dict.fromkeys(world.targets, 1),
        scratch=Path("nowhere"),
        clock=world.clock,
        seed="1/case",
    )


def quiet(made: SamplingLoop, arm: Arm) -> Samples:
    return next(samples for samples in made.timings.of(arm).samples if samples.collector == "quiet")


def warnings(events: list[Sampled | Provisioning | Doubted]) -> list[str]:
    return [event.warning.code for event in events if isinstance(event, Doubted)]


def test_fixed_workers_and_rounds_are_taken_exactly_in_fresh_workers_with_seeds_of_their_own() -> None:
    world = World(COSTS)
    made = loop(world, workers=3, rounds=2)

    assert warnings(list(made.run())) == []

    expected = tuple((worker, number) for worker in range(3) for number in range(2))
    for arm in ARMS[:3]:
        samples = quiet(made, arm)
        assert tuple(zip(samples.worker, samples.round, strict=True)) == expected
    assert len(set(world.started)) == 3
    assert [facts.rounds for facts in made.timings.workers] == [2, 2, 2]


def test_the_loads_that_warm_up_are_not_among_the_samples() -> None:
    world = World(COSTS)
    made = loop(world, workers=1, rounds=1)
    list(made.run())

    taken = sum(len(samples.wall_ns) for arm in ARMS for samples in made.timings.of(arm).samples)
    assert len(world.asked) == taken + 3  # a, b and the floor, once each; the twin is a's own load


def test_a_budget_buys_five_workers_before_it_buys_rounds() -> None:
    made = loop(World(COSTS), budget_s=20.0)
    list(made.run())

    assert len(made.timings.workers) == FEWEST_WORKERS
    assert max(facts.rounds for facts in made.timings.workers) <= 2


def test_where_the_budget_is_short_the_first_worker_alone_samples_the_default_collector() -> None:
    made = loop(World(COSTS), budget_s=12.0)
    events = list(made.run())

    default = next(samples for samples in made.timings.of(ARMS[0]).samples if samples.collector == "default")
    assert len(made.timings.workers) == FEWEST_WORKERS
    assert set(default.worker) == {0}
    assert set(quiet(made, ARMS[3]).worker) == set(range(FEWEST_WORKERS))
    assert warnings(events) == []


def test_a_larger_budget_buys_rounds_then() -> None:
    made = loop(World(COSTS), budget_s=60.0)
    list(made.run())

    assert len(made.timings.workers) == FEWEST_WORKERS
    assert min(facts.rounds for facts in made.timings.workers) > 5


def test_a_case_that_costs_little_ends_at_the_most_of_both() -> None:
    world = World({"a": 0.001, "b": 0.001})
    made = loop(world, budget_s=60.0)
    list(made.run())

    assert [facts.rounds for facts in made.timings.workers] == [MOST_ROUNDS] * MOST_WORKERS
    assert world.now < 10


def test_a_budget_that_cannot_buy_five_workers_says_so_and_what_would() -> None:
    made = loop(World(COSTS), budget_s=6.0)
    events = list(made.run())

    assert 1 <= len(made.timings.workers) < FEWEST_WORKERS
    assert warnings(events) == ["few_workers"]


@given(st.floats(0.001, 3), st.floats(0.001, 3), st.floats(1, 200))
def test_a_budget_is_kept_to_but_for_the_least_that_one_worker_does(a: float, b: float, budget_s: float) -> None:
    world = World({"a": a, "b": b})
    list(loop(world, budget_s=budget_s).run())

    one_round = 3 * (a + b) + 4 * (a + b)
    one_worker = START_S + 3 * (a + b) + one_round
    assert world.now <= max(budget_s * 1.1 + one_round, one_worker)


def test_a_worker_that_dies_costs_its_own_samples_to_come_and_no_others() -> None:
    world = World(COSTS, dies_at=frozenset({12}))
    made = loop(world, workers=3, rounds=2)

    events = list(made.run())

    assert warnings(events) == ["worker_died"]
    assert [facts.ended for facts in made.timings.workers].count("killed by SIGKILL") == 1
    complete = Counter(quiet(made, ARMS[0]).worker)
    assert sorted(complete.values())[-2:] == [2, 2]


def test_workers_that_keep_dying_end_the_timing() -> None:
    world = World(COSTS, dies_at=frozenset(range(1, 100)))
    events = list(loop(world, workers=9, rounds=1).run())

    assert warnings(events) == ["worker_died"] * 3
    assert "given up" in next(event.warning.text for event in reversed(events) if isinstance(event, Doubted))


def test_an_arm_that_raises_while_it_is_timed_is_wrong_from_then_on_and_the_others_go_on() -> None:
    world = World(COSTS, fails="b")
    made = loop(world, workers=2, rounds=2)
    list(made.run())

    assert made.timings.of(ARMS[1]).error == "The load raised RuntimeError: no"
    assert len(quiet(made, ARMS[0]).wall_ns) == 4


def test_an_arm_far_above_the_best_takes_its_least_rounds_in_every_worker() -> None:
    made = loop(World({"a": 0.1, "b": 1.0}), budget_s=60.0)
    list(made.run())

    assert made.timings.of(ARMS[1]).stopped_early
    assert set(Counter(quiet(made, ARMS[1]).worker).values()) == {2}
    assert min(Counter(quiet(made, ARMS[0]).worker).values()) > 2


def test_an_interruption_loses_no_sample_that_was_taken() -> None:
    made = loop(World(COSTS), workers=2, rounds=2)
    events = made.run()
    for _ in range(4):
        next(events)
    events.close()  # type: ignore[attr-defined]

    assert sum(len(samples.wall_ns) for arm in ARMS for samples in made.timings.of(arm).samples) == 4
    assert len(made.timings.workers) == 1


def test_what_was_spent_adds_up_to_the_total() -> None:
    world = World(COSTS)
    made = loop(world, workers=2, rounds=3)
    list(made.run())

    spent = made.timings.spent
    parts = spent.starting_s + spent.warming_s + spent.loading_s + spent.freeing_s + spent.collecting_s
    assert spent.total_s == pytest.approx(world.now)
    assert parts == pytest.approx(spent.total_s)


def test_the_same_seed_asks_for_the_same_samples_in_the_same_order() -> None:
    one, other = World(COSTS), World(COSTS)
    list(loop(one, workers=2, rounds=4).run())
    list(loop(other, workers=2, rounds=4).run())

    assert one.asked == other.asked
    assert one.started == other.started


TARGETS = ("postgres:17", "postgres:18", "postgres:17" + TWIN_MARK)


def versions() -> list[Arm]:
    beside = Arm(name="a (twin)", kind="twin", strategy="a", summary="", target=TARGETS[2])
    return [*arms_on(TARGETS[0]), *arms_on(TARGETS[1]), beside]


def test_a_round_goes_over_the_arms_of_all_targets_whose_workers_live_side_by_side() -> None:
    made = loop(World(COSTS, targets=TARGETS), arms=versions(), workers=2, rounds=3)
    list(made.run())

    for arm in versions():
        if arm.kind != "floor":
            samples = quiet(made, arm)
            taken = list(zip(samples.worker, samples.round, strict=True))
            assert taken == [(worker, number) for worker in range(2) for number in range(3)]
    assert [facts.target for facts in made.timings.workers] == [*TARGETS, *TARGETS]
    assert [facts.hash_seed for facts in made.timings.workers[:3]] == [made.timings.workers[0].hash_seed] * 3


def test_targets_alternate_within_a_round() -> None:
    world = World(COSTS, targets=TARGETS)
    made = loop(world, arms=versions(), workers=1, rounds=8)
    list(made.run())

    order = world.order[2 * len(versions()) :]
    changes = sum(one != other for one, other in pairwise(order))
    assert changes > len(order) / 3


def test_fresh_servers_come_up_for_every_team_but_the_first_and_the_budget_is_not_charged_for_them() -> None:
    world = World(COSTS)
    made = loop(world, fresh=True, budget_s=20.0)
    events = list(made.run())

    assert len(made.timings.workers) == FEWEST_WORKERS
    assert world.provisioned == [1, 2, 3, 4]
    assert [event.worker for event in events if isinstance(event, Provisioning)] == [2, 3, 4, 5]
    assert made.timings.spent.provisioning_s == pytest.approx(400)
    assert made.timings.spent.total_s == pytest.approx(world.now - 400)


def test_a_twin_on_a_worker_of_its_own_is_warmed_there_and_as_busy_as_what_it_repeats() -> None:
    world = World(COSTS, targets=TARGETS)
    made = loop(world, arms=versions(), workers=1, rounds=3)
    list(made.run())

    first, _, twins = (
        [asked for asked, target in zip(world.asked, world.order, strict=True) if target == name] for name in TARGETS
    )
    plain = [(strategy, collector) for _, strategy, floor, collector in first if not floor and collector == "quiet"]
    assert sorted((strategy, collector) for _, strategy, _, collector in twins) == sorted([*plain, ("a", "quiet")])
    assert {arm.target for arm in versions() if made.timings.of(arm).samples} == set(TARGETS)
    assert sum(target == TARGETS[2] for (target, _), _ in made.timings.samples) == 1


def test_a_load_that_fails_because_its_server_has_gone_ends_the_case_and_keeps_what_was_taken() -> None:
    world = World(COSTS, fails="b", gone=ON)
    made = loop(world, workers=2, rounds=4)

    with pytest.raises(DatabaseUnavailable, match="sqlite has ended"):
        list(made.run())

    assert made.timings.failed == {}
    assert made.timings.count() > 0


def test_the_worker_that_died_is_told_from_the_others_of_its_team() -> None:
    world = World(COSTS, targets=TARGETS, dies_at=frozenset({20}))
    made = loop(world, arms=versions(), workers=1, rounds=4)
    list(made.run())

    assert sorted(facts.ended for facts in made.timings.workers) == ["finished", "finished", "killed by SIGKILL"]
