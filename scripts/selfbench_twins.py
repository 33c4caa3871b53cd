"""What a load reads against itself in another worker, by what that worker does between two samples.

    python scripts/selfbench_twins.py [--size 20x10] [--teams 8] [--rounds 15]

A team is four fresh workers on one SQLite file, up at the same time, a round going over all of them in shuffled order.
One takes a sample of each strategy a round. Against its `selectin` stands the same load of three others: *as busy*
loads each strategy too, as the worker of a target's twin does; *alone* loads nothing else; *loads before* loads once,
right before its sample. Each should read 1: what it reads else is told as noise, or hides some.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.measure.team import Team, side_by_side
from bench.measure.workers import WorkerProcess
from bench.model import Target
from bench.reduce.estimates import estimate
from scripts.selfbench_timing import seeded

STRATEGIES = ("selectin", "joined", "lazy", "subquery")
FIRST, BUSY, ALONE, BEFORE = "first", "as busy", "alone", "loads before"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="20x10")
    parser.add_argument("--teams", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    ratios: dict[str, list[float]] = {name: [] for name in (BUSY, ALONE, BEFORE)}
    with seeded("sqlite", asked.size, "pysqlite") as target:
        for _ in range(asked.teams):
            with team(target) as workers:
                times = sampled(workers, asked.rounds)
            for name, found in ratios.items():
                found.append(median(own / first for own, first in zip(times[name], times[FIRST], strict=True)))
    print(f"one_to_many {asked.size}, selectin on SQLite, {asked.teams} teams of {asked.rounds} rounds")
    print(
        tabulate([row(name, found) for name, found in ratios.items()], ["the other worker", "ratio", "95 % interval"])
    )


def row(name: str, ratios: list[float]) -> list[str]:
    """Return a row of the table."""
    found = estimate(ratios, samples=len(ratios))
    assert found is not None
    interval = "" if found.low is None or found.high is None else f"{found.low:.3f} to {found.high:.3f}"
    return [name, f"{found.value:.3f}", interval]


@contextmanager
def team(target: Target) -> Iterator[Team]:
    """Yield four fresh workers that have loaded each strategy once, with what lives set aside as in a run."""
    hash_seed = random.getrandbits(32)
    made = {name: WorkerProcess("one_to_many", target, hash_seed=hash_seed) for name in (FIRST, BUSY, ALONE, BEFORE)}
    with side_by_side(made) as workers:
        for worker in workers.values():
            for strategy in STRATEGIES:
                timed(worker, strategy)
            worker.ask("live_objects")
        yield workers


def sampled(workers: Team, rounds: int) -> dict[str, list[int]]:
    """Return the nanoseconds of each worker's selectin, round by round."""
    tasks = [(name, strategy) for name in (FIRST, BUSY) for strategy in STRATEGIES]
    tasks += [(ALONE, STRATEGIES[0]), (BEFORE, STRATEGIES[0])]
    times: dict[str, list[int]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, strategy in random.sample(tasks, len(tasks)):
            if name == BEFORE:
                timed(workers[name], strategy)
            took = timed(workers[name], strategy)
            if strategy == STRATEGIES[0]:
                times[name].append(took)
    return times


def timed(worker: WorkerProcess, strategy: str) -> int:
    """Return the nanoseconds of one load."""
    return int(worker.ask("time", strategy=strategy, floor=False, collector="quiet")["wall_ns"])


if __name__ == "__main__":
    main()
