"""The first page of users, with their books: how do `LIMIT` and `OFFSET` go with a collection?

A page is `limit` users by the day they joined, after `offset` others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, Index, Select, String, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    contains_eager,
    joinedload,
    lazyload,
    mapped_column,
    relationship,
    selectinload,
    subqueryload,
)

from bench import (
    Column,
    Dates,
    Given,
    Integers,
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
    defaults,
)
from scenarios.formulas import always, each_once, joined, list_by_list, one_by_one

PARAMETERS = (
    Parameter(name="limit", help="Users on the page.", default=20, low=1),
    Parameter(name="offset", help="Users before it.", default=0, high=1_000_000_000),
    Parameter(name="index", help="Whether the order of the page has an index.", default="yes", choices=("yes", "no")),
)


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class User(Base):
    """The parent; a day has many of them, so the order needs the key as well."""

    __tablename__ = "users"
    __table_args__ = (Index("ix_users_joined", "joined", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    joined: Mapped[date]
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
    """Return the dataset, with or without an index for the order."""
    return Recipe(
        tables=(
            Table(
                name="users",
                level=0,
                columns=(
                    Column(name="id", values=Serial()),
                    Column(name="name", values=Pick(pool="name")),
                    Column(name="joined", values=Dates(first="2015-01-01", days=3650)),
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
        unindexed=() if indexed else ("ix_users_joined",),
    )


def around_the_page(statement: Select[Any]) -> Select[Any]:
    """The page as a sub-query of its own, and the books joined to it by hand."""
    user = aliased(User, statement.subquery())
    return select(user).outerjoin(user.books).options(contains_eager(user.books)).order_by(user.joined, user.id)


def two_if_any(shape: Shape) -> int:
    """Statements where the books take one, unless there is no user to have any."""
    return 2 if shape.at("").nodes else 1


STRATEGIES = (
    Strategy(
        name="lazy",
        summary="One SELECT for the page, then one for each of its users' books.",
        apply=lambda statement: statement.options(lazyload(User.books)),
        statements=one_by_one("books"),
        rows=each_once("books"),
    ),
    Strategy(
        name="joined",
        summary="One SELECT: the page becomes a sub-query, so that LIMIT counts users, and the books are joined to it.",
        apply=lambda statement: statement.options(joinedload(User.books)),
        statements=always(1),
        rows=joined("books"),
        unique=True,
    ),
    Strategy(
        name="selectin",
        summary="One SELECT for the page, then one with an IN list of its users.",
        apply=lambda statement: statement.options(selectinload(User.books)),
        statements=list_by_list("books"),
        rows=each_once("books"),
    ),
    Strategy(
        name="subquery",
        summary="One SELECT for the page, then one that finds the page again as a sub-query.",
        apply=lambda statement: statement.options(subqueryload(User.books)),
        statements=two_if_any,
        rows=each_once("books"),
    ),
    Strategy(
        name="contains_eager",
        summary="One SELECT: the page as a sub-query and the join, both written by hand.",
        apply=around_the_page,
        statements=always(1),
        rows=joined("books"),
        unique=True,
    ),
)


def make(given: Given) -> Scenario:
    """Return the scenario with a page of that size at that place."""
    limit, offset = given.number("limit"), given.number("offset")

    def load(session: Session, strategy: Strategy) -> Sequence[User]:
        """Load the page and touch its users' books."""
        page = select(User).order_by(User.joined, User.id).limit(limit).offset(offset)
        result = session.scalars(strategy.apply(page))
        users = (result.unique() if strategy.unique else result).all()
        for user in users:
            user.books  # noqa: B018 - the access is the load
        return users

    return Scenario(
        name="first_page",
        question="The first page of users, with their books: how do LIMIT and OFFSET go with a collection?",
        base=Base,
        entity=User,
        paths=("books",),
        selections=(Selection(order_by="joined", limit=limit, offset=offset),),
        recipe=recipe(indexed=given["index"] == "yes"),
        load=load,
        strategies=STRATEGIES,
        baseline="selectin",
        rule_of_thumb=RuleOfThumb(
            strategy="selectin",
            says="selectinload with LIMIT: joinedload has to wrap the page in a sub-query.",
        ),
        parameters=PARAMETERS,
        make=make,
    )


FIRST_PAGE = make(defaults(PARAMETERS))
