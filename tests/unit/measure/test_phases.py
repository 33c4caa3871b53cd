"""The clock of a bill: parts never overlap, nothing is lost, and SQLAlchemy is put back after an observed load."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import CursorResult, select, text
from sqlalchemy.engine.result import ResultInternal
from sqlalchemy.orm import Session, loading, strategies
from support.library import library

from bench.catalogue import is_available
from bench.measure.phases import PartClock, phased_load
from bench.model import Strategy
from bench.model.profile import Part, Phases
from scenarios.one_to_many import ONE_TO_MANY, User

PARTS: tuple[Part, ...] = get_args(Part)


def spent(clock: PartClock) -> dict[Part, int]:
    found: dict[Part, int] = {}
    for statement in clock.by_statement():
        for part, ns in statement.ns.items():
            found[part] = found.get(part, 0) + ns
    return found


def ticking(*times: int) -> Callable[[], int]:
    """A clock that shows these times, one at each reading."""
    shown: Iterator[int] = iter(times)
    return lambda: next(shown)


def test_what_happens_within_a_part_is_taken_out_of_it() -> None:
    clock = PartClock(now=ticking(0, 10, 15, 40))

    clock.enter("walk")
    clock.enter("wait")
    clock.leave()
    clock.leave()

    assert spent(clock) == {"walk": 10 + 25, "wait": 5}


@given(st.lists(st.sampled_from([*PARTS, "leave", "switch", "collect"]), max_size=60))
def test_parts_add_up_to_all_of_the_time_whatever_the_order_of_markers(markers: list[Any]) -> None:
    readings = count(step=7)
    clock = PartClock(now=lambda: next(readings))
    clock.enter("statement")
    for marker in markers:
        if marker == "leave" and clock.depth > 1:
            clock.leave()
        elif marker == "switch":
            clock.switch("objects")
        elif marker == "collect":
            clock.collecting("start", {})
            clock.collecting("stop", {})
        elif marker != "leave":
            clock.enter(marker)
    clock.unwind(0)

    assert sum(spent(clock).values()) == next(readings) - 7
    assert all(ns >= 0 for ns in spent(clock).values())


def test_a_collection_that_starts_as_the_clock_is_read_is_counted_once() -> None:
    clock = PartClock()
    times = iter([0, 10, 12, 17, 20, 30])
    interrupt = [False]

    def now() -> int:
        shown = next(times)
        if interrupt[0]:
            interrupt[0] = False
            clock.collecting("start", {})
            clock.collecting("stop", {})
        return shown

    clock.now = now
    clock.enter("walk")  # at 0
    interrupt[0] = True
    clock.enter("wait")  # read at 10; a collection from 12 to 17; read again at 20
    clock.unwind(1)  # at 30

    assert spent(clock) == {"walk": 12 + 3, "gc": 5, "wait": 10}


def replaced() -> list[Any]:
    """Every place of SQLAlchemy's that is a marker while a load is observed."""
    lazy = getattr(strategies, "_LazyLoader", None) or strategies.LazyLoader  # type: ignore[attr-defined]
    return [
        vars(Session).get("_execute_internal"),
        vars(lazy).get("_emit_lazyload"),
        vars(loading).get("instances"),
        vars(loading).get("ChunkedIteratorResult"),
        vars(CursorResult).get("_raw_all_tuples"),
        vars(CursorResult).get("_raw_all_rows"),
        vars(CursorResult).get("fetchmany"),
        vars(ResultInternal).get("_allrows"),
        list(gc.callbacks),
        gc.isenabled(),
    ]


def fails(session: Session) -> None:
    session.scalars(select(User)).all()
    session.execute(text("SELECT nonsense"))


def test_sqlalchemy_and_the_collector_are_as_they_were_also_after_a_load_that_failed() -> None:
    engine = library(2, 2)
    before = replaced()

    phased_load(engine, lambda: Session(engine), lambda session: session.scalars(select(User)).all())
    assert replaced() == before
    with pytest.raises(Exception, match="nonsense"):
        phased_load(engine, lambda: Session(engine), fails)
    assert replaced() == before


def observed(load: Callable[[Session], Any]) -> Phases:
    engine = library(3, 5, 1, 4, 2)
    return phased_load(engine, lambda: Session(engine), load)


@pytest.mark.parametrize(
    "strategy", [*filter(is_available, ONE_TO_MANY.strategies)], ids=lambda strategy: strategy.name
)
def test_every_statement_of_every_strategy_passes_through_all_parts_of_a_statement(strategy: Strategy) -> None:
    phases = observed(lambda session: ONE_TO_MANY.load(session, strategy))

    nobody, *statements = phases.statements
    assert set(nobody.ns) - {"gc"} == {"statement", "walk"}
    for statement in statements:
        assert set(statement.ns) - {"gc"} == {"statement", "wait", "fetch", "rows", "objects"}
    assert sum(one.executions for one in statements) == {"lazy": 6, "immediate": 6}.get(
        strategy.name, 2 if "selectin" in strategy.name or strategy.name == "subquery" else 1
    )
    assert 0 <= phases.residual_ns < phases.wall_ns


@pytest.mark.parametrize(
    "load",
    [
        lambda session: list(session.scalars(select(User).execution_options(yield_per=2))),
        lambda session: session.scalars(select(User)).first(),
        lambda session: session.execute(select(User.id, User.name)).all(),
        lambda session: session.execute(text("SELECT 1")).all(),
        lambda session: session.connection().execute(text("SELECT 1")).scalar_one(),
        lambda session: [session.get(User, number) for number in (1, 2, 2, 99)],
        lambda session: session.execute(text("CREATE TABLE IF NOT EXISTS users (id int)")),
    ],
)
def test_any_way_to_read_is_taken_and_adds_up(load: Callable[[Session], Any]) -> None:
    phases = observed(load)

    assert phases.spent_ns("wait") > 0
    assert all(ns >= 0 for one in phases.statements for ns in one.ns.values())
    assert 0 <= phases.residual_ns < phases.wall_ns
