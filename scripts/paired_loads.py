"""Pairs of fresh workers of the same load, as the gate's time tier takes them; one of the two can be slowed down.

What a pair gives is a line of JSON: of each of KINDS the nanoseconds of every round, before and now; and what else was
computed on the machine meanwhile, so that what is called quiet was.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from bench.catalogue import find_scenario
from bench.databases import SqliteCache
from bench.databases.sqlite import target_of
from bench.datasets import dataset_key, seed
from bench.measure.sampling import SamplingLoop
from bench.measure.team import Team, side_by_side
from bench.measure.timings import Timings
from bench.measure.warming import warm_loads
from bench.measure.workers import WorkerProcess
from bench.model import Arm, DatasetOptions, Sampling, Size, Target
from bench.reduce.pairing import grid
from bench.regressing import MOST_ROUNDS

SIZE = Size((20, 10))
KINDS = {"same": 0.0, "5 % slower": 0.05, "10 % slower": 0.10}
SIDES = ("before", "now")

SCENARIO = '''

import gc
import time
from dataclasses import replace

SHARES = {shares}
(eager,) = [one for one in GATED.strategies if one.name == "eager"]
usual_ns = {usual_ns}


def prepare(session):
    """See what a load takes in this process, unless that is known: a busy loop is a share of it."""
    global usual_ns
    if usual_ns is None and any(SHARES.values()):
        taken = []
        gc.collect()
        gc.disable()  # as it is inside the clock
        for _ in range(5):
            begin = time.perf_counter_ns()
            load(session, eager)
            taken.append(time.perf_counter_ns() - begin)
            session.expunge_all()
        gc.enable()
        usual_ns = sorted(taken)[len(taken) // 2]
        session.rollback()


def slowed(share):
    def slow(session, strategy):
        found = load(session, eager)
        until = time.perf_counter_ns() + share[strategy.name] * (usual_ns or 0)
        while time.perf_counter_ns() < until:
            pass
        return found
    return slow


before, now = (
    replace(
        GATED, load=slowed(dict(SHARES if slows else dict.fromkeys(SHARES, 0.0))), prepare=prepare,
        strategies=tuple(replace(eager, name=name) for name in SHARES), baseline=next(iter(SHARES)),
        rule_of_thumb=replace(GATED.rule_of_thumb, strategy=next(iter(SHARES))),
    )
    for slows in (False, True)
)
'''

_neighbours: set[int] = set()
"""Process ids of those that burn time: children of this process, but none of its workers."""

NEIGHBOUR = """
import os, random, sys, time
while os.getppid() == int(sys.argv[1]):  # whatever ends the recorder ends it too
    until = time.perf_counter() + random.uniform(0.05, 0.5)
    while time.perf_counter() < until:
        pass
    time.sleep(random.uniform(0.05, 0.5))
