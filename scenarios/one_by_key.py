"""One user by its key, with its books: what does the load of a web request cost, and who counts the round trips?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    immediateload,
    joinedload,
    lazyload,
    mapped_column,
    relationship,
    selectinload,
    subqueryload,
)

from bench import (
    Column,
    Given,
    Integers,
    Numbered,
    Parameter,
    Parent,
    Pick,
    Recipe,
    RuleOfThumb,
    Scenario,
    Selection,
    Serial,
    Shape,
    Strategy,
    Table,
    Text,
    Where,
    defaults,
)
from scenarios.formulas import always, each_once, joined

PARAMETERS = (
    Parameter(name="key", help="The user's primary key.", default=1, low=1, high=2_000_000_000),
    Parameter(name="index", help="Whether the books' foreign key has an index.", default="yes", choices=("yes", "no")),
)


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class User(Base):
    """The parent."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(80))
    bio: Mapped[str] = mapped_column(String)
    books: Mapped[list[Book]] = relationship()


class Book(Base):
    """The child."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    year: Mapped[int]


def recipe(*, indexed: bool) -> Recipe:
    """Return the dataset, with or without an index on the foreign key."""
    return Recipe(
        tables=(
            Table(
                name="users",
                level=0,
                columns=(
                    Column(name="id", values=Serial()),
                    Column(name="name", values=Pick(pool="name")),
                    Column(name="email", values=Numbered(pattern="user{}@example.org")),
                    Column(name="bio", values=Text()),
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
                ),
            ),
        ),
        unindexed=() if indexed else ("ix_books_user_id",),
    )


def two_if_there(shape: Shape) -> int:
    """Statements where the books take one more, if the user is there."""
    return 1 + shape.at("").nodes


def strategies(key: int) -> tuple[Strategy, ...]:
    """Return the strategies, each a `session.get` of the key with its options."""

    def get(option: Any) -> Callable[[Session], Sequence[User]]:
        def load(session: Session) -> Sequence[User]:
            user = session.get(User, key, options=[option])
            return [] if user is None else [user]

        return load

    return (
        Strategy(
            name="lazy",
            summary="One SELECT for the user, then one for its books when they are touched.",
            load=get(lazyload(User.books)),
            statements=two_if_there,
            rows=each_once("books"),
        ),
        Strategy(
            name="joined",
            summary="One SELECT with a LEFT OUTER JOIN: one round trip.",
            load=get(joinedload(User.books)),
            statements=always(1),
            rows=joined("books"),
        ),
        Strategy(
            name="selectin",
            summary="One SELECT for the user, then one with an IN list of one.",
            load=get(selectinload(User.books)),
            statements=two_if_there,
            rows=each_once("books"),
        ),
        Strategy(
            name="subquery",
            summary="One SELECT for the user, then one that finds it again as a sub-query.",
            load=get(subqueryload(User.books)),
            statements=two_if_there,
            rows=each_once("books"),
        ),
        Strategy(
            name="immediate",
            summary="As lazy, but before the user is handed over.",
            load=get(immediateload(User.books)),
            statements=two_if_there,
            rows=each_once("books"),
        ),
    )


def load(session: Session, strategy: Strategy) -> Sequence[User]:
    """Get the user and touch its books."""
    assert strategy.load is not None
    users: Sequence[User] = strategy.load(session)
    for user in users:
        user.books  # noqa: B018 - the access is the load
    return users


def make(given: Given) -> Scenario:
    """Return the scenario for the user of that key."""
    key = given.number("key")
    return Scenario(
        name="one_by_key",
        question="One user by its key, with its books: what does a web request's load cost, in round trips above all?",
        base=Base,
        entity=User,
        paths=("books",),
        selections=(Selection(where=Where(column="id", is_="==", value=key)),),
        recipe=recipe(indexed=given["index"] == "yes"),
        load=load,
        strategies=strategies(key),
        baseline="selectin",
        rule_of_thumb=RuleOfThumb(
            strategy="selectin",
            says="selectinload for collections: two or more queries with IN and no duplicated parents.",
        ),
        parameters=PARAMETERS,
        make=make,
    )


ONE_BY_KEY = make(defaults(PARAMETERS))
