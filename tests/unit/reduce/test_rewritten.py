"""A baseline written again in part says nothing new of loads that were not measured."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bench.errors import BenchError, GateFailed
from bench.model.baseline import AtPlace, Baseline, Loaded, MadeWith, Place, SentText
from bench.reduce.gate import Now
from bench.reduce.rewritten import rewritten
from bench.report.rewritten import changes_text

SMALL, LARGE = (Place(scenario="orders", database="postgres", size=size) for size in ("5x2", "20x5"))
MADE = MadeWith(
    sqlalchemy="2.0.49",
    server="postgresql 17.1",
    driver="psycopg",
    dataset="0123456789ab",
    calls_with="CPython 3.11, psycopg 3.3.9",
)
INDEX, TABLE = "CREATE INDEX ix ON orders (customer_id)", "CREATE TABLE orders ( id INTEGER )"

OTHERWISE = [
    pytest.param({"sqlalchemy": "2.1.9"}, "was made with SQLAlchemy 2.0.49, and this is 2.1.9", id="SQLAlchemy"),
    pytest.param(
        {"server": "postgresql 18.0"}, "was made on postgresql 17.1, and this is postgresql 18.0", id="server"
    ),
    pytest.param({"driver": "asyncpg"}, "was made by psycopg, and this is asyncpg", id="driver"),
    pytest.param(
        {"calls_with": "CPython 3.13, psycopg 3.3.9"},
        "was made with CPython 3.11, psycopg 3.3.9, and this is CPython 3.13, psycopg 3.3.9",
        id="Python",
    ),
    pytest.param({"dataset": "ba9876543210"}, "was made of other rows", id="rows"),
]


def a_load(statements: int = 2) -> Loaded:
    sent = (SentText(sql="SELECT 1", times=statements),)
    return Loaded(statements=statements, rows=9, repeated_rows=0, parameters=1, bytes=100, sent=sent, calls=1000)


def at(*strategies: str, schema: tuple[str, ...] = (INDEX, TABLE), statements: int = 2, **made: Any) -> AtPlace:
    loads = {name: a_load(statements) for name in strategies}
    return AtPlace(made_with=dataclasses.replace(MADE, **made), schema=schema, loads=loads)


def seen(found: AtPlace, **faults: str) -> Now:
    return Now(found=found, faults=faults, left_out={})


def said(before: Baseline, after: Baseline) -> list[str]:
    return changes_text(before, after, file="b.jsonl").splitlines()


@pytest.mark.parametrize(("made", "says"), OTHERWISE)
def test_a_load_that_is_not_measured_is_not_put_under_versions_that_it_was_not_made_with(
    made: dict[str, Any], says: str
) -> None:
    before = {LARGE: at("eager", "lazy")}

    with pytest.raises(BenchError) as refused:
        rewritten(before, {LARGE: seen(at("lazy", **made))}, whole=False)

    assert str(refused.value) == (
        f"Nothing was written. orders 20x5 on postgres {says}; and eager of 20x5, which the baseline has too, was not "
        "measured. Name that too, or type `bench baseline write` alone: it measures again all that the file has."
    )


@pytest.mark.parametrize(("made", "says"), OTHERWISE)
def test_with_other_versions_all_of_a_place_is_written_and_that_is_said(made: dict[str, Any], says: str) -> None:
    before, now = {LARGE: at("eager", "lazy")}, at("eager", "lazy", **made)

    after = rewritten(before, {LARGE: seen(now)}, whole=True)

    assert after == {LARGE: now}
    assert said(before, after) == [
        f"2 loads: {'rows' if 'dataset' in made else 'versions'} changed, in b.jsonl. Commit it.",
        f"What it had of postgres {says}.",
    ]
    assert rewritten(before, {LARGE: seen(now)}, whole=False) == after  # each of them was named


def test_another_size_may_have_been_made_with_other_versions() -> None:
    now = at("eager", sqlalchemy="2.1.9")

    assert rewritten({LARGE: at("eager")}, {SMALL: seen(now)}, whole=True) == {LARGE: at("eager"), SMALL: now}


def test_loads_without_python_calls_may_stand_beside_new_ones() -> None:
    after = rewritten({LARGE: at("eager", calls_with="")}, {LARGE: seen(at("lazy"))}, whole=False)

    assert after == {LARGE: at("eager", "lazy")}
    assert said({LARGE: at("eager", calls_with="")}, after) == [
        "2 loads: 1 new, versions changed, in b.jsonl. Commit it."
    ]


@pytest.mark.parametrize(
    ("place", "strategy", "whole", "kept"),
    [(SMALL, "lazy", True, "eager, lazy of 20x5"), (LARGE, "lazy", False, "eager of 20x5")],
    ids=["another size", "another strategy"],
)
def test_a_lost_index_of_loads_that_are_not_measured_is_not_agreed_to_unseen(
    place: Place, strategy: str, whole: bool, kept: str
) -> None:
    before = {LARGE: at("eager", "lazy")}

    with pytest.raises(BenchError) as refused:
        rewritten(before, {place: seen(at(strategy, schema=(TABLE,)))}, whole=whole)

    assert f"orders on postgres: 1 index gone from the schema: {INDEX}; and {kept}" in str(refused.value)


def test_another_schema_is_written_with_all_that_has_it_and_is_said() -> None:
    before = {LARGE: at("eager"), SMALL: at("eager")}
    now = at("eager", schema=(TABLE,))

    after = rewritten(before, {LARGE: seen(now), SMALL: seen(now)}, whole=True)

    assert after == {LARGE: now, SMALL: now}
    assert said(before, after) == [
        "2 loads: schema changed, in b.jsonl. Commit it.",
        f"orders on postgres: 1 index gone from the schema: {INDEX}",
    ]


def test_what_is_new_changed_gone_and_as_before_is_counted() -> None:
    before = {LARGE: at("eager", "lazy"), SMALL: at("eager")}

    after = rewritten(before, {LARGE: seen(at("eager", "joined", statements=3))}, whole=True)

    assert said(before, after) == ["3 loads: 1 new, 1 changed, 1 gone, in b.jsonl. Commit it."]
    assert said(after, after) == ["3 loads: all as before, in b.jsonl. Commit it."]


def test_of_many_loads_that_stay_some_are_named() -> None:
    before = {LARGE: at("a", "b", "c", "d", "e", "f")}

    with pytest.raises(BenchError, match="and b, c, d and 2 more of 20x5, which the baseline has too, were not"):
        rewritten(before, {LARGE: seen(at("a", driver="asyncpg"))}, whole=False)


def test_a_load_that_is_wrong_is_not_written() -> None:
    with pytest.raises(GateFailed, match=r"Nothing was written\. orders 20x5 on postgres: lazy fails"):
        rewritten({}, {LARGE: seen(at("eager"), lazy="fails")}, whole=True)
