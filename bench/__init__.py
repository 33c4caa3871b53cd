"""A benchmark and profiling harness for the ways an ORM loads related objects.

The public names are those that a scenario is written with; importing them loads no SQLAlchemy and no heavy library.
"""

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
