"""Recipe: which rows a scenario's dataset has, declared as data; `bench.datasets` knows how to make them.

A table's rows are numbered from 0. Every column says how its value follows from the row's number, so that any
row can be made alone, in any order, and always the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from math import ceil
from typing import Any, Literal
from uuid import UUID

DISTRIBUTIONS = ("fixed", "uniform", "zipf")
ORDERS = ("clustered", "shuffled")

IN_LIST = 500
"""Parents that selectinload names in one IN list when it is given no `chunksize`."""

LATER: Mapping[str, Any] = {"later": True}
"""Marks a field that came after datasets were first kept: while it has its default, it is no part of their key."""


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
    """`pattern` with `{}` replaced by the row's number counted from 1: distinct for every row.

    digits: how many digits it has at the least, zeros before it; with ten, texts sort as the rows do.
    """

    pattern: str
    digits: int = field(default=0, metadata=LATER)


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
class Moments:
    """A second from `first` (ISO 8601, without an offset) up to `seconds` - 1 later, uniformly: a timestamp.

    utc: whether it carries that zone.
    """

    first: str
    seconds: int
    utc: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Uuids:
    """A UUID of version 7, distinct for every row: they sort as the rows do. text: as text, not as a `uuid.UUID`."""

    text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """A JSON object of the row's number, counted from 1, and prose of `width` characters, as of `Text`."""

    width: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytes:
    """`width` bytes, which are prose; None takes the width from the dataset's options."""

    width: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The row's place among those of its parent, or of its whole table, counted from `start`: distinct there."""

    start: int = 0


Plain = str | int | float | Decimal | date | time | timedelta | UUID | bytes | Enum
"""What a column may hold beside documents: a value as the application sees it, not as a database stores it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One of `values`, all of one type, in turn from row to row: how many rows have each is known by arithmetic."""

    values: tuple[Plain, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotient:
    """The row's number divided by `by`, rounded down, counted from 1: the first of a primary key's two columns."""

    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainder:
    """What is left of the row's number divided by `by`, counted from 1: the second of a primary key's two columns."""

    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A foreign key: the key of the row of the parent table that owns this row.

    column: which of the key's columns, where it has several, or which other column that is distinct for every row.
    """

    column: str | None = field(default=None, metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A foreign key into `table`, which does not own this row: its rows, in an order drawn once, are dealt in turn.

    All rows of one parent refer to different rows while there are as many; every row is referred to equally often, but
    for one. Where the table refers to its parent too and has no key of its own, it is a link table (many-to-many).
    """

    table: str


Keys = Serial | Quotient | Remainder
"""What makes a column part of the primary key by itself."""

Values = (
    Keys
    | Pick
    | Numbered
    | Text
    | Integers
    | Dates
    | Moments
    | Uuids
    | Documents
    | Bytes
    | Place
    | Cycle
    | Parent
    | Reference
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a seeded table and where its values come from.

    key: whether it is the primary key, or one of its columns, where that is no `Serial`: a text or a UUID, or the
    parent's key and what is distinct below it. Rows have to sort by it as they are numbered.
    """

    name: str
    values: Values
    key: bool = field(default=False, metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extends:
    """Joined-table inheritance: the rows of `table` whose `column`, a `Cycle`, is `value` go on in this one.

    They keep the key that they have there.
    """

    table: str
    column: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A seeded table; `level` is its place in the Size (0: parents), `parent` the table one level up that owns it.

    each: how many rows each parent has, or the table without one, where that is no matter of the size. extends: the
    table that its rows begin in. stored: the database's table, where that has another name: rows that own others of
    the same table are declared generation by generation, and their numbers go on from one to the next.
    """

    name: str
    level: int
    columns: tuple[Column, ...]
    parent: str | None = None
    each: int | None = field(default=None, metadata=LATER)
    extends: Extends | None = field(default=None, metadata=LATER)
    stored: str | None = field(default=None, metadata=LATER)

    @property
    def stored_in(self) -> str:
        """The name of the database's table."""
        return self.stored or self.name

    @property
    def is_link(self) -> bool:
        """Whether its rows do nothing but link one table's to another's."""
        return not self.keys and any(isinstance(column.values, Reference) for column in self.columns)

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of its primary key, in their order here."""
        return tuple(column.name for column in self.columns if column.key or isinstance(column.values, Keys))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The tables of a dataset, each after those that it refers to.

    unindexed: mapped indexes, by name, that are not made: what a load costs without them is to be seen.
    """

    tables: tuple[Table, ...]
    unindexed: tuple[str, ...] = field(default=(), metadata=LATER)


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
class Reached:
    """What a load has to reach along a path: a relationship by its dotted name, or "" for the entity itself.

    asked: how many entities above it are asked for theirs. nodes: what that comes to, each as often as it is reached.
    distinct: the different ones among them. empty: how many of those asked have none.
    """

    path: str
    asked: int
    nodes: int
    distinct: int
    empty: int

    @property
    def lists(self) -> int:
        """IN lists of selectinload that name all those asked, where none of them is asked twice.

        It goes level by level, and waits for a level to be whole: so the lists of a nested one are full, too.
        """
        return ceil(self.asked / IN_LIST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a dataset really holds, for formulas: rows of each level, and rows of each level that own no child.

    rows: `(parents, children, grandchildren, ...)`, totals. Rows that lie outside the levels (a table of its own
    number, what extends another table) are not among them.
    childless: how many rows of each level but the last have no child.
    tables: rows of each table of the recipe. reached: what the load has to return, path by path.
    joined: rows of one statement that LEFT JOINs every path to the entity.
    """

    rows: tuple[int, ...]
    childless: tuple[int, ...]
    tables: dict[str, int] = field(default_factory=dict)
    reached: tuple[Reached, ...] = ()
    joined: int = 0

    @property
    def parents(self) -> int:
        """Rows of the first level."""
        return self.rows[0]

    @property
    def children(self) -> int:
        """Rows of the second level, in all."""
        return self.rows[1]

    def at(self, path: str) -> Reached:
        """Return what is reached along a path. Raises KeyError for one that the load does not follow."""
        for reached in self.reached:
            if reached.path == path:
                return reached
        raise KeyError(path)
