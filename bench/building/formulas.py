"""What a mix of strategies sends and fetches, derived from its steps: exact, or not known.

A mix names a word for each step, by its path. Nothing is known where SQLAlchemy may do less or more than its steps say:
a class that is met twice (the identity map may have it already), inheritance, a relationship beside the path that is
configured to be loaded at once, and one that is joined by more than keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from sqlalchemy.orm import Mapper

from bench.building.steps import Step, walked
from bench.model import IN_LIST, Shape
from bench.model.scenario import MaybeFormula, unknown

Mix = Mapping[str, str]
"""The strategy's word for each step, by the step's path."""

JOINED = ("joined", "joined_inner")
AT_ONCE = ("joined", "selectin", "subquery", "immediate")
"""How relationships may be configured so that they are loaded without being asked for."""


def statements(mapper: Mapper[Any], steps: tuple[Step, ...], mix: Mix) -> MaybeFormula:
    """Return the formula of a mix's statements."""
    if not (_is_plain(mapper, steps) and _is_sensible(mix)):
        return unknown
    return lambda shape: 1 + sum(_sent(step, mix[step.path], shape) for step in walked(steps))


def rows(mapper: Mapper[Any], steps: tuple[Step, ...], mix: Mix) -> MaybeFormula:
    """Return the formula of a mix's rows."""
    if not (_is_plain(mapper, steps) and _is_sensible(mix)):
        return unknown
    if "subquery" in mix.values():
        return lambda shape: _by_subqueries(steps, shape)
    return lambda shape: _fetched("", steps, steps, mix, shape)


def _sent(step: Step, word: str, shape: Shape) -> int:
    """Return the statements that a step adds."""
    if word in JOINED:
        return 0
    if word == "subquery":
        return 1
    asked = shape.at(step.path).distinct if step.to_one else shape.at(step.above).distinct
    return ceil(asked / IN_LIST) if word == "selectin" else asked


def _fetched(base: str, joined: tuple[Step, ...], steps: tuple[Step, ...], mix: Mix, shape: Shape) -> int | None:
    """Return the rows of a step's own statements, of what is joined to them, and of all that is loaded after them."""
    total = _with_joins(base, joined_to(joined, mix), steps, shape)
    for step in _loaded_after(joined, mix):
        more = _fetched(step.path, step.below, steps, mix, shape)
        if total is None or more is None:
            return None
        total += more
    return total


def _by_subqueries(steps: tuple[Step, ...], shape: Shape) -> int | None:
    """Return the rows of a statement for each step, which joins all that lies above it once more, nothing left out.

    Where the first step is to-one, the sub-query is of its distinct keys.
    """
    total = shape.at("").nodes
    for first in steps:
        distinct = first.to_one and shape.at(first.path).nodes > shape.at(first.path).distinct
        if distinct and first.below:
            return None
        total += shape.at(first.path).distinct if distinct else sum(shape.at(s.path).nodes for s in walked((first,)))
    return total


def _with_joins(base: str, joined: list[Step], steps: tuple[Step, ...], shape: Shape) -> int | None:
    """Return the rows of statements that load what lies at a path, with joins: what each row is repeated for."""
    entities, many = shape.at(base), [step for step in joined if not step.to_one]
    repeats = base and not _asked_once(base, shape)
    if not many:
        return entities.distinct if _is_to_one(base, steps) else None if repeats else entities.nodes
    if repeats or _is_to_one(base, steps):
        return None
    last = max(many, key=lambda step: step.path.count("."))
    chain = [step for step in joined if last.path == step.path or last.path.startswith(f"{step.path}.")]
    if all(step in chain for step in many):
        return shape.at(last.path).nodes + sum(shape.at(step.path).empty for step in chain)
    everything = [step for step in walked(steps) if not step.to_one]
    return shape.joined if not base and all(step in many for step in everything) else None


def _asked_once(path: str, shape: Shape) -> bool:
    """Whether each of the entities above a path is reached once, so that none is asked again."""
    above = path.rpartition(".")[0]
    return shape.at(above).nodes == shape.at(above).distinct


def _is_to_one(path: str, steps: tuple[Step, ...]) -> bool:
    return any(step.path == path and step.to_one for step in walked(steps))


def joined_to(steps: tuple[Step, ...], mix: Mix) -> list[Step]:
    """Return the steps that come in the same statement as what they are asked for."""
    here = [step for step in steps if mix[step.path] in JOINED]
    return [found for step in here for found in (step, *joined_to(step.below, mix))]


def _loaded_after(steps: tuple[Step, ...], mix: Mix) -> list[Step]:
    """Return the steps that have statements of their own, next below those that come in one."""
    found = []
    for step in steps:
        found += _loaded_after(step.below, mix) if mix[step.path] in JOINED else [step]
    return found


def _is_sensible(mix: Mix) -> bool:
    """Whether it is one that is built unasked: what a lazy step among others sends is not derived."""
    words = set(mix.values())
    return len(words) == 1 or words <= {*JOINED, "selectin"}


def _is_plain(mapper: Mapper[Any], steps: tuple[Step, ...]) -> bool:
    """Whether nothing but the steps decides what is sent."""
    every = list(walked(steps))
    mappers = [mapper, *(step.found.mapper for step in every)]
    on_paths = {step.found for step in every}
    beside = [found for one in mappers for found in one.relationships if found not in on_paths]
    return (
        len({one.base_mapper for one in mappers}) == len(mappers)
        and not any(one.inherits or len(list(one.self_and_descendants)) > 1 for one in mappers)
        and not any(found.lazy in AT_ONCE or found.lazy is False for found in beside)
        and all(step.by_key for step in every)
    )
