"""Bytes on the wire: what the relay counts is what a count by hand says, message by message, on every driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bench.connect import calling, engine
from bench.databases.latency import Relayed, relayed
from bench.measure.warming import warm_loads
from bench.measure.wire import ROW_FRAME, VALUE_FRAME, rows_held

if TYPE_CHECKING:  # pytest imports it as a plugin, and has to be the first to
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]

DRIVERS = ("psycopg", "psycopg_async", "asyncpg")

HEAD = 1 + 4
"""A message's letter and its length."""

READY = HEAD + 1

OF_ALL_TYPES = """
CREATE TABLE everything AS SELECT id, (id * 1000000007::int8) AS far, (id % 2 = 0) AS even, id / 3.0::float8 AS part,
    (id * 10001)::numeric / 8 AS exact, date '2020-02-29' + id AS day, md5(id::text)::uuid AS uuid,
    timestamp '2020-02-29 10:00:00' + id * interval '1250 ms' AS moment, decode(repeat('ab', id), 'hex') AS bytes,
    repeat('é', id) AS text, CASE WHEN id % 2 = 0 THEN 'there' END AS maybe, (id % 7)::int2 AS small, 7.5::numeric AS n
FROM generate_series(1, 40) AS id
"""


WIDE = "CREATE TABLE wide AS SELECT id, repeat('x', 10) AS t FROM generate_series(1, 100) id"


@pytest.fixture(scope="module")
def wire(postgres: PostgresForTests) -> Iterator[Callable[[str], Relayed]]:
    """A database of these tests behind a relay, by a driver's name."""
    with postgres.database() as database:
        postgres.query(OF_ALL_TYPES, database=database)
        postgres.query(WIDE, database=database)
        with relayed(postgres.target(database)) as behind:
            yield lambda driver: replace(behind, target=replace(behind.target, driver=driver))


def session_of(made: Engine) -> Callable[[], Session]:
    return lambda: Session(made)


def crossed(through: Relayed, loads: list[Callable[[Session], Any]]) -> list[tuple[int, int]]:
    """The bytes that each of the loads sends and receives once it is warm."""
    made = engine(through.target)
    found = []

    def run(load: Callable[[Session], Any]) -> None:
        with Session(made) as session:
            load(session)

    with calling(made) as call:
        for load in loads:
            for _ in range(warm_loads(made.dialect.driver) + 1):
                call(partial(run, load))
            sent, received = through.passed()
            call(partial(run, load))
            after = through.passed()
            found.append((after[0] - sent, after[1] - received))
    return found


def selecting(sql: str, **parameters: Any) -> Callable[[Session], Any]:
    return lambda session: session.execute(text(sql), parameters).all()


def test_a_load_by_psycopg_is_sent_what_a_count_by_hand_says(wire: Callable[[str], Relayed]) -> None:
    """Every message both ways, by the protocol's description; what has no parameters psycopg sends as text alone."""
    sql = "SELECT id, t FROM wide WHERE id <= 12"
    columns = HEAD + 2 + sum(len(name) + 1 + 18 for name in ("id", "t"))
    rows = 12 * (HEAD + 2) + sum(4 + len(str(number)) + 4 + 10 for number in range(1, 13))

    def asked(query: str) -> int:
        return HEAD + len(query) + 1

    def done(tag: str) -> int:
        return HEAD + len(tag) + 1 + READY

    ((sent, received),) = crossed(wire("psycopg"), [selecting(sql)])

    assert sent == asked("BEGIN") + asked(sql) + asked("ROLLBACK")
    assert received == done("BEGIN") + columns + rows + done("SELECT 12") + done("ROLLBACK")


@pytest.mark.parametrize("driver", DRIVERS)
def test_bytes_more_in_a_column_are_so_many_more_a_row(driver: str, wire: Callable[[str], Relayed]) -> None:
    load = "SELECT id, rpad(t, :width, 'y') AS t FROM wide"

    (_, narrow), (_, wider) = crossed(wire(driver), [selecting(load, width=100), selecting(load, width=123)])

    assert wider - narrow == 100 * 23


@pytest.mark.parametrize("driver", DRIVERS)
def test_rows_take_what_their_contents_say_whatever_their_types(driver: str, wire: Callable[[str], Relayed]) -> None:
    load = "SELECT * FROM everything WHERE id <= :most"
    through = wire(driver)

    (_, none), (_, all_of_them) = crossed(through, [selecting(load, most=0), selecting(load, most=40)])
    made = engine(through.target)
    with calling(made) as call:
        held = call(lambda: rows_held(made, session_of(made), selecting(load, most=40)))

    assert (held.rows, held.values) == (40, 40 * 13)
    assert held.framing_bytes == 40 * (ROW_FRAME + 13 * VALUE_FRAME)
    assert held.row_bytes == all_of_them - none - len("40") + len("0")  # the command's tag counts rows


def test_a_second_connection_is_counted_with_the_first(wire: Callable[[str], Relayed]) -> None:
    through = wire("psycopg")
    before = through.passed()
    first = crossed(through, [selecting("SELECT 1")])
    between = through.passed()
    second = crossed(through, [selecting("SELECT 1")])

    after = through.passed()

    assert first == second
    # What is received alone: the message that ends a connection is not answered, and may still be on its way.
    assert after[1] - between[1] == between[1] - before[1]
