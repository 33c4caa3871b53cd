"""The reference of data that nobody seeded: what the lazy load returns in one snapshot, and how much that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Table, inspect, text
from sqlalchemy.orm import Load, Mapper, RelationshipProperty, Session
from sqlalchemy.orm.interfaces import MANYTOMANY, MANYTOONE

from bench.errors import BenchError
from bench.measure.graph import graph_lines
from bench.model import Reached, Scenario, Shape, Strategy

Tree = Mapping[str, "Tree"]
"""Relationships by name, with those that a load goes on to from there."""


def reference_strategy(scenario: Scenario) -> Strategy:
    """Return the scenario's own `lazy`; else one that loads all lazily, or where loads are its own the baseline."""
    known = {strategy.name: strategy for strategy in scenario.strategies}
    baseline = known.get(scenario.baseline)
    if "lazy" in known:
        return known["lazy"]
    if baseline is not None and baseline.load is not None:
        return baseline
    options = [_lazily(inspect(scenario.entity), path) for path in scenario.paths]
    return Strategy(
        name="lazy",
        summary="One SELECT for each relationship of each entity, when it is touched.",
        apply=lambda statement: statement.options(*options),
    )


def _lazily(mapper: Mapper[Any], path: str) -> Any:
    """Return the option that loads every step of a path when it is touched, whatever the mapping says."""
    option: Any = Load(mapper.class_)
    for name in path.split("."):
        option = option.lazyload(getattr(mapper.class_, name))
        mapper = _relationship(mapper, name).mapper
    return option


def loaded(scenario: Scenario, connection: Connection) -> tuple[list[str], Shape]:
    """Return the graph's lines and its shape, by the reference strategy on a connection that sees one moment."""
    with Session(connection) as session:
        if scenario.prepare is not None:
            scenario.prepare(session)
        roots = scenario.load(session, reference_strategy(scenario))
        return list(graph_lines(scenario, roots)), shape_of(scenario, roots)


def shape_of(scenario: Scenario, roots: Sequence[Any]) -> Shape:
    """Return how much was loaded, path by path, for formulas; of the entity alone where the load returns less than all.

    A level is what lies one collection further on. What is reached again counts once, but for `nodes`.
    """
    mapped = all(isinstance(root, scenario.entity) for root in roots)  # a row or a mapping may stand for an entity
    whole = mapped and not scenario.counted and scenario.touched == 100
    tree = tree_of(scenario.paths) if whole else {}
    reach = _Reach()
    mapper = inspect(scenario.entity)
    reach.expect(mapper, tree, "", 0)
    entities = [root[0] if isinstance(root, tuple) else root for root in roots]
    joined = sum(reach.meet(entity, mapper, tree, "", 0) for entity in entities)
    return reach.shape(joined)


def lacking(engine: Engine, scenario: Scenario) -> list[str]:
    """Return the tables that the load needs and the database does not have, and columns as `table.column`.

    Raises BenchError for a path that names no relationship.
    """
    inspector = inspect(engine)
    found: list[str] = []
    for table in tables_of(scenario):
        if not inspector.has_table(table.name, schema=table.schema):
            found.append(table.fullname)
            continue
        there = {column["name"] for column in inspector.get_columns(table.name, schema=table.schema)}
        found += [f"{table.fullname}.{column.name}" for column in table.columns if column.name not in there]
    return found


def bytes_of(engine: Engine, scenario: Scenario) -> int:
    """Return the bytes of the tables and their indexes, as PostgreSQL has them; 0 elsewhere."""
    if engine.dialect.name != "postgresql":
        return 0
    size = text("SELECT coalesce(pg_total_relation_size(to_regclass(:name)), 0)")
    names = map(engine.dialect.identifier_preparer.format_table, tables_of(scenario))
    with engine.connect() as connection:
        return sum(int(connection.execute(size, {"name": name}).scalar_one()) for name in names)


def tables_of(scenario: Scenario) -> list[Table]:
    """Return the tables of the entity and of what lies along the paths, links between them included."""
    return list(dict.fromkeys(_tables(inspect(scenario.entity), tree_of(scenario.paths))))


