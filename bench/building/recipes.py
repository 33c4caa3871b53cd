"""A generic recipe: rows for the tables along relationship paths, from what their columns and constraints say.

Every table that a path leads to has rows, and every table that those cannot be without. What is nullable and not on a
path stays NULL, what has a server's default is left to the server.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column as Mapped
from sqlalchemy import ForeignKeyConstraint, Integer, UniqueConstraint
from sqlalchemy import Table as MappedTable
from sqlalchemy.orm import Mapper

from bench.building.sources import GIVE, ascending, by_type, has_room, is_comparable, named
from bench.building.steps import Step, mapper_of, steps_of
from bench.errors import BenchError
from bench.model import (
    Column,
    Integers,
    Numbered,
    Parent,
    Place,
    Quotient,
    Recipe,
    Reference,
    Remainder,
    Serial,
    Table,
    Text,
    Uuids,
    Values,
)

__all__ = ["EACH", "is_comparable", "recipe_for"]

EACH = 200
"""Rows of a table that no collection leads to, unless another number is given."""


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


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose rows a table's are: the recipe's table, and the key that leads to it."""

    table: Table
    key: ForeignKeyConstraint


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What the walk asks of a table beside its mapping: columns that may not stay NULL, and what is to be distinct."""

    kept: Collection[Any] = ()
    distinct: Collection[tuple[str, ...]] = ()


@dataclass(slots=True)
class _Making:
    values: dict[str, Values]
    each: int
    tables: dict[str, Table] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    under_way: list[str] = field(default_factory=list)

    def rows_of(
        self,
        mapper: Mapper[Any],
        steps: Sequence[Step],
        *,
        owner: _Owner | None,
        each: int | None,
        by: Mapped[Any] | None = None,
    ) -> None:
        """Make the table of a class, those that it refers to before it, and what lies below it after it.

        by: the column that its collection is keyed by.
        """
        table = _table_of(mapper)
        for step in steps:
            if step.to_one and _table_of(step.found.mapper) is not table:
                self._referred(step)
        named_by = [one for step in steps if not step.to_one for one in step.found.local_columns if not one.primary_key]
        keyed = [] if by is None or owner is None else [(*owner.key.column_keys, by.name)]
        wanted = _Wanted(
            kept={one for step in steps if step.to_one for one in step.found.local_columns} | {by, *named_by},
            distinct=[(one.name,) for one in named_by] + keyed,
        )
        self.make(table, owner, each=each, wanted=wanted)
        for step in steps:
            if not step.to_one:
                self._below(step, self.tables[table.name])

    def make(
        self, table: MappedTable, owner: _Owner | None, *, each: int | None, wanted: _Wanted, link: bool = False
    ) -> None:
        """Make one table. link: whether it does nothing but link, and so needs no key."""
        if table.name in self.under_way:
            way = " -> ".join([*self.under_way[self.under_way.index(table.name) :], table.name])
            raise BenchError(
                f"Mandatory foreign keys go round in a circle: {way}.",
                remedy="Make one of them nullable; rows cannot be made in any order otherwise.",
            )
        self.under_way.append(table.name)
        sources = {column.name: self._source(column, owner, column in wanted.kept) for column in table.columns}
        self.under_way.pop()
        columns = [Column(name=name, values=source) for name, source in sources.items() if source is not None]
        distinct = _distinct(table, columns, set(self.values), wanted.distinct, owned=owner is not None)
        self.tables[table.name] = Table(
            name=table.name,
            level=owner.table.level + 1 if owner else 0,
            parent=owner.table.name if owner else None,
            each=each,
            columns=tuple(distinct if link else _with_key(table, distinct)),
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
            each = None if step.many and not _is_unique(target, key) else 1
            self.rows_of(found.mapper, step.below, owner=_Owner(table, key), each=each, by=step.keyed_by)
            return
        self._referred(step)
        key = _key_to(found.secondary, table.name, {pair[1] for pair in found.synchronize_pairs}, step.name)
        wanted = _Wanted(kept=[*key.columns, *(pair[1] for pair in found.secondary_synchronize_pairs or ())])
        self.make(found.secondary, _Owner(table, key), each=None, wanted=wanted, link=True)

    def _source(self, column: Mapped[Any], owner: _Owner | None, kept: bool) -> Values | None:
        """Return where a column's values come from; None where it is left out."""
        name = named(column)
        if name in self.values:
            self.used.add(name)
            return self.values[name]
        keys = [key for key in column.table.foreign_key_constraints if column.name in key.column_keys]
        if owner is not None and owner.key in keys:
            return _parent(column, owner)
        if keys and (kept or not column.nullable):
            return self._reference(column, keys[0])
        if column.primary_key:
            return _of_key(column)
        may_be_left = column.nullable or column.server_default is not None
        if (may_be_left and not kept) or column.computed is not None:
            return None
        return by_type(column)

    def _reference(self, column: Mapped[Any], key: ForeignKeyConstraint) -> Reference:
        target = key.referred_table
        whole = column.primary_key and len(column.table.primary_key.columns) == 1
        if len(key.columns) > 1 or whole or [*target.primary_key.columns] != [one.column for one in key.elements]:
            raise BenchError(
                f"{named(column)} is part of a foreign key that a generic recipe has no rows for: it is made of "
                f"{len(key.columns)} columns, the primary key itself, or to what is no primary key.",
                remedy="Write the recipe.",
            )
        if target.name not in self.tables:
            self.make(target, None, each=self.each, wanted=_Wanted())
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
        if set(key.columns) == columns and key.referred_table.name == owner:
            return key
    raise BenchError(
        f"{relationship} is not by a foreign key from {table.name} to {owner}.",
        remedy="Write the recipe.",
    )


