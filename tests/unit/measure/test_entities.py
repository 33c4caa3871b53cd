"""Held against compiled statements of every kind: this is where a change of SQLAlchemy's private parts shows first."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Column, ForeignKey, Select, Table, event, select
from sqlalchemy import create_engine as make_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    joinedload,
    load_only,
    mapped_column,
    relationship,
    selectinload,
    subqueryload,
)

from bench.measure.entities import entity_columns


class Base(DeclarativeBase):
    pass


links = Table(
    "links",
    Base.metadata,
    Column("post_id", ForeignKey("posts.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str]


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    tags: Mapped[list[Tag]] = relationship(secondary=links)
    notes: Mapped[list[Note]] = relationship()


class Note(Base):
    __tablename__ = "notes"
    first: Mapped[int] = mapped_column(primary_key=True)
    second: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))


def tables_of_each_statement(statement: Select[Any]) -> list[set[tuple[str, tuple[int, ...]]]]:
    engine = make_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        post = Post(id=1, title="t", tags=[Tag(id=1, word="w")], notes=[Note(first=1, second=2)])
        session.add(post)
        session.commit()
    seen: list[set[tuple[str, tuple[int, ...]]]] = []

    @event.listens_for(engine, "after_cursor_execute")
    def after(*arguments: Any) -> None:
        *_, context, _many = arguments
        seen.append({(entity.table, entity.positions) for entity in entity_columns(context.compiled)})

    with Session(engine) as session:
        session.execute(statement).unique().all()
    engine.dispose()
    return seen


LIMITED = select(Post).limit(3).subquery()

STATEMENTS: dict[str, tuple[Any, list[set[tuple[str, tuple[int, ...]]]]]] = {
    "an entity": (select(Post), [{("posts", (0,))}]),
    "two entities": (select(Post, Note).join(Post.notes), [{("posts", (0,)), ("notes", (2, 3))}]),
    "columns alone carry no entity without its key": (select(Post.title), [set()]),
    "an entity of which only the key is loaded": (select(Post).options(load_only(Post.id)), [{("posts", (0,))}]),
    "a join": (select(Post).options(joinedload(Post.notes)), [{("posts", (0,)), ("notes", (2, 3))}]),
    "a join over a link table, which is no entity": (
        select(Post).options(joinedload(Post.tags)),
        [{("posts", (0,)), ("tags", (2,))}],
    ),
    "a join that LIMIT wraps in a sub-query": (
        select(Post).options(joinedload(Post.notes)).limit(2),
        [{("posts", (0,)), ("notes", (2, 3))}],
    ),
    "selectin by foreign key": (
        select(Post).options(selectinload(Post.notes)),
        [{("posts", (0,))}, {("notes", (1, 2))}],
    ),
    "selectin over a link table carries the parent's key, not the parent": (
        select(Post).options(selectinload(Post.tags)),
        [{("posts", (0,))}, {("tags", (1,))}],
    ),
    "subquery carries the parent's key, not the parent": (
        select(Post).options(subqueryload(Post.notes)),
        [{("posts", (0,))}, {("notes", (0, 1))}],
    ),
    "an entity from a sub-query": (select(aliased(Post, LIMITED)), [{("posts", (0,))}]),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_row_carries(name: str) -> None:
    statement, expected = STATEMENTS[name]

    assert tables_of_each_statement(statement) == expected


def test_plain_text_carries_no_entity() -> None:
    assert entity_columns(None) == ()
