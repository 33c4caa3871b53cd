"""Which classes, columns and relationships the graph of a scenario is made of: the mappers held against the recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapper, RelationshipProperty
from sqlalchemy.orm.interfaces import MANYTOMANY, MANYTOONE

from bench.datasets.shape import kinds
from bench.errors import BenchError
from bench.model import Numbered, Parent, Quotient, Reference, Scenario, Selection, Serial, Table, Uuids


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A column attribute, and the recipe's table and column that it shows; None where that has none: NULL."""

    name: str
    table: str
    column: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A class of the graph and what hangs on it.

    key: the attributes of the primary key. columns, relations: by name. kinds: where rows are of several classes, a
    branch for each, whose rows are taken in turn. selection: which of the rows there are, or of each parent's. touched:
    of how many of a hundred the relations are walked.
    """

    entity: str
    table: str
    key: tuple[str, ...]
    columns: tuple[Attribute, ...]
    relations: tuple[Relation, ...]
    kinds: tuple[Branch, ...] = ()
    selection: Selection | None = None
    touched: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How rows lead to those that they are related to.

    down: to what a row owns. up: to what owns it. refer: by its own column `column`. link: by the rows of `table`,
    which it owns, and their column `column`. nowhere: the last generation owns none.
    """

    by: Literal["down", "up", "refer", "link", "nowhere"]
    table: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A relationship. many: a collection, else one node or null. counted: its number of nodes stands for them."""

    name: str
    many: bool
    route: Route
    branch: Branch
    counted: bool = False

    @property
    def owned(self) -> bool:
        """Whether what it leads to is reached from one row alone."""
        return self.route.by in ("down", "nowhere")


def graph_plan(scenario: Scenario) -> Branch:
    """Return the plan of the graph that a load of the scenario has to return.

    Raises BenchError when a path names no relationship, or one that the recipe's foreign keys do not bear out, and when
    the mapped classes do not go together, which only shows when they are first used.
    """
    try:
        scenario.base.registry.configure()
    except SQLAlchemyError as error:
        raise BenchError(
            f"The mapped classes of {scenario.name} do not go together: {error}",
            remedy="Mend the relationship; `sqlalchemy.orm.configure_mappers()` says the same.",
        ) from error
    return _Planner(scenario).root()


def key_attributes(branch: Branch) -> dict[str, str | tuple[str, ...]]:
    """Return the name of the primary key's attribute for each class of the graph, or the names of its two."""
    found: dict[str, str | tuple[str, ...]] = {
        one.entity: one.key[0] if len(one.key) == 1 else one.key for one in (branch, *branch.kinds)
    }
    for relation in branch.relations:
        found |= key_attributes(relation.branch)
    return found


def described(branch: Branch) -> dict[str, Any]:
    """Return the plan as plain data: what the lines depend on beside the rows."""
    plain: dict[str, Any] = {
        "entity": branch.entity,
        "key": branch.key[0] if len(branch.key) == 1 else list(branch.key),
        "columns": [[attribute.name, attribute.column] for attribute in branch.columns],
        "relations": [_described_relation(one) for one in branch.relations],
    }
    if branch.kinds:
        plain["kinds"] = [described(kind) for kind in branch.kinds]
    if branch.selection is not None:
        plain["selection"] = repr(branch.selection)
    if branch.touched != 100:
        plain["touched"] = branch.touched
    return plain


def _described_relation(relation: Relation) -> list[Any]:
    """Return a relation as plain data; what it is beside a way down or up, only where it is."""
    route = relation.route
    further = [route.by, route.table, route.column, relation.counted]
    plain = [relation.name, relation.many, route.by == "down", described(relation.branch)]
    return plain + (further if relation.counted or route.by not in ("down", "up") else [])


