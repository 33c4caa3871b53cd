"""The bill: where the time of one load goes, in parts that add up to all of it.

Of the observed loads the half in the middle, by their wall time, is averaged part by part: means of the same loads add
up, as medians of parts would not.

Each observed load comes right after an unobserved one, and the median of their ratios is the price of observing. Where
it is above 1 and at most `HIGHEST_PRICE`, every part is divided by it, so that the bill is that of the unobserved load.
Where it is more, the markers weigh on some parts more than one factor can say, and the parts are left as observed; so
they are where it is not above 1, for then noise hides it.

What may be told apart depends on the driver.

- psycopg has received a whole result when `execute` returns, and decodes it as rows are fetched: decoding is a part.
- Asynchronous drivers decode within `execute`, or are read from while it waits: decoding is not told from the wire.
- SQLite steps through its table while rows are fetched, in the process itself: database and driver are one.

The server's part is what it says itself that it was executing; with the wire it is one part where it says nothing.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, get_args

from bench.model.profile import Looked, Observed, Part, Phases, Times

HIGHEST_PRICE = 1.1
"""Observed over unobserved time up to which the bill is scaled to the unobserved load."""

MOST_RESIDUAL = 0.05
"""Share of the wall time that may be claimed by no part."""

STATEMENT = "building and compiling statements"
SERVER = "server, executing"
WIRE = "wire, parsing and planning"
WIRE_AND_DRIVER = "wire, parsing, planning, driver"
SERVER_AND_WIRE = "server and wire"
ALL_BUT_CLIENT = "server, wire and driver"
DECODING = "driver, decoding"
DATABASE = "database and driver"
ROWS = "Core results and rows"
OBJECTS = "ORM objects and relationships"
WALK = "the load's own code and walk"
COLLECTOR = "garbage collection"

Sample = TypeVar("Sample")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A part of the bill in ns, and its share of the whole."""

    name: str
    ns: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """What a statement took, in ns, from its building to its last object; sql is empty for what belongs to none."""

    sql: str
    executions: int
    ns: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Where a load's time goes. wall_ns: what the parts and the residual add up to.

    price: observed over unobserved time, the median of pairs, with its quartiles. scaled: whether the parts were
    divided by it. loads: how many of each kind were taken. silent: why the server's part is not told apart.
    """

    parts: tuple[Line, ...]
    residual: Line
    statements: tuple[StatementLine, ...]
    wall_ns: float
    price: float
    price_quartiles: tuple[float, float]
    scaled: bool
    loads: int
    silent: str

    @property
    def ruling(self) -> str:
        """By what rule the parts are as they are."""
        if self.scaled:
            return "Divided by the price of observing, to be the bill of an unobserved load"
        if self.price > HIGHEST_PRICE:
            return "As observed, for so high a price of observing is no single factor"
        return "As observed, for noise hides the price of observing"

    @property
    def adds_up(self) -> bool:
        """Whether no more is left without a part than may be."""
        return abs(self.residual.share) <= MOST_RESIDUAL


def bill(looked: Looked) -> Bill:
    """Return the bill of a load that was profiled."""
    assert looked.times is not None
    times = looked.times
    kept = middle_half(times.observed, lambda one: one.phases.wall_ns)
    observed_ns = _mean([one.phases.wall_ns for one in kept])
    low, price, high = _quartiles(
        [one.phases.wall_ns / ns for one, ns in zip(times.observed, times.unobserved_ns, strict=True)]
    )
    scaled = 1 < price <= HIGHEST_PRICE
    factor = 1 / price if scaled else 1.0
    server_ns, silent = _server_ns(times, kept)
    parts = named_parts({part: _mean([one.phases.spent_ns(part) for one in kept]) for part in get_args(Part)},
                        server_ns=server_ns, driver=looked.driver)  # fmt: skip

    def line(name: str, ns: float) -> Line:
        return Line(name=name, ns=ns * factor, share=ns / observed_ns)

    return Bill(
        parts=tuple(line(name, ns) for name, ns in parts.items()),
        residual=line("no part's", _mean([one.phases.residual_ns for one in kept])),
        statements=tuple(_statements([one.phases for one in kept], factor, observed_ns)),
        wall_ns=observed_ns * factor,
        price=price,
        price_quartiles=(low, high),
        scaled=scaled,
        loads=len(times.observed),
        silent=silent,
    )


def named_parts(spent_ns: Mapping[Part, float], *, server_ns: float | None, driver: str) -> dict[str, float]:
    """Return the parts under the names that say what this driver lets be told apart, in the order of a load."""
    return {
        STATEMENT: spent_ns["statement"],
        **_database_parts(spent_ns["wait"], spent_ns["fetch"], server_ns, driver),
        ROWS: spent_ns["rows"],
        OBJECTS: spent_ns["objects"],
        WALK: spent_ns["walk"],
        COLLECTOR: spent_ns["gc"],
    }


def _database_parts(wait_ns: float, fetch_ns: float, server_ns: float | None, driver: str) -> dict[str, float]:
    if driver in ("pysqlite", "aiosqlite"):
        return {DATABASE: wait_ns + fetch_ns}
    within_ns = None if server_ns is None else min(server_ns, wait_ns)
    if driver == "psycopg":
        return {**_split(wait_ns, within_ns, SERVER_AND_WIRE, WIRE), DECODING: fetch_ns}
    return _split(wait_ns + fetch_ns, within_ns, ALL_BUT_CLIENT, WIRE_AND_DRIVER)


def _split(ns: float, server_ns: float | None, whole: str, rest: str) -> dict[str, float]:
    return {whole: ns} if server_ns is None else {SERVER: server_ns, rest: ns - server_ns}


def middle_half(samples: Sequence[Sample], key: Callable[[Sample], float]) -> list[Sample]:
    """Return the samples in the middle by a key, a quarter left out at either end; all where there are too few."""
    left_out = len(samples) // 4
    return sorted(samples, key=key)[left_out : len(samples) - left_out]


def _server_ns(times: Times, kept: Sequence[Observed]) -> tuple[float | None, str]:
    """Return what the server says of the loads, or None and why it says nothing that can be used."""
    said = [one.server_ns for one in kept if one.server_ns is not None]
    if times.silent:
        return None, times.silent
    if len(said) < len(kept):
        return None, "others were connected to the database during some loads, and the server counts for all together"
    if _mean(said) > _mean([one.phases.spent_ns("wait") for one in kept]):
        return None, "the load is too short for what reading the server's count takes itself"
    return _mean(said), ""


def _statements(kept: Sequence[Phases], factor: float, observed_ns: float) -> list[StatementLine]:
    texts = dict.fromkeys(one.sql for phases in kept for one in phases.statements)
    lines = []
    for text in texts:
        found = [one for phases in kept for one in phases.statements if one.sql == text]
        ns = sum(sum(one.ns.values()) for one in found) / len(kept)
        executions = max(one.executions for one in found)
        lines.append(StatementLine(sql=text, executions=executions, ns=ns * factor, share=ns / observed_ns))
    return lines


def _quartiles(ratios: Sequence[float]) -> tuple[float, float, float]:
    if len(ratios) == 1:
        return ratios[0], ratios[0], ratios[0]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return low, middle, high


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
