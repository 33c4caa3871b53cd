"""A diagnosis: relationships, what loads more than it seems to, foreign keys without an index, and what walks send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table
from sqlalchemy.orm import Mapper, RelationshipProperty
from sqlalchemy.orm.interfaces import MANYTOMANY, MANYTOONE

from bench.doctor.indexes import needed_by, unindexed
from bench.doctor.walks import as_configured, chains, configured, is_shared, with_strategy
from bench.errors import BenchError
from bench.model import Size, parse_sizes

STRATEGIES = ("lazy", "joined", "selectin", "subquery")
MOST_LEVELS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A relationship. name: `Order.lines`. kind: `one-to-many`, ... strategy: the one that it is configured with."""

    name: str
    target: str
    kind: str
    strategy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unindexed:
    """A foreign key that no index begins with. needed_by: relationships that are loaded by looking for it."""

    table: str
    columns: tuple[str, ...]
    target: str
    needed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What loading a class and touching a way of relationships sends.

    configured: statements as the classes are configured, None where that raises. statements: by each strategy at every
    step. at_most: whether objects may be shared, which are loaded once.
    """

    path: str
    configured: int | None
    statements: dict[str, int]
    at_most: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What the mapping of some classes says about loading them. joined: collections that are joined unasked."""

    size: str
    classes: int
    relationships: tuple[Related, ...]
    joined: tuple[str, ...]
    unindexed: tuple[Unindexed, ...]
    walks: tuple[Walk, ...]


def diagnose(mappers: Sequence[Mapper[Any]], size: str) -> Diagnosis:
    """Return the diagnosis of mapped classes; walks are as long as the size has numbers below the first.

    Raises BenchError for what is not one size of two to four numbers.
    """
    asked = _size(size)
    own = [one for mapper in mappers for one in mapper.relationships if one.parent is mapper]
    relationships = sorted(own, key=_name)
    return Diagnosis(
        size=str(asked),
        classes=len(mappers),
        relationships=tuple(_related(one) for one in relationships),
        joined=tuple(_name(one) for one in relationships if one.uselist and configured(one) == "joined"),
        unindexed=tuple(
            Unindexed(
                table=key.table.name,
                columns=tuple(column.name for column in key.columns),
                target=key.elements[0].target_fullname.rpartition(".")[0],
                needed_by=needed_by(key, mappers),
            )
            for key in unindexed(_tables(mappers, own))
        ),
        walks=tuple(
            Walk(
                path=".".join([chain[0].parent.class_.__name__, *(one.key for one in chain)]),
                configured=as_configured(chain, asked),
                statements={word: with_strategy(chain, asked, word) for word in STRATEGIES},
                at_most=is_shared(chain),
            )
            for chain in chains(mappers, len(asked.counts) - 1)
        ),
    )


def _tables(mappers: Sequence[Mapper[Any]], relationships: Sequence[RelationshipProperty[Any]]) -> list[Table]:
    """Return the tables of the classes and those that link them, by name."""
    found = [*(table for mapper in mappers for table in mapper.tables), *(one.secondary for one in relationships)]
    return sorted({table for table in found if isinstance(table, Table)}, key=lambda table: table.fullname)


def _size(text: str) -> Size:
    levels = min(max(text.count("x") + 1, 2), MOST_LEVELS)
    sizes = parse_sizes(text, levels=levels)
    if len(sizes) > 1:
        raise BenchError(f"SIZE {text!r} is several sizes.", remedy="Give one, such as 1000x50.")
    return sizes[0]


def _name(relationship: RelationshipProperty[Any]) -> str:
    return f"{relationship.parent.class_.__name__}.{relationship.key}"


def _related(relationship: RelationshipProperty[Any]) -> Related:
    kinds = {MANYTOONE: "many-to-one", MANYTOMANY: "many-to-many"}
    owned = "one-to-many" if relationship.uselist else "one-to-one"
    return Related(
        name=_name(relationship),
        target=relationship.mapper.class_.__name__,
        kind=kinds.get(relationship.direction, owned),
        strategy=configured(relationship),
    )
