"""Users of whom only some have their books read: what does unused eager loading cost, and when is lazy best?"""

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
    Shape,
    Strategy,
    Table,
    Text,
    defaults,
    is_touched,
)
from scenarios.formulas import always, each_once, in_lists, one_by_one
from scenarios.indexes import with_or_without

PARAMETERS = (Parameter(name="touched", help="Users of a hundred whose books are read.", default=10, low=0, high=100),)


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


def option(given: Any) -> Callable[[Select[Any]], Select[Any]]:
    """Add a loader option to the statement."""
    return lambda statement: statement.options(given)


def all_rows(shape: Shape) -> int:
    """Rows where each user and each book comes once, read or not."""
    return shape.parents + shape.children


STRATEGIES = (
    Strategy(
        name="lazy",
        summary="One SELECT for the users, then one for each user whose books are read.",
        apply=option(lazyload(User.books)),
        statements=one_by_one("books"),
        rows=each_once("books"),
    ),
    Strategy(
        name="joined",
        summary="One SELECT with a LEFT OUTER JOIN, all books included.",
        apply=option(joinedload(User.books)),
        statements=always(1),
        rows=lambda shape: shape.children + shape.childless[0],
        unique=True,
    ),
    Strategy(
        name="selectin",
        summary="One SELECT for the users, then all books by IN lists.",
        apply=option(selectinload(User.books)),
        statements=lambda shape: 1 + in_lists(shape.parents),
        rows=all_rows,
    ),
    Strategy(
        name="subquery",
        summary="One SELECT for the users, then one for all books.",
        apply=option(subqueryload(User.books)),
        statements=always(2),
        rows=all_rows,
    ),
    Strategy(
        name="immediate",
        summary="As lazy for every user, read or not.",
        apply=option(immediateload(User.books)),
        statements=lambda shape: 1 + shape.parents,
        rows=all_rows,
    ),
)


def make(given: Given) -> Scenario:
    """Return the scenario with that share of users whose books are read."""
    touched = given.number("touched")

    def load(session: Session, strategy: Strategy) -> Sequence[User]:
        """Load every user and touch the books of some, evenly spread."""
        result = session.scalars(strategy.apply(select(User).order_by(User.id)))
        users = (result.unique() if strategy.unique else result).all()
        for place, user in enumerate(users):
            if is_touched(place, touched):
                user.books  # noqa: B018 - the access is the load
        return users

    return Scenario(
        name="partly_used",
        question="Users of whom some have their books read: what does unused eager loading cost, when is lazy best?",
        base=Base,
        entity=User,
        paths=("books",),
        touched=touched,
        recipe=RECIPE,
        load=load,
        strategies=STRATEGIES,
        baseline="selectin",
        rule_of_thumb=RuleOfThumb(
            strategy="selectin",
            says="selectinload for collections: two or more queries with IN and no duplicated parents.",
        ),
        parameters=PARAMETERS,
        make=make,
    )


PARTLY_USED = with_or_without(make(defaults(PARAMETERS)), "ix_books_user_id", of="the books' foreign key has")
