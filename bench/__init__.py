"""A benchmark and profiling harness for the ways an ORM loads related objects.

The public names are those that a scenario is written with. They are looked up when first used, so that `bench --help`
need not wait for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.model import (
        Column,
        Dates,
        Family,
        Integers,
        Numbered,
        Parent,
        Pick,
        Recipe,
        RuleOfThumb,
        Scenario,
        Serial,
        Shape,
        Strategy,
        Table,
        Text,
    )

__all__ = [
    "Column",
    "Dates",
    "Family",
    "Integers",
    "Numbered",
    "Parent",
    "Pick",
    "Recipe",
    "RuleOfThumb",
    "Scenario",
    "Serial",
    "Shape",
    "Strategy",
    "Table",
    "Text",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from bench import model

        return getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
