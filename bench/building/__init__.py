"""Building: from a mapped class and relationship paths to the strategies that load them, and to a scenario.

A worker imports it for a user's scenario: the standard library and SQLAlchemy, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from sqlalchemy import Column as MappedColumn
from sqlalchemy import Select
from sqlalchemy.orm import (
    Mapper,
    Session,
    immediateload,
    joinedload,
    lazyload,
    selectinload,
    subqueryload,
)

from bench.building import formulas
from bench.building.formulas import Mix
from bench.building.mixes import MOST, name_of, named, sensible, unfit, usual
from bench.building.parents import chosen
from bench.building.recipes import is_comparable, recipe_for
from bench.building.steps import Step, mapper_of, steps_of, walked
from bench.model import Recipe, RuleOfThumb, Scenario, Strategy
from bench.model.scenario import NO_RECIPE

__all__ = ["MOST", "mapper_of", "recipe_for", "scenario_of", "steps_of", "strategies_for", "walked"]

OPTIONS: dict[str, Callable[..., Any]] = {
    "lazy": lazyload,
    "joined": joinedload,
    "joined_inner": partial(joinedload, innerjoin=True),
    "selectin": selectinload,
    "subquery": subqueryload,
    "immediate": immediateload,
}

SAYS = {
    "lazy": "{} by a SELECT each when touched",
    "joined": "{} by a LEFT OUTER JOIN",
    "joined_inner": "{} by an INNER JOIN",
    "selectin": "{} by IN lists of 500",
    "subquery": "{} by one SELECT around a sub-query",
    "immediate": "{} by a SELECT each before the result is handed over",
}


def strategies_for(
    entity: type[Any], *paths: Any, names: Sequence[str] | None = None, most: int = MOST
) -> tuple[Strategy, ...]:
    """Return the strategies that load relationships of a mapped class: every sensible mix, a word for each step.

    paths: `lines.product`, `Order.lines.product` or the attribute `Order.lines`. names: those to build, such as
    `joined+selectin`, None for the sensible ones, of which `most` are kept: the same word throughout (lazy, joined,
    selectin, subquery, immediate), then mixes of joined, selectin and fitting inner joins, those first that depart from
    the rule of thumb at the fewest steps. Raises BenchError for a class that is not mapped, a path that is none (with
    the nearest name), and a name that does not fit.
    """
    steps = steps_of(entity, paths)
    every = list(walked(steps))
    chosen = sensible(every, most)[0] if names is None else named(every, names)
    return tuple(_strategy(mapper_of(entity), steps, mix) for mix in chosen)


def scenario_of(
    entity: type[Any],
    *paths: Any,
    recipe: Recipe | None = None,
    name: str = "",
    question: str = "",
    names: Sequence[str] | None = None,
    most: int = MOST,
    parents: Select[Any] | None = None,
) -> Scenario:
    """Return the scenario of loading every row of a mapped class and touching relationships of it.

    recipe: the rows, None for what `recipe_for` makes of the mapped tables. parents: the query of the entities, of data
    that a database holds already: `select(Order).where(...)`; there is no recipe then. names, most: as of
    `strategies_for`. What was left out, and why, is said when it is measured.
    """
    steps, mapper = steps_of(entity, paths), mapper_of(entity)
    statement, recipe = chosen(mapper, parents, recipe), recipe or _recipe(entity, paths, parents)
    every = list(walked(steps))
    strategies = strategies_for(entity, *paths, names=names, most=most)
    rule = name_of(usual(every))
    there = [strategy.name for strategy in strategies]
    ends = tuple(step.path for step in every if not step.below)
    return Scenario(
        name=name or _plain_name(mapper.class_.__name__, *ends),
        question=question or f"{mapper.class_.__name__} with {' and '.join(ends)}: which strategy loads them best?",
        base=_base(mapper),
        entity=entity,
        paths=ends,
        recipe=recipe,
        load=_Load(statement, _touching(steps)),
        strategies=strategies,
        baseline=rule if rule in there else there[0],
        rule_of_thumb=RuleOfThumb(
            strategy=rule if rule in there else there[0],
            says="selectinload for collections, joinedload for what there is one of.",
        ),
        only=_only({mapper, *(step.found.mapper for step in every)}, recipe),
        remarks=() if names is not None else (*_cut(every, most), *unfit(every)),
    )


@dataclass(frozen=True, slots=True)
class _Load:
    """The load of a scenario that was built: the entities that a statement finds, and what is touched of each."""

    statement: Select[Any]
    touch: Callable[[Any], None]

    def __call__(self, session: Session, strategy: Strategy) -> Sequence[Any]:
        result = session.scalars(strategy.apply(self.statement))
        found = (result.unique() if strategy.unique else result).all()
        for one in found:
            self.touch(one)
        return found


def _recipe(entity: type[Any], paths: tuple[Any, ...], parents: Select[Any] | None) -> Recipe:
    """Return the recipe of a scenario that was given none."""
    return recipe_for(entity, *paths) if parents is None else NO_RECIPE


def _strategy(mapper: Mapper[Any], steps: tuple[Step, ...], mix: Mix) -> Strategy:
    name, every = name_of(mix), list(walked(steps))
    return Strategy(
        name=name,
        summary="; ".join(SAYS[mix[step.path]].format(step.path) for step in every) + ".",
        statements=formulas.statements(mapper, steps, mix),
        rows=formulas.rows(mapper, steps, mix),
        apply=_Options(tuple(_option(step, mix) for step in steps)),
        unique=any(step.many for step in formulas.joined_to(steps, mix)),
        common=len(every) == 1 or not {"immediate", "joined_inner"} & set(mix.values()),
    )


@dataclass(frozen=True, slots=True)
class _Options:
    """Adds loader options to a statement."""

    given: tuple[Any, ...]

    def __call__(self, statement: Select[Any]) -> Select[Any]:
        return statement.options(*self.given)


def _option(step: Step, mix: Mix) -> Any:
    """Return the loader option of a step, with those of what lies below it."""
    attribute = getattr(step.found.parent.class_, step.found.key)
    option = OPTIONS[mix[step.path]](attribute)
    return option.options(*(_option(one, mix) for one in step.below)) if step.below else option


def _touching(steps: Sequence[Step]) -> Callable[[Any], None]:
    """Return what touches the steps of an entity, and theirs."""
    walks = [(attrgetter(step.found.key), step.many, _touching(step.below) if step.below else None) for step in steps]

    def touch(entity: Any) -> None:
        for get, many, further in walks:
            held = get(entity)
            if further is None or held is None:
                continue
            for one in _members(held) if many else (held,):
                further(one)

    return touch


def _members(held: Any) -> Iterable[Any]:
    """Return the entities of a collection, which may be keyed by one of their attributes."""
    return held.values() if isinstance(held, Mapping) else held


def _cut(every: Sequence[Step], most: int) -> list[str]:
    kept, in_all = sensible(every, most)
    if len(kept) == in_all:
        return []
    said = f"those that are the same at each step, and those that depart from {name_of(usual(every))} at the fewest"
    return [f"{len(kept)} of {in_all} mixes of strategies are measured: {said}."]


def _only(mappers: Iterable[Mapper[Any]], recipe: Recipe) -> tuple[str, ...]:
    """Return the attributes that classes are compared by, where these are not all of theirs.

    Left out is what is loaded late, what is no column, and what the recipe cannot say the value of as it is loaded.
    """
    tables = {table.stored_in: table for table in recipe.tables}
    of_recipe = bool(tables)  # without one, what is compared is what the database holds
    found = []
    for mapper in mappers:
        plain = [
            one.key
            for one in mapper.column_attrs
            if not one.deferred
            and isinstance(column := one.columns[0], MappedColumn)
            and (not of_recipe or is_comparable(column, tables.get(column.table.name)))
        ]
        if len(plain) < len(mapper.column_attrs):
            found += [f"{mapper.class_.__name__}.{key}" for key in plain]
    return tuple(sorted(found))


def _base(mapper: Mapper[Any]) -> Any:
    """Return the declarative base of a class; of one that is mapped otherwise, what has its tables' metadata."""
    for one in reversed(mapper.class_.__mro__):
        if getattr(one, "metadata", None) is not None and getattr(one, "registry", None) is not None:
            return one
    return type("Base", (), {"metadata": mapper.local_table.metadata})  # type: ignore[attr-defined]


def _plain_name(*words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", "_".join(words).lower())
