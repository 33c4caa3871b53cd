"""What a round trip takes, and the delay at which it takes just as much longer as was asked for.

A proxy that sleeps for half of the time asked for in each direction adds more: 50 to 200 us for waking up, by machine
and by load. So the delay is set by what is measured, and a fresh loop then says whether it is right.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bench.errors import DatabaseUnavailable
from bench.model.asked import rtt_text

if TYPE_CHECKING:
    import psycopg

TOLERANCE = 0.05
"""How far off the added round-trip time may be, as a part of it."""

TOLERANCE_NS = 40_000
"""The same in ns, where that is more.

It is what one such loop differs by from the next, a standard deviation of 15 us on a quiet machine of two cores and of
50 to 100 us on a busy one: a narrower bound would be held or missed by luck.
"""

LEAST_NS = 5 * TOLERANCE_NS
"""The shortest round-trip time that can be added: of a shorter one the tolerance would be more than a fifth."""

MOST_WAKING_NS = 400_000
"""The most that the delay is shortened by, for what waking up takes at both ends of it.

Where a loop finds more, others had the processors while it ran: a delay that is right then would be too short after.
"""

ATTEMPTS = 8
"""How often the delay is set and measured before the machine is held to be too busy for it."""

_SAMPLES = 200
_BLOCK = 10
_TRIALS = 3
_LOOP_NS = 250_000_000
"""About what the delayed round trips of one loop take together, where two of them do not take longer."""

Connections = Mapping[str, "psycopg.Connection"]


def calibrate(set_delay: Callable[[int], None], bare: psycopg.Connection, far: psycopg.Connection, rtt_us: int) -> int:
    """Set the one-way delay of `far` so that it takes that much longer than `bare`; return how much longer, in ns.

    What is returned was measured after the delay was set, by a loop of its own. Raises DatabaseUnavailable where it is
    not within the tolerance after several attempts.
    """
    asked_ns = rtt_us * 1000
    connections = {"bare": bare, "far": far}
    excess: list[float] = []
    added_ns, one_way_ns = 0, asked_ns // 2
    for _ in range(ATTEMPTS + 1):
        set_delay(one_way_ns)
        times = round_trips(connections, asked_ns)
        added_ns = int(statistics.median(times["far"]) - statistics.median(times["bare"]))
        if excess and abs(added_ns - asked_ns) <= tolerance_ns(asked_ns):
            return added_ns
        excess.append(added_ns - 2 * one_way_ns)
        waking_ns = max(0, min(statistics.median(excess), MOST_WAKING_NS))
        one_way_ns = max(0, int(asked_ns - waking_ns) // 2)
    raise DatabaseUnavailable(
        f"An added round-trip time of {rtt_text(rtt_us)} cannot be kept to here: after {ATTEMPTS} attempts it is "
        f"{rtt_text(max(0, added_ns // 1000))}, and may be off by {rtt_text(tolerance_ns(asked_ns) // 1000)}.",
        remedy="Measure when the machine is less busy, or add a longer time.",
    )


def tolerance_ns(asked_ns: int) -> int:
    """Return how far an added round-trip time may be from the one asked for."""
    return max(TOLERANCE_NS, int(asked_ns * TOLERANCE))


def round_trips(connections: Connections, added_ns: int = 0) -> dict[str, list[int]]:
    """Return the times of bare `SELECT 1` on each connection in ns, taken side by side in blocks of shuffled order.

    added_ns: about what the slowest one takes longer than the first; there are fewer where they take long.
    """
    first, *_ = connections.values()
    typical = statistics.median(_round_trip(first) for _ in range(_TRIALS)) + added_ns
    samples = max(2, min(_SAMPLES, int(_LOOP_NS / typical)))
    block = min(_BLOCK, samples)
    times: dict[str, list[int]] = {name: [] for name in connections}
    order = list(connections)
    for _ in range(samples // block):
        random.shuffle(order)
        for name in order:
            times[name] += [_round_trip(connections[name]) for _ in range(block)]
    return times


def _round_trip(connection: psycopg.Connection) -> int:
    before = time.perf_counter_ns()
    connection.execute("SELECT 1")
    return time.perf_counter_ns() - before
