"""How fast PostgreSQL is seeded, side by side with the server's own COPY of ready files.

    python scripts/selfbench_seeding_postgres.py            the memory of 200000x50, then 1000x50 and 20000x50
    python scripts/selfbench_seeding_postgres.py --quick    a look: the memory of 20000x50, then 1000x50, fewer rounds

The yardsticks get their rows for nothing, as files that lie beside the server and are read by it: `text COPY, keyed`
copies text into tables that have their keys and indexes, `binary COPY, bare` copies binary into tables without and
adds keys, indexes and foreign keys afterwards. Beside them, in shuffled rounds on one server: `fill`, which does the
same work but makes the rows too, and sends them through a socket; `load`, which vacuums and analyses as well; and
`seed`, which works out the fingerprint besides: all that a run waits for. A ratio is a yardstick's time over theirs in
the same round: 1 is as fast. The aims are 1.0 of the first and 0.7 of the second for `fill`; the exit status is 1 when
its median falls short in any race, or when a process grew beyond the memory.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from json import dumps, loads
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import create_engine
from tabulate import tabulate

from bench.connect import engine
from bench.databases.postgres import PostgresServer, choose, installations
from bench.datasets import Dataset, seed_postgres
from bench.datasets.postgres_load import fill, load_postgres, take_off
from bench.model import DatasetOptions, Size, Target
from scenarios.one_to_many import ONE_TO_MANY as SCENARIO

METADATA = SCENARIO.base.metadata
TABLES = [table.name for table in METADATA.sorted_tables]
MEMORY_LIMIT = 300_000_000
TEXT_AIM, BINARY_AIM = 1.0, 0.7
OPTIONS = {
    "clustered, fixed": DatasetOptions(),
    "shuffled, zipf": DatasetOptions(order="shuffled", children="zipf", childless=0.2),
}
HELD_IN_MEMORY = {
    "clustered, fixed": DatasetOptions(),
    "shuffled, uniform": DatasetOptions(order="shuffled", children="uniform", childless=0.2),
}
"""Not zipf: there the first parent owns a twelfth of all children, and the fingerprint holds a parent's line whole."""


def main() -> int:
    """Measure, print, and exit 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller datasets")
    parser.add_argument("--version", help="the server's version, such as 17; the newest at hand unless told")
    parser.add_argument("--peak", nargs=2, metavar=("SIZE", "OPTIONS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak:
        return _print_peak(
            _size(arguments.peak[0]), HELD_IN_MEMORY[arguments.peak[1]], Target(**loads(sys.stdin.read()))
        )
    rounds = 5 if arguments.quick else 9
    sizes = ["1000x50"] if arguments.quick else ["1000x50", "20000x50"]
    (installation,) = choose([arguments.version], installations())
    print(f"PostgreSQL {installation.version} from {installation.origin}")
    with PostgresServer(installation) as admin:
        # Memory comes first: Linux counts what the parent held when it forked towards its child's peak.
        missed = _memory("20000x50" if arguments.quick else "200000x50", admin)
        missed += [size for size in sizes for name in OPTIONS if not _race(_size(size), name, rounds, admin)]
    return 1 if missed else 0


def _race(size: Size, options_name: str, rounds: int, admin: Target) -> bool:
    options = OPTIONS[options_name]
    with _ready_files(size, options, admin) as files:
        entrants: dict[str, Callable[[Target], object]] = {
            "text COPY, keyed": lambda target: _copy_text(files, target),
            "binary COPY, bare": lambda target: _copy_binary(files, target),
            "fill": lambda target: _fill(Dataset(SCENARIO.recipe, size, options), target),
            "load": lambda target: load_postgres(Dataset(SCENARIO.recipe, size, options), METADATA, target),
            "seed": lambda target: seed_postgres(SCENARIO, size, options, target),
        }
        taken = _rounds(entrants, rounds, admin)
    rows = sum(Dataset(SCENARIO.recipe, size, options).rows.values())
    print(f"\n{size}, {options_name}: {rows:,} rows, {rounds} rounds")
    ratios = {(own, base): _ratios(taken[base], taken[own]) for own in taken for base in list(taken)[:2]}
    print(
        tabulate(
            [
                (
                    name,
                    rows / statistics.median(times),
                    *map(_in_words, (ratios[name, base] for base in list(taken)[:2])),
                )
                for name, times in taken.items()
            ],
            headers=("", "rows/s", "of text COPY, keyed", "of binary COPY, bare"),
            floatfmt=("", ",.0f"),
        )
    )
    return (
        statistics.median(ratios["fill", "text COPY, keyed"]) >= TEXT_AIM
        and statistics.median(ratios["fill", "binary COPY, bare"]) >= BINARY_AIM
    )


def _ratios(base: list[float], own: list[float]) -> list[float]:
    return [one / other for one, other in zip(base, own, strict=True)]


def _in_words(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _rounds(entrants: dict[str, Callable[[Target], object]], rounds: int, admin: Target) -> dict[str, list[float]]:
    """Time every entrant once a round, in a shuffled order; the first round warms up and is left out.

    Each fills a new database, after a checkpoint, so that none pays for what another wrote.
    """
    shuffle = random.Random(1).shuffle  # noqa: S311 - an order, no secret
    taken: dict[str, list[float]] = {name: [] for name in entrants}
    for number in range(rounds + 1):
        order = list(entrants)
        shuffle(order)
        for name in order:
            with _database(admin) as target:
                began = time.perf_counter()
                entrants[name](target)
                if number:
                    taken[name].append(time.perf_counter() - began)
    return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """Where each table's rows lie ready, in the two formats."""

    text: dict[str, Path]
    binary: dict[str, Path]


