"""How accurately a round-trip time is added, and what the proxy that adds it costs.

    python scripts/selfbench_latency.py [--rtt 500us,1ms,5ms] [--rounds 60] [--version 18]

Blocks of ten bare `SELECT 1` are timed straight to the server, through the proxy without a delay and through it with
each delay, in shuffled rounds. `told` is what a run would show as added; `added` what this loop finds: the median of a
block less the median of all that had no delay, as the median of blocks and the range that holds 95 % of them; `mean`
has every round trip in it, slow ones included. The floor is what the proxy itself adds to the straight way. Then 20 MB
in one result are read each way, in rounds too, as the median ratio to the straight way in the same round. CPU is the
proxy's own share of a core while round trips are timed.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import psutil
import psycopg
from tabulate import tabulate

from bench.databases.latency import Delayed, delayed
from bench.databases.postgres import PostgresServer, installations
from bench.databases.postgres.admin import connected
from bench.model import Target
from bench.model.asked import parse_rtts, rtt_text

BLOCK = 10
BULK_ROUNDS = 9
BULK = b"SELECT repeat('x', 1000) FROM generate_series(1, 20000)"
STRAIGHT, NEAR = "straight", "0"

Connections = Mapping[str, psycopg.Connection]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rtt", default="500us,1ms,5ms", help="round-trip times to add (500us,1ms,5ms)")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--version", help="the server's major version; the first at hand unless told")
    chosen = parser.parse_args()
    rtts = [rtt for rtt in parse_rtts(chosen.rtt) if rtt]
    at_hand = [each for each in installations() if chosen.version in (None, str(each.major))]
    if not at_hand:
        parser.error("there is no such PostgreSQL at hand")
    print(f"PostgreSQL {at_hand[0].version} from {at_hand[0].origin}, load average {os.getloadavg()[0]:.1f}")
    with PostgresServer(at_hand[0]) as target:
        before = time.perf_counter()
        with delayed(target, [0, *rtts]) as ways:
            print(f"the proxy was up and its delays set after {time.perf_counter() - before:.1f} s")
            with ExitStack() as stack:
                connections = {STRAIGHT: stack.enter_context(_measured(target))}
                for rtt, way in ways.items():
                    connections[rtt_text(rtt)] = stack.enter_context(_measured(way.target))
                _measure(connections, ways, chosen.rounds)


def _measure(connections: Connections, ways: Mapping[int, Delayed], rounds: int) -> None:
    (proxy,) = [each for each in psutil.Process().children() if "bench.databases.latency.proxy" in each.cmdline()]
    busy_s, start = sum(proxy.cpu_times()[:2]), time.perf_counter()
    blocks = _round_trips(connections, rounds)
    share = (sum(proxy.cpu_times()[:2]) - busy_s) / (time.perf_counter() - start)
    bulk = _results(connections)
    near = [us for block in blocks[NEAR] for us in block]
    straight = [us for block in blocks[STRAIGHT] for us in block]
    rows = []
    for rtt, way in ways.items():
        name = rtt_text(rtt)
        added = sorted(statistics.median(block) - statistics.median(near) for block in blocks[name])
        mean = statistics.mean(us for block in blocks[name] for us in block) - statistics.mean(near)
        edge = int(0.025 * len(added))
        rows.append(
            [
                name,
                f"{way.delay.added_ns / 1e3:.0f}",
                f"{statistics.median(added):.0f}",
                f"{added[edge]:.0f} to {added[-1 - edge]:.0f}",
                f"{mean:.0f}",
                f"{statistics.median(a / b for a, b in zip(bulk[name], bulk[STRAIGHT], strict=True)):.2f}",
            ]
        )
    headings = ["asked", "told", "added, us", "95 % of blocks", "mean", "20 MB, ratio"]
    print(tabulate(rows, headings, disable_numparse=True))
    print(
        f"straight {statistics.median(straight):.0f} us, through the proxy {statistics.median(near):.0f} us,", end=" "
    )
    print(f"so the floor is {statistics.median(near) - statistics.median(straight):.0f} us; CPU {share:.1%}")
    print(f"20 MB straight: {statistics.median(bulk[STRAIGHT]) * 1e3:.0f} ms (median of {BULK_ROUNDS})")


@contextmanager
def _measured(target: Target) -> Iterator[psycopg.Connection]:
    """Yield a connection that sends each statement as it is."""
    with connected(target) as connection:
        connection.prepare_threshold = None
        yield connection


def _round_trips(connections: Connections, rounds: int) -> dict[str, list[list[float]]]:
    """Return the microseconds of each round trip, by block."""
    blocks: dict[str, list[list[float]]] = {name: [] for name in connections}
    for name in _shuffled(connections, rounds):
        blocks[name].append([_timed(connections[name], b"SELECT 1") * 1e6 for _ in range(BLOCK)])
    return blocks


def _results(connections: Connections) -> dict[str, list[float]]:
    """Return the seconds that 20 MB take, after once that does not count."""
    for connection in connections.values():
        _timed(connection, BULK)
    took: dict[str, list[float]] = {name: [] for name in connections}
    for name in _shuffled(connections, BULK_ROUNDS):
        took[name].append(_timed(connections[name], BULK))
    return took


def _shuffled(names: Connections, rounds: int) -> Iterator[str]:
    """Yield every name once a round, in an order of the round's own."""
    for _ in range(rounds):
        yield from random.sample(list(names), len(names))


def _timed(connection: psycopg.Connection, statement: bytes) -> float:
    before = time.perf_counter()
    connection.execute(statement).fetchall()
    return time.perf_counter() - before


if __name__ == "__main__":
    main()