@dataclass(frozen=True, slots=True)
class _Planner:
    scenario: Scenario
    selections: dict[str, Selection] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.selections.update({selection.path: selection for selection in self.scenario.selections})

    def root(self) -> Branch:
        mapper = inspect(self.scenario.entity)
        branch = self.branch(mapper, self._first_table(mapper), self.scenario.paths, at="")
        return replace(branch, touched=self.scenario.touched)

    def branch(self, mapper: Mapper[Any], table: Table, paths: Sequence[str], *, at: str, by: str = "link") -> Branch:
        """Return the branch of what is at a path. by: the route that leads there; nodes of a link are sorted alike."""
        below: dict[str, list[str]] = {}
        for path in paths:
            first, _, rest = path.partition(".")
            below.setdefault(first, []).extend([rest] if rest else [])
        plain = Branch(
            entity=mapper.class_.__name__,
            table=table.name,
            key=self._key(mapper, table, by=by),
            columns=self._attributes(mapper, (table,)),
            relations=tuple(self._relation(mapper, table, name, below[name], at=at) for name in sorted(below)),
            selection=self.selections.get(at),
        )
        return replace(plain, kinds=self._kinds(mapper, table, plain))

    def _relation(self, mapper: Mapper[Any], table: Table, name: str, paths: Sequence[str], *, at: str) -> Relation:
        if name not in mapper.relationships:
            raise self._wrong(f"{mapper.class_.__name__} has no relationship {name!r}", "Correct the scenario's paths.")
        found = mapper.relationships[name]
        here = f"{at}.{name}" if at else name
        route, other = self._route(found, table)
        return Relation(
            name=name,
            many=bool(found.uselist),
            route=route,
            branch=self.branch(found.mapper, other, paths, at=here, by=route.by),
            counted=here in self.scenario.counted,
        )

    def _route(self, found: RelationshipProperty[Any], table: Table) -> tuple[Route, Table]:
        """Return how the relationship is followed from the recipe's table, and the table that it leads to."""
        if found.direction is MANYTOMANY:
            return self._linked(found, table)
        there = self._tables(found.mapper)
        pairs = sorted((str(one.name), str(other.name)) for one, other in found.local_remote_pairs or ())
        upwards = found.direction is MANYTOONE
        for other in there:
            if other.parent == table.name and not upwards and _owning(other, table) == pairs:
                return Route(by="down"), other
            if table.parent == other.name and upwards and _owning(table, other) == [(key, up) for up, key in pairs]:
                return Route(by="up"), other
            if upwards and (column := _referring(table, other, pairs)):
                return Route(by="refer", table=table.name, column=column), other
        if not upwards and any(one.parent and one.stored_in == table.stored_in for one in there):
            return Route(by="nowhere"), there[-1]
        raise self._not_borne_out(found)

    def _linked(self, found: RelationshipProperty[Any], table: Table) -> tuple[Route, Table]:
        name = getattr(found.secondary, "name", "")
        for link in self.scenario.recipe.tables:
            if link.stored_in != name or link.parent != table.name:
                continue
            for other in self._tables(found.mapper):
                if column := _references(link, other):
                    return Route(by="link", table=link.name, column=column[0]), other
        raise self._not_borne_out(found)

    def _kinds(self, mapper: Mapper[Any], table: Table, plain: Branch) -> tuple[Branch, ...]:
        """Return a branch for each class that rows of the table are of, in the order of their turns."""
        further = [one for one in self.scenario.recipe.tables if one.extends and one.extends.table == table.name]
        if mapper.polymorphic_on is None or not further:
            return ()
        by_value = {one.extends.value: one for one in further if one.extends}
        found = []
        for value in kinds(self.scenario.recipe, further[0]):
            kind = mapper.polymorphic_map.get(value)
            if kind is None:
                raise self._wrong(
                    f"{mapper.class_.__name__} has no class for {value!r}", "Map each value of the Cycle."
                )
            tables = (table, by_value[str(value)]) if value in by_value else (table,)
            found.append(
                replace(
                    plain,
                    entity=kind.class_.__name__,
                    table=tables[-1].name,
                    columns=self._attributes(kind, tables),
                )
            )
        return tuple(found)

    def _attributes(self, mapper: Mapper[Any], tables: Sequence[Table]) -> tuple[Attribute, ...]:
        entity = mapper.class_.__name__
        wanted = {name.partition(".")[2] for name in self.scenario.only if name.partition(".")[0] == entity}
        return tuple(
            _attribute(attribute, tables)
            for attribute in sorted(mapper.column_attrs, key=lambda attribute: attribute.key)
            if not wanted or attribute.key in wanted
        )

    def _tables(self, mapper: Mapper[Any]) -> list[Table]:
        """Return the recipe's tables, generation by generation, that the class's rows are stored in."""
        name = getattr(mapper.local_table, "name", "")
        found = [table for table in self.scenario.recipe.tables if table.stored_in == name]
        if not found:
            raise self._wrong(f"its recipe has no table {name!r}", "Add the table to the recipe.")
        return found

    def _first_table(self, mapper: Mapper[Any]) -> Table:
        return self._tables(mapper)[0]

    def _key(self, mapper: Mapper[Any], table: Table, *, by: str) -> tuple[str, ...]:
        """Return the attributes of the primary key, by which the nodes that a route leads to have to sort."""
        columns = [column.name for column in mapper.primary_key]
        declared = any(column.key for column in table.columns)
        if columns != [*table.keys] and not (declared and {*columns} == {*table.keys}):
            raise self._wrong(
                f"the primary key of {mapper.class_.__name__} is not its Serial column",
                "Make the Serial column the whole primary key, or a Quotient and a Remainder, in this order; of other "
                "columns, give those of the primary key key=True.",
            )
        if by != "refer" and by != "up" and not _sorts(table, columns, of_one_parent=by == "down"):
            raise self._wrong(
                f"rows of {table.name} do not sort by {', '.join(columns)} as they are numbered",
                "Make the first of these columns that is no Parent a Serial, Uuids(), or Numbered(..., digits=10).",
            )
        return tuple(str(mapper.get_property_by_column(column).key) for column in mapper.primary_key)

    def _not_borne_out(self, found: RelationshipProperty[Any]) -> BenchError:
        return self._wrong(
            f"the recipe's foreign keys do not bear out {found.parent.class_.__name__}.{found.key}",
            "A path follows a relationship between a table and its `parent` in the recipe, either way, or a Reference.",
        )

    def _wrong(self, what: str, remedy: str) -> BenchError:
        return BenchError(f"The graph of scenario {self.scenario.name} is not known: {what}.", remedy=remedy)


