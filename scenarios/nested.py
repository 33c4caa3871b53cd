"""Publishers with their authors and those authors' books: which mix of strategies loads three levels best?"""

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
    subqueryload,
)

from bench import Column, Integers, Parent, Pick, Recipe, RuleOfThumb, Scenario, Serial, Shape, Strategy, Table, Text
from scenarios.formulas import all_joined, always, each_once, in_lists, joined, list_by_list, one_by_one, plus
from scenarios.indexes import with_or_without


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class Publisher(Base):
    """The parent."""

    __tablename__ = "publishers"

    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str] = mapped_column(String(80))
    history: Mapped[str] = mapped_column(String)
    authors: Mapped[list[Author]] = relationship()


class Author(Base):
    """The child: many to a publisher."""

    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    publisher_id: Mapped[int] = mapped_column(ForeignKey("publishers.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    books: Mapped[list[Book]] = relationship()


class Book(Base):
    """The grandchild: many to an author."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    year: Mapped[int]


RECIPE = Recipe(
    tables=(
        Table(
            name="publishers",
            level=0,
            columns=(
                Column(name="id", values=Serial()),
                Column(name="city", values=Pick(pool="city")),
                Column(name="history", values=Text()),
            ),
        ),
        Table(
            name="authors",
            level=1,
            parent="publishers",
            columns=(
                Column(name="id", values=Serial()),
                Column(name="publisher_id", values=Parent()),
                Column(name="name", values=Pick(pool="name")),
            ),
        ),
        Table(
            name="books",
            level=2,
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


def load(session: Session, strategy: Strategy) -> Sequence[Publisher]:
    """Load every publisher, touch its authors, and each author's books."""
    result = session.scalars(strategy.apply(select(Publisher)))
    publishers = (result.unique() if strategy.unique else result).all()
    for publisher in publishers:
        for author in publisher.authors:
            author.books  # noqa: B018 - the access is the load
    return publishers


def option(given: Any) -> Callable[[Select[Any]], Select[Any]]:
    """Add a loader option to the statement."""
    return lambda statement: statement.options(given)


def books(shape: Shape) -> int:
    """Rows of the books alone, each once."""
    return shape.at("authors.books").nodes


ALL = ("authors", "authors.books")

INDEXED = Scenario(
    name="nested",
    question="Publishers with their authors and those authors' books: which mix of strategies loads three levels best?",
    base=Base,
    entity=Publisher,
    paths=("authors.books",),
    recipe=RECIPE,
    load=load,
    strategies=(
        Strategy(
            name="lazy",
            summary="One SELECT for the publishers, one for each publisher's authors, one for each author's books.",
            apply=option(lazyload(Publisher.authors).lazyload(Author.books)),
            statements=one_by_one(*ALL),
            rows=each_once(*ALL),
        ),
        Strategy(
            name="joined+joined",
            summary="One SELECT with two LEFT OUTER JOINs; each row repeats its publisher and its author.",
            apply=option(joinedload(Publisher.authors).joinedload(Author.books)),
            statements=always(1),
            rows=all_joined,
            unique=True,
        ),
        Strategy(
            name="selectin+selectin",
            summary="One SELECT for the publishers, one for every 500 of them, and one for every 500 of their authors.",
            apply=option(selectinload(Publisher.authors).selectinload(Author.books)),
            statements=list_by_list(*ALL),
            rows=each_once(*ALL),
        ),
        Strategy(
            name="selectin+joined",
            summary="The authors by IN lists, each list's statement with a LEFT OUTER JOIN to their books.",
            apply=option(selectinload(Publisher.authors).joinedload(Author.books)),
            statements=list_by_list("authors"),
            rows=plus(each_once(), joined("authors.books")),
        ),
        Strategy(
            name="joined+selectin",
            summary="The authors come with the publishers, by a LEFT OUTER JOIN; the books by IN lists of the authors.",
            apply=option(joinedload(Publisher.authors).selectinload(Author.books)),
            statements=lambda shape: 1 + in_lists(shape.at("authors").nodes),
            rows=plus(joined("authors"), books),
            unique=True,
        ),
        Strategy(
            name="subquery+subquery",
            summary="A SELECT for each level, each with the ones above it as a sub-query.",
            apply=option(subqueryload(Publisher.authors).subqueryload(Author.books)),
            statements=always(3),
            rows=each_once(*ALL),
        ),
    ),
    baseline="selectin+selectin",
    rule_of_thumb=RuleOfThumb(
        strategy="selectin+selectin",
        says="selectinload for nested data: a query or more for each level, and nothing duplicated.",
    ),
)

NESTED = with_or_without(INDEXED, "ix_authors_publisher_id", "ix_books_author_id", of="the two foreign keys each have")