"""


def scenario_text(shares: Mapping[str, float], usual_ns: int | None = None) -> str:
    """A file of two scenarios: `before`, and `now`, whose strategies take a share of the load longer, each its own.

    usual_ns: what the load takes. Without it, every worker of both sees for itself before its first load.
    """
    gated = Path(__file__).parents[1] / "tests" / "data" / "gated.py"
    return gated.read_text(encoding="utf-8") + SCENARIO.format(shares=dict(shares), usual_ns=usual_ns)


def seeded(scenario_file: Path, size: Size, cache: Path) -> Target:
    """Return a file of so many rows for such scenarios, made in a folder."""
    options = DatasetOptions()
    scenario = find_scenario(f"{scenario_file}:before")
    kept = SqliteCache(cache).seeded(
        "paired",
        dataset_key(scenario, size, options, "sqlite"),
        lambda empty: seed(scenario, size, options, target_of(empty), fingerprint=""),
    )
    return kept.target


def seen_usual_ns(folder: Path, size: Size) -> int:
    """Return what the load takes in a fresh worker: the median of its rounds, of the middle one of three workers."""
    file = folder / "usual.py"
    file.write_text(scenario_text({"usual": 0.0}), encoding="utf-8")
    target = seeded(file, size, folder / "cache")
    medians = []
    for hash_seed in range(3):
        with WorkerProcess(f"{file}:before", target, hash_seed=hash_seed) as worker:
            load = partial(worker.ask, "time", strategy="usual", floor=False, collector="quiet")
            load()  # the first compiles
            worker.ask("live_objects")
            medians.append(float(median(load()["wall_ns"] for _ in range(MOST_ROUNDS))))
    return round(median(medians))


class Pairs:
    """Takes pairs on a small file of its own, in a folder that is gone afterwards."""

    def __init__(self, folder: Path, *, rounds: int) -> None:
        self._file = folder / "paired.py"
        self._file.write_text(scenario_text(KINDS), encoding="utf-8")
        self._rounds = rounds
        self._scratch = folder
        self._target = seeded(self._file, SIZE, folder / "cache")
        self._arms = [
            Arm(name=kind, kind="strategy", strategy=kind, summary="", target=side) for side in SIDES for kind in KINDS
        ]

    def take(self, *, together: bool = True) -> dict[str, Any]:
        """Take one pair: `{"others": ..., KIND: {"before": [...], "now": [...]}}`.

        The times are nanoseconds, to the microsecond: a thousandth of such a load, so that many can be kept.
        others: how many CPUs other processes kept busy meanwhile. together: on one processor, as the tier has them.
        """
        others = _Others()
        timings = Timings()
        loop = SamplingLoop(
            arms=self._arms,
            sampling=Sampling(seed=0, budget_s=None, workers=1, rounds=self._rounds),
            start=lambda hash_seed: self._team(hash_seed, together=together),
            check=lambda _target: None,
            scratch=self._scratch,
            clock=time.monotonic,
            seed=str(random.getrandbits(64)),
            warm=dict.fromkeys(SIDES, warm_loads("pysqlite")),
            timings=timings,
            quiet_only=True,
        )
        for _ in loop.run():
            pass
        times = {
            (arm.target, arm.name): [round(taken_ns, -3) for taken_ns in grid(timings.of(arm), "quiet")[0].values()]
            for arm in self._arms
        }
        return {
            "others": round(others.cpus(), 3),
            **{kind: {side: times[side, kind] for side in SIDES} for kind in KINDS},
        }

    @contextmanager
    def _team(self, hash_seed: int, *, together: bool) -> Iterator[Team]:
        team = {side: WorkerProcess(f"{self._file}:{side}", self._target, hash_seed=hash_seed) for side in SIDES}
        with side_by_side(team) as workers:
            for worker in () if together else workers.values():
                os.sched_setaffinity(worker.pid, os.sched_getaffinity(0))
            yield workers


class _Others:
    """Counts the processor time that processes other than this one and its children use, from its making on.

    Neighbours that `busy` has are others.
    """

    def __init__(self) -> None:
        self._began_s, self._all_s, self._own_s = time.monotonic(), _busy_s(), _own_s()

    def cpus(self) -> float:
        """Return how many CPUs they kept busy."""
        used_s = _busy_s() - self._all_s - (_own_s() - self._own_s)
        return max(0.0, used_s / (time.monotonic() - self._began_s))


def _busy_s() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _own_s() -> float:
    """What this process used, its children that have ended, and its workers that live: another stream's may."""
    used_s = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            used_s += 0.0 if child.pid in _neighbours else sum(child.cpu_times()[:2])
    return used_s


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Have neighbours that burn time in bursts meanwhile."""
    command = [sys.executable, "-c", NEIGHBOUR, str(os.getpid())]
    neighbours = [subprocess.Popen(command) for _ in range(count)]
    _neighbours.update(each.pid for each in neighbours)
    try:
        yield
    finally:
        for each in neighbours:
            each.kill()
            each.wait()
