"""Users with their newest posts: how does one load the top N children of each parent, and not all?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, cast

from sqlalchemy import ForeignKey, Index, String, func, select, true
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    mapped_column,
    relationship,
    selectinload,
)

from bench import (
    Column,
    Dates,
    Given,
    Parameter,
    Parent,
    Pick,
    Recipe,
    RuleOfThumb,
    Scenario,
    Selection,
    Serial,
    Strategy,
    Table,
    Text,
    defaults,
)
from scenarios.formulas import always, each_once, joined, list_by_list, one_by_one

PARAMETERS = (
    Parameter(name="newest", help="Posts of each user.", default=3, low=1),
    Parameter(
        name="index", help="Whether there is an index for a user's posts by day.", default="yes", choices=("yes", "no")
    ),
)


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class User(Base):
    """The parent."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    posts: Mapped[list[Post]] = relationship()


class Post(Base):
    """The child; where two are of one day, the one with the lower key comes first."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    day: Mapped[date]
    text: Mapped[str] = mapped_column(String)


Index("ix_posts_newest", Post.user_id, Post.day.desc(), Post.id)

NEWEST_FIRST = (Post.day.desc(), Post.id)

_ranked = select(
    Post, func.row_number().over(partition_by=Post.user_id, order_by=NEWEST_FIRST).label("place")
).subquery()
Ranked = aliased(Post, _ranked)

User.ranked = relationship(Ranked, primaryjoin=User.id == Ranked.user_id, viewonly=True)


def recipe(*, indexed: bool) -> Recipe:
    """Return the dataset, with or without the index by day."""
    return Recipe(
        tables=(
            Table(
                name="users",
                level=0,
                columns=(Column(name="id", values=Serial()), Column(name="name", values=Pick(pool="name"))),
            ),
            Table(
                name="posts",
                level=1,
                parent="users",
                columns=(
                    Column(name="id", values=Serial()),
                    Column(name="user_id", values=Parent()),
                    Column(name="day", values=Dates(first="2020-01-01", days=1500)),
                    Column(name="text", values=Text()),
                ),
            ),
        ),
        unindexed=() if indexed else ("ix_posts_newest",),
    )


def grouped(users: Sequence[User], posts: Sequence[Post]) -> Sequence[Any]:
    """Return each user with those of the posts that are its own."""
    of: dict[int, list[Post]] = {user.id: [] for user in users}
    for post in posts:
        of[post.user_id].append(post)
    return [(user, of[user.id]) for user in users]


def load(session: Session, strategy: Strategy) -> Sequence[Any]:
    """Load every user with its newest posts."""
    assert strategy.load is not None
    return strategy.load(session)


def load_all_and_slice(newest: int) -> Callable[[Session], Sequence[Any]]:
    """Load every post, and keep the newest in Python."""

    def load(session: Session) -> Sequence[Any]:
        users = session.scalars(select(User).options(selectinload(User.posts))).all()
        return [
            (user, sorted(user.posts, key=lambda post: (-post.day.toordinal(), post.id))[:newest]) for user in users
        ]

    return load


def load_user_by_user(newest: int) -> Callable[[Session], Sequence[Any]]:
    """Ask for each user's newest posts."""

    def load(session: Session) -> Sequence[Any]:
        users = session.scalars(select(User)).all()
        posts = select(Post).order_by(*NEWEST_FIRST).limit(newest)
        return [(user, session.scalars(posts.where(Post.user_id == user.id)).all()) for user in users]

    return load


def load_ranked(newest: int) -> Callable[[Session], Sequence[Any]]:
    """Rank all posts by a window function, and take the first of each user's."""

    def load(session: Session) -> Sequence[Any]:
        users = session.scalars(select(User)).all()
        return grouped(users, session.scalars(select(Ranked).where(_ranked.c.place <= newest)).all())

    return load


def load_ranked_by_lists(newest: int) -> Callable[[Session], Sequence[Any]]:
    """Rank them in a relationship to the ranking (`Row-limited relationships with window functions`)."""
    option = selectinload(User.ranked.and_(_ranked.c.place <= newest))  # type: ignore[attr-defined]

    def load(session: Session) -> Sequence[Any]:
        users = session.scalars(select(User).options(option)).all()
        return [(user, user.ranked) for user in users]  # type: ignore[attr-defined]

    return load


def load_lateral(newest: int) -> Callable[[Session], Sequence[Any]]:
    """Join to each user a sub-query of its newest posts."""
    own = select(Post).where(Post.user_id == User.id).order_by(*NEWEST_FIRST).limit(newest)
    post = aliased(Post, own.lateral())
    statement = select(User, post).outerjoin(post, true())

    def load(session: Session) -> Sequence[Any]:
        posts: dict[User, list[Post]] = {}
        for row in session.execute(statement):
            user, found = cast("tuple[User, Post | None]", row)
            posts.setdefault(user, []).extend([] if found is None else [found])
        return list(posts.items())

    return load


def strategies(newest: int) -> tuple[Strategy, ...]:
    """Return the strategies for so many posts of each user."""
    return (
        Strategy(
            name="selectin_all",
            summary="Every post by IN lists; all but the newest are left out in Python.",
            load=load_all_and_slice(newest),
            statements=list_by_list("posts"),
            rows=lambda shape: shape.parents + shape.children,
        ),
        Strategy(
            name="lazy",
            summary="One SELECT for the users, then one with a LIMIT for each user's posts.",
            load=load_user_by_user(newest),
            statements=one_by_one("posts"),
            rows=each_once("posts"),
        ),
        Strategy(
            name="window",
            summary="One SELECT for the users, then one that ranks all posts by a window function.",
            load=load_ranked(newest),
            statements=always(2),
            rows=each_once("posts"),
        ),
        Strategy(
            name="selectin_window",
            summary="The window function behind a relationship to an aliased class, loaded by IN lists.",
            load=load_ranked_by_lists(newest),
            statements=list_by_list("posts"),
            rows=each_once("posts"),
        ),
        Strategy(
            name="lateral",
            summary="One SELECT that joins to each user a LATERAL sub-query of its newest posts.",
            load=load_lateral(newest),
            statements=always(1),
            rows=joined("posts"),
            dialects=("postgresql",),
        ),
    )


def make(given: Given) -> Scenario:
    """Return the scenario for so many posts of each user."""
    newest = given.number("newest")
    return Scenario(
        name="newest_children",
        question="Users with their newest posts: how does one load the top N children of each parent, and not all?",
        base=Base,
        entity=User,
        paths=("posts",),
        selections=(Selection(path="posts", order_by="day", descending=True, limit=newest),),
        recipe=recipe(indexed=given["index"] == "yes"),
        load=load,
        strategies=strategies(newest),
        baseline="selectin_all",
        rule_of_thumb=RuleOfThumb(
            strategy="selectin_all",
            says="selectinload for collections; what is not wanted is sliced off.",
        ),
        parameters=PARAMETERS,
        make=make,
    )


NEWEST_CHILDREN = make(defaults(PARAMETERS))
