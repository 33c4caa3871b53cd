"""A load that sends more statements for more parents fails, and one of which nothing is shown does too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import ref

import pytest
from sqlalchemy import Engine, insert, or_, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.pool import StaticPool
from support.library import library

from bench.errors import BenchError
from bench.testing import assert_scaling, assert_scaling_async, listening
from bench.testing.holding import held
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


VARYING: dict[str, Callable[[Session, list[int]], Any]] = {
    "an insert that returns": lambda session, keys: session.scalars(
        insert(Book).returning(Book.id), [{"user_id": key, "title": "t", "year": 1, "summary": "s"} for key in keys]
    ).all(),
    "an insert of several values": lambda session, keys: session.execute(
        insert(Book).values([{"user_id": key, "title": "t", "year": 1, "summary": "s"} for key in keys])
    ),
    "a chain of or": lambda session, keys: session.scalars(
        select(Book).where(or_(*[Book.user_id == key for key in keys]))
    ).all(),
    "a union": lambda session, keys: session.execute(
        union_all(*[select(Book.id).where(Book.user_id == key) for key in keys])
    ).all(),
    "a limit": lambda session, keys: session.execute(text(f"SELECT * FROM books LIMIT {len(keys)}")).all(),
    "a list of numbers": lambda session, keys: session.execute(
        text(f"SELECT * FROM books WHERE user_id IN ({', '.join(map(str, keys))})")
    ).all(),
    "a list of texts": lambda session, keys: session.execute(
        text("SELECT * FROM books WHERE title IN ({})".format(", ".join(f"'the {key}th'" for key in keys)))
    ).all(),
}
"""Statements that are sent once for all parents, by a text that varies with their number."""


@pytest.mark.parametrize("sizes", [(2, 5), (1, 2, 7)])
@pytest.mark.parametrize("name", VARYING)
def test_a_statement_whose_text_varies_with_the_size_is_the_same_statement(
    name: str, sizes: tuple[int, ...], session: Session
) -> None:
    def load() -> None:
        VARYING[name](session, list(session.scalars(select(User.id))))

    assert_scaling(load, session, add=lambda count: session.add_all(users(count)), sizes=sizes)


@pytest.mark.parametrize("name", VARYING)
def test_sent_for_each_parent_it_grows(name: str, session: Session) -> None:
    def load() -> None:
        for key in session.scalars(select(User.id)).all():
            VARYING[name](session, [key])

    with pytest.raises(AssertionError, match="Statements grow with the size: 3 at 2, 6 at 5"):
        assert_scaling(load, session, add=lambda count: session.add_all(users(count)))


def send(session: Session, sql: str) -> None:
    """Send it from a line through which everything goes."""
    session.execute(text(sql)).all()


FEWER = {
    "other statements": [f"SELECT {number} UNION SELECT id FROM users" for number in range(3)],
    "more of the same kind": [f"SELECT * FROM books WHERE user_id = -{number}" for number in range(1, 21)],
}


@pytest.mark.parametrize("name", FEWER)
def test_what_the_first_load_alone_sends_from_the_same_line_hides_no_growth_either(name: str, session: Session) -> None:
    cold = list(FEWER[name])

    def load() -> None:
        while cold:
            send(session, cold.pop())
        for key in session.scalars(select(User.id)).all():
            send(session, f"SELECT * FROM books WHERE user_id = {key}")

    with pytest.raises(AssertionError, match="sent 0 at 2, 1 at 5"):
        assert_scaling(load, session, add=lambda count: session.add_all(users(count)))


def test_texts_that_are_one_statement_are_one_of_the_others(session: Session) -> None:
    def load() -> None:
        keys = list(session.scalars(select(User.id)))
        VARYING["a limit"](session, keys)
        for key in keys:
            send(session, f"SELECT * FROM books WHERE user_id = {key}")

    with pytest.raises(AssertionError) as failed:
        assert_scaling(load, session, add=lambda count: session.add_all(users(count)))

    assert str(failed.value).endswith("2 others do not grow.")


def test_a_text_that_varies_and_fetches_no_more_rows_shows_nothing(session: Session) -> None:
    def load(size: int) -> None:
        send(session, f"SELECT {size}")

    with pytest.raises(AssertionError, match="no statement fetched more rows"):
        assert_scaling(load, session)


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


@pytest.fixture
def add(engine: Engine) -> Callable[[int], None]:
    """Make parents by a session of its own."""

    def adding(count: int) -> None:
        with Session(engine) as other, other.begin():
            other.add_all(users(count))

    return adding


class Page:
    """What keeps what it shows, over a session that lives on."""

    def __init__(self, session: Session, *options: Any) -> None:
        self.session, self.options = session, options
        self.users: list[User] = []

    def load(self, limit: int | None = None) -> None:
        self.users = list(self.session.scalars(select(User).options(*self.options).order_by(User.id).limit(limit)))
        for user in self.users:
            [book.title for book in user.books]


@pytest.mark.parametrize("sizes", [(5, 10), (10, 20), (2, 4, 6)])
def test_a_session_that_keeps_what_it_loaded_shows_nothing_until_it_is_named(
    sizes: tuple[int, ...], engine: Engine, session: Session, add: Callable[[int], None]
) -> None:
    with pytest.raises(AssertionError, match=r"the session of the load held entities.*Name the session"):
        assert_scaling(Page(session).load, engine, add=add, sizes=sizes)
    session.expunge_all()
    session.connection().execute(text("DELETE FROM users"))
    session.commit()
    with pytest.raises(AssertionError, match="Statements grow"):
        assert_scaling(Page(session).load, session, add=add, sizes=sizes)


def test_nor_does_one_that_held_it_all_before_the_first_load(
    engine: Engine, session: Session, add: Callable[[int], None]
) -> None:
    add(9)
    page = Page(session)
    page.load()

    with pytest.raises(AssertionError, match="held entities before it, 36 at 2, 36 at 5"):
        assert_scaling(lambda size: Page(session).load(size), engine)
    assert len(page.users) == 9


def test_what_is_held_for_other_reasons_is_no_matter(
    engine: Engine, session: Session, add: Callable[[int], None]
) -> None:
    session.add_all(users(1, books=0))
    session.flush()
    logged_in = session.scalars(select(User)).one()
    add(9)
    kept = users(30)
    with Session(engine, expire_on_commit=False) as other:
        other.add_all(kept)
        other.commit()  # of a session that loads nothing

        assert_scaling(lambda size: Page(session, selectinload(User.books)).load(size), engine)
    assert logged_in in session


@pytest.mark.parametrize("option", [(), (selectinload,)])
def test_a_session_that_was_committed_or_whose_entities_nobody_keeps_need_not_be_named(
    option: tuple[Any, ...], engine: Engine, session: Session
) -> None:
    kept: list[User] = []

    def add(count: int) -> None:
        kept.extend(users(count))
        session.add_all(kept)
        session.commit()

    options = [each(User.books) for each in option]

    def load() -> None:
        loading(session, *options)()
        session.rollback()  # its entities expire

    if option:
        assert_scaling(load, engine, add=add, sizes=(5, 10))
    else:
        with pytest.raises(AssertionError, match=r"User\.books takes 10"):
            assert_scaling(load, engine, add=add, sizes=(5, 10))


def test_the_sessions_there_are_can_be_asked_what_they_hold(engine: Engine, add: Callable[[int], None]) -> None:
    add(2)
    with Session(engine) as session:
        page = Page(session)
        page.load()

        assert held()[ref(session)] == 8
        session.expire_all()
        assert ref(session) not in held()
        assert len(page.users) == 2


@pytest.mark.parametrize("sizes", [[1, 4], iter([1, 4]), range(1, 5, 3), {1: "one", 4: "four"}])
def test_sizes_are_whatever_can_be_walked(sizes: Any) -> None:
    engine = library(*[2] * 5)

    def load(size: int) -> None:
        with Session(engine) as session:
            loading(session, selectinload(User.books), limit=size)()

    small, large = assert_scaling(load, engine, sizes=sizes)
    assert (small.rows, large.rows) == (3, 12)


@pytest.mark.parametrize(
    "sizes", [(), (1,), (2, 2), (5, 2), (0, 3), (1.0, 2), (True, 2), "25", 5, None, iter(()), iter((5, 2))]
)
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
