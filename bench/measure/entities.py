"""Which entities a row carries: the places of their primary keys in a compiled statement's result columns.

SQLAlchemy has no public way to ask a compiled statement what its columns come from. The private attributes that
say it (`_result_columns`, `compile_state._entities`) are used in this file alone; a test fails loudly when they change.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.sql import ColumnElement


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityColumns:
    """Where an entity stands in a row: its table's name, the positions of its primary key and of all its columns."""

    table: str
    positions: tuple[int, ...]
    columns: tuple[int, ...]


@dataclass(slots=True)
class _Columns:
    """What a statement selects of one table in one place (the table, an alias or a sub-query)."""

    key_positions: dict[str, int] = field(default_factory=dict)
    positions: list[int] = field(default_factory=list)
    others: int = 0


def entity_columns(compiled: Any) -> tuple[EntityColumns, ...]:
    """Return the entities that each row of a compiled SELECT carries; none for plain text.

    A key alone is no entity: selectinload and subqueryload select the parent's key to know whose children a row
    holds. So a table counts where another of its columns is selected too, or where the statement asks for the entity
    itself (`load_only` of the key).
    """
    found: dict[tuple[Any, Any], _Columns] = defaultdict(_Columns)
    for position, entry in enumerate(getattr(compiled, "_result_columns", ())):
        for place, column in _sources(entry.objects):
            selected = found[place, column.table]
            selected.positions.append(position)
            if column.primary_key:
                selected.key_positions.setdefault(column.key, position)
            else:
                selected.others += 1
    asked_for = _asked_for(compiled)
    return tuple(
        EntityColumns(
            table=table.fullname,
            positions=tuple(selected.key_positions[c.key] for c in table.primary_key),
            columns=tuple(selected.positions),
        )
        for (place, table), selected in found.items()
        if all(c.key in selected.key_positions for c in table.primary_key)
        and selected.key_positions
        and (selected.others or place in asked_for)
    )


def _sources(objects: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    """Return `(where it is selected from, the table's own column)` for a result column, once."""
    for each in objects:
        if isinstance(each, ColumnElement) and getattr(each, "table", None) is not None:
            base = [column for column in each.base_columns if hasattr(column, "table") and column.table is not None]
            if len(base) == 1 and hasattr(base[0].table, "primary_key"):
                return [(each.table, base[0])]
    return []


def _asked_for(compiled: Any) -> set[Any]:
    """Return the tables and aliases of the entities that an ORM statement names as such."""
    entities = getattr(getattr(compiled, "compile_state", None), "_entities", ())
    return {
        entity.selectable
        for entity in entities
        if type(entity).__name__ == "_MapperEntity" and entity.selectable is not None
    }
