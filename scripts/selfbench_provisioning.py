"""How long it takes from `bench run` to the first verification, beside a server brought up and filled by hand.

    python scripts/selfbench_provisioning.py                        the newest PostgreSQL at hand, 9 rounds at 1000x50
    python scripts/selfbench_provisioning.py --db postgres:16
    python scripts/selfbench_provisioning.py --quick                3 rounds: a look

By hand is `bare_server.py`: a fresh Python that runs the same installation's initdb, starts its server with no setting
but `fsync` off, creates the tables and has the server COPY text that lies ready beside it. Its binaries lie where the
server's user can run them, and nobody gives a password. The command copies binaries out of a private folder if need be,
makes the rows itself, works out their fingerprint, vacuums, analyses, and starts a worker. Both are whole processes,
from the start of Python to the last row by hand, and to the line `equal work` of the command, which is ended then; it
is a quick run, for memory is measured before that line otherwise. A round has one of each, in an order drawn anew; one
more round comes first and is left out. The aim is a difference of at most 3 s; the exit status is 1 where its median
misses it.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.databases.postgres import Installation, PostgresServer, choose, installations
from bench.databases.postgres.account import give, server_account
from bench.databases.postgres.cluster import runnable
from bench.databases.postgres.places import temporary_root
from bench.datasets import Dataset
from bench.datasets.key import schema
from bench.measure.surroundings import TREE
from bench.model import DatasetOptions, Size, parse_sizes, parse_target
from scenarios.one_to_many import ONE_TO_MANY as SCENARIO
from scripts.server_copy import ReadyFiles, ready_files

AIM_S = 3.0
PORT = 5432
"""Names the socket in its private folder; no port is opened."""

MARKS = {
    "up to seeding": "seeding",
    "server up and seeded": "observing",
    "worker started, first load verified": "1 of 1",
}
"""Parts of the command, and how the line begins with which each ends."""

Parts = Mapping[str, float]
"""Seconds by what they were spent on, in that order."""


def main() -> int:
    """Measure and print; the exit status is 1 where the aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", default="postgres", help="the server, such as postgres:16; the newest unless told")
    parser.add_argument("--size", default="1000x50")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="3 rounds: a look")
    asked = parser.parse_args()
    rounds = 3 if asked.quick else asked.rounds
    (size,) = parse_sizes(asked.size, levels=2)
    (installation,) = choose([parse_target(asked.db)], installations())
    print(f"PostgreSQL {installation.version} from {installation.origin}, one_to_many {size}, {rounds} rounds")
    with by_hand(installation, size) as hand:
        entrants = {"command": lambda: command(asked.db, asked.size), "by hand": hand.bring_up}
        taken: dict[str, list[Parts]] = {name: [] for name in entrants}
        for number in range(rounds + 1):
            for name in random.sample(list(entrants), len(entrants)):
                parts = entrants[name]()
                if number:
                    taken[name].append(parts)
    return print_seconds(taken)


def print_seconds(taken: Mapping[str, list[Parts]]) -> int:
    """Print what each part and both together took, and the difference; return the exit status."""
    rows: list[tuple[str, ...]] = []
    for name, rounds in taken.items():
        rows += [_row("", part, [parts[part] for parts in rounds]) for part in rounds[0]]
        rows.append(_row(name, "whole", [sum(parts.values()) for parts in rounds]))
    more = [
        sum(ours.values()) - sum(theirs.values())
        for ours, theirs in zip(taken["command"], taken["by hand"], strict=True)
    ]
    kept = statistics.median(more) <= AIM_S
    rows.append(_row("difference", "of the same round", more))
    print(tabulate(rows, headers=("", "seconds", "min", "median", "max"), disable_numparse=True))
    print(f"at most {AIM_S:.0f} s more: {'kept' if kept else 'MISSED'}")
    return 0 if kept else 1


def _row(name: str, part: str, seconds: list[float]) -> tuple[str, ...]:
    figures = (min(seconds), statistics.median(seconds), max(seconds))
    return (name, part, *(f"{one:6.2f}" for one in figures))


def command(db: str, size: str) -> Parts:
    """Start `bench run`, and end it when its first strategy has been verified."""
    with tempfile.TemporaryDirectory() as results:
        where = ["--db", db, "--provider", "binaries", "--size", size, "--strategy", "selectin", "--results", results]
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "bench", "run", "-v", "--quick", *where],
            cwd=TREE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                return _until_verified(process, began)
            finally:
                process.send_signal(signal.SIGINT)
                process.communicate()


def _until_verified(process: subprocess.Popen[str], began: float) -> Parts:
    assert process.stderr is not None
    parts: dict[str, float] = {}
    said = []
    for line in process.stderr:
        said.append(line)
        part = list(MARKS)[len(parts)]
        if line.strip().startswith(MARKS[part]):
            parts[part] = time.perf_counter() - began - sum(parts.values())
        if len(parts) == len(MARKS):
            if "equal work" in line:
                return parts
            break
    raise SystemExit("the command did not come to a first verification:\n" + "".join(said))


class ByHand:
    """What `bare_server.py` is given: programs that the server's user can run, and the statements that fill it."""

    def __init__(self, installation: Installation, programs: Path, statements: list[str]) -> None:
        self._installation = installation
        self._programs = programs
        self._statements = statements

    def bring_up(self) -> Parts:
        """Bring a server up and fill it, in a fresh process; take it down off the clock."""
        account = server_account()
        with tempfile.TemporaryDirectory(dir=temporary_root(for_others=account is not None), prefix="bare-") as name:
            folder, data = Path(name), f"{name}/data"
            give(folder, account)
            request = {
                "account": [account.uid, account.gid] if account else None,
                "folder": name,
                "initdb": self._program(
                    "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"
                ),
                "server": self._program(
                    "postgres", "-D", data, "-p", str(PORT), "-F", "-c", "listen_addresses=", "-k", name
                ),
                "socket": {"host": name, "port": PORT},
                "statements": self._statements,
            }
            return _filled(request)

    def _program(self, name: str, *arguments: str) -> list[str]:
        return [str(self._programs / name), *arguments]


def _filled(request: dict[str, Any]) -> Parts:
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "scripts/bare_server.py"], cwd=TREE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        took = time.perf_counter() - began
        process.stdin.close()
    if not line:
        raise SystemExit("the server could not be brought up by hand")
    parts: dict[str, float] = json.loads(line)
    return {"Python": took - sum(parts.values()), **parts}


@contextmanager
def by_hand(installation: Installation, size: Size) -> Iterator[ByHand]:
    """Yield the yardstick; its programs and files are there while the block runs."""
    account, metadata = server_account(), SCENARIO.base.metadata
    with tempfile.TemporaryDirectory(dir=temporary_root(for_others=account is not None)) as name:
        folder = Path(name)
        give(folder, account)
        programs = runnable(installation, account, folder)
        dataset = Dataset(SCENARIO.recipe, size, DatasetOptions())
        with PostgresServer(installation) as admin, ready_files(dataset, metadata, admin) as files:
            yield ByHand(installation, programs, _statements(files))


def _statements(files: ReadyFiles) -> list[str]:
    """Return what creates the tables with their keys and indexes, and copies text into them."""
    copies = [f"COPY {table} FROM '{path}'" for table, path in files.text.items()]
    return [*schema(SCENARIO.base.metadata, "postgresql"), *copies]


if __name__ == "__main__":
    sys.exit(main())