@contextmanager
def _ready_files(size: Size, options: DatasetOptions, admin: Target) -> Iterator[_Files]:
    """Have the server write the dataset's rows to files that it can read again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)  # the server, another user, writes there; nothing in it is secret
        files = _Files(
            text={table: folder / f"{table}.text" for table in TABLES},
            binary={table: folder / f"{table}.binary" for table in TABLES},
        )
        with _database(admin) as target:
            load_postgres(Dataset(SCENARIO.recipe, size, options), METADATA, target)
            with _connected(target) as server:
                for table in TABLES:
                    server.execute(f"COPY {table} TO '{files.text[table]}'".encode())
                    server.execute(f"COPY {table} TO '{files.binary[table]}' (FORMAT binary)".encode())
        yield files


def _copy_text(files: _Files, target: Target) -> None:
    """Load text into tables that have their keys, in the way that comes to mind first."""
    with _created(target) as server:
        for table, path in files.text.items():
            server.execute(f"COPY {table} FROM '{path}'".encode())


def _copy_binary(files: _Files, target: Target) -> None:
    """Load binary into bare tables and add the keys afterwards: the least that the server can do."""
    with _created(target) as server:
        put_off = take_off(server, TABLES)
        for table, path in files.binary.items():
            server.execute(f"COPY {table} FROM '{path}' (FORMAT binary)".encode())
        for statement in put_off:
            server.execute(statement)


def _fill(dataset: Dataset, target: Target) -> None:
    made = engine(target)
    with made.begin() as connection:
        fill(connection, dataset, METADATA)
    made.dispose()


@contextmanager
def _created(target: Target) -> Iterator[psycopg.Connection[Any]]:
    """Create the tables, and yield the connection in the same transaction; commit at the end."""
    with _connected(target) as server:
        server.autocommit = False
        made = create_engine("postgresql+psycopg://", creator=lambda: server)
        with made.begin() as connection:
            METADATA.create_all(connection, checkfirst=False)
            yield server


@contextmanager
def _database(admin: Target) -> Iterator[Target]:
    target = replace(admin, database="selfbench")
    with _connected(admin) as server:
        server.execute("CREATE DATABASE selfbench")
        server.execute("CHECKPOINT")
        try:
            yield target
        finally:
            server.execute("DROP DATABASE selfbench WITH (FORCE)")


@contextmanager
def _connected(target: Target) -> Iterator[psycopg.Connection[Any]]:
    connection = psycopg.connect(
        host=target.host,
        port=target.port,
        user=target.user,
        password=target.password,
        dbname=target.database,
        autocommit=True,
    )
    with closing(connection):
        yield connection


def _memory(size: str, admin: Target) -> list[str]:
    """Seed in a fresh process for each kind of dataset and print its peak; return those over the limit."""
    peaks = {}
    for name in HELD_IN_MEMORY:
        with _database(admin) as target:
            done = subprocess.run(
                [sys.executable, __file__, "--peak", size, name],
                input=dumps(asdict(target)),
                check=True,
                capture_output=True,
                text=True,
            )
            peaks[name] = int(done.stdout)
    print(f"\n{size}: peak resident memory of the whole client process, at most {MEMORY_LIMIT / 1e6:.0f} MB")
    print(tabulate([(name, f"{peak / 1e6:.0f} MB") for name, peak in peaks.items()]))
    return [name for name, peak in peaks.items() if peak > MEMORY_LIMIT]


def _print_peak(size: Size, options: DatasetOptions, target: Target) -> int:
    """Seed once and print this process's largest resident memory in bytes (Linux counts it in KiB, macOS in bytes)."""
    seed_postgres(SCENARIO, size, options, target)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak if sys.platform == "darwin" else peak * 1024)
    return 0


def _size(text: str) -> Size:
    return Size(tuple(int(count) for count in text.split("x")))


if __name__ == "__main__":
    sys.exit(main())
