"""Scenario: a question about loading, as a value: classes, rows, one load, and the strategies that answer it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError
from bench.model.parameter import Given, Parameter, chosen
from bench.model.recipe import Recipe, Shape
from bench.model.selection import Selection

if TYPE_CHECKING:  # the reporting side reads this module too, and runs where SQLAlchemy is not loaded
    from sqlalchemy import Select
    from sqlalchemy.orm import DeclarativeBase, Session

NO_RECIPE = Recipe(tables=())
"""Of a scenario whose rows are those that a database holds already."""

Formula = Callable[[Shape], int]
MaybeFormula = Callable[[Shape], int | None]
"""A formula that may not know: None is not held against what is counted."""


def unknown(shape: Shape) -> None:
    """Know nothing: the formula of what does not follow from the dataset alone."""


def unchanged(statement: Select[Any]) -> Select[Any]:
    """Return the scenario's statement as it is."""
    return statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One way to load the scenario's relationships.

    name: SQLAlchemy's word (`selectin`), with an argument in brackets where it has one (`selectin[100]`).
    summary: its contract in one sentence. statements, rows: formulas of what it sends and fetches, from the dataset's
    shape; without one, a count is not held against anything. apply: adds the loader options, and a join where it needs
    one, to the scenario's statement. load: its own way to load, where that is not all; the scenario's `load` calls it.
    unique: whether the result needs `Result.unique()`. dialects: the databases that know what it sends; empty for all.
    common: whether it is among those that people choose between, run when none is named. since: the first SQLAlchemy
    version, `(major, minor)`, that has what it uses.
    """

    name: str
    summary: str
    statements: MaybeFormula = unknown
    rows: MaybeFormula = unknown
    apply: Callable[[Select[Any]], Select[Any]] = unchanged
    load: Callable[[Session], Sequence[Any]] | None = None
    unique: bool = False
    dialects: tuple[str, ...] = ()
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
    `entity`. recipe: the dataset; NO_RECIPE where the rows are those that a database holds already. load: runs the
    statement in the session, with the strategy applied, touches every relationship in `paths` and returns the
    entities. strategies: in the order in which they are listed.
    families: strategies with an argument. controls: strategies that must fail, held to it by tests, never arms.
    baseline: the strategy that separate runs are related to, and whose twin gives the noise floor.
    prepare: what is done to a new session before the load, neither counted nor timed.

    What the load has to return is the dataset's graph along the paths, unless less is asked of it:
    selections: the rows that it has to return, where those are not all. touched: at how many of a hundred entities its
    paths are walked, as `is_touched` spreads them. counted: paths of which the number of entities is the answer, not
    the entities. only: attributes, as `Class.attribute`, by which their class is compared, the others left out.
    Where a path's answer is not what the relationship itself holds, the load returns tuples: the entity, and for each
    path (each first step of one) in order the entities, or their number.

    parameters: what a user may vary beside size and dataset. make: returns the scenario for given values of them.
    remarks: what is said before it is measured, such as strategies that were left out. usual: the size that it is
    measured at where none is asked for, if that is not the one of all that take as many numbers.
    """

    name: str
    question: str
    base: type[DeclarativeBase]
    entity: type[DeclarativeBase]
    paths: tuple[str, ...]
    load: Callable[[Session, Strategy], Sequence[Any]]
    strategies: tuple[Strategy, ...]
    baseline: str
    rule_of_thumb: RuleOfThumb
    recipe: Recipe = NO_RECIPE
    families: tuple[Family, ...] = ()
    controls: tuple[Strategy, ...] = ()
    prepare: Callable[[Session], None] | None = None
    selections: tuple[Selection, ...] = ()
    touched: int = 100
    counted: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    make: Callable[[Given], Scenario] | None = None
    remarks: tuple[str, ...] = ()
    usual: str = ""

    @property
    def levels(self) -> int:
        """How many numbers a size of this scenario has."""
        return 1 + max((table.level for table in self.recipe.tables if table.each is None), default=0)

    def configured(self, given: Mapping[str, int | str]) -> Scenario:
        """Return the scenario with these values of its parameters, the others at their defaults.

        Values may be text, as a user types them. It is named by those that are not the defaults, as
        `partly_used[touched=10]`. Raises BenchError for a parameter that there is none of and for a value it may not
        have.
        """
        if not given:
            return self
        if self.make is None:
            raise BenchError(f"The scenario {self.name} has no parameters.", remedy="Name it without square brackets.")
        values = chosen(self.parameters, given, of=self.name)
        differing = [
            f"{parameter.name}={values[parameter.name]}"
            for parameter in self.parameters
            if values[parameter.name] != parameter.default
        ]
        return replace(self.make(values), name=f"{self.name}[{','.join(differing)}]" if differing else self.name)


def is_touched(place: int, percent: int) -> bool:
    """Whether the entity at a place, counted from 0 in primary-key order, is among the `percent` that are touched.

    They are spread evenly: of any first n entities, n * percent // 100 are.
    """
    return (place + 1) * percent // 100 > place * percent // 100
