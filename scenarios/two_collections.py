"""Teams with their members and their matches: what do two collections of one parent cost when both are read?"""

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

from bench import Column, Integers, Parent, Pick, Recipe, RuleOfThumb, Scenario, Serial, Strategy, Table, Text
from scenarios.formulas import all_joined, always, each_once, joined, list_by_list, one_by_one, plus
from scenarios.indexes import with_or_without


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class Team(Base):
    """The parent."""

    __tablename__ = "teams"

    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str] = mapped_column(String(80))
    motto: Mapped[str] = mapped_column(String)
    members: Mapped[list[Member]] = relationship()
    matches: Mapped[list[Match]] = relationship()


class Member(Base):
    """One child: many to a team."""

    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    born: Mapped[int]


class Match(Base):
    """The other child: as many to a team, and none of a member's."""

    __tablename__ = "matches"

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"), index=True)
    goals: Mapped[int]
    report: Mapped[str] = mapped_column(String)


RECIPE = Recipe(
    tables=(
        Table(
            name="teams",
            level=0,
            columns=(
                Column(name="id", values=Serial()),
                Column(name="city", values=Pick(pool="city")),
                Column(name="motto", values=Text()),
            ),
        ),
        Table(
            name="members",
            level=1,
            parent="teams",
            columns=(
                Column(name="id", values=Serial()),
                Column(name="team_id", values=Parent()),
                Column(name="name", values=Pick(pool="name")),
                Column(name="born", values=Integers(low=1970, high=2005)),
            ),
        ),
        Table(
            name="matches",
            level=1,
            parent="teams",
            columns=(
                Column(name="id", values=Serial()),
                Column(name="team_id", values=Parent()),
                Column(name="goals", values=Integers(low=0, high=9)),
                Column(name="report", values=Text()),
            ),
        ),
    )
)


def load(session: Session, strategy: Strategy) -> Sequence[Team]:
    """Load every team and touch its members and its matches."""
    result = session.scalars(strategy.apply(select(Team)))
    teams = (result.unique() if strategy.unique else result).all()
    for team in teams:
        team.members, team.matches  # noqa: B018 - the access is the load
    return teams


def options(*given: Any) -> Callable[[Select[Any]], Select[Any]]:
    """Add loader options to the statement."""
    return lambda statement: statement.options(*given)


INDEXED = Scenario(
    name="two_collections",
    question="Teams with their members and their matches: what do two collections of one parent cost?",
    base=Base,
    entity=Team,
    paths=("members", "matches"),
    usual="100x50",  # 250,000 rows of the two joined; ten times as many teams would be ten times as many
    recipe=RECIPE,
    load=load,
    strategies=(
        Strategy(
            name="lazy",
            summary="One SELECT for the teams, then two for each team.",
            apply=options(lazyload(Team.members), lazyload(Team.matches)),
            statements=one_by_one("members", "matches"),
            rows=each_once("members", "matches"),
        ),
        Strategy(
            name="joined+joined",
            summary="One SELECT with two LEFT OUTER JOINs; a team comes once for every pair of a member and a match.",
            apply=options(joinedload(Team.members), joinedload(Team.matches)),
            statements=always(1),
            rows=all_joined,
            unique=True,
        ),
        Strategy(
            name="selectin+selectin",
            summary="One SELECT for the teams, then two with an IN list for every 500 of them.",
            apply=options(selectinload(Team.members), selectinload(Team.matches)),
            statements=list_by_list("members", "matches"),
            rows=each_once("members", "matches"),
        ),
        Strategy(
            name="joined+selectin",
            summary="The members come with the teams, by a LEFT OUTER JOIN; the matches by IN lists.",
            apply=options(joinedload(Team.members), selectinload(Team.matches)),
            statements=list_by_list("matches"),
            rows=plus(joined("members"), lambda shape: shape.at("matches").nodes),
            unique=True,
        ),
        Strategy(
            name="selectin+joined",
            summary="The matches come with the teams, by a LEFT OUTER JOIN; the members by IN lists.",
            apply=options(selectinload(Team.members), joinedload(Team.matches)),
            statements=list_by_list("members"),
            rows=plus(joined("matches"), lambda shape: shape.at("members").nodes),
            unique=True,
        ),
        Strategy(
            name="subquery+subquery",
            summary="One SELECT for the teams, then one for all of each child, the first as a sub-query in it.",
            apply=options(subqueryload(Team.members), subqueryload(Team.matches)),
            statements=always(3),
            rows=each_once("members", "matches"),
        ),
    ),
    baseline="selectin+selectin",
    rule_of_thumb=RuleOfThumb(
        strategy="selectin+selectin",
        says="selectinload for collections; two joined collections multiply each other's rows.",
    ),
)

TWO_COLLECTIONS = with_or_without(
    INDEXED, "ix_members_team_id", "ix_matches_team_id", of="the two foreign keys each have"
)
