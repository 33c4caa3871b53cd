"""What a block sends and fetches is counted exactly, whoever sends it: SQLite's own trace says the same."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from weakref import ref

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, func, insert, literal, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, scoped_session, selectinload, sessionmaker
from sqlalchemy.pool import QueuePool, StaticPool
from support.library import library

from bench.errors import BenchError
from bench.measure.tracing import ORIGIN
from bench.testing import Seen, count_statements, listening
from bench.testing.listening import SESSION, stop_listening
from bench.testing.recording import is_control
from scenarios.one_to_many import Base, Book, User

BOOKS = (3, 5, 1, 4, 2)
CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


class Noted(DeclarativeBase):
    """Classes of these tests alone."""


class Note(Noted):
    """A row whose value SQL gives: it is asked for before the row is inserted."""

    __tablename__ = "notes"
    __table_args__ = {"implicit_returning": False}  # noqa: RUF012 - as SQLAlchemy has it
    id: Mapped[int] = mapped_column(primary_key=True, default=select(func.coalesce(literal(7), 0)).scalar_subquery())
    text: Mapped[str]


@pytest.fixture
def engine() -> Engine:
    made = library(*BOOKS)
    Noted.metadata.create_all(made)
    return made


@pytest.fixture
def traced(engine: Engine) -> Iterator[list[str]]:
    """Statements by SQLite's own account, without those that control transactions."""
    seen: list[str] = []
    raw = engine.raw_connection()
    connection: Any = raw.dbapi_connection
    connection.set_trace_callback(lambda sql: None if sql.startswith(CONTROL) else seen.append(sql))
    yield seen
    connection.set_trace_callback(None)
    raw.close()


def load_lazily(session: Session) -> int:
    return sum(len(user.books) for user in session.scalars(select(User)))


def new_users(session: Session, count: int) -> None:
    session.add_all([User(name="n", email=f"{number}@n", bio="b") for number in range(count)])


def flushed(session: Session) -> None:
    new_users(session, 7)
    session.flush()


def committed(session: Session) -> None:
    new_users(session, 1)
    session.commit()


def noted(session: Session) -> None:
    session.add(Note(text="n"))
    session.flush()


def nested(session: Session) -> None:
    for _ in range(2):
        with session.begin_nested():
            new_users(session, 1)


WORK: dict[str, tuple[Callable[[Session], Any], int]] = {
    "lazy": (load_lazily, 20),
    "selectin": (lambda session: session.scalars(select(User).options(selectinload(User.books))).all(), 20),
    "a flush": (flushed, 7),
    "a commit": (committed, 0),
    "a bulk insert": (lambda session: session.execute(insert(User), [{"name": "n", "email": "e", "bio": "b"}]), 0),
    "an insert in batches": (
        lambda session: session.execute(
            insert(User).returning(User.id), [{"name": "n", "email": "e", "bio": "b"} for _ in range(25_00)]
        ).all(),
        2500,
    ),
    "a default that is asked for": (noted, 1),
    "an update": (lambda session: session.execute(text("UPDATE users SET name = 'x'")), 0),
    "savepoints": (nested, 0),
    "text": (lambda session: session.execute(text("SELECT id FROM books")).all(), 15),
    "the driver's own": (lambda session: session.connection().exec_driver_sql("SELECT id FROM books").fetchmany(4), 4),
    "a stream": (lambda session: list(session.scalars(select(Book).execution_options(yield_per=2))), 15),
    "nothing": (lambda session: None, 0),
}


@pytest.mark.parametrize("name", WORK)
def test_statements_are_those_that_sqlite_ran_and_rows_those_that_it_handed_over(
    name: str, engine: Engine, traced: list[str]
) -> None:
    work, rows = WORK[name]
    with Session(engine) as session:
        traced.clear()
        with count_statements(engine) as seen:
            work(session)
        sent = len(traced)

    assert (seen.statements, seen.rows) == (sent, rows)


def test_an_executemany_is_one_statement(engine: Engine) -> None:
    with engine.begin() as connection, count_statements(engine, exactly=1):
        connection.execute(text("UPDATE users SET name = :name"), [{"name": "a"}, {"name": "b"}])


