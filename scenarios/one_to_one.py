"""Users with their profile: is one join best for a tight, small pair?"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ForeignKey, String, select
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

from bench import Column, Numbered, Parent, Pick, Recipe, RuleOfThumb, Scenario, Serial, Strategy, Table, Text
from scenarios.formulas import always, each_once, joined, list_by_list, one_by_one


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class User(Base):
    """The one."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(80))
    profile: Mapped[Profile | None] = relationship()


class Profile(Base):
    """The other, which holds the foreign key."""

    __tablename__ = "profiles"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    city: Mapped[str] = mapped_column(String(80))
    about: Mapped[str] = mapped_column(String)


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
            name="profiles",
            level=1,
            parent="users",
            each=1,
            columns=(
                Column(name="id", values=Serial()),
                Column(name="user_id", values=Parent()),
                Column(name="city", values=Pick(pool="city")),
                Column(name="about", values=Text()),
            ),
        ),
    )
)


def load(session: Session, strategy: Strategy) -> Sequence[User]:
    """Load every user and touch its profile."""
    users = session.scalars(strategy.apply(select(User))).all()
    for user in users:
        user.profile  # noqa: B018 - the access is the load
    return users


ONE_TO_ONE = Scenario(
    name="one_to_one",
    question="Users with their profile: is one join best for a tight, small pair?",
    base=Base,
    entity=User,
    paths=("profile",),
    recipe=RECIPE,
    load=load,
    strategies=(
        Strategy(
            name="lazy",
            summary="One SELECT for the users, then one for each user's profile when it is touched.",
            apply=lambda statement: statement.options(lazyload(User.profile)),
            statements=one_by_one("profile"),
            rows=each_once("profile"),
        ),
        Strategy(
            name="joined",
            summary="One SELECT with a LEFT OUTER JOIN; a row is a user with its profile.",
            apply=lambda statement: statement.options(joinedload(User.profile)),
            statements=always(1),
            rows=joined("profile"),
        ),
        Strategy(
            name="joined_inner",
            summary="One SELECT with an INNER JOIN; users without a profile are lost.",
            apply=lambda statement: statement.options(joinedload(User.profile, innerjoin=True)),
            statements=always(1),
            rows=lambda shape: shape.at("profile").nodes,
        ),
        Strategy(
            name="selectin",
            summary="One SELECT for the users, then one with an IN list for the profiles of every 500.",
            apply=lambda statement: statement.options(selectinload(User.profile)),
            statements=list_by_list("profile"),
            rows=each_once("profile"),
        ),
        Strategy(
            name="subquery",
            summary="One SELECT for the users, then one for all profiles, joined to the first as a sub-query.",
            apply=lambda statement: statement.options(subqueryload(User.profile)),
            statements=always(2),
            rows=each_once("profile"),
        ),
        Strategy(
            name="immediate",
            summary="As lazy, but before the result is handed over.",
            apply=lambda statement: statement.options(immediateload(User.profile)),
            statements=one_by_one("profile"),
            rows=each_once("profile"),
        ),
    ),
    baseline="selectin",
    rule_of_thumb=RuleOfThumb(
        strategy="joined",
        says="joinedload for one-to-one: one query, and nothing is duplicated.",
    ),
)
