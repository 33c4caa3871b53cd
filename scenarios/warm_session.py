"""Users and books that the session has already: what does loading them a second time cost?

The session has loaded every user with its books before the clock starts. What is then thrown away of it is nothing,
what a commit expires, or everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ForeignKey, Select, String, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    joinedload,
    lazyload,
    mapped_column,
    relationship,
    selectinload,
)

from bench import (
    Column,
    Integers,
    Numbered,
    Parent,
    Pick,
    Recipe,
    RuleOfThumb,
    Scenario,
    Serial,
    Shape,
    Strategy,
    Table,
    Text,
)
from scenarios.formulas import always, each_once, joined, list_by_list, one_by_one


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class User(Base):
    """The parent."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(80))
    books: Mapped[list[Book]] = relationship()


class Book(Base):
    """The child."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    year: Mapped[int]
    summary: Mapped[str] = mapped_column(String)


RECIPE = Recipe(
    tables=(
        Table(
            name="users",
            level=0,
            columns=(
                Column(name="id", values=Serial()),
                Column(name="name", values=Pick(pool="name")),
                Column(name="email", values=Numbered(pattern="user{}@example.org")),
            ),
        ),
        Table(
            name="books",
            level=1,
            parent="users",
            columns=(
                Column(name="id", values=Serial()),
                Column(name="user_id", values=Parent()),
                Column(name="title", values=Pick(pool="title")),
                Column(name="year", values=Integers(low=1900, high=2025)),
                Column(name="summary", values=Text()),
            ),
        ),
    )
)


def prepare(session: Session) -> None:
    """Load every user with its books, and have the session hold them: it refers to them weakly itself."""
    session.info["loaded"] = session.scalars(select(User).options(selectinload(User.books))).all()


def load(session: Session, strategy: Strategy) -> Sequence[User]:
    """Load every user once more and touch its name and its books, and theirs."""
    if strategy.load is not None:
        users = strategy.load(session)
    else:
        result = session.scalars(strategy.apply(select(User)))
        users = (result.unique() if strategy.unique else result).all()
    for user in users:
        user.name  # noqa: B018 - the access is the load
        for book in user.books:
            book.title  # noqa: B018 - the access is the load
    return users


def expired(option: Any) -> Callable[[Session], Sequence[User]]:
    """Commit, which expires what the session has (`expire_on_commit`), and load with an option."""

    def load(session: Session) -> Sequence[User]:
        session.commit()
        return session.scalars(select(User).options(option)).all()

    return load


def refreshed(session: Session) -> Sequence[User]:
    """Refresh each user and its books, one after another."""
    users: Sequence[User] = session.info["loaded"]
    for user in users:
        session.refresh(user, ["id", "name", "email", "books"])
    return users


def anew(option: Any) -> Callable[[Select[Any]], Select[Any]]:
    """Overwrite what the session has."""
    return lambda statement: statement.options(option).execution_options(populate_existing=True)


def users_alone(shape: Shape) -> int:
    """Rows where each user comes once, and no book."""
    return shape.parents


WARM_SESSION = Scenario(
    name="warm_session",
    question="Users and books that the session has already: what does loading them a second time cost?",
    base=Base,
    entity=User,
    paths=("books",),
    recipe=RECIPE,
    load=load,
    prepare=prepare,
    strategies=(
        Strategy(
            name="lazy",
            summary="One SELECT for the users; the identity map knows them, and their books are loaded already.",
            apply=lambda statement: statement.options(lazyload(User.books)),
            statements=always(1),
            rows=users_alone,
        ),
        Strategy(
            name="selectin",
            summary="One SELECT for the users, and their books by IN lists: asked for again, and thrown away.",
            apply=lambda statement: statement.options(selectinload(User.books)),
            statements=list_by_list("books"),
            rows=each_once("books"),
        ),
        Strategy(
            name="joined",
            summary="One SELECT with the LEFT OUTER JOIN, whose rows are fetched and thrown away.",
            apply=lambda statement: statement.options(joinedload(User.books)),
            statements=always(1),
            rows=joined("books"),
            unique=True,
        ),
        Strategy(
            name="selectin_populate_existing",
            summary="All over again: the users, and their books by IN lists, overwrite what is there.",
            apply=anew(selectinload(User.books)),
            statements=list_by_list("books"),
            rows=each_once("books"),
        ),
        Strategy(
            name="joined_populate_existing",
            summary="All over again, by a LEFT OUTER JOIN that overwrites what is there.",
            apply=anew(joinedload(User.books)),
            statements=always(1),
            rows=joined("books"),
            unique=True,
        ),
        Strategy(
            name="selectin_expired",
            summary="A commit expires everything; the users come again, and their books by IN lists.",
            load=expired(selectinload(User.books)),
            statements=list_by_list("books"),
            rows=each_once("books"),
        ),
        Strategy(
            name="lazy_expired",
            summary="A commit expires everything; the users come again, and each one's books when they are touched.",
            load=expired(lazyload(User.books)),
            statements=one_by_one("books"),
            rows=each_once("books"),
        ),
        Strategy(
            name="refresh",
            summary="`session.refresh` of each user: one SELECT for its columns, and one for its books.",
            load=refreshed,
            statements=lambda shape: 2 * shape.parents,
            rows=each_once("books"),
            common=False,
        ),
    ),
    baseline="selectin",
    rule_of_thumb=RuleOfThumb(
        strategy="selectin",
        says="selectinload for collections: two or more queries with IN and no duplicated parents.",
    ),
)