def test_what_controls_a_transaction_is_no_statement_by_whomever_it_is_sent(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:  # as SQLAlchemy's documentation has it for SQLite
        connection.exec_driver_sql("BEGIN")

    with count_statements(engine, exactly=0), Session(engine) as session, session.begin(), session.begin_nested():
        session.connection()


def test_a_block_of_code_that_begins_with_begin_is_a_statement() -> None:
    control = ("BEGIN", "begin immediate;", " ROLLBACK TO SAVEPOINT a", "Start  Transaction", "release savepoint x")
    work = ("BEGIN pay(); END;", "SELECT 1 -- COMMIT", "BEGINNING", "WITH a AS (SELECT 1) SELECT * FROM a")

    assert list(map(is_control, (*control, *work))) == [True] * len(control) + [False] * len(work)


def test_blocks_in_one_another_count_each_for_themselves(engine: Engine) -> None:
    with Session(engine) as session, count_statements(engine, exactly=8, rows_exactly=22) as outer:
        session.scalars(select(User.id).limit(1)).all()
        with count_statements(session, exactly=6, rows_exactly=20) as inner, count_statements() as again:
            load_lazily(session)
        session.scalars(select(User.id).limit(1)).all()

    assert (inner.statements, again.statements, again.rows, outer.statements) == (6, 6, 20, 8)


def test_rows_of_a_default_are_not_those_of_the_insert_also_in_blocks_in_one_another(engine: Engine) -> None:
    with Session(engine) as session, count_statements(engine) as outer, count_statements(engine) as inner:
        noted(session)

    assert [(one.executions, one.rows) for one in inner.sent] == [(1, 1), (1, 0)]
    assert outer.sent == inner.sent


def test_only_the_engines_that_are_named_count_and_all_of_them(engine: Engine) -> None:
    other, third = library(1), library(2)
    with count_statements(engine, exactly=6), count_statements(other, third, exactly=4), count_statements(exactly=10):
        for each in (engine, other, third):
            with Session(each) as session:
                load_lazily(session)


def test_an_engine_made_within_the_block_counts_without_a_name_and_what_it_asks_of_itself_does_not() -> None:
    with count_statements(exactly=1, rows_exactly=1), create_engine("sqlite://").connect() as connection:
        connection.execute(text("SELECT 1")).all()


def test_engines_with_options_are_counted_once(engine: Engine) -> None:
    optioned = engine.execution_options(isolation_level="AUTOCOMMIT")
    for named in ((engine,), (optioned,), (engine, optioned), ()):
        with count_statements(*named, exactly=2), optioned.connect() as first, engine.connect() as second:
            first.execute(text("SELECT 1"))
            second.execute(text("SELECT 1"))


def test_a_connection_that_was_open_before_counts(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        with count_statements(connection, exactly=1):
            connection.execute(text("SELECT 1"))


def test_rows_fetched_after_the_block_are_not_of_it(engine: Engine) -> None:
    with engine.connect() as connection:
        with count_statements(engine) as seen:
            result = connection.execute(text("SELECT id FROM books"))
            result.fetchmany(3)
        result.all()

    assert (seen.statements, seen.rows) == (1, 3)


def test_what_threads_send_is_counted_to_the_last(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'shared.sqlite3'}", poolclass=QueuePool)
    Base.metadata.create_all(engine)
    ready = threading.Barrier(4)

    def request(_: int) -> None:
        ready.wait()
        for _ in range(50):
            with Session(engine) as session:
                session.execute(text("SELECT 1 UNION SELECT 2")).all()

    with count_statements(engine, exactly=200, rows_exactly=400) as seen, ThreadPoolExecutor(4) as pool:
        list(pool.map(request, range(4)))
    engine.dispose()

    assert [one.executions for one in seen.sent] == [200]


def test_who_asked_is_not_mixed_up_between_threads_and_flushes(engine: Engine) -> None:
    with Session(engine) as session:
        user = session.get_one(User, 1)
        new_users(session, 1)
        with count_statements(session) as seen:
            len(user.books)  # flushes before it loads

    assert [(one.asking, one.paths) for one in seen.sent] == [("load", ()), ("lazy", ("User.books",))]


def test_an_error_of_the_block_goes_before_its_limits_and_nothing_of_it_listens(engine: Engine) -> None:
    def work(session: Session) -> None:
        session.execute(text("SELECT 1"))
        session.execute(insert(User), [{"id": 1, "name": "n", "email": "e", "bio": "b"}])

    with Session(engine) as session, pytest.raises(IntegrityError), count_statements(engine, exactly=0):
        work(session)

    assert heard() == 0


def test_nothing_of_a_block_is_held_after_it() -> None:
    engine = create_engine("sqlite://")
    with count_statements(engine) as seen, Session(engine) as session:
        session.execute(text("SELECT 1")).all()
    engine.dispose()
    record, engine_seen = ref(seen._record), ref(engine)
    del seen, session, engine
    gc.collect()

    assert (record(), engine_seen()) == (None, None)


@pytest.mark.parametrize("sources", [(), ("engine",)])
def test_blocks_share_the_listeners_that_the_first_of_them_added_and_none_of_them_goes_on_listening(
    sources: tuple[str, ...], engine: Engine
) -> None:
    with count_statements():
        before = listeners(engine)
    with pytest.raises(AssertionError), count_statements(*[engine] * len(sources), exactly=1):
        assert (listeners(engine), heard()) == (before, 1)

    assert (listeners(engine), heard()) == (before, 0)


def test_listeners_that_somebody_cleared_are_added_again(engine: Engine) -> None:
    with count_statements():
        pass
    stop_listening()
    for _ in range(2):
        with count_statements(exactly=6), Session(engine) as session:
            load_lazily(session)


def test_without_a_block_a_statement_is_told_to_nobody_and_carries_nothing(engine: Engine) -> None:
    with count_statements():
        pass
    with Session(engine) as session:
        result = session.execute(select(User))

        assert heard() == 0
        assert not {ORIGIN, SESSION} & result.context.execution_options.keys()  # type: ignore[attr-defined]


def heard() -> int:
    """How many blocks are told of what is sent."""
    return len(listening._listening)


def listeners(engine: Engine) -> int:
    """How many functions SQLAlchemy calls for the two events."""
    return len(list(engine.dispatch.after_cursor_execute)) + len(list(Session().dispatch.do_orm_execute))


def test_what_is_at_hand_names_its_engine(engine: Engine) -> None:
    maker = sessionmaker(engine)
    with Session(binds={User: engine}) as bound, engine.connect() as connection, maker() as session:
        sources = [engine, connection, session, bound, maker, scoped_session(maker), Session(bind=connection)]
        for source in sources:
            with count_statements(source, exactly=1):
                connection.execute(text("SELECT 1"))


@pytest.mark.parametrize("source", [3, "engine", None, Session, Session(), object()])
def test_what_has_no_engine_is_refused(source: Any) -> None:
    with pytest.raises(BenchError, match=r"cannot be counted|bound to no engine"):
        count_statements(source)


@pytest.mark.parametrize(
    "limits",
    [{"at_most": -1}, {"exactly": 1.5}, {"rows_at_most": True}, {"at_most": 1, "exactly": 1}, {"exactly": "3"}],
)
def test_limits_that_make_no_sense_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(BenchError, match="Give"):
        count_statements(**limits)


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        ({"at_most": 6}, True),
        ({"at_most": 5}, False),
        ({"exactly": 6}, True),
        ({"exactly": 7}, False),
        ({"rows_at_most": 20}, True),
        ({"rows_at_most": 19}, False),
        ({"rows_exactly": 20}, True),
        ({"rows_exactly": 21}, False),
        ({"at_most": 6, "rows_exactly": 19}, False),
        ({}, True),
    ],
)
def test_each_limit_is_held(limits: dict[str, int], kept: bool, engine: Engine) -> None:
    def work() -> None:
        with Session(engine) as session, count_statements(session, **limits):
            load_lazily(session)

    if kept:
        work()
    else:
        with pytest.raises(AssertionError, match="expected"):
            work()


