"""A hand-made scenario of three levels: publishers own authors and prizes, and authors own works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from bench.model import (
    Column,
    Dates,
    Integers,
    Numbered,
    Parent,
    Pick,
    Recipe,
    RuleOfThumb,
    Scenario,
    Serial,
    Strategy,
    Table,
    Text,
)


class Base(DeclarativeBase):
    pass


class Publisher(Base):
    __tablename__ = "publishers"
    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str]
    unseeded: Mapped[str | None]
    authors: Mapped[list[Author]] = relationship(back_populates="publisher")
    prizes: Mapped[list[Prize]] = relationship()


class Author(Base):
    __tablename__ = "authors"
    number: Mapped[int] = mapped_column("author_id", primary_key=True)
    publisher_id: Mapped[int] = mapped_column(ForeignKey("publishers.id"), index=True)
    full_name: Mapped[str] = mapped_column("name")
    born: Mapped[date]
    publisher: Mapped[Publisher] = relationship(back_populates="authors")
    works: Mapped[list[Work]] = relationship(back_populates="author")


class Prize(Base):
    __tablename__ = "prizes"
    id: Mapped[int] = mapped_column(primary_key=True)
    holder_id: Mapped[int] = mapped_column(ForeignKey("publishers.id"), index=True)
    euros: Mapped[int]


class Work(Base):
    __tablename__ = "works"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.author_id"), index=True)
    code: Mapped[str]
    blurb: Mapped[str]
    author: Mapped[Author] = relationship(back_populates="works")


def _table(name: str, level: int, parent: str | None = None, /, **columns: Any) -> Table:
    return Table(
        name=name,
        level=level,
        parent=parent,
        columns=tuple(Column(name=column, values=values) for column, values in columns.items()),
    )


RECIPE = Recipe(
    tables=(
        _table("publishers", 0, id=Serial(start=10), city=Pick(pool="city")),
        _table(
            "authors",
            1,
            "publishers",
            author_id=Serial(start=1000),
            publisher_id=Parent(),
            name=Pick(pool="name"),
            born=Dates(first="1950-01-01", days=2_000),
        ),
        _table("prizes", 1, "publishers", id=Serial(), holder_id=Parent(), euros=Integers(low=-5, high=5)),
        _table(
            "works",
            2,
            "authors",
            id=Serial(),
            author_id=Parent(),
            code=Numbered(pattern='"{}" %s'),
            blurb=Text(width=70),
        ),
    )
)


def _load(session: Session, strategy: Strategy) -> Sequence[Publisher]:
    return session.scalars(strategy.apply(select(Publisher))).all()


PUBLISHING = Scenario(
    name="publishing",
    question="Publishers with their authors, those authors' works, and their prizes?",
    base=Base,
    entity=Publisher,
    paths=("prizes", "authors.works"),
    recipe=RECIPE,
    load=_load,
    strategies=(),
    baseline="lazy",
    rule_of_thumb=RuleOfThumb(strategy="lazy", says=""),
)

UPWARDS = replace(PUBLISHING, name="upwards", entity=Work, paths=("author.publisher.prizes",))
"""The same rows from below: each work with its author, that author's publisher and the publisher's prizes."""