def _parent(column: Mapped[Any], owner: _Owner) -> Parent:
    """Return the source of a foreign key's column: the owner's key, or one column of it, or what is named instead."""
    named_by = next(one.column.name for one in owner.key.elements if one.parent is column)
    return Parent() if (named_by,) == owner.table.keys else Parent(column=named_by)


def _of_key(column: Mapped[Any]) -> Values:
    """Return the source of a primary key's column: the first that is no foreign key makes the key distinct."""
    free = [one for one in column.table.primary_key.columns if not one.foreign_keys]
    if column is not free[0]:
        return by_type(column)
    if (found := ascending(column)) is not None:
        return found
    raise BenchError(
        f"{named(column)} is a primary key of {column.type!r}: rows are numbered by whole numbers, UUIDs or texts.",
        remedy=f"Give values={{{named(column)!r}: ...}}, sorted as the rows are, or leave the relationship out.",
    )


def _with_key(table: MappedTable, columns: Sequence[Column]) -> list[Column]:
    """Return the columns with those of the primary key marked, where that is more than one whole number."""
    keys = {column.name for column in table.primary_key.columns}
    sources = [one.values for one in columns if one.name in keys]
    if (len(sources) == 1 and isinstance(sources[0], Serial)) or _has(sources, Quotient | Remainder):
        return list(columns)
    return [Column(name=one.name, values=one.values, key=one.name in keys) for one in columns]


def _distinct(
    table: MappedTable,
    columns: Sequence[Column],
    given: set[str],
    wanted: Iterable[tuple[str, ...]],
    *,
    owned: bool,
) -> list[Column]:
    """Return the columns with values as distinct as the table's constraints and the walk want them."""
    found = {column.name: column for column in columns}
    for names, constraint in [*_unique(table), *((list(one), "") for one in wanted)]:
        held = [found[name].values for name in names if name in found]
        told = any(f"{table.name}.{name}" in given for name in names)
        left_null = any(name not in found and table.columns[name].server_default is None for name in names)
        if left_null or told or _has(held, Serial | Numbered | Uuids):
            continue  # NULL is equal to nothing, but what the server fills in is the same in every row
        if len(held) == 2 and _has(held, Parent) and _has(held, Reference):
            continue  # of one parent, all refer to different rows
        if made := _made_distinct(
            table, [name for name in names if name in found], found, counted=_has(held, Parent) or not owned
        ):
            found[made.name] = made
        elif not (_has(held, Parent) and all(isinstance(one, Parent) for one in held)):  # there is one for each
            raise BenchError(
                f"{table.name} has to be unique by {', '.join(names)}{constraint}, which no column of a generic recipe "
                "promises.",
                remedy=GIVE.format(name=f"{table.name}.{names[-1]}"),
            )
    return list(found.values())


def _made_distinct(
    table: MappedTable, names: Sequence[str], found: Mapping[str, Column], *, counted: bool
) -> Column | None:
    """Return one of the columns with a value of its own for each row, or each row of a parent; None where none can."""
    for name in names:
        if isinstance(found[name].values, Text) and has_room(table.columns[name]):
            return Column(name=name, values=Numbered(pattern="{}"))
    for name in names:
        if counted and isinstance(found[name].values, Integers) and isinstance(table.columns[name].type, Integer):
            return Column(name=name, values=Place())
    return None


def _is_unique(table: MappedTable, key: ForeignKeyConstraint) -> bool:
    """Whether the foreign key is distinct by itself, so that of what it refers to each has one row at the most."""
    keys = [[column.name for column in table.primary_key.columns]]
    return any({*names} == {*key.column_keys} for names in [*keys, *(names for names, _ in _unique(table))])


def _has(sources: Sequence[Values], kind: Any) -> bool:
    return any(isinstance(one, kind) for one in sources)


def _unique(table: MappedTable) -> list[tuple[list[str], str]]:
    """Return the columns of each unique constraint, index and key of several, and its name as a sentence takes it."""
    constraints = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    keys = [table.primary_key] if len(table.primary_key.columns) > 1 else []
    indexes = [one for one in table.indexes if one.unique]
    every = [(one.columns, one.name) for one in (*keys, *constraints)] + [(one.columns, one.name) for one in indexes]
    return sorted(([column.name for column in columns], f" ({name})" if name else "") for columns, name in every)
