"""Users without anything that hangs on them: what does it cost to read one result in one way or another?

The answer is every user's key, name and email, whether it comes as an entity, a row or a mapping.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench import Column, Numbered, Pick, Recipe, RuleOfThumb, Scenario, Serial, Shape, Strategy, Table
from scenarios.formulas import always

PART = 100
"""Rows of one of `partitions()`."""


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class User(Base):
    """All there is."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(80))


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
    )
)

COLUMNS = select(User.id, User.name, User.email)


def load(session: Session, strategy: Strategy) -> Sequence[Any]:
    """Read every user as the strategy reads it."""
    assert strategy.load is not None
    return strategy.load(session)


def one_row_a_user(shape: Shape) -> int:
    """Rows of every strategy: they differ in what is made of them."""
    return shape.parents


def reading(name: str, summary: str, load: Callable[[Session], Sequence[Any]], *, common: bool = True) -> Strategy:
    """Return the strategy that reads the result so."""
    return Strategy(name=name, summary=summary, load=load, statements=always(1), rows=one_row_a_user, common=common)


def in_parts(session: Session) -> Sequence[User]:
    """Read a part of the result at a time."""
    return [user for part in session.scalars(select(User)).partitions(PART) for user in part]


RESULT_ACCESS = Scenario(
    name="result_access",
    question="Users without anything that hangs on them: what does it cost to read one result in one way or another?",
    base=Base,
    entity=User,
    paths=(),
    recipe=RECIPE,
    load=load,
    strategies=(
        reading(
            "scalars",
            "`session.scalars(...).all()`: entities.",
            lambda session: session.scalars(select(User)).all(),
        ),
        reading(
            "scalars_unique",
            "`session.scalars(...).unique().all()`: entities, each held against those that came before.",
            lambda session: session.scalars(select(User)).unique().all(),
        ),
        reading(
            "rows_of_entities",
            "`session.execute(...).all()`: rows of one entity each, which is taken out of them.",
            lambda session: [row[0] for row in session.execute(select(User)).all()],
        ),
        reading(
            "partitions",
            f"`session.scalars(...).partitions({PART})`: lists of entities.",
            in_parts,
            common=False,
        ),
        reading(
            "columns",
            "`session.execute(select(User.id, ...)).all()`: rows of columns, no entity is made.",
            lambda session: session.execute(COLUMNS).all(),
        ),
        reading(
            "mappings",
            "`session.execute(select(User.id, ...)).mappings().all()`: each row as a mapping.",
            lambda session: session.execute(COLUMNS).mappings().all(),
        ),
    ),
    baseline="scalars",
    rule_of_thumb=RuleOfThumb(
        strategy="scalars",
        says="scalars().all() for entities; unique() where a join repeats them.",
    ),
)
