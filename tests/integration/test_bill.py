"""The bill is right: a known cost, put into one part of a load, lands in that part, and in no other.

It is slept, and a sleep is never shorter than asked for: the part takes at least as much in each of the loads, on any
machine. A neighbour makes a part longer, and never shorter; so each of the others is held by the load in which it is
shortest, and the part itself by the shortest of the loads that are left alone. How exact the bill is on a quiet machine
is measured by `scripts/selfbench_bill.py`.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from support.library import library

from bench.datasets import seed_postgres
from bench.measure.phases import phased_load
from bench.model import DatasetOptions, Size
from bench.reduce import bill
from scenarios.one_to_many import ONE_TO_MANY, User
from scripts.planted_costs import (
    DRIVERS,
    NO_PART,
    OWN_PART,
    WHOLE,
    Bench,
    Pair,
    Plant,
    before_the_first_statement,
    in_a_load_event,
    in_a_result_processor,
    in_the_decoder,
    in_the_query,
    in_the_walk,
    on_the_way,
    through_proxy,
)

if TYPE_CHECKING:  # pytest imports it as a plugin, and has to be the first to
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]

AMOUNT_NS = 150_000_000
LITTLE_NS = AMOUNT_NS / 4
"""What a part may take where nothing was put into it: a few ms, with what a busy machine adds to the shortest of it."""
PAIRS = 3
ATTEMPTS = 5
COUNTED = {bill.SERVER, bill.WIRE, bill.WIRE_AND_DRIVER}
"""Parts that are told apart by what the server counts, whose readings are taken off: they may be some ms short."""


@pytest.fixture(scope="module", autouse=True)
def _little_to_collect() -> Iterator[None]:
    """Each load is begun with a collection, which goes through all that pytest and its plugins have made."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="module", params=DRIVERS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A database for each driver: the server counts its time for all connections of one together."""
    if request.param == "pysqlite":
        yield Bench(driver="pysqlite", engine=library(*[3] * 10), call=lambda work: work())
        return
    server: PostgresForTests = request.getfixturevalue("postgres")
    with ExitStack() as stack:
        target = server.target(stack.enter_context(server.database()), request.param)
        seed_postgres(ONE_TO_MANY, Size((10, 3)), DatasetOptions(), target)
        yield stack.enter_context(through_proxy(target))


def wrong(pairs: list[Pair], own: str) -> str:
    """Return what is wrong with where the time landed; empty where nothing is."""
    slow, plain = [pair.slow for pair in pairs], [pair.plain for pair in pairs]
    landed_ns = [parts[own] for parts in slow]
    missing = max(landed_ns) < AMOUNT_NS - LITTLE_NS if own in COUNTED else min(landed_ns) < AMOUNT_NS
    others_ns = {part: min(parts[part] for parts in slow) for part in slow[0] if part not in (own, WHOLE)}
    unasked_ns = min(parts[own] for parts in plain)
    if missing or max(*others_ns.values(), unasked_ns) > LITTLE_NS:
        return f"of {AMOUNT_NS} ns {own} has {landed_ns}, {unasked_ns} when left alone, and the others {others_ns}"
    return ""


def lands(bench: Bench, plant: Plant) -> None:
    """The cost lands in its own part. On a busy machine more loads are taken; a bill that is wrong is so in all."""
    own = OWN_PART[plant][bench.driver]
    pairs: list[Pair] = []
    with plant(bench) as planted:
        for _ in range(ATTEMPTS):
            pairs += bench.pairs(planted, AMOUNT_NS, PAIRS)
            if not wrong(pairs, own):
                break
    assert not wrong(pairs, own)
    for pair in pairs:
        for parts in (pair.plain, pair.slow):
            assert sum(ns for part, ns in parts.items() if part != WHOLE) == pytest.approx(parts[WHOLE])
    assert min(pair.slow[NO_PART] / pair.slow[WHOLE] for pair in pairs) <= bill.MOST_RESIDUAL


def test_time_that_the_query_takes_is_the_databases(bench: Bench) -> None:
    lands(bench, in_the_query)


def test_a_slow_decoder_is_the_drivers(bench: Bench) -> None:
    lands(bench, in_the_decoder)


def test_time_in_a_load_event_is_the_orms(bench: Bench) -> None:
    lands(bench, in_a_load_event)


def test_time_in_the_walk_is_the_walks(bench: Bench) -> None:
    lands(bench, in_the_walk)


def test_time_before_the_first_statement_is_its_building(bench: Bench) -> None:
    lands(bench, before_the_first_statement)


def test_time_in_a_types_result_processor_is_cores(bench: Bench) -> None:
    lands(bench, in_a_result_processor)


@pytest.mark.parametrize("bench", ["psycopg", "asyncpg"], indirect=True)
def test_an_added_round_trip_time_is_the_wires(bench: Bench) -> None:
    lands(bench, on_the_way)


def test_a_lazy_load_in_the_walk_is_charged_to_its_own_statement() -> None:
    made = library(*[3] * 10)

    def load(session: Session) -> Any:
        users = session.scalars(select(User)).all()
        for user in users:
            user.books  # noqa: B018 - the access is the load
        return users

    phases = phased_load(made, lambda: Session(made), load)

    nobody, users, books = phases.statements
    assert (nobody.sql, nobody.executions, users.executions, books.executions) == ("", 0, 1, 10)
    assert set(nobody.ns) <= {"statement", "walk", "gc"}
    assert {"statement", "wait", "fetch", "rows", "objects"} <= set(books.ns)
    assert "walk" not in books.ns
