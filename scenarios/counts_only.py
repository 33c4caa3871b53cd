"""Users with the number of their books: must the books be loaded to be counted?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ForeignKey, String, func, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    column_property,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
    undefer,
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
from scenarios.indexes import with_or_without


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class Book(Base):
    """The child."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    year: Mapped[int]
    summary: Mapped[str] = mapped_column(String)


class User(Base):
    """The parent; the number of its books is an attribute that is loaded on demand."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(80))
    books: Mapped[list[Book]] = relationship()
    book_count: Mapped[int] = column_property(
        select(func.count(Book.id)).where(Book.user_id == id).scalar_subquery(),  # noqa: A003 - the column above
        deferred=True,
    )


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


def load(session: Session, strategy: Strategy) -> Sequence[Any]:
    """Load every user with the number of its books."""
    if strategy.load is not None:
        return strategy.load(session)
    result = session.scalars(strategy.apply(select(User)))
    users = (result.unique() if strategy.unique else result).all()
    return [(user, len(user.books)) for user in users]


def load_grouped(session: Session) -> Sequence[Any]:
    """Count in a sub-query that is grouped by user."""
    counts = select(Book.user_id, func.count().label("books")).group_by(Book.user_id).subquery()
    counted = select(User, func.coalesce(counts.c.books, 0)).outerjoin(counts, counts.c.user_id == User.id)
    return [(user, count) for user, count in session.execute(counted)]


def load_property(session: Session) -> Sequence[Any]:
    """Count in a correlated sub-query that is mapped as an attribute."""
    return [(user, user.book_count) for user in session.scalars(select(User).options(undefer(User.book_count)))]


def users_alone(shape: Shape) -> int:
    """Rows where each user comes once, with its number."""
    return shape.parents


INDEXED = Scenario(
    name="counts_only",
    question="Users with the number of their books: must the books be loaded to be counted?",
    base=Base,
    entity=User,
    paths=("books",),
    counted=("books",),
    only=("User.id", "User.name", "User.email"),
    recipe=RECIPE,
    load=load,
    strategies=(
        Strategy(
            name="lazy",
            summary="Every user's books by a SELECT of their own, and `len` of them.",
            statements=one_by_one("books"),
            rows=each_once("books"),
        ),
        Strategy(
            name="joined",
            summary="All books by a LEFT OUTER JOIN, and `len` of each user's.",
            apply=lambda statement: statement.options(joinedload(User.books)),
            statements=always(1),
            rows=joined("books"),
            unique=True,
        ),
        Strategy(
            name="selectin",
            summary="All books by IN lists, and `len` of each user's.",
            apply=lambda statement: statement.options(selectinload(User.books)),
            statements=list_by_list("books"),
            rows=each_once("books"),
        ),
        Strategy(
            name="grouped",
            summary="One SELECT, with a LEFT OUTER JOIN to a sub-query that counts by user (GROUP BY).",
            load=load_grouped,
            statements=always(1),
            rows=users_alone,
        ),
        Strategy(
            name="column_property",
            summary="One SELECT, with a correlated sub-query that counts for each user (`column_property`).",
            load=load_property,
            statements=always(1),
            rows=users_alone,
        ),
    ),
    baseline="selectin",
    rule_of_thumb=RuleOfThumb(
        strategy="selectin",
        says="selectinload for collections; their length is then at hand.",
    ),
)

COUNTS_ONLY = with_or_without(INDEXED, "ix_books_user_id", of="the books' foreign key has")
