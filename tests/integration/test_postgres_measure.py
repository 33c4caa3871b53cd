"""Every driver measured against a real server: the counts are the server's own, the graph is the dataset's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only

from bench.connect import calling, engine
from bench.datasets import fingerprint as expected_fingerprint
from bench.datasets import graph_lines as expected_lines
from bench.datasets import seed_postgres
from bench.measure.floor import bare_connection, read_sent, replay, write_sent
from bench.measure.graph import fingerprint, graph_lines
from bench.measure.statements import counting
from bench.measure.warming import warm_loads
from bench.measure.workers import LoadFailed, WorkerProcess
from bench.model import Counters, DatasetOptions, Shape, Size, Strategy, Target
from scenarios.one_to_many import ONE_TO_MANY, User

if TYPE_CHECKING:  # pytest imports it as a plugin, and has to be the first to
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]

SIZE = Size((60, 7))
SHAPE = Shape(rows=(60, 420), childless=(0,))
OPTIONS = DatasetOptions(order="shuffled")
DRIVERS = ("psycopg", "psycopg_async", "asyncpg")
STRATEGIES = pytest.mark.parametrize("strategy", ONE_TO_MANY.strategies, ids=lambda strategy: strategy.name)

NO_LOADS_OWN = "^(BEGIN|ROLLBACK|COMMIT|DEALLOCATE|CLOSE)"
"""What the session and the driver send around the statements of a load."""


class Reached(NamedTuple):
    """A seeded database reached by one driver: how work on it is called, its engine, the server, its target."""

    call: Callable[[Callable[[], Any]], Any]
    engine: Engine
    server: PostgresForTests
    target: Target

    def load(self, work: Callable[[Session], Any]) -> Any:
        def in_session() -> Any:
            with Session(self.engine) as session:
                return work(session)

        return self.call(in_session)

    def counted(self, work: Callable[[Session], Any]) -> Counters:
        def in_session() -> Counters:
            with Session(self.engine) as session, counting(self.engine) as tally:
                work(session)
                return tally.counters()

        return self.call(in_session)  # type: ignore[no-any-return]

    def servers_account(self, work: Callable[[Session], Any]) -> dict[str, tuple[int, int]]:
        """Calls and rows of each statement, by the server's own count, of a load that is not the first."""
        self.load(work)
        self.server.query("SELECT pg_stat_statements_reset()")
        self.load(work)
        return self.servers_own_count()

    def servers_own_count(self) -> dict[str, tuple[int, int]]:
        """Calls and rows of each statement since the last reset."""
        found = self.server.query(
            "SELECT query, calls, rows FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid "
            "WHERE datname = %s AND query !~* %s",
            (self.target.database, NO_LOADS_OWN),
        )
        return {query: (calls, rows) for query, calls, rows in found}


@pytest.fixture(scope="module")
def seeded(postgres: PostgresForTests) -> Iterator[str]:
    postgres.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    with postgres.database() as name:
        seed_postgres(ONE_TO_MANY, SIZE, OPTIONS, postgres.target(name))
        yield name


@pytest.fixture(scope="module", params=DRIVERS)
def reached(request: pytest.FixtureRequest, postgres: PostgresForTests, seeded: str) -> Iterator[Reached]:
    target = postgres.target(seeded, request.param)
    made = engine(target)
    with calling(made) as call:
        yield Reached(call, made, postgres, target)


def loads(strategy: Strategy) -> Callable[[Session], Any]:
    return lambda session: ONE_TO_MANY.load(session, strategy)


def totals(account: dict[str, tuple[int, int]]) -> tuple[int, int]:
    return sum(calls for calls, _ in account.values()), sum(rows for _, rows in account.values())


@STRATEGIES
def test_statements_and_rows_are_those_that_the_server_counted(strategy: Strategy, reached: Reached) -> None:
    counters = reached.counted(loads(strategy))

    assert (counters.statements, counters.rows) == totals(reached.servers_account(loads(strategy)))
    assert (counters.statements, counters.rows) == (strategy.statements(SHAPE), strategy.rows(SHAPE))


