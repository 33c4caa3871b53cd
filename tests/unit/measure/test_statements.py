from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session, joinedload
from support.library import library

from bench.catalogue import is_available
from bench.measure.statements import counting
from bench.model import Counters, Shape, Strategy
from scenarios.one_to_many import ONE_TO_MANY, User

STRATEGIES = pytest.mark.parametrize(
    "strategy", [*filter(is_available, ONE_TO_MANY.strategies)], ids=lambda strategy: strategy.name
)
BOOKS = (3, 5, 1, 4, 2)
SHAPE = Shape(rows=(5, 15), childless=(0,))


def counted(engine: Engine, work: Callable[[Session], Any]) -> Counters:
    with Session(engine) as session, counting(engine) as tally:
        work(session)
    return tally.counters()


def traced(engine: Engine, work: Callable[[Session], Any]) -> tuple[int, int]:
    """Statements and rows by SQLite's own account: what its trace callback saw, executed again by hand."""
    seen: list[str] = []
    raw = engine.raw_connection()
    connection = raw.dbapi_connection
    assert connection is not None
    connection.set_trace_callback(seen.append)
    try:
        with Session(engine) as session:
            work(session)
    finally:
        connection.set_trace_callback(None)
    rows = sum(len(connection.execute(sql).fetchall()) for sql in seen)
    raw.close()
    return len(seen), rows


def loads(strategy: Strategy) -> Callable[[Session], Any]:
    return lambda session: ONE_TO_MANY.load(session, strategy)


@STRATEGIES
def test_statements_and_rows_are_those_of_the_databases_own_trace(strategy: Strategy) -> None:
    engine = library(*BOOKS)

    counters = counted(engine, loads(strategy))

    assert (counters.statements, counters.rows) == traced(engine, loads(strategy))


@STRATEGIES
def test_statements_and_rows_follow_the_strategys_formulas(strategy: Strategy) -> None:
    counters = counted(library(*BOOKS), loads(strategy))

    assert (counters.statements, counters.rows) == (strategy.statements(SHAPE), strategy.rows(SHAPE))


@pytest.mark.parametrize("name", ["joined", "contains_eager"])
def test_a_join_repeats_its_parent_in_every_row_but_the_first(name: str) -> None:
    strategy = next(one for one in ONE_TO_MANY.strategies if one.name == name)

    counters = counted(library(*BOOKS), loads(strategy))

    assert counters.repeated_rows == sum(BOOKS) - len(BOOKS)
    assert counters.entities == sum(BOOKS) + len(BOOKS)
    assert counters.occurrences == 2 * sum(BOOKS)


@pytest.mark.parametrize("name", ["lazy", "selectin", "subquery", "immediate"])
def test_separate_statements_repeat_nobody(name: str) -> None:
    strategy = next(one for one in ONE_TO_MANY.strategies if one.name == name)

    counters = counted(library(*BOOKS), loads(strategy))

    assert (counters.repeated_rows, counters.inflation) == (0, 1.0)
    assert counters.entities == sum(BOOKS) + len(BOOKS)


def test_a_parent_without_children_is_one_row_of_an_outer_join_and_no_child() -> None:
    counters = counted(library(2, 0, 0), loads(ONE_TO_MANY.strategies[1]))

    assert (counters.rows, counters.repeated_rows, counters.entities, counters.occurrences) == (4, 1, 5, 6)


def fetch_in_pieces(result: Any) -> None:
    while result.fetchmany(2):
        pass


FETCHES: dict[str, tuple[Callable[[Any], Any], int]] = {
    "all": (lambda result: result.all(), 5),
    "fetchall": (lambda result: result.fetchall(), 5),
    "fetchmany": (fetch_in_pieces, 5),
    "fetchone": (lambda result: result.fetchone(), 1),
    "iteration": (list, 5),
    "partitions": (lambda result: list(result.partitions(3)), 5),
    "mappings": (lambda result: result.mappings().all(), 5),
    "first": (lambda result: result.first(), 1),
}


@pytest.mark.parametrize("name", FETCHES)
def test_rows_are_those_that_the_driver_handed_over_by_every_fetch_method(name: str) -> None:
    fetch, expected = FETCHES[name]

    counters = counted(library(*BOOKS), lambda session: fetch(session.execute(text("SELECT id, name FROM users"))))

    assert counters.rows == expected


def test_the_first_of_an_orm_result_fetches_every_row() -> None:
    counters = counted(library(*BOOKS), lambda session: session.scalars(select(User)).first())

    assert counters.rows == len(BOOKS)


def test_rows_streamed_with_yield_per_are_counted_each_once() -> None:
    statement = select(User).execution_options(yield_per=2)

    counters = counted(library(*BOOKS), lambda session: list(session.scalars(statement)))

    assert counters.rows == len(BOOKS)


def test_bound_parameters_are_counted_each_time_they_are_sent() -> None:
    counters = counted(library(1, 1), lambda s: [s.get(User, 1), s.get(User, 2), s.scalar(select(User).limit(1))])

    assert counters.parameters == 1 + 1 + 2  # LIMIT and OFFSET


def test_executemany_is_one_statement_with_the_parameters_of_all() -> None:
    sql = text("UPDATE users SET name = :name WHERE id = :id")

    counters = counted(library(1, 1), lambda s: s.execute(sql, [{"name": "a", "id": 1}, {"name": "b", "id": 2}]))

    assert (counters.statements, counters.parameters, counters.rows) == (1, 4, 0)


def test_statements_are_told_apart_by_their_text_in_the_order_of_first_execution() -> None:
    counters = counted(library(1, 1, 1), loads(ONE_TO_MANY.strategies[0]))

    users, books = counters.by_statement
    assert (users.executions, users.rows, users.parameters) == (1, 3, 0)
    assert (books.executions, books.rows, books.parameters) == (3, 3, 3)
    assert "FROM books" in books.sql


def test_bytes_are_those_of_text_as_encoded_and_eight_for_a_number() -> None:
    counters = counted(library(1), lambda s: s.execute(text("SELECT id, bio, NULL FROM users")).all())

    assert counters.bytes == 8 + 10
    counters = counted(library(1), lambda s: s.execute(text("SELECT summary FROM books")).all())
    assert counters.bytes == 10


def test_nothing_is_counted_once_the_block_has_ended() -> None:
    engine = library(1)
    with Session(engine) as session, counting(engine) as tally:
        session.scalars(select(User)).all()
    with Session(engine) as session:
        session.scalars(select(User).options(joinedload(User.books))).unique().all()

    assert tally.counters().statements == 1
