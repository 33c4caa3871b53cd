"""Wide articles with thin comments: what do 20 text columns cost that a join repeats, and who needs them?

What is asked for is an article's title and its comments; strategies that load all 20 texts do more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ForeignKey, Select, String, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    defer,
    joinedload,
    lazyload,
    load_only,
    mapped_column,
    relationship,
    selectinload,
    subqueryload,
)

from bench import (
    Column,
    Given,
    Integers,
    Parameter,
    Parent,
    Pick,
    Recipe,
    RuleOfThumb,
    Scenario,
    Serial,
    Strategy,
    Table,
    Text,
    defaults,
)
from scenarios.formulas import always, each_once, joined, list_by_list, one_by_one
from scenarios.indexes import with_or_without

PARAMETERS = (Parameter(name="width", help="Characters of each of the 20 texts.", default=100, high=100_000),)

TEXTS = tuple(f"text_{number}" for number in range(1, 21))


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class Article(Base):
    """The parent; `TEXTS` are its further columns."""

    __tablename__ = "articles"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    comments: Mapped[list[Comment]] = relationship()


for text in TEXTS:
    setattr(Article, text, mapped_column(String, nullable=False))


class Comment(Base):
    """The child: two numbers."""

    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id"), index=True)
    likes: Mapped[int]


def load(session: Session, strategy: Strategy) -> Sequence[Article]:
    """Load every article and touch its title and its comments."""
    result = session.scalars(strategy.apply(select(Article)))
    articles = (result.unique() if strategy.unique else result).all()
    for article in articles:
        article.title, article.comments  # noqa: B018 - the access is the load
    return articles


def options(*given: Any) -> Callable[[Select[Any]], Select[Any]]:
    """Add loader options to the statement."""
    return lambda statement: statement.options(*given)


STRATEGIES = (
    Strategy(
        name="lazy",
        summary="One SELECT for the articles with all their texts, then one for each article's comments.",
        apply=options(lazyload(Article.comments)),
        statements=one_by_one("comments"),
        rows=each_once("comments"),
    ),
    Strategy(
        name="joined",
        summary="One SELECT with a LEFT OUTER JOIN; each comment's row repeats 20 texts.",
        apply=options(joinedload(Article.comments)),
        statements=always(1),
        rows=joined("comments"),
        unique=True,
    ),
    Strategy(
        name="selectin",
        summary="One SELECT for the articles with all their texts, once each; the comments by IN lists.",
        apply=options(selectinload(Article.comments)),
        statements=list_by_list("comments"),
        rows=each_once("comments"),
    ),
    Strategy(
        name="subquery",
        summary="One SELECT for the articles, then one for all comments, joined to the first as a sub-query.",
        apply=options(subqueryload(Article.comments)),
        statements=always(2),
        rows=each_once("comments"),
    ),
    Strategy(
        name="joined+load_only",
        summary="The join, with nothing of an article but its title (`load_only`).",
        apply=options(load_only(Article.title), joinedload(Article.comments)),
        statements=always(1),
        rows=joined("comments"),
        unique=True,
    ),
    Strategy(
        name="selectin+load_only",
        summary="The IN lists, with nothing of an article but its title (`load_only`).",
        apply=options(load_only(Article.title), selectinload(Article.comments)),
        statements=list_by_list("comments"),
        rows=each_once("comments"),
    ),
    Strategy(
        name="selectin+defer",
        summary="The IN lists, with each of the 20 texts deferred: what `load_only` does, by the other end.",
        apply=options(*(defer(getattr(Article, text)) for text in TEXTS), selectinload(Article.comments)),
        statements=list_by_list("comments"),
        rows=each_once("comments"),
        common=False,
    ),
    Strategy(
        name="selectin+raiseload",
        summary="As selectin+load_only, and touching one of the 20 texts raises.",
        apply=options(load_only(Article.title, raiseload=True), selectinload(Article.comments)),
        statements=list_by_list("comments"),
        rows=each_once("comments"),
        common=False,
    ),
)


def recipe(width: int) -> Recipe:
    """Return the dataset with texts of so many characters."""
    return Recipe(
        tables=(
            Table(
                name="articles",
                level=0,
                columns=(
                    Column(name="id", values=Serial()),
                    Column(name="title", values=Pick(pool="title")),
                    *(Column(name=text, values=Text(width=width)) for text in TEXTS),
                ),
            ),
            Table(
                name="comments",
                level=1,
                parent="articles",
                columns=(
                    Column(name="id", values=Serial()),
                    Column(name="article_id", values=Parent()),
                    Column(name="likes", values=Integers(low=0, high=999)),
                ),
            ),
        )
    )


def make(given: Given) -> Scenario:
    """Return the scenario with texts of so many characters."""
    return Scenario(
        name="wide_parents",
        question="Wide articles with thin comments: what do 20 texts cost that a join repeats, and who needs them?",
        base=Base,
        entity=Article,
        paths=("comments",),
        only=("Article.id", "Article.title"),
        recipe=recipe(given.number("width")),
        load=load,
        strategies=STRATEGIES,
        baseline="selectin",
        rule_of_thumb=RuleOfThumb(
            strategy="selectin",
            says="selectinload for collections; a join repeats every column of the parent in every row.",
        ),
        parameters=PARAMETERS,
        make=make,
    )


WIDE_PARENTS = with_or_without(make(defaults(PARAMETERS)), "ix_comments_article_id", of="the comments' foreign key has")
