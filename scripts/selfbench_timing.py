"""What a timed load costs through the harness, beside the same load in a loop written by hand.

    python scripts/selfbench_timing.py                      SQLite, psycopg and asyncpg
    python scripts/selfbench_timing.py --driver asyncpg     one of them
    python scripts/selfbench_timing.py --quick              3 processes of 3 rounds: a look, no result

Two programs lie differently in memory, which alone is worth some per cent. So the harness's worker and the loops of
`bare_loop.py` are timed in one process: once a round each, in an order drawn anew, on one engine. The process is the
unit, fresh and with a hash seed of its own: its figure is the median over rounds of the ratio to the bare loop of the
same round; over processes, the geometric mean with Student's t interval. Beside the harness stand

- `bare again`: the same bare loop under another name. What it differs by from 1 is what the method cannot tell;
- `own engine`: the bare loop on an engine and a connection made by hand. Where the harness's own engine slowed loads
  down, this one would lie below 1; but another connection is another place in memory, so it scatters more;
- `AsyncSession` (asyncpg): a load by `run_sync` in an `AsyncSession`, which starts its greenlet inside the clock.

"bare loop" in the table is the median time of a load in it.

The aim is a ratio of at most 1.01 for the harness. It is kept where the whole interval lies there, and missed where all
of it lies above; the exit status is 1 unless it is kept everywhere.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import databases, datasets
from bench.catalogue import find_scenario
from bench.measure.surroundings import TREE
from bench.model import DatasetOptions, Secrets, Target, parse_sizes, parse_target
from bench.reduce.estimates import estimate
from bench.reduce.types import Estimate
from scripts.bare_loop import BARE, HARNESS, OPTIONS, Times

AIM = 1.01
DRIVERS = ("pysqlite", "psycopg", "asyncpg")
KEPT, MISSED, OPEN = "kept", "MISSED", "not shown"


def main() -> int:
    """Measure and print; the exit status is 0 where the aim is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--driver", choices=DRIVERS, nargs="+", default=DRIVERS)
    parser.add_argument("--strategy", choices=list(OPTIONS), nargs="+", default=list(OPTIONS))
    parser.add_argument("--postgres", default="postgres", help="the server, as postgres:17; the newest unless told")
    parser.add_argument("--size", default="100x50")
    parser.add_argument("--processes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=15, help="in each process")
    parser.add_argument("--quick", action="store_true", help="3 processes of 3 rounds: a look, no result")
    asked = parser.parse_args()
    processes, rounds = (3, 3) if asked.quick else (asked.processes, asked.rounds)
    verdicts = []
    for driver in asked.driver:
        began = time.monotonic()
        database = "sqlite" if driver == "pysqlite" else asked.postgres
        with seeded(database, asked.size, driver) as target:
            print(f"\none_to_many {asked.size}, {target.name} by {driver}: {processes} processes of {rounds} rounds")
            runs = [measured(target, asked.strategy, rounds) for _ in range(processes)]
        verdicts += print_ratios(runs, rounds)
        print(f"(took {time.monotonic() - began:.0f} s)")
    return 0 if set(verdicts) == {KEPT} else 1


@contextmanager
def seeded(database: str, size: str, driver: str) -> Iterator[Target]:
    """Yield a target that holds the dataset, had as a run has it, for as long as the block runs."""
    asked, scenario, options = parse_target(database), find_scenario("one_to_many"), DatasetOptions()
    parsed = parse_sizes(size, levels=2)[0]
    sources = databases.find_sources([asked], run="selfbench", secrets=Secrets(by_url={}))
    with sources[asked.server].up() as provider:
        held = provider.seeded(
            f"one_to_many-{parsed}",
            datasets.dataset_key(scenario, parsed, options, asked.dialect),
            lambda empty: datasets.seed(scenario, parsed, options, empty),
        )
        yield replace(held.target, driver=driver)


def measured(target: Target, strategies: list[str], rounds: int) -> Times:
    """Return the times of a fresh process."""
    request = {
        "target": asdict(target),
        "strategies": random.sample(strategies, len(strategies)),
        "rounds": rounds,
        "seed": random.getrandbits(32),
    }
    done = subprocess.run(
        [sys.executable, "scripts/bare_loop.py"],
        cwd=TREE,
        env={**os.environ, "PYTHONPATH": str(TREE), "PYTHONHASHSEED": str(random.getrandbits(32))},
        input=json.dumps(request),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    times: Times = json.loads(done.stdout)
    return times


def print_ratios(runs: list[Times], rounds: int) -> list[str]:
    """Print each entrant's ratio to the bare loop, and return the verdict on the harness for each strategy."""
    rows, verdicts = [], []
    for strategy in (name for name in OPTIONS if name in runs[0]):
        bare_ns = statistics.median(statistics.median(times[strategy][BARE]) for times in runs)
        for entrant in (one for one in runs[0][strategy] if one != BARE):
            ratio = estimate([_ratio(times[strategy], entrant) for times in runs], samples=len(runs) * rounds)
            assert ratio is not None
            verdict = _verdict(ratio) if entrant == HARNESS else ""
            verdicts += [verdict] if verdict else []
            load = (strategy, f"{bare_ns / 1e6:.1f} ms") if entrant == HARNESS else ("", "")
            rows.append((*load, entrant, f"{ratio.value:.4f}", _interval(ratio), verdict))
    headers = ("strategy", "bare loop", "", "ratio", "95 % interval", f"at most {AIM}")
    print(tabulate(rows, headers=headers, disable_numparse=True))
    return verdicts


def _ratio(times: dict[str, list[int]], entrant: str) -> float:
    return statistics.median(own / bare for own, bare in zip(times[entrant], times[BARE], strict=True))


def _verdict(ratio: Estimate) -> str:
    if ratio.low is None or ratio.high is None:
        return OPEN
    return KEPT if ratio.high <= AIM else MISSED if ratio.low > AIM else OPEN


def _interval(ratio: Estimate) -> str:
    return "none" if ratio.low is None or ratio.high is None else f"{ratio.low:.4f} to {ratio.high:.4f}"


if __name__ == "__main__":
    sys.exit(main())
