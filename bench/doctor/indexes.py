"""Foreign keys that no index leads to: every lookup by one of them reads the whole table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, UniqueConstraint
from sqlalchemy.orm import Mapper, RelationshipProperty
from sqlalchemy.orm.interfaces import MANYTOONE

ONLY_SOME = ("postgresql_where", "sqlite_where", "mssql_where")
"""Options that make an index one of only some rows."""


def unindexed(tables: Iterable[Table]) -> Iterator[ForeignKeyConstraint]:
    """Yield the foreign keys whose columns begin no index, primary key or unique constraint, in any order."""
    for table in tables:
        for key in sorted(table.foreign_key_constraints, key=lambda key: list(key.column_keys)):
            if not any(_begins(list(key.columns), columns) for columns in _orderings(table)):
                yield key


def needed_by(key: ForeignKeyConstraint, mappers: Iterable[Mapper[Any]]) -> tuple[str, ...]:
    """Return the relationships that are loaded by looking for the key's columns, as `Order.lines`."""
    columns = set(key.columns)
    found = {
        f"{relationship.parent.class_.__name__}.{relationship.key}"
        for mapper in mappers
        for relationship in mapper.relationships
        if _looked_for(relationship) == columns
    }
    return tuple(sorted(found))


def _looked_for(relationship: RelationshipProperty[Any]) -> set[Any]:
    """Return the columns by which a relationship finds what belongs to an entity; none where that is a primary key."""
    if relationship.direction is MANYTOONE:
        return set()
    return {remote for _, remote in relationship.synchronize_pairs}


def _orderings(table: Table) -> Iterator[Sequence[Any]]:
    """Yield the columns of all that the table can be searched by."""
    yield list(table.primary_key.columns)
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield list(constraint.columns)
    yield from (list(index.expressions) for index in table.indexes if _is_whole(index))


def _is_whole(index: Index) -> bool:
    return not any(index.dialect_kwargs.get(option) is not None for option in ONLY_SOME)


def _begins(columns: Sequence[Column[Any]], searched: Sequence[Any]) -> bool:
    return {column.key for column in columns} == {
        getattr(one, "key", None) for one in searched[: len(columns)] if isinstance(one, Column)
    }
