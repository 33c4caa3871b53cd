"""Users with their books, by statements that SQLAlchemy has never compiled: what does the first call cost?

Before each load, outside the clock, the engine's cache of compiled statements is emptied (`cache=warm` leaves it). With
`connection=fresh` a new connection is opened too: then neither the driver nor the server has prepared anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ForeignKey, Select, String, select
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
    Serial,
    Strategy,
    Table,
    Text,
    defaults,
)
from scenarios.formulas import always, each_once, joined, list_by_list, one_by_one

PARAMETERS = (
    Parameter(
        name="cache", help="SQLAlchemy's cache of compiled statements.", default="cold", choices=("cold", "warm")
    ),
    Parameter(
        name="connection",
        help="The connection, and what its driver and its server have prepared.",
        default="kept",
        choices=("kept", "fresh"),
    ),
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


RECIPE = Recipe(
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
    )
)


def prepared(*, cache: str, connection: str) -> Callable[[Session], None]:
    """Return what makes a session's first statement cold, in as far as it is asked for."""

    def prepare(session: Session) -> None:
        engine = session.get_bind().engine
        if connection == "fresh":
            engine.dispose()
            session.connection()
        if cache == "cold":
            engine.clear_compiled_cache()

    return prepare


def load(session: Session, strategy: Strategy) -> Sequence[User]:
    """Load every user and touch each one's books."""
    result = session.scalars(strategy.apply(select(User)))
    users = (result.unique() if strategy.unique else result).all()
    for user in users:
        user.books  # noqa: B018 - the access is the load
    return users


def option(given: Any) -> Callable[[Select[Any]], Select[Any]]:
    """Add a loader option to the statement."""
    return lambda statement: statement.options(given)


STRATEGIES = (
    Strategy(
        name="lazy",
        summary="Two statements to compile, the second of which is then sent for each user.",
        apply=option(lazyload(User.books)),
        statements=one_by_one("books"),
        rows=each_once("books"),
    ),
    Strategy(
        name="joined",
        summary="One statement to compile, with its LEFT OUTER JOIN.",
        apply=option(joinedload(User.books)),
        statements=always(1),
        rows=joined("books"),
        unique=True,
    ),
    Strategy(
        name="selectin",
        summary="Two statements to compile, the second of which is then sent for every 500 users.",
        apply=option(selectinload(User.books)),
        statements=list_by_list("books"),
        rows=each_once("books"),
    ),
    Strategy(
        name="subquery",
        summary="Two statements to compile, the second of which has the first in it.",
        apply=option(subqueryload(User.books)),
        statements=always(2),
        rows=each_once("books"),
    ),
    Strategy(
        name="immediate",
        summary="As lazy, before the result is handed over.",
        apply=option(immediateload(User.books)),
        statements=one_by_one("books"),
        rows=each_once("books"),
        common=False,
    ),
)


def make(given: Given) -> Scenario:
    """Return the scenario with the cache cold or warm."""
    return Scenario(
        name="cold_statement",
        question="Users with their books, by statements never compiled before: what does the first call cost?",
        base=Base,
        entity=User,
        paths=("books",),
        recipe=RECIPE,
        load=load,
        prepare=prepared(cache=str(given["cache"]), connection=str(given["connection"])),
        strategies=STRATEGIES,
        baseline="selectin",
        rule_of_thumb=RuleOfThumb(
            strategy="selectin",
            says="selectinload for collections: two or more queries with IN and no duplicated parents.",
        ),
        parameters=PARAMETERS,
        make=make,
    )


COLD_STATEMENT = make(defaults(PARAMETERS))
