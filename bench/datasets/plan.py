"""Which classes, columns and relationships the graph of a scenario is made of: the mappers held against the recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Mapper, RelationshipProperty
from sqlalchemy.orm.interfaces import MANYTOONE, ONETOMANY

from bench.errors import BenchError
from bench.model import Column, Parent, Scenario, Serial, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A class of the graph and what hangs on it.

    key: the attribute of the primary key. columns: attribute and recipe column (None where the recipe has none and the
    rows hold NULL), by attribute name. relations: by name.
    """

    entity: str
    table: str
    key: str
    columns: tuple[tuple[str, Column | None], ...]
    relations: tuple[Relation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A relationship. many: a collection, else one node or null. down: to the table that the branch's table owns."""

    name: str
    many: bool
    down: bool
    branch: Branch


def graph_plan(scenario: Scenario) -> Branch:
    """Return the plan of the graph that the scenario's paths span from its entity.

    Raises BenchError when a path names no relationship, or one that the recipe's foreign keys do not bear out.
    """
    return _Planner(scenario).branch(inspect(scenario.entity), scenario.paths)


def key_attributes(branch: Branch) -> dict[str, str]:
    """Return the name of the primary key's attribute for each class of the graph."""
    found = {branch.entity: branch.key}
    for relation in branch.relations:
        found |= key_attributes(relation.branch)
    return found


def described(branch: Branch) -> dict[str, Any]:
    """Return the plan as plain data: what the lines depend on beside the rows."""
    return {
        "entity": branch.entity,
        "key": branch.key,
        "columns": [[attribute, column.name if column else None] for attribute, column in branch.columns],
        "relations": [[one.name, one.many, one.down, described(one.branch)] for one in branch.relations],
    }


@dataclass(frozen=True, slots=True)
class _Planner:
    scenario: Scenario
    tables: dict[str, Table] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tables.update({table.name: table for table in self.scenario.recipe.tables})

    def branch(self, mapper: Mapper[Any], paths: tuple[str, ...]) -> Branch:
        table = self._table(mapper)
        columns = {column.name: column for column in table.columns}
        below: dict[str, list[str]] = {}
        for path in paths:
            first, _, rest = path.partition(".")
            below.setdefault(first, []).extend([rest] if rest else [])
        return Branch(
            entity=mapper.class_.__name__,
            table=table.name,
            key=self._key(mapper, table),
            columns=tuple(
                (attribute.key, columns.get(attribute.columns[0].key))
                for attribute in sorted(mapper.column_attrs, key=lambda attribute: attribute.key)
            ),
            relations=tuple(self._relation(mapper, name, tuple(below[name])) for name in sorted(below)),
        )

    def _relation(self, mapper: Mapper[Any], name: str, paths: tuple[str, ...]) -> Relation:
        if name not in mapper.relationships:
            raise self._wrong(f"{mapper.class_.__name__} has no relationship {name!r}", "Correct the scenario's paths.")
        found = mapper.relationships[name]
        branch = self.branch(found.mapper, paths)
        if not self._borne_out(found, self._table(mapper), self.tables[branch.table]):
            raise self._wrong(
                f"the recipe's foreign keys do not bear out {mapper.class_.__name__}.{name}",
                "A path follows a relationship between a table and its `parent` in the recipe, either way.",
            )
        return Relation(name=name, many=bool(found.uselist), down=found.direction is ONETOMANY, branch=branch)

    def _table(self, mapper: Mapper[Any]) -> Table:
        name = getattr(mapper.local_table, "name", "")
        if name not in self.tables:
            raise self._wrong(f"its recipe has no table {name!r}", "Add the table to the recipe.")
        return self.tables[name]

    def _key(self, mapper: Mapper[Any], table: Table) -> str:
        serial = next((column.name for column in table.columns if isinstance(column.values, Serial)), None)
        if [column.name for column in mapper.primary_key] != [serial]:
            raise self._wrong(
                f"the primary key of {mapper.class_.__name__} is not its Serial column",
                "Make the Serial column the whole primary key.",
            )
        return str(mapper.get_property_by_column(mapper.primary_key[0]).key)

    def _wrong(self, what: str, remedy: str) -> BenchError:
        return BenchError(f"The graph of scenario {self.scenario.name} is not known: {what}.", remedy=remedy)

    @staticmethod
    def _borne_out(found: RelationshipProperty[Any], table: Table, other: Table) -> bool:
        """Whether the relationship joins the `Parent` column of the owned table to the key of its owner."""
        if found.direction is ONETOMANY:
            owner, owned, pairs = table, other, [(remote, local) for local, remote in found.local_remote_pairs or ()]
        elif found.direction is MANYTOONE:
            owner, owned, pairs = other, table, list(found.local_remote_pairs or ())
        else:
            return False
        foreign = {column.name for column in owned.columns if isinstance(column.values, Parent)}
        keys = {column.name for column in owner.columns if isinstance(column.values, Serial)}
        return owned.parent == owner.name and [
            ({from_column.name}, {to_column.name}) for from_column, to_column in pairs
        ] == [(foreign, keys)]
