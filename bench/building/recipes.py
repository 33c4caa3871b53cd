"""A generic recipe: rows for the tables along relationship paths, from what their columns and constraints say.

Every table that a path leads to has rows, and every table that those cannot be without. What is nullable and not on a
path stays NULL, what has a server's default is left to the server.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Boolean,
    Date,
    DateTime,
    Enum,
    Float,
    ForeignKeyConstraint,
    Integer,
    Numeric,
    String,
    UniqueConstraint,
)
from sqlalchemy import Column as Mapped
from sqlalchemy import Table as MappedTable
from sqlalchemy.orm import Mapper
from sqlalchemy.types import TypeDecorator

from bench.building.steps import Step, mapper_of, steps_of
from bench.errors import BenchError
from bench.model import Column, Cycle, Dates, Integers, Numbered, Parent, Recipe, Reference, Serial, Table, Text, Values

EACH = 200
"""Rows of a table that no collection leads to, unless another number is given."""

WIDEST = 32
"""Characters of a text whose column has room for more."""

GIVE = "Give values={{{name!r}: ...}}, such as Integers(low=1, high=9), or write the recipe."


def recipe_for(entity: type[Any], *paths: Any, values: Mapping[str, Values] | None = None, each: int = EACH) -> Recipe:
    """Return rows for a mapped class and what lies along relationship paths of it.

    Collections are as large as the size says; what is referred to, `each` rows. values: the source of a column, by
    `table.column`. Raises BenchError, naming the column or the constraint, for what cannot be satisfied.
    """
    given = dict(values or {})
    making = _Making(values=given, each=each)
    steps = steps_of(entity, paths)
    making.rows_of(mapper_of(entity), steps, owner=None, each=None)
    if unknown := [name for name in given if name not in making.used]:
        raise BenchError(
            f"{', '.join(sorted(unknown))}: the recipe has no such column.",
            remedy=f"Its tables are {', '.join(making.tables)}; write table.column.",
        )
    return Recipe(tables=tuple(making.tables.values()))


def is_comparable(column: Mapped[Any], table: Table | None) -> bool:
    """Whether what a load returns of a column is what the recipe says, so that objects can be compared by it."""
    if table is not None and column.name in {one.name for one in table.columns}:
        plain = isinstance(column.type, Integer | String | Date) and not isinstance(column.type, TypeDecorator)
        return plain and getattr(column.type, "enum_class", None) is None
    return column.server_default is None and column.computed is None


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose rows a table's are: the recipe's table, and the key that leads to it."""

    table: Table
    key: ForeignKeyConstraint


@dataclass(slots=True)
class _Making:
    values: dict[str, Values]
    each: int
    tables: dict[str, Table] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    under_way: list[str] = field(default_factory=list)

    def rows_of(self, mapper: Mapper[Any], steps: Sequence[Step], *, owner: _Owner | None, each: int | None) -> None:
        """Make the table of a class, those that it refers to before it, and what lies below it after it."""
        table = _table_of(mapper)
        for step in steps:
            if step.to_one and _table_of(step.found.mapper) is not table:
                self._referred(step)
        kept = {column for step in steps if step.to_one for column in step.found.local_columns}
        self.make(table, owner, each=each, kept=kept)
        for step in steps:
            if not step.to_one:
                self._below(step, self.tables[table.name])

    def make(self, table: MappedTable, owner: _Owner | None, *, each: int | None, kept: Collection[Any] = ()) -> None:
        """Make one table. kept: columns that get rows to refer to although they may be NULL."""
        if table.name in self.under_way:
            way = " -> ".join([*self.under_way[self.under_way.index(table.name) :], table.name])
            raise BenchError(
                f"Mandatory foreign keys go round in a circle: {way}.",
                remedy="Make one of them nullable; rows cannot be made in any order otherwise.",
            )
        self.under_way.append(table.name)
        sources = {column.name: self._source(column, owner, column in kept) for column in table.columns}
        self.under_way.pop()
        columns = [Column(name=name, values=source) for name, source in sources.items() if source is not None]
        self.tables[table.name] = Table(
            name=table.name,
            level=owner.table.level + 1 if owner else 0,
            parent=owner.table.name if owner else None,
            each=each,
            columns=tuple(_distinct(table, columns, set(self.values))),
        )

    def _referred(self, step: Step) -> None:
        """Make the table that a step refers to, unless it is there: then it is its parent, or referred to already."""
        if _table_of(step.found.mapper).name not in self.tables:
            self.rows_of(step.found.mapper, step.below, owner=None, each=self.each)

    def _below(self, step: Step, table: Table) -> None:
        """Make the table of a collection's class, or of what links to it."""
        found, target = step.found, _table_of(step.found.mapper)
        if target.name == table.name or (target.name in self.tables and step.owned):
            raise BenchError(
                f"{step.name} leads to {target.name} once more: one table has one parent in a generic recipe.",
                remedy="Write the recipe: generations of one table are declared with `stored`.",
            )
        if not isinstance(found.secondary, MappedTable):
            key = _key_to(target, table.name, {pair[1] for pair in found.local_remote_pairs or ()}, step.name)
            self.rows_of(found.mapper, step.below, owner=_Owner(table, key), each=None if step.many else 1)
            return
        self._referred(step)
        key = _key_to(found.secondary, table.name, {pair[1] for pair in found.synchronize_pairs}, step.name)
        self.make(found.secondary, _Owner(table, key), each=None, kept=found.secondary.columns.values())

    def _source(self, column: Mapped[Any], owner: _Owner | None, kept: bool) -> Values | None:
        """Return where a column's values come from; None where it is left out."""
        name = f"{column.table.name}.{column.name}"
        if name in self.values:
            self.used.add(name)
            return self.values[name]
        keys = [key for key in column.table.foreign_key_constraints if column.name in key.column_keys]
        if owner is not None and owner.key in keys:
            return Parent()
        if keys and (kept or not column.nullable):
            return self._reference(column, keys[0])
        if column.primary_key:
            return _serial(column)
        if column.nullable or column.server_default is not None or column.computed is not None:
            return None
        return _by_type(column)

    def _reference(self, column: Mapped[Any], key: ForeignKeyConstraint) -> Reference:
        name = f"{column.table.name}.{column.name}"
        if len(key.columns) > 1 or (column.primary_key and len(column.table.primary_key.columns) == 1):
            raise BenchError(
                f"{name} is part of a foreign key that a generic recipe has no rows for: it is made of "
                f"{len(key.columns)} columns, or the primary key itself.",
                remedy="Write the recipe.",
            )
        target = key.referred_table
        if target.name not in self.tables:
            self.make(target, None, each=self.each)
        return Reference(table=target.name)