def _attribute(attribute: Any, tables: Sequence[Table]) -> Attribute:
    """Return what a column attribute shows: the first of its columns that one of the tables has."""
    for table in tables:
        held = {column.name for column in table.columns}
        for column in attribute.columns:
            if column.table.name == table.stored_in and column.key in held:
                return Attribute(name=attribute.key, table=table.name, column=column.key)
    return Attribute(name=attribute.key, table=tables[0].name, column=None)


def _sorts(table: Table, columns: Sequence[str], *, of_one_parent: bool) -> bool:
    """Whether rows, or those of one parent, sort by the columns as they are numbered."""
    sources = {column.name: column.values for column in table.columns}
    deciding = [sources[name] for name in columns if not (of_one_parent and isinstance(sources[name], Parent))]
    if not deciding:
        return True  # the parent's key is the whole key: it has one
    first = deciding[0]
    return isinstance(first, Serial | Quotient | Uuids) or (isinstance(first, Numbered) and first.digits > 0)


def _owning(table: Table, owner: Table) -> list[tuple[str, str]]:
    """Return the owner's key columns, or its other one, and the columns by which the table's rows name them."""
    parents = [(column.values, column.name) for column in table.columns if isinstance(column.values, Parent)]
    return sorted((values.column or owner.keys[0], name) for values, name in parents)


def _references(table: Table, other: Table) -> list[str]:
    """Return the columns by which the table's rows refer to another's, without being owned."""
    return [
        column.name
        for column in table.columns
        if isinstance(column.values, Reference) and column.values.table == other.name
    ]


def _referring(table: Table, other: Table, pairs: list[tuple[str, str]]) -> str | None:
    """Return the column that refers to the other table by these pairs of columns, if there is one."""
    return next((one for one in _references(table, other) if pairs == [(one, key) for key in other.keys]), None)
