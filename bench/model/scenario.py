"""Scenario: a question about loading, as a value: classes, rows, one load, and the strategies that answer it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.model.recipe import Recipe, Shape

if TYPE_CHECKING:  # the reporting side reads this module too, and runs where SQLAlchemy is not loaded
    from sqlalchemy import Select
    from sqlalchemy.orm import DeclarativeBase, Session

Formula = Callable[[Shape], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One way to load the scenario's relationships.

    name: SQLAlchemy's word (`selectin`), with an argument in brackets where it has one (`selectin[100]`).
    summary: its contract in one sentence. apply: adds the loader options, and a join where it needs one, to the
    scenario's statement. unique: whether the result needs `Result.unique()`. statements, rows: formulas of what it
    sends and fetches. common: whether it is among those that people choose between, run when none is named.
    since: the first SQLAlchemy version, `(major, minor)`, that has what it uses.
    """

    name: str
    summary: str
    apply: Callable[[Select[Any]], Select[Any]]
    statements: Formula
    rows: Formula
    unique: bool = False
    common: bool = True
    since: tuple[int, int] = (2, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Strategies that differ in a whole number: `make(100)` is the one that a user asks for as `selectin[100]`."""

    name: str
    argument: str
    make: Callable[[int], Strategy]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOfThumb:
    """The advice that everybody repeats for this shape: the strategy it names and the sentence it comes in."""

    strategy: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A question about loading related objects.

    name: how it is asked for. question: one sentence for a reader. base: the declarative base whose tables are made.
    entity: the class that the load returns. paths: the relationships that are walked, as dotted attribute names from
    `entity`. recipe: the dataset. load: runs the statement in the session, with the strategy applied, touches every
    relationship in `paths` and returns the entities. strategies: in the order in which they are listed.
    families: strategies with an argument. controls: strategies that must fail, held to it by tests, never arms.
    baseline: the strategy that separate runs are related to, and whose twin gives the noise floor.
    """

    name: str
    question: str
    base: type[DeclarativeBase]
    entity: type[DeclarativeBase]
    paths: tuple[str, ...]
    recipe: Recipe
    load: Callable[[Session, Strategy], Sequence[Any]]
    strategies: tuple[Strategy, ...]
    baseline: str
    rule_of_thumb: RuleOfThumb
    families: tuple[Family, ...] = ()
    controls: tuple[Strategy, ...] = ()

    @property
    def levels(self) -> int:
        """How many numbers a size of this scenario has."""
        return 1 + max(table.level for table in self.recipe.tables)
