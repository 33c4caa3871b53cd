"""A benchmark and profiling harness for the ways an ORM loads related objects.

The public names are those that a scenario is written with. They are looked up when first used, so that `bench --help`
need not wait for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.building import recipe_for, scenario_of, strategies_for
    from bench.model import (
        IN_LIST,
        Bytes,
        Column,
        Cycle,
        Dates,
        Documents,
        Extends,
        Family,
        Formula,
        Given,
        Integers,
        Moments,
        Numbered,
        Parameter,
        Parent,
        Pick,
        Place,
        Quotient,
        Recipe,
        Reference,
        Remainder,
        RuleOfThumb,
        Scenario,
        Selection,
        Serial,
        Shape,
        Strategy,
        Table,
        Text,
        Uuids,
        Where,
        defaults,
        is_touched,
    )

__all__ = [
    "IN_LIST",
    "Bytes",
    "Column",
    "Cycle",
    "Dates",
    "Documents",
    "Extends",
    "Family",
    "Formula",
    "Given",
    "Integers",
    "Moments",
    "Numbered",
    "Parameter",
    "Parent",
    "Pick",
    "Place",
    "Quotient",
    "Recipe",
    "Reference",
    "Remainder",
    "RuleOfThumb",
    "Scenario",
    "Selection",
    "Serial",
    "Shape",
    "Strategy",
    "Table",
    "Text",
    "Uuids",
    "Where",
    "defaults",
    "is_touched",
    "recipe_for",
    "scenario_of",
    "strategies_for",
]

BUILDING = ("recipe_for", "scenario_of", "strategies_for")
"""Those that are looked up in `bench.building`, which imports SQLAlchemy."""


def __getattr__(name: str) -> Any:
    if name in BUILDING:
        from bench import building

        return getattr(building, name)
    if name in __all__:
        from bench import model

        return getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
