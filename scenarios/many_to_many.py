"""Posts with their tags, through a link table: which strategy, and what does leaving a table out of the join save?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column as SqlColumn
from sqlalchemy import ForeignKey, String, select
from sqlalchemy import Table as SqlTable
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
    Parameter,
    Parent,
    Pick,
    Recipe,
    Reference,
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
        name="tags", help="Tags in all; each post has as many different ones as the size says.", default=200, low=10
    ),
)


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


post_tags = SqlTable(
    "post_tags",
    Base.metadata,
    SqlColumn("post_id", ForeignKey("posts.id"), primary_key=True),
    SqlColumn("tag_id", ForeignKey("tags.id"), primary_key=True, index=True),
)


class Post(Base):
    """The parent."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(String)
    tags: Mapped[list[Tag]] = relationship(secondary=post_tags)
    tags_with_parent: Mapped[list[Tag]] = relationship(secondary=post_tags, viewonly=True, omit_join=False)


class Tag(Base):
    """The other side, shared by many posts."""

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(String(80))


def load(session: Session, strategy: Strategy) -> Sequence[Any]:
    """Load every post and touch its tags."""
    if strategy.load is not None:
        return strategy.load(session)
    result = session.scalars(strategy.apply(select(Post)))
    posts = (result.unique() if strategy.unique else result).all()
    for post in posts:
        post.tags  # noqa: B018 - the access is the load
    return posts


def load_with_parent(session: Session) -> Sequence[Any]:
    """Load the tags by the relationship that joins the posts once more, as SQLAlchemy 2.0 does."""
    posts = session.scalars(select(Post).options(selectinload(Post.tags_with_parent))).all()
    return [(post, post.tags_with_parent) for post in posts]


STRATEGIES = (
    Strategy(
        name="lazy",
        summary="One SELECT for the posts, then one for each post's tags, joined to the link table.",
        apply=lambda statement: statement.options(lazyload(Post.tags)),
        statements=one_by_one("tags"),
        rows=each_once("tags"),
    ),
    Strategy(
        name="joined",
        summary="One SELECT with the link table and the tags in a LEFT OUTER JOIN; each row repeats its post.",
        apply=lambda statement: statement.options(joinedload(Post.tags)),
        statements=always(1),
        rows=joined("tags"),
        unique=True,
    ),
    Strategy(
        name="selectin",
        summary="One SELECT for the posts, then one of the link table and the tags for every 500 posts.",
        apply=lambda statement: statement.options(selectinload(Post.tags)),
        statements=list_by_list("tags"),
        rows=each_once("tags"),
    ),
    Strategy(
        name="selectin_with_parent",
        summary="As selectin, with the posts joined once more (`omit_join=False`): what it was before SQLAlchemy 2.1.",
        load=load_with_parent,
        statements=list_by_list("tags"),
        rows=each_once("tags"),
    ),
    Strategy(
        name="subquery",
        summary="One SELECT for the posts, then one for all tags, joined to the first statement as a sub-query.",
        apply=lambda statement: statement.options(subqueryload(Post.tags)),
        statements=always(2),
        rows=each_once("tags"),
    ),
    Strategy(
        name="immediate",
        summary="As lazy, but before the result is handed over.",
        apply=lambda statement: statement.options(immediateload(Post.tags)),
        statements=one_by_one("tags"),
        rows=each_once("tags"),
        common=False,
    ),
)


def recipe(tags: int) -> Recipe:
    """Return the dataset with so many tags."""
    return Recipe(
        tables=(
            Table(
                name="posts",
                level=0,
                columns=(
                    Column(name="id", values=Serial()),
                    Column(name="title", values=Pick(pool="title")),
                    Column(name="body", values=Text()),
                ),
            ),
            Table(
                name="tags",
                level=0,
                each=tags,
                columns=(Column(name="id", values=Serial()), Column(name="word", values=Pick(pool="word"))),
            ),
            Table(
                name="post_tags",
                level=1,
                parent="posts",
                columns=(
                    Column(name="post_id", values=Parent()),
                    Column(name="tag_id", values=Reference(table="tags")),
                ),
            ),
        )
    )


def make(given: Given) -> Scenario:
    """Return the scenario with so many tags."""
    return Scenario(
        name="many_to_many",
        question="Posts with their tags, through a link table: which strategy, and what does a table left out save?",
        base=Base,
        entity=Post,
        paths=("tags",),
        recipe=recipe(given.number("tags")),
        load=load,
        strategies=STRATEGIES,
        baseline="selectin",
        rule_of_thumb=RuleOfThumb(
            strategy="selectin",
            says="selectinload for many-to-many: nothing duplicated, and the link table is read once.",
        ),
        parameters=PARAMETERS,
        make=make,
    )


MANY_TO_MANY = make(defaults(PARAMETERS))
