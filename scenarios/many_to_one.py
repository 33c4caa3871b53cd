"""Books with their author: how should the one side be loaded when many share few, and when nearly each has its own?

The size decides: `10x1000` are 10,000 books by 10 authors, `10000x1` as many by an author each.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    contains_eager,
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
from scenarios.formulas import always, in_lists


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class Author(Base):
    """The parent, which is reached from below."""

    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(80))
    bio: Mapped[str] = mapped_column(String)


class Book(Base):
    """The child, which is what the load returns."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    year: Mapped[int]
    author: Mapped[Author] = relationship()


RECIPE = Recipe(
    tables=(
        Table(
            name="authors",
            level=0,
            columns=(
                Column(name="id", values=Serial()),
                Column(name="name", values=Pick(pool="name")),
                Column(name="email", values=Numbered(pattern="author{}@example.org")),
                Column(name="bio", values=Text()),
            ),
        ),
        Table(
            name="books",
            level=1,
            parent="authors",
            columns=(
                Column(name="id", values=Serial()),
                Column(name="author_id", values=Parent()),
                Column(name="title", values=Pick(pool="title")),
                Column(name="year", values=Integers(low=1900, high=2025)),
            ),
        ),
    )
)


def load(session: Session, strategy: Strategy) -> Sequence[Book]:
    """Load every book and touch its author."""
    books = session.scalars(strategy.apply(select(Book))).all()
    for book in books:
        book.author  # noqa: B018 - the access is the load
    return books


def one_for_each_author(shape: Shape) -> int:
    """Statements where the books take one and each author another: the identity map has the author from then on."""
    return 1 + shape.at("author").distinct


def each_author_once(shape: Shape) -> int:
    """Rows where each book and each author that has one comes once."""
    return shape.at("").nodes + shape.at("author").distinct


def one_row_a_book(shape: Shape) -> int:
    """Rows of a join, for each book has one author."""
    return shape.at("").nodes


MANY_TO_ONE = Scenario(
    name="many_to_one",
    question="Books with their author: how should the one side be loaded when many share few, or each has its own?",
    base=Base,
    entity=Book,
    paths=("author",),
    recipe=RECIPE,
    load=load,
    strategies=(
        Strategy(
            name="lazy",
            summary="One SELECT for the books, then one for each author that the session has not met yet.",
            apply=lambda statement: statement.options(lazyload(Book.author)),
            statements=one_for_each_author,
            rows=each_author_once,
        ),
        Strategy(
            name="joined",
            summary="One SELECT with a LEFT OUTER JOIN; each row carries its author.",
            apply=lambda statement: statement.options(joinedload(Book.author)),
            statements=always(1),
            rows=one_row_a_book,
        ),
        Strategy(
            name="joined_inner",
            summary="One SELECT with an INNER JOIN, which loses nothing where each book must have an author.",
            apply=lambda statement: statement.options(joinedload(Book.author, innerjoin=True)),
            statements=always(1),
            rows=one_row_a_book,
        ),
        Strategy(
            name="selectin",
            summary="One SELECT for the books, then one without a join for every 500 different authors.",
            apply=lambda statement: statement.options(selectinload(Book.author)),
            statements=lambda shape: 1 + in_lists(shape.at("author").distinct),
            rows=each_author_once,
        ),
        Strategy(
            name="subquery",
            summary="One SELECT for the books, then one for all authors, joined to the first statement as a sub-query.",
            apply=lambda statement: statement.options(subqueryload(Book.author)),
            statements=always(2),
            rows=each_author_once,
        ),
        Strategy(
            name="immediate",
            summary="As lazy, but before the result is handed over.",
            apply=lambda statement: statement.options(immediateload(Book.author)),
            statements=one_for_each_author,
            rows=each_author_once,
        ),
        Strategy(
            name="contains_eager",
            summary="An INNER JOIN written in the statement, whose rows fill the relationship.",
            apply=lambda statement: statement.join(Book.author).options(contains_eager(Book.author)),
            statements=always(1),
            rows=one_row_a_book,
            common=False,
        ),
    ),
    baseline="selectin",
    rule_of_thumb=RuleOfThumb(
        strategy="joined",
        says="joinedload for many-to-one: one query, and no parent is duplicated in the result.",
    ),
)
