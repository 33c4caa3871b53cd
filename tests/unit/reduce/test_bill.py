"""A bill adds up, names what its driver lets be told apart, and says when it is not that of the unobserved load."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.profile import Looked, Observed, Part, Phases, StatementParts, Times
from bench.reduce import bill

PARTS: tuple[Part, ...] = get_args(Part)
SPENT: dict[Part, int] = {part: 10 * place for place, part in enumerate(PARTS, start=1)}
"""statement 10, wait 20, fetch 30, rows 40, objects 50, walk 60, gc 70."""

ALL = sum(SPENT.values())


def observed(*, wall_ns: int = ALL, server_ns: int | None = None, times: int = 1) -> Observed:
    spent = {part: ns * times for part, ns in SPENT.items()}
    own: dict[Part, int] = {"walk": spent.pop("walk"), "gc": spent.pop("gc")}
    statements = (StatementParts(sql="", executions=0, ns=own), StatementParts(sql="SELECT 1", executions=2, ns=spent))
    return Observed(phases=Phases(wall_ns=wall_ns * times, statements=statements), server_ns=server_ns)


def looked(
    *loads: Observed, unobserved_ns: tuple[int, ...] = (ALL,), driver: str = "psycopg", silent: str = ""
) -> Looked:
    times = Times(observed=loads, unobserved_ns=unobserved_ns, silent=silent)
    return Looked(scenario="s", size="3x1", target="t", driver=driver, strategy="lazy", times=times)


def parts(found: bill.Bill) -> dict[str, float]:
    return {line.name: line.ns for line in found.parts}


@pytest.mark.parametrize(
    ("driver", "server_ns", "expected"),
    [
        ("psycopg", 15, {bill.SERVER: 15, bill.WIRE: 5, bill.DECODING: 30}),
        ("psycopg", None, {bill.SERVER_AND_WIRE: 20, bill.DECODING: 30}),
        ("psycopg", 99, {bill.SERVER_AND_WIRE: 20, bill.DECODING: 30}),
        ("asyncpg", 15, {bill.SERVER: 15, bill.WIRE_AND_DRIVER: 35}),
        ("psycopg_async", None, {bill.ALL_BUT_CLIENT: 50}),
        ("pysqlite", None, {bill.DATABASE: 50}),
        ("aiosqlite", None, {bill.DATABASE: 50}),
    ],
)
def test_the_database_is_divided_as_far_as_the_driver_and_the_server_allow(
    driver: str, server_ns: int | None, expected: dict[str, float]
) -> None:
    found = parts(bill.bill(looked(observed(server_ns=server_ns), driver=driver)))

    ours = {bill.STATEMENT: 10, bill.ROWS: 40, bill.OBJECTS: 50, bill.WALK: 60, bill.COLLECTOR: 70}
    assert found == ours | expected


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(1, 10**6)), min_size=1, max_size=20),
    st.sampled_from(["psycopg", "asyncpg", "pysqlite"]),
    st.none() | st.integers(0, 10**4),
)
def test_parts_and_residual_add_up_to_the_whole_however_it_is_scaled(
    pairs: list[tuple[int, int]], driver: str, server_ns: int | None
) -> None:
    loads = [observed(wall_ns=ALL + 7, server_ns=server_ns, times=each) for each, _ in pairs]

    found = bill.bill(looked(*loads, unobserved_ns=tuple(ns for _, ns in pairs), driver=driver))

    assert sum(parts(found).values()) + found.residual.ns == pytest.approx(found.wall_ns)
    assert sum(line.share for line in found.parts) + found.residual.share == pytest.approx(1)
    assert sum(line.ns for line in found.statements) + found.residual.ns == pytest.approx(found.wall_ns)
    assert found.scaled is (1 < found.price <= bill.HIGHEST_PRICE)


@pytest.mark.parametrize(
    ("unobserved_ns", "scaled"),
    [(ALL - 1, True), (ALL * 10 // 11 + 1, True), (ALL // 2, False), (ALL, False), (2 * ALL, False)],
)
def test_it_is_scaled_only_where_observing_costs_a_tenth_at_most(unobserved_ns: int, scaled: bool) -> None:
    assert bill.bill(looked(observed(), unobserved_ns=(unobserved_ns,))).scaled is scaled


@pytest.mark.parametrize(("extra_ns", "adds_up"), [(0, True), (14, True), (16, False), (-16, False)])
def test_more_than_a_twentieth_without_a_part_does_not_add_up(extra_ns: int, adds_up: bool) -> None:
    assert bill.bill(looked(observed(wall_ns=ALL + extra_ns))).adds_up is adds_up


def test_loads_that_took_uncommonly_long_or_short_are_left_out() -> None:
    found = bill.bill(looked(*(observed(times=each) for each in (1, 5, 5, 900)), unobserved_ns=(ALL * 5,) * 4))

    assert found.wall_ns == ALL * 5


def test_a_server_that_was_silent_during_a_load_is_not_told_apart_and_that_is_said() -> None:
    found = bill.bill(looked(observed(server_ns=15), observed(server_ns=None), unobserved_ns=(ALL, ALL)))

    assert bill.SERVER not in parts(found)
    assert "others were connected" in found.silent


def test_a_server_that_says_more_than_was_waited_is_not_believed() -> None:
    assert "too short" in bill.bill(looked(observed(server_ns=21))).silent
    assert bill.bill(looked(observed(server_ns=20))).silent == ""
