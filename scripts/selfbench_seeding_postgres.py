"""How fast PostgreSQL is seeded, side by side with the server's own COPY of ready files, and in how much memory.

    python scripts/selfbench_seeding_postgres.py                        all: 1000x50, 20000x50, the memory of 200000x50
    python scripts/selfbench_seeding_postgres.py --race 20000x50        a size (several with commas), without the memory
    python scripts/selfbench_seeding_postgres.py --memory 200000x50     the memory alone
    python scripts/selfbench_seeding_postgres.py --quick                a look: 3 rounds of 1000x50, memory of 20000x50

Raced are, in shuffled rounds on one server, each into a new database:

- `text COPY, keyed`: the server copies text that lies ready beside it into tables with their keys and indexes;
- `binary COPY, bare`: the same with binary rows into bare tables, and keys, indexes and foreign keys added afterwards;
- `fill`: our loading up to the last foreign key. It makes the rows too, and sends them through a socket;
- `load`: `fill`, then VACUUM and ANALYZE, which neither yardstick does;
- `seed`: `load` and the fingerprint: all that a run waits for.

There is a table for each yardstick. A ratio is its time over theirs in the same round: 1 is as fast, 2 twice as fast.
The aims are for `fill`, which ends where the yardsticks end: 1.0 of text, 0.7 of binary. For memory the aim is that a
client that seeds (`seed`, a whole process) takes at most 300 MB, children fixed and zipf. The exit status is 1 where
the median of a race or a peak misses its aim.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from json import dumps, loads
from pathlib import Path

from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.connect import engine
from bench.databases.postgres import PostgresServer, choose, installations
from bench.datasets import Dataset, seed_postgres
from bench.datasets.postgres_load import fill, load_postgres
from bench.model import DatasetOptions, Size, Target, parse_sizes, parse_target
from scenarios.one_to_many import ONE_TO_MANY as SCENARIO
from scripts.server_copy import copy_binary, copy_text, database, ready_files

METADATA = SCENARIO.base.metadata
MEMORY_LIMIT = 300_000_000
TEXT, BINARY = "text COPY, keyed", "binary COPY, bare"
AIMS = {TEXT: 1.0, BINARY: 0.7}
OPTIONS = {
    "fixed": DatasetOptions(),
    "zipf": DatasetOptions(order="shuffled", children="zipf", childless=0.2),
}
"""By how many children each parent has; few have many under zipf, a fifth none, and their rows lie shuffled."""

Entrants = Mapping[str, Callable[[Target], object]]


def main() -> int:
    """Measure, print, and return 1 where an aim was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", default="postgres", help="the server, such as postgres:17; the newest unless told")
    parser.add_argument("--race", metavar="SIZES", help="race at these sizes, as 1000x50,20000x50")
    parser.add_argument("--memory", metavar="SIZES", help="measure the memory of these sizes")
    parser.add_argument("--children", choices=list(OPTIONS), nargs="+", default=list(OPTIONS), help="both unless told")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="3 rounds, and smaller sizes unless they are named")
    parser.add_argument("--peak", nargs=2, metavar=("SIZE", "CHILDREN"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.peak:
        return print_peak(sizes(asked.peak[0])[0], OPTIONS[asked.peak[1]], Target(**loads(sys.stdin.read())))
    if not (asked.race or asked.memory):
        asked.race, asked.memory = ("1000x50", "20000x50") if asked.quick else ("1000x50,20000x50", "200000x50")
    (installation,) = choose([parse_target(asked.db)], installations())
    print(f"PostgreSQL {installation.version} from {installation.origin}")
    with PostgresServer(installation) as admin:
        # Memory comes first: Linux counts what the parent held when it forked towards its child's peak.
        kept = [memory(size, asked.children, admin) for size in sizes(asked.memory)]
        rounds = 3 if asked.quick else asked.rounds
        kept += [race(size, name, rounds, admin) for size in sizes(asked.race) for name in asked.children]
    return 0 if all(kept) else 1


def sizes(text: str | None) -> tuple[Size, ...]:
    """Parse sizes with commas; none where there is no text."""
    return tuple(parse_sizes(text, levels=2)) if text else ()


def race(size: Size, children: str, rounds: int, admin: Target) -> bool:
    """Race everything, print a table for each yardstick, and return whether both aims are kept."""
    options = OPTIONS[children]

    def dataset() -> Dataset:
        return Dataset(SCENARIO.recipe, size, options)

    with ready_files(dataset(), METADATA, admin) as files:
        taken = timed(
            {
                TEXT: lambda target: copy_text(files, METADATA, target),
                BINARY: lambda target: copy_binary(files, METADATA, target),
                "fill": lambda target: fill_alone(dataset(), target),
                "load": lambda target: load_postgres(dataset(), METADATA, target),
                "seed": lambda target: seed_postgres(SCENARIO, size, options, target),
            },
            rounds,
            admin,
        )
    rows = sum(dataset().rows.values())
    print(f"\n{size}, children {children}: {rows:,} rows, {rounds} rounds")
    kept = [print_ratios(base, rows, taken) for base in AIMS]
    return all(kept)


def print_ratios(base: str, rows: int, taken: Mapping[str, list[float]]) -> bool:
    """Print the table of one yardstick, and return whether `fill` keeps the aim."""
    kept, table = True, []
    for name in (base, "fill", "load", "seed"):
        ratios = [one / other for one, other in zip(taken[base], taken[name], strict=True)]
        middle, verdict = statistics.median(ratios), ""
        if name == "fill":
            kept = middle >= AIMS[base]
            verdict = "kept" if kept else "MISSED"
        table.append((name, rows / statistics.median(taken[name]), min(ratios), middle, max(ratios), verdict))
    print()
    headers = (f"of {base}", "rows/s", "min", "median", "max", f"aim {AIMS[base]}")
    print(tabulate(table, headers=headers, floatfmt=("", ",.0f", ".2f", ".2f", ".2f", "")))
    return kept


def timed(entrants: Entrants, rounds: int, admin: Target) -> dict[str, list[float]]:
    """Return the seconds of every entrant, once a round in a shuffled order, after a round that is left out."""
    shuffle = random.Random(1).shuffle  # noqa: S311 - an order, no secret
    taken: dict[str, list[float]] = {name: [] for name in entrants}
    for number in range(rounds + 1):
        order = list(entrants)
        shuffle(order)
        for name in order:
            with database(admin) as target:
                began = time.perf_counter()
                entrants[name](target)
                if number:
                    taken[name].append(time.perf_counter() - began)
    return taken


def fill_alone(dataset: Dataset, target: Target) -> None:
    """Load as far as the yardsticks do: rows, keys, indexes and foreign keys, committed."""
    made = engine(target)
    with made.begin() as connection:
        fill(connection, dataset, METADATA)
    made.dispose()


def memory(size: Size, children: Sequence[str], admin: Target) -> bool:
    """Seed in a fresh process for each kind of dataset, print its peak, and return whether all are within the limit."""
    table = []
    for name in children:
        with database(admin) as target:
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, __file__, "--peak", str(size), name],
                input=dumps(asdict(target)),
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            peak = int(done.stdout)
            verdict = "kept" if peak <= MEMORY_LIMIT else "MISSED"
            table.append((name, f"{time.perf_counter() - began:.0f} s", f"{peak / 1e6:.0f} MB", verdict))
    print(f"\n{size}, {size.rows:,} rows: the largest resident memory of the client, seeding in a process of its own")
    print(tabulate(table, headers=("", "took", "peak", f"aim {MEMORY_LIMIT / 1e6:.0f} MB"), disable_numparse=True))
    return all(row[-1] == "kept" for row in table)


def print_peak(size: Size, options: DatasetOptions, target: Target) -> int:
    """Seed once and print this process's largest resident memory in bytes (Linux counts it in KiB, macOS in bytes)."""
    seed_postgres(SCENARIO, size, options, target)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak if sys.platform == "darwin" else peak * 1024)
    return 0


if __name__ == "__main__":
    sys.exit(main())