def test_async_engines_and_sessions_count_with_a_plain_with() -> None:
    async def work() -> Seen:
        engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        maker = async_sessionmaker(engine)
        async with maker() as session:
            session.add_all([User(name="n", email="e", bio="b") for _ in range(3)])
            await session.commit()
        async with maker() as session:
            scoped = async_scoped_session(maker, scopefunc=lambda: 1)
            with ExitStack() as blocks:
                for source in (engine, session, maker, scoped):
                    seen = blocks.enter_context(count_statements(source, exactly=1, rows_exactly=3))
                await several(session)
        await engine.dispose()
        return seen

    async def several(session: AsyncSession) -> None:
        await session.scalars(select(User))

    seen = asyncio.run(work())
    gc.collect()

    assert [(one.paths, one.code) for one in seen.sent] == [(("User",), "await session.scalars(select(User))")]


def test_tasks_side_by_side_are_told_apart(tmp_path: Path) -> None:
    async def work() -> Seen:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'tasks.sqlite3'}")
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

        async def users() -> None:
            async with AsyncSession(engine) as session:
                await session.scalars(select(User))

        async def books() -> None:
            async with AsyncSession(engine) as session:
                await session.execute(text("SELECT 1"))

        with count_statements(engine, exactly=20) as seen:
            await asyncio.gather(*(task() for task in (users, books) * 10))
        await engine.dispose()
        return seen

    seen = asyncio.run(work())

    assert {(one.executions, one.paths, one.code) for one in seen.sent} == {
        (10, ("User",), "await session.scalars(select(User))"),
        (10, (), 'await session.execute(text("SELECT 1"))'),
    }


def test_one_count_serves_one_block_at_a_time(engine: Engine) -> None:
    count = count_statements(engine, exactly=1)
    for _ in range(2):
        with count, engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    with count as seen, engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        with pytest.raises(BenchError, match="under way already"):
            count.__enter__()

    assert seen.statements == 1
    assert heard() == 0
