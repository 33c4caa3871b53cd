"""Counting behind an asynchronous driver that needs no server; the others are held to theirs in integration tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from bench.connect import calling, engine
from bench.datasets import fingerprint as expected_fingerprint
from bench.datasets import graph_lines as expected_lines
from bench.datasets import seed_sqlite
from bench.measure.floor import bare_connection, read_sent, replay, write_sent
from bench.measure.graph import fingerprint, graph_lines
from bench.measure.statements import counting
from bench.model import Counters, DatasetOptions, Shape, Size, Strategy, Target
from scenarios.one_to_many import ONE_TO_MANY, User

SIZE = Size((60, 3))
SHAPE = Shape(rows=(60, 180), childless=(0,))
STRATEGIES = pytest.mark.parametrize("strategy", ONE_TO_MANY.strategies, ids=lambda strategy: strategy.name)


@pytest.fixture
def made(tmp_path: Path) -> Engine:
    path = tmp_path / "seeded.sqlite3"
    seed_sqlite(ONE_TO_MANY, SIZE, DatasetOptions(), path)
    return engine(Target(name="sqlite", dialect="sqlite", driver="aiosqlite", provider="embedded", database=str(path)))


def traced(made: Engine, work: Callable[[], Any]) -> list[str]:
    """Statements by SQLite's own account: what its trace callback saw."""
    seen: list[str] = []
    raw = made.raw_connection()
    adapter: Any = raw.dbapi_connection
    adapter.run_async(lambda bare: bare.set_trace_callback(seen.append))
    raw.close()
    work()
    return seen


@STRATEGIES
def test_aiosqlite_statements_rows_graph_and_floor_are_exact(strategy: Strategy, made: Engine, tmp_path: Path) -> None:
    def count() -> tuple[Counters, str]:
        with Session(made) as session, counting(made) as tally:
            users = ONE_TO_MANY.load(session, strategy)
            write_sent(tally.sent, tmp_path / "sent")
            return tally.counters(), fingerprint(graph_lines(ONE_TO_MANY, users))

    def floor() -> list[Any]:
        with bare_connection(made) as connection:
            return replay(connection, read_sent(tmp_path / "sent"))

    with calling(made) as call:
        counters, found = call(count)
        fetched = call(floor)
        seen = call(lambda: traced(made, count))

    assert (counters.statements, counters.rows) == (strategy.statements(SHAPE), strategy.rows(SHAPE))
    assert counters.statements == len([sql for sql in seen if sql.startswith("SELECT")])
    assert found == expected_fingerprint(expected_lines(ONE_TO_MANY, SIZE, DatasetOptions()))
    assert (len(fetched), sum(map(len, fetched))) == (counters.statements, counters.rows)


@pytest.mark.parametrize(
    ("fetch", "rows"),
    [
        (lambda session: session.execute(text("SELECT * FROM users")).all(), 60),
        (lambda session: session.execute(text("SELECT * FROM users")).fetchone(), 1),
        (lambda session: session.execute(text("SELECT * FROM users")).fetchmany(7), 7),
        (lambda session: list(session.scalars(select(User).execution_options(yield_per=7))), 60),
    ],
)
def test_aiosqlite_rows_are_those_handed_over_by_every_fetch_method(
    fetch: Callable[[Session], Any], rows: int, made: Engine
) -> None:
    def count() -> int:
        with Session(made) as session, counting(made) as tally:
            fetch(session)
            return tally.counters().rows

    with calling(made) as call:
        assert call(count) == rows