@STRATEGIES
def test_every_strategy_loads_the_datasets_graph(strategy: Strategy, reached: Reached) -> None:
    found = reached.load(lambda session: fingerprint(graph_lines(ONE_TO_MANY, ONE_TO_MANY.load(session, strategy))))

    assert found == expected_fingerprint(expected_lines(ONE_TO_MANY, SIZE, OPTIONS))


@STRATEGIES
def test_the_floor_sends_and_fetches_what_the_strategy_does(
    strategy: Strategy, reached: Reached, tmp_path: Path
) -> None:
    def capture() -> Counters:
        with Session(reached.engine) as session, counting(reached.engine) as tally:
            ONE_TO_MANY.load(session, strategy)
        write_sent(tally.sent, tmp_path / "sent")
        return tally.counters()

    def replayed() -> list[Any]:
        with bare_connection(reached.engine) as connection:
            return replay(connection, read_sent(tmp_path / "sent"))

    counters = reached.call(capture)
    reached.call(replayed)
    reached.server.query("SELECT pg_stat_statements_reset()")
    fetched = reached.call(replayed)

    assert (len(fetched), sum(map(len, fetched))) == (counters.statements, counters.rows)
    assert totals(reached.servers_own_count()) == (counters.statements, counters.rows)


def test_the_floor_leaves_no_transaction_open(reached: Reached) -> None:
    def replayed() -> None:
        with bare_connection(reached.engine) as connection:
            replay(connection, [("SELECT 1", (), False)])

    reached.call(replayed)

    states = reached.server.query("SELECT state FROM pg_stat_activity WHERE datname = %s", (reached.target.database,))
    assert {state for (state,) in states} == {"idle"}


@STRATEGIES
def test_once_warm_every_load_finds_statements_prepared_and_planned_alike(strategy: Strategy, reached: Reached) -> None:
    def grown(session: Session) -> dict[str, tuple[int, int]]:
        before = prepared(session)
        ONE_TO_MANY.load(session, strategy)
        return {
            sql: (generic - before.get(sql, (0, 0))[0], custom - before.get(sql, (0, 0))[1])
            for sql, (generic, custom) in prepared(session).items()
        }

    made = engine(reached.target)  # its own, for what earlier loads prepared stays with a connection
    with calling(made) as call:
        fresh = reached._replace(call=call, engine=made)
        for _ in range(warm_loads(reached.target.driver)):
            fresh.load(loads(strategy))
        first, second, *_, last = [fresh.load(grown) for _ in range(8)]

    assert first == second == last


def prepared(session: Session) -> dict[str, tuple[int, int]]:
    """Times that each prepared statement of the session was run by a plan for all parameters, and by one of its own."""
    found = session.execute(text("SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements"))
    return {sql: (generic, custom) for sql, generic, custom in found if "pg_prepared_statements" not in sql}


def test_psycopg_prepares_afresh_in_every_session_that_ends_without_a_commit(reached: Reached) -> None:
    lazy, joined = ONE_TO_MANY.strategies[:2]
    if not reached.target.driver.startswith("psycopg"):
        pytest.skip("about psycopg")

    def left_prepared(session: Session, strategy: Strategy) -> int:
        ONE_TO_MANY.load(session, strategy)
        return sum(map(sum, prepared(session).values()))

    for _ in range(12):
        assert reached.load(lambda session: left_prepared(session, joined)) == 0
        assert reached.load(lambda session: left_prepared(session, lazy)) == SHAPE.parents - 5


STREAMED = select(User).execution_options(yield_per=7)


