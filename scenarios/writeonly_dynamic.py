"""Users with the first few of a very large collection: must it be loaded to read its beginning?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import (
    DeclarativeBase,
    DynamicMapped,
    Mapped,
    Session,
    WriteOnlyMapped,
    lazyload,
    mapped_column,
    relationship,
    selectinload,
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
    defaults,
)
from scenarios.formulas import each_once, in_lists, one_by_one
from scenarios.indexes import with_or_without

PARAMETERS = (Parameter(name="first", help="Entries of each user's log that are read.", default=10, low=1),)


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class User(Base):
    """The parent, with one collection mapped in three ways."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(80))
    entries: Mapped[list[Entry]] = relationship(order_by="Entry.id")
    written: WriteOnlyMapped[Entry] = relationship(overlaps="entries", order_by="Entry.id")
    queried: DynamicMapped[Entry] = relationship(overlaps="entries,written", order_by="Entry.id")


class Entry(Base):
    """The child."""

    __tablename__ = "entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    points: Mapped[int]
    text: Mapped[str] = mapped_column(String)


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
            name="entries",
            level=1,
            parent="users",
            columns=(
                Column(name="id", values=Serial()),
                Column(name="user_id", values=Parent()),
                Column(name="points", values=Integers(low=0, high=999)),
                Column(name="text", values=Text()),
            ),
        ),
    )
)


def load(session: Session, strategy: Strategy) -> Sequence[Any]:
    """Load every user with the first entries of its log."""
    assert strategy.load is not None
    return strategy.load(session)


def sliced(option: Any, first: int) -> Callable[[Session], Sequence[Any]]:
    """Load all entries, and keep the first."""

    def load(session: Session) -> Sequence[Any]:
        return [(user, user.entries[:first]) for user in session.scalars(select(User).options(option)).all()]

    return load


def written(first: int) -> Callable[[Session], Sequence[Any]]:
    """Read the first entries by the statement that a write-only collection gives."""

    def load(session: Session) -> Sequence[Any]:
        users = session.scalars(select(User)).all()
        return [(user, session.scalars(user.written.select().limit(first)).all()) for user in users]

    return load


def queried(first: int) -> Callable[[Session], Sequence[Any]]:
    """Read the first entries by the query that a dynamic collection is."""

    def load(session: Session) -> Sequence[Any]:
        users = session.scalars(select(User)).all()
        return [(user, user.queried.limit(first).all()) for user in users]

    return load


def all_rows(shape: Shape) -> int:
    """Rows where each user and each entry comes once."""
    return shape.parents + shape.children


def strategies(first: int) -> tuple[Strategy, ...]:
    """Return the strategies for so many entries of each user."""
    return (
        Strategy(
            name="lazy",
            summary="Every user's whole log by a SELECT of its own, and a slice of it.",
            load=sliced(lazyload(User.entries), first),
            statements=one_by_one("entries"),
            rows=all_rows,
        ),
        Strategy(
            name="selectin",
            summary="The whole log by IN lists, and a slice of each user's.",
            load=sliced(selectinload(User.entries), first),
            statements=lambda shape: 1 + in_lists(shape.parents),
            rows=all_rows,
        ),
        Strategy(
            name="write_only",
            summary="A SELECT with a LIMIT for each user, of a collection that is never loaded (`WriteOnlyMapped`).",
            load=written(first),
            statements=one_by_one("entries"),
            rows=each_once("entries"),
        ),
        Strategy(
            name="dynamic",
            summary="The same by the older `DynamicMapped`, whose collection is a query.",
            load=queried(first),
            statements=one_by_one("entries"),
            rows=each_once("entries"),
        ),
    )


def make(given: Given) -> Scenario:
    """Return the scenario for so many entries of each user."""
    first = given.number("first")
    return Scenario(
        name="writeonly_dynamic",
        question="Users with the first few of a very large collection: must it be loaded to read its beginning?",
        base=Base,
        entity=User,
        paths=("entries",),
        selections=(Selection(path="entries", limit=first),),
        recipe=RECIPE,
        load=load,
        strategies=strategies(first),
        baseline="selectin",
        rule_of_thumb=RuleOfThumb(
            strategy="selectin",
            says="selectinload for collections: two or more queries with IN and no duplicated parents.",
        ),
        parameters=PARAMETERS,
        make=make,
    )


WRITEONLY_DYNAMIC = with_or_without(make(defaults(PARAMETERS)), "ix_entries_user_id", of="the entries' foreign key has")
