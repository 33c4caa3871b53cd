"""A load that sends more statements for more parents fails, and one of which nothing is shown does too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.pool import StaticPool
from support.library import library

from bench.errors import BenchError
from bench.testing import assert_scaling, assert_scaling_async, listening
from scenarios.one_to_many import Base, Book, User


def users(count: int, *, books: int = 3) -> list[User]:
    return [
        User(name="n", email="e", bio="b", books=[Book(title="t", year=1, summary="s") for _ in range(books)])
        for _ in range(count)
    ]


@pytest.fixture
def engine() -> Engine:
    return library()


@pytest.fixture
def session(engine: Engine) -> Any:
    with Session(engine) as made:
        yield made


def loading(session: Session, *options: Any, limit: int | None = None) -> Callable[[], None]:
    def load() -> None:
        for user in session.scalars(select(User).options(*options).limit(limit)).unique():
            [book.title for book in user.books]

    return load


@pytest.mark.parametrize("option", [selectinload, joinedload])
def test_an_eager_load_scales_and_what_was_seen_at_each_size_is_returned(option: Any, session: Session) -> None:
    small, large = assert_scaling(
        loading(session, option(User.books)), session, add=lambda count: session.add_all(users(count))
    )

    own = 1 if option is selectinload else 0
    assert (small.statements, large.statements) == (1 + own, 1 + own)
    assert (small.rows, large.rows) == (2 * (3 + own), 5 * (3 + own))


def test_a_lazy_load_fails_though_the_session_knows_every_parent_already(session: Session) -> None:
    with pytest.raises(AssertionError) as failed:
        assert_scaling(loading(session), session, add=lambda count: session.add_all(users(count)))

    reason, _, rest = str(failed.value).partition("\n")
    assert reason == "Statements grow with the size: 3 at 2, 6 at 5. N+1: User.books takes 5 statements."
    assert "User.books: sent 2 at 2, 5 at 5 (N+1)" in rest
    assert "on the statement that loads User: .options(selectinload(User.books))" in rest
    assert rest.endswith("1 other does not grow.")


def test_what_the_first_load_alone_sends_hides_no_growth(session: Session) -> None:
    warm: list[object] = []

    def load() -> None:
        if not warm:
            warm.extend(session.scalars(text("SELECT 1 " + "UNION SELECT 2 " * number)).first() for number in range(20))
        loading(session)()

    with pytest.raises(AssertionError, match="sent 2 at 2, 5 at 5"):
        assert_scaling(load, session, add=lambda count: session.add_all(users(count)))


def test_texts_with_the_parents_key_in_them_grow(session: Session) -> None:
    def load() -> None:
        for key in session.scalars(select(User.id)).all():
            session.execute(text(f"SELECT * FROM books WHERE user_id = {key}"))

    with pytest.raises(AssertionError, match="sent 0 at 2, 1 at 5"):
        assert_scaling(load, session, add=lambda count: session.add_all(users(count)))


def test_a_list_of_keys_that_grows_is_the_same_statement(session: Session) -> None:
    def load() -> None:
        keys = session.scalars(select(User.id)).all()
        session.scalars(select(Book).where(Book.user_id.in_(keys))).all()

    assert_scaling(load, session, add=lambda count: session.add_all(users(count)))


def test_without_add_the_load_is_given_the_size() -> None:
    engine = library(*[2] * 10)

    def load(size: int) -> None:
        with Session(engine) as session:
            loading(session, selectinload(User.books), limit=size)()

    (first, *_, last) = assert_scaling(load, engine, sizes=(1, 4, 9))
    assert (first.rows, last.rows) == (3, 27)


def test_growth_between_any_two_sizes_fails() -> None:
    engine = library(*[2] * 10)

    def load(size: int) -> None:
        with engine.connect() as connection:
            connection.execute(text("SELECT id FROM users")).fetchmany(size)
            for _ in range(3 if size == 4 else 1):
                connection.execute(text("SELECT 1"))

    with pytest.raises(AssertionError, match="sent 1 at 1, 3 at 4, 1 at 9"):
        assert_scaling(load, engine, sizes=(1, 4, 9))


@pytest.mark.parametrize(
    ("load", "says"),
    [
        (lambda engine: None, "No statement was counted at size 2"),
        (lambda engine: loading(Session(engine), selectinload(User.books), limit=1)(), "Nothing is shown"),
    ],
)
def test_a_load_of_which_nothing_is_shown_fails(load: Callable[[Engine], None], says: str, engine: Engine) -> None:
    def add(count: int) -> None:
        with Session(engine) as session, session.begin():
            session.add_all(users(count))

    with pytest.raises(AssertionError, match=says):
        assert_scaling(lambda: load(engine), engine, add=add)


def test_another_engine_than_the_loads_is_no_proof(session: Session) -> None:
    with pytest.raises(AssertionError, match="an engine that was not named"):
        assert_scaling(loading(session), library(), add=lambda count: session.add_all(users(count)))


def test_an_error_of_the_load_is_its_own_and_nothing_of_it_listens(engine: Engine) -> None:
    def load() -> None:
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own") as held:
        assert_scaling(load, engine, add=lambda count: None)

    assert held.tb is not None
    assert not listening._listening


@pytest.mark.parametrize("sizes", [(), (1,), (2, 2), (5, 2), (0, 3), (1.0, 2), (True, 2), "25"])
def test_sizes_that_compare_nothing_are_refused(sizes: Any, engine: Engine) -> None:
    with pytest.raises(BenchError, match="no sizes"):
        assert_scaling(lambda: None, engine, add=lambda count: None, sizes=sizes)


def test_what_has_to_be_awaited_is_refused_where_it_would_not_be(engine: Engine) -> None:
    async def load() -> None:
        raise AssertionError("never run")

    with pytest.raises(BenchError, match="assert_scaling_async"):
        assert_scaling(load, engine, add=lambda count: None)


async def loaded(*options: Any) -> None:
    """Hold a load of users and their books on an asynchronous engine."""
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with AsyncSession(engine) as session:

            async def load() -> None:
                for user in await session.scalars(select(User).options(*options)):
                    await session.run_sync(lambda _: len(user.books))  # noqa: B023 - called before the next

            await assert_scaling_async(load, session, add=lambda count: session.add_all(users(count)))
    finally:
        await engine.dispose()


def test_async_loads_are_awaited_and_held_to_the_same() -> None:
    asyncio.run(loaded(selectinload(User.books)))

    with pytest.raises(AssertionError, match=r"User\.books takes 5 statements") as failed:
        asyncio.run(loaded())
    assert "await session.run_sync(lambda _: len(user.books))" in str(failed.value)