def tree_of(paths: Sequence[str]) -> Tree:
    """Return dotted paths as a tree."""
    found: dict[str, Any] = {}
    for path in paths:
        here = found
        for name in path.split("."):
            here = here.setdefault(name, {})
    return found


def _tables(mapper: Mapper[Any], tree: Tree) -> Iterator[Table]:
    yield from (table for table in mapper.tables if isinstance(table, Table))
    for name, below in tree.items():
        relationship = _relationship(mapper, name)
        if isinstance(relationship.secondary, Table):
            yield relationship.secondary
        yield from _tables(relationship.mapper, below)


def _relationship(mapper: Mapper[Any], name: str) -> RelationshipProperty[Any]:
    if name not in mapper.relationships:
        raise BenchError(
            f"{mapper.class_.__name__} has no relationship {name!r}.", remedy="Correct the scenario's paths."
        )
    return mapper.relationships[name]


@dataclass(slots=True)
class _Counted:
    asked: int = 0
    nodes: int = 0
    empty: int = 0
    seen: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Reach:
    """What is met on a walk. Entities are told apart by `id`: a session has one object for each, and all are held.

    levels: the entities of each; holders: those of them that have any of the next. tables: by their names.
    """

    paths: dict[str, _Counted] = field(default_factory=lambda: defaultdict(_Counted))
    levels: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    holders: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    links: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    tables: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def expect(self, mapper: Mapper[Any], tree: Tree, path: str, level: int) -> None:
        """Have numbers for every path, table and level, also where nothing is met there: looking makes them."""
        self.paths[path], self.levels[level], self.tables[_table(mapper)]
        for name, below in tree.items():
            relationship = _relationship(mapper, name)
            self.expect(relationship.mapper, below, _joined(path, name), level + _further(relationship))

    def meet(self, entity: Any, mapper: Mapper[Any], tree: Tree, path: str, level: int) -> int:
        """Count an entity and all that it leads to; return how many rows joining it all to it comes to.

        mapper: of its class, or of one above it.
        """
        at = self.paths[path]
        at.nodes += 1
        at.seen.add(id(entity))
        self.tables[_table(mapper)].add(id(entity))
        rows = 1
        for name, below in tree.items():
            rows *= max(1, self._follow(entity, mapper.relationships[name], below, _joined(path, name), level))
        return rows

    def _follow(self, entity: Any, relationship: RelationshipProperty[Any], below: Tree, path: str, level: int) -> int:
        held = getattr(entity, relationship.key)
        ones = list(held) if relationship.uselist else [] if held is None else [held]
        at, further = self.paths[path], _further(relationship)
        at.asked += 1
        at.empty += not ones
        if further:
            self.levels[level + 1].update(map(id, ones))
            self.links[level + 1] += len(ones) if relationship.direction is MANYTOMANY else 0
            self.holders[level].update({id(entity)} if ones else ())
        return sum(self.meet(one, relationship.mapper, below, path, level + further) for one in ones)

    def shape(self, joined: int) -> Shape:
        """Freeze what was counted."""
        self.levels[0] = self.paths[""].seen
        rows = [self.links[level] or len(self.levels[level]) for level in sorted(self.levels)]
        return Shape(
            rows=tuple(rows),
            childless=tuple(count - len(self.holders[level]) for level, count in enumerate(rows[:-1])),
            tables={name: len(seen) for name, seen in self.tables.items()},
            reached=tuple(
                Reached(path=path, asked=at.asked, nodes=at.nodes, distinct=len(at.seen), empty=at.empty)
                for path, at in sorted(self.paths.items())
            ),
            joined=joined,
        )


def _further(relationship: RelationshipProperty[Any]) -> int:
    """Return by how many levels a relationship leads on: none where the key stands beside what is asked for it."""
    return 0 if relationship.direction is MANYTOONE else 1


def _table(mapper: Mapper[Any]) -> str:
    return str(getattr(mapper.local_table, "fullname", mapper.class_.__name__))


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
