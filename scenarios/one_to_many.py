"""Users with their books: how should a collection be loaded when every parent's children are read?"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from sqlalchemy import ForeignKey, Select, String, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    contains_eager,
    immediateload,
    joinedload,
    lazyload,
    mapped_column,
    raiseload,
    relationship,
    selectinload,
    subqueryload,
)

from bench import (
    Column,
    Family,
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
from scenarios.indexes import with_or_without

DEFAULT_CHUNK = 500
"""Parents that selectinload names in one IN list when it is given no `chunksize`."""


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class User(Base):
    """The parent."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(80))
    bio: Mapped[str] = mapped_column(String)
    books: Mapped[list[Book]] = relationship(back_populates="user")


class Book(Base):
    """The child: many to a user, found by an index on its foreign key."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    year: Mapped[int]
    summary: Mapped[str] = mapped_column(String)
    user: Mapped[User] = relationship(back_populates="books")


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
                Column(name="summary", values=Text()),
            ),
        ),
    )
)


def load(session: Session, strategy: Strategy) -> Sequence[User]:
    """Load every user and touch each one's books."""
    result = session.scalars(strategy.apply(select(User)))
    users = (result.unique() if strategy.unique else result).all()
    for user in users:
        user.books  # noqa: B018 - the access is the load
    return users


def parents_and_children(shape: Shape) -> int:
    """Rows where each user and each book comes once."""
    return shape.parents + shape.children


def joined_rows(shape: Shape) -> int:
    """Rows of a LEFT OUTER JOIN: one for each book, and one for each user without any."""
    return shape.children + shape.childless[0]


def one_each(shape: Shape) -> int:
    """Statements where the users take one and each user's books another."""
    return 1 + shape.parents


def selectin(chunk: int | None = None) -> Strategy:
    """selectinload, with its own number of parents in an IN list or with `chunk` of them."""
    size = chunk or DEFAULT_CHUNK
    return Strategy(
        name=f"selectin[{chunk}]" if chunk else "selectin",
        summary=f"One SELECT for the users, then one with an IN list for the books of every {size:,} users.",
        apply=(
            (lambda statement: statement.options(selectinload(User.books, chunksize=chunk)))
            if chunk
            else (lambda statement: statement.options(selectinload(User.books)))
        ),
        statements=lambda shape: 1 + ceil(shape.parents / size),
        rows=parents_and_children,
        common=chunk is None,
        since=(2, 1) if chunk else (2, 0),
    )


def join_and_contain(statement: Select[tuple[User]]) -> Select[tuple[User]]:
    """The join written by hand, and the collection told to come from it."""
    return statement.outerjoin(User.books).options(contains_eager(User.books))


INDEXED = Scenario(
    name="one_to_many",
    question="Users with their books: how should a collection be loaded when every parent's children are read?",
    base=Base,
    entity=User,
    paths=("books",),
    recipe=RECIPE,
    load=load,
    strategies=(
        Strategy(
            name="lazy",
            summary="One SELECT for the users, then one for each user's books when they are touched (N+1).",
            apply=lambda statement: statement.options(lazyload(User.books)),
            statements=one_each,
            rows=parents_and_children,
        ),
        Strategy(
            name="joined",
            summary="One SELECT with a LEFT OUTER JOIN; each row repeats its user.",
            apply=lambda statement: statement.options(joinedload(User.books)),
            statements=lambda shape: 1,
            rows=joined_rows,
            unique=True,
        ),
        Strategy(
            name="joined_inner",
            summary="One SELECT with an INNER JOIN; users without books are lost.",
            apply=lambda statement: statement.options(joinedload(User.books, innerjoin=True)),
            statements=lambda shape: 1,
            rows=lambda shape: shape.children,
            unique=True,
            common=False,
        ),
        selectin(),
        selectin(50),
        selectin(5000),
        Strategy(
            name="subquery",
            summary="One SELECT for the users, then one for all books, joined to the first statement as a sub-query.",
            apply=lambda statement: statement.options(subqueryload(User.books)),
            statements=lambda shape: 2,
            rows=parents_and_children,
        ),
        Strategy(
            name="immediate",
            summary="As lazy, but each user's books are fetched at once, before the result is handed over.",
            apply=lambda statement: statement.options(immediateload(User.books)),
            statements=one_each,
            rows=parents_and_children,
        ),
        Strategy(
            name="contains_eager",
            summary="A LEFT OUTER JOIN written in the statement, whose rows fill the collection.",
            apply=join_and_contain,
            statements=lambda shape: 1,
            rows=joined_rows,
            unique=True,
        ),
    ),
    families=(Family(name="selectin", argument="parents in one IN list", make=selectin),),
    controls=(
        Strategy(
            name="raise",
            summary="Refuses to load the books: touching them raises.",
            apply=lambda statement: statement.options(raiseload(User.books)),
            statements=lambda shape: 1,
            rows=lambda shape: shape.parents,
            common=False,
        ),
    ),
    baseline="selectin",
    rule_of_thumb=RuleOfThumb(
        strategy="selectin",
        says="selectinload for collections: two or more queries with IN and no duplicated parents.",
    ),
)

ONE_TO_MANY = with_or_without(INDEXED, "ix_books_user_id", of="the books' foreign key has")
