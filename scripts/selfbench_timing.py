"""What a timed load costs through the harness, beside the same load in a bare loop, and what the harness itself takes.

A pair is a fresh worker and a fresh process of `bare_loop.py`, alive at once; rounds alternate between them, the first
drawn anew each round. The unit is the pair: its ratio is the median over its rounds, and the interval is Student's t
over the logarithms of the pairs. Then one `bench run` is made, and what its timing spent is read from the run file.

Type: python scripts/selfbench_timing.py [--size 200x50] [--pairs 15] [--rounds 21] [--quick]
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from scipy.special import stdtrit

from bench import databases, datasets, record
from bench.catalogue import find_scenario
from bench.measure.workers import TREE, WorkerProcess
from bench.model import DatasetOptions, Target, parse_sizes

STRATEGIES = ("selectin", "joined", "lazy")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="200x50")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--quick", action="store_true", help="3 pairs of 5 rounds, and a quick run: a look, no result")
    asked = parser.parse_args()
    pairs, rounds = (3, 5) if asked.quick else (asked.pairs, asked.rounds)
    target = seeded(asked.size)
    print(f"one_to_many {asked.size} on SQLite, {pairs} pairs of fresh processes, {rounds} rounds each")
    for strategy in STRATEGIES:
        logs = [math.log(pair_ratio(target, strategy, rounds, seed=number)) for number in range(pairs)]
        mean = statistics.fmean(logs)
        half = float(stdtrit(pairs - 1, 0.975)) * statistics.stdev(logs) / math.sqrt(pairs)
        low, high = math.exp(mean - half), math.exp(mean + half)
        print(f"  {strategy:9} harness / bare loop: {math.exp(mean):.4f} (95 % interval {low:.4f} to {high:.4f})")
    own_share(quick=asked.quick)


def seeded(size: str) -> Target:
    """Return a seeded database, from the cache where it is there."""
    scenario, options = find_scenario("one_to_many"), DatasetOptions()
    parsed = parse_sizes(size, levels=2)[0]
    key = datasets.dataset_key(scenario, parsed, options, "sqlite")
    target, _, _ = databases.SqliteCache().seeded(
        f"one_to_many-{parsed}", key, lambda path: datasets.seed_sqlite(scenario, parsed, options, path)
    )
    return target


def pair_ratio(target: Target, strategy: str, rounds: int, *, seed: int) -> float:
    """Return the median over rounds of the worker's time over the bare loop's."""
    chance = random.Random(seed)  # noqa: S311 - an order, no secret
    bare = subprocess.Popen(
        [sys.executable, "scripts/bare_loop.py", target.database, strategy],
        cwd=TREE, env={"PYTHONPATH": str(TREE), "PYTHONHASHSEED": str(seed)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with bare, WorkerProcess("one_to_many", target, hash_seed=seed) as worker:
        assert bare.stdin is not None and bare.stdout is not None

        def harness_ns() -> int:
            return int(worker.ask("time", strategy=strategy, floor=False, collector="quiet")["wall_ns"])

        def bare_ns() -> int:
            assert bare.stdin is not None and bare.stdout is not None
            bare.stdin.write("load\n")
            bare.stdin.flush()
            return int(bare.stdout.readline())

        harness_ns(), bare_ns()
        ratios = []
        for _ in range(rounds):
            if chance.random() < 0.5:
                harness, by_hand = harness_ns(), bare_ns()
            else:
                by_hand, harness = bare_ns(), harness_ns()
            ratios.append(harness / by_hand)
        bare.stdin.close()
    return statistics.median(ratios)


def own_share(*, quick: bool) -> None:
    """Make a run and print what its timing spent."""
    with tempfile.TemporaryDirectory() as folder:
        budget = ["--quick"] if quick else ["--budget", "60s"]
        command = [sys.executable, "-m", "bench", "run", "-q", "--size", "1000x50", "--results", folder, *budget]
        subprocess.run(command, check=True, cwd=TREE, stdout=subprocess.DEVNULL)
        spent = record.load(str(next(Path(folder).iterdir())), results=Path(folder)).cases[0].timing
    parts = {
        "inside the clock": spent.loading_s,
        "starting workers": spent.starting_s,
        "warming up": spent.warming_s,
        "freeing results": spent.freeing_s,
        "collecting garbage": spent.collecting_s,
    }
    own = spent.total_s - sum(parts.values())
    print(f"timing of one case at 1000x50: {spent.total_s:.1f} s")
    for name, seconds in {**parts, "the harness's own": own}.items():
        print(f"  {name:20}{seconds:7.2f} s {seconds / spent.total_s:6.1%}")


if __name__ == "__main__":
    main()
