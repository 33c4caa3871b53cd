"""Recipe: which rows a scenario's dataset has, declared as data; `bench.datasets` knows how to make them.

A table's rows are numbered from 0. Every column says how its value follows from the row's number, so that any
row can be made alone, in any order, and always the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DISTRIBUTIONS = ("fixed", "uniform", "zipf")
ORDERS = ("clustered", "shuffled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serial:
    """The row's number, counted from `start`: a primary key."""

    start: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One string drawn from the named pool (`name`, `title`, `city`, `word`), uniformly."""

    pool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """`pattern` with `{}` replaced by the row's number counted from 1: distinct for every row."""

    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Prose of `width` characters; None takes the width from the dataset's options."""

    width: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Integers:
    """A whole number from `low` to `high`, both included, uniformly."""

    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """A day from `first` (ISO 8601) up to `days` - 1 days later, uniformly."""

    first: str
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A foreign key: the key of the row of the parent table that owns this row."""


Values = Serial | Pick | Numbered | Text | Integers | Dates | Parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a seeded table and where its values come from."""

    name: str
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A seeded table; `level` is its place in the Size (0: parents), `parent` the table one level up that owns it."""

    name: str
    level: int
    columns: tuple[Column, ...]
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The tables of a dataset, each after the one that owns it."""

    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetOptions:
    """What a user may vary about a dataset beside its size.

    seed: the start of the integer generator, 0 to 2**64 - 1.
    text_width: characters of every `Text` column that names no width of its own.
    children: how many children each parent has: `fixed`, `uniform` (from 1 to twice the mean less 1) or `zipf` (few
        have many); the mean over parents that have children stays the size's own.
    childless: share of parents without any child, 0 <= childless < 1.
    order: whether the children of one parent lie together (`clustered`) or anywhere in their table (`shuffled`).
    """

    seed: int = 1
    text_width: int = 32
    children: Literal["fixed", "uniform", "zipf"] = "fixed"
    childless: float = 0.0
    order: Literal["clustered", "shuffled"] = "clustered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a dataset really holds, for formulas: rows of each level, and rows of each level that own no child.

    rows: `(parents, children, grandchildren, ...)`, totals.
    childless: how many rows of each level but the last have no child.
    """

    rows: tuple[int, ...]
    childless: tuple[int, ...]

    @property
    def parents(self) -> int:
        """Rows of the first level."""
        return self.rows[0]

    @property
    def children(self) -> int:
        """Rows of the second level, in all."""
        return self.rows[1]