def test_rows_of_a_server_side_cursor_are_those_that_the_server_read_for_it(reached: Reached) -> None:
    def read_so_far(session: Session) -> int:
        sql = "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = 'users'"
        return int(session.execute(text(sql)).scalar_one())

    def read_by_server(session: Session) -> int:
        before = read_so_far(session)
        assert len(list(session.scalars(STREAMED))) == SHAPE.parents
        return read_so_far(session) - before

    counters = reached.counted(lambda session: list(session.scalars(STREAMED)))

    assert counters.rows == reached.load(read_by_server) == SHAPE.parents
    assert counters.statements == 1


def test_a_server_side_cursor_is_one_statement_and_its_fetches_are_its_rows(reached: Reached) -> None:
    if not reached.target.driver.startswith("psycopg"):
        pytest.skip("asyncpg fetches from a portal, which the server does not count before it is committed")

    def stream(session: Session) -> None:
        assert len(list(session.scalars(STREAMED))) == SHAPE.parents

    counters = reached.counted(stream)
    account = reached.servers_account(stream)

    assert counters.statements == sum(calls for sql, (calls, _) in account.items() if sql.startswith("DECLARE"))
    assert counters.rows == sum(rows for sql, (_, rows) in account.items() if sql.startswith("FETCH"))
    assert {sql.split()[0] for sql in account} == {"DECLARE", "FETCH"}


def test_a_stream_that_is_left_early_counts_what_was_handed_over_until_then(reached: Reached) -> None:
    def leave_early(session: Session) -> None:
        with session.scalars(STREAMED) as result:
            next(result.partitions())

    counters = reached.counted(leave_early)

    assert (counters.statements, counters.rows) == (1, 7)


def test_the_load_is_the_one_that_an_async_session_runs(reached: Reached) -> None:
    if not reached.engine.dialect.is_async:
        pytest.skip("about asynchronous drivers")
    strategy = ONE_TO_MANY.strategies[0]

    async def through_async_session() -> Counters:
        async with AsyncSession(AsyncEngine(reached.engine)) as session:
            with counting(reached.engine) as tally:
                await session.run_sync(lambda inner: ONE_TO_MANY.load(inner, strategy))
                return tally.counters()

    counters = reached.call(lambda: await_only(through_async_session()))

    assert counters == reached.counted(loads(strategy))


def test_a_worker_serves_every_request_whatever_the_driver(reached: Reached, tmp_path: Path) -> None:
    expected = expected_fingerprint(expected_lines(ONE_TO_MANY, SIZE, OPTIONS))
    with WorkerProcess("one_to_many", reached.target, hash_seed=0) as worker:
        for strategy in ONE_TO_MANY.strategies:
            sent = tmp_path / f"{strategy.name}.sent"
            seen = worker.ask("observe", strategy=strategy.name, expected=expected, sent_to=str(sent))
            assert (seen["equal"], seen["further"]) == (True, 0)
            assert seen["counters"]["statements"] == strategy.statements(SHAPE)
            worker.ask("graph", strategy=strategy.name, path=str(tmp_path / "graph"))
            assert expected_fingerprint((tmp_path / "graph").read_text().splitlines()) == expected
            assert worker.ask("memory", strategy=strategy.name)["peak_bytes"] > 100_000
            worker.ask("floor", strategy=strategy.name, path=str(sent))
            for floor in (False, True):
                taken = worker.ask("time", strategy=strategy.name, floor=floor, collector="quiet")
                assert taken["wall_ns"] > 0
        assert worker.ask("live_objects")["live_objects"] > 10_000


def test_a_load_that_raises_leaves_the_worker_well(reached: Reached) -> None:
    with WorkerProcess("one_to_many", reached.target, hash_seed=0) as worker:
        with pytest.raises(LoadFailed, match=r"InvalidRequestError: 'User\.books' is not available"):
            worker.ask("time", strategy="raise", floor=False, collector="quiet")

        assert worker.ask("time", strategy="lazy", floor=False, collector="quiet")["wall_ns"] > 0
