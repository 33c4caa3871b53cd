"""How fast SQLite is seeded, side by side with `executemany` on tuples that are ready-made.

    python scripts/selfbench_seeding.py            the memory of 1000000x5, then 1000x50 and 20000x50
    python scripts/selfbench_seeding.py --quick    a look: the memory of 100000x5, then 1000x50 in fewer rounds

The yardstick gets its rows for nothing, as a list of tuples, and makes the same tables and indexes under the same
settings; it verifies and analyses nothing. Beside it, in shuffled rounds: `load`, which makes the rows too, verifies
foreign keys and analyses, and `seed`, which works out the fingerprint as well: all that a run waits for. A ratio is
the yardstick's time over theirs in the same round: 1 is as fast. The aim is 0.7 for `load`; the exit status is 1 when
its median falls short of that in any race, or when a process grew beyond the memory.
"""

from __future__ import annotations

import argparse
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tabulate import tabulate

from bench.datasets import Dataset, blocks, seed_sqlite
from bench.datasets.key import schema
from bench.datasets.sqlite_load import FAST, load_sqlite
from bench.model import DatasetOptions, Size
from scenarios.one_to_many import ONE_TO_MANY as SCENARIO

METADATA = SCENARIO.base.metadata
MEMORY_LIMIT = 300_000_000
OPTIONS = {
    "clustered, fixed": DatasetOptions(),
    "shuffled, zipf": DatasetOptions(order="shuffled", children="zipf", childless=0.2),
}

Rows = dict[str, tuple[tuple[str, ...], list[tuple[object, ...]]]]


def main() -> int:
    """Measure, print, and exit 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller datasets")
    parser.add_argument("--peak", nargs=2, metavar=("SIZE", "OPTIONS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak:
        return _print_peak(_size(arguments.peak[0]), OPTIONS[arguments.peak[1]])
    rounds = 5 if arguments.quick else 11
    sizes = ["1000x50"] if arguments.quick else ["1000x50", "20000x50"]
    # Memory comes first: Linux counts what the parent held when it forked towards its child's peak.
    missed = _memory("100000x5" if arguments.quick else "1000000x5")
    missed += [size for size in sizes for options in OPTIONS if not _race(_size(size), options, rounds)]
    return 1 if missed else 0


def _race(size: Size, options_name: str, rounds: int) -> bool:
    options = OPTIONS[options_name]
    dataset = Dataset(SCENARIO.recipe, size, options)
    ready = _ready_made(dataset)
    entrants: dict[str, Callable[[Path], object]] = {
        "executemany": lambda path: _executemany(ready, path),
        "load": lambda path: load_sqlite(Dataset(SCENARIO.recipe, size, options), METADATA, path),
        "seed": lambda path: seed_sqlite(SCENARIO, size, options, path),
    }
    taken = _rounds(entrants, rounds)
    rows = sum(dataset.rows.values())
    ratios = {
        name: [base / own for base, own in zip(taken["executemany"], times, strict=True)]
        for name, times in taken.items()
    }
    print(f"\n{size}, {options_name}: {rows:,} rows, {rounds} rounds")
    print(
        tabulate(
            [
                (
                    name,
                    rows / statistics.median(times),
                    min(ratios[name]),
                    statistics.median(ratios[name]),
                    max(ratios[name]),
                )
                for name, times in taken.items()
            ],
            headers=("", "rows/s", "ratio: min", "median", "max"),
            floatfmt=("", ",.0f", ".2f", ".2f", ".2f"),
        )
    )
    return statistics.median(ratios["load"]) >= 0.7


def _rounds(entrants: dict[str, Callable[[Path], object]], rounds: int) -> dict[str, list[float]]:
    """Time every entrant once a round, in a shuffled order; the first round warms up and is left out."""
    shuffle = random.Random(1).shuffle  # noqa: S311 - an order, no secret
    taken: dict[str, list[float]] = {name: [] for name in entrants}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):
            order = list(entrants)
            shuffle(order)
            for name in order:
                path = Path(folder) / f"{name}.sqlite3"
                began = time.perf_counter()
                entrants[name](path)
                if number:
                    taken[name].append(time.perf_counter() - began)
                path.unlink()
    return taken


def _ready_made(dataset: Dataset) -> Rows:
    ready: Rows = {}
    for block in blocks(dataset):
        ready.setdefault(block.table, (block.columns, []))[1].extend(block.tuples())
    return ready


def _executemany(ready: Rows, path: Path) -> None:
    """Load rows that are there already, in the way that comes to mind first."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for setting in FAST:
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN")
        statements = schema(METADATA, "sqlite")
        for statement in statements[: len(METADATA.sorted_tables)]:
            connection.execute(statement)
        for table, (columns, rows) in ready.items():
            values = ",".join("?" * len(columns))
            connection.executemany(f"INSERT INTO {table} ({','.join(columns)}) VALUES ({values})", rows)  # noqa: S608 - the scenario's own names
        for statement in statements[len(METADATA.sorted_tables) :]:
            connection.execute(statement)
        connection.execute("COMMIT")


def _memory(size: str) -> list[str]:
    """Seed in a fresh process for each kind of dataset and print its peak; return those over the limit."""
    peaks = {
        name: int(
            subprocess.run(
                [sys.executable, __file__, "--peak", size, name], check=True, capture_output=True, text=True
            ).stdout
        )
        for name in OPTIONS
    }
    print(f"\n{size}: peak resident memory of the whole process, at most {MEMORY_LIMIT / 1e6:.0f} MB")
    print(tabulate([(name, f"{peak / 1e6:.0f} MB") for name, peak in peaks.items()]))
    return [name for name, peak in peaks.items() if peak > MEMORY_LIMIT]


def _print_peak(size: Size, options: DatasetOptions) -> int:
    """Seed once and print this process's largest resident memory in bytes (Linux counts it in KiB, macOS in bytes)."""
    with tempfile.TemporaryDirectory() as folder:
        seed_sqlite(SCENARIO, size, options, Path(folder) / "peak.sqlite3")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak if sys.platform == "darwin" else peak * 1024)
    return 0


def _size(text: str) -> Size:
    return Size(tuple(int(count) for count in text.split("x")))


if __name__ == "__main__":
    sys.exit(main())