def _table_of(mapper: Mapper[Any]) -> MappedTable:
    table = mapper.local_table
    if mapper.inherits or not isinstance(table, MappedTable):
        raise BenchError(
            f"{mapper.class_.__name__} is not mapped to a table of its own.",
            remedy="Write the recipe: a table that goes on in another is declared with `extends`.",
        )
    return table


def _key_to(table: MappedTable, owner: str, columns: set[Any], relationship: str) -> ForeignKeyConstraint:
    """Return the foreign key by which the table's rows belong to the owner's."""
    for key in table.foreign_key_constraints:
        if set(key.columns) == columns and key.referred_table.name == owner and len(columns) == 1:
            return key
    raise BenchError(
        f"{relationship} is not by a foreign key of one column from {table.name} to {owner}.",
        remedy="Write the recipe.",
    )


def _serial(column: Mapped[Any]) -> Serial:
    if isinstance(column.type, Integer) and len(column.table.primary_key.columns) == 1:
        return Serial()
    raise BenchError(
        f"{column.table.name}.{column.name} is a primary key of {column.type!r}, or one of several columns: rows are "
        "numbered by one whole number.",
        remedy="Write the recipe, or leave the relationship out.",
    )


def _by_type(column: Mapped[Any]) -> Values:
    """Return the source that a mandatory column's type allows."""
    match column.type:
        case Enum(enums=labels):
            return Cycle(values=tuple(labels))
        case TypeDecorator() | DateTime():
            pass
        case Boolean():
            return Cycle(values=(1, 0))
        case String(length=length):
            return Text(width=min(length, WIDEST)) if length else Text()
        case Integer() | Numeric() | Float():
            return Integers(low=0, high=9)
        case Date():
            return Dates(first="2025-01-01", days=365)
    raise BenchError(
        f"{column.table.name}.{column.name} may not be NULL, and nothing makes values of {column.type!r}.",
        remedy="Give it a server_default, or make it nullable; both leave it out. "
        + GIVE.format(name=f"{column.table.name}.{column.name}"),
    )


def _distinct(table: MappedTable, columns: Sequence[Column], given: set[str]) -> list[Column]:
    """Return the columns with values as distinct as the table's unique constraints want them."""
    found = {column.name: column for column in columns}
    for names, constraint in _unique(table):
        held = [found[name].values for name in names if name in found]
        told = any(f"{table.name}.{name}" in given for name in names)
        if len(held) < len(names) or told or _has(held, Serial | Numbered):
            continue  # NULL is equal to nothing
        if len(held) == 2 and _has(held, Parent) and _has(held, Reference):
            continue  # of one parent, all refer to different rows
        texts = [name for name in names if isinstance(found[name].values, Text) and _has_room(table.columns[name])]
        if texts:
            found[texts[0]] = Column(name=texts[0], values=Numbered(pattern="{}"))
        elif not (len(held) == 1 and _has(held, Parent)):  # of a one-to-one there is one for each
            raise BenchError(
                f"{table.name} has to be unique by {', '.join(names)}{constraint}, which no column of a generic recipe "
                "promises.",
                remedy=GIVE.format(name=f"{table.name}.{names[-1]}"),
            )
    return list(found.values())


def _has(sources: Sequence[Values], kind: Any) -> bool:
    return any(isinstance(one, kind) for one in sources)


def _has_room(column: Mapped[Any]) -> bool:
    return (getattr(column.type, "length", None) or 10) >= 10


def _unique(table: MappedTable) -> list[tuple[list[str], str]]:
    """Return the columns of each unique constraint, index and key of several, and its name as a sentence takes it."""
    constraints = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    keys = [table.primary_key] if len(table.primary_key.columns) > 1 else []
    indexes = [one for one in table.indexes if one.unique]
    every = [(one.columns, one.name) for one in (*keys, *constraints)] + [(one.columns, one.name) for one in indexes]
    return sorted(([column.name for column in columns], f" ({name})" if name else "") for columns, name in every)
