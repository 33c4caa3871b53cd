"""The graph that a load returned, as canonical lines: what `bench.datasets` knows without a database.

A line stands for one root entity, and is the JSON of a node: `[class name, [[column attribute, value], ...],
{relationship: [nodes]}]`, attributes sorted by name, nodes by primary key; for a scalar relationship the node itself or
null, for one that is only counted a number; a root that is not touched has no relationships. The fingerprint is the
SHA-256 of all lines, in the order of the roots' primary keys, each with its newline.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from sqlalchemy import inspect

from bench.model import Scenario, is_touched, plain_value

Node = list[Any]
Encode = Callable[[Any], Node]


def graph_lines(scenario: Scenario, roots: Iterable[Any]) -> Iterator[str]:
    """Yield one line for each root, in primary-key order. Lazy relationships on the scenario's paths are loaded.

    Where there are paths, a root that is a tuple is an entity and, for each path, what was loaded of it. Anything that
    has an entity's attributes may stand for it, or a mapping of them.
    """
    walk = _Walk(scenario)
    below = _first_steps(scenario.paths)
    encode, bare = walk.encoder(scenario.entity, scenario.paths), walk.encoder(scenario.entity, ())
    handed = [(name, walk.related(scenario.entity, name, below[name], path=name)) for name in below]
    dumps = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), sort_keys=True, default=plain_value).encode
    key = _key(scenario.entity)
    for place, root in enumerate(sorted(map(_parted if below else _whole, roots), key=lambda root: key(root[0]))):
        if not is_touched(place, scenario.touched):
            yield dumps(bare(root[0]))
        elif len(root) == 1:
            yield dumps(encode(root[0]))
        else:
            name, values, _ = bare(root[0])
            related = {path: nodes(given) for (path, nodes), given in zip(handed, root[1:], strict=True)}
            yield dumps([name, values, dict(sorted(related.items()))])


def fingerprint(lines: Iterable[str]) -> str:
    """SHA-256 of the lines, as hexadecimal digits."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Walk:
    """How the instances of a scenario become nodes."""

    scenario: Scenario

    def encoder(self, entity: type[Any], paths: Sequence[str], *, at: str = "") -> Encode:
        """How to turn an instance of `entity`, or of a class below it, into a node, the relationships walked."""
        below = _first_steps(paths)
        related = [
            (name, attrgetter(name), self.related(entity, name, below[name], path=f"{at}.{name}" if at else name))
            for name in sorted(below)
        ]
        columns = {mapper.class_: self._columns(mapper) for mapper in inspect(entity).self_and_descendants}

        def encode(instance: Any) -> Node:
            kind = type(instance) if type(instance) in columns else entity
            values = [[column, getattr(instance, column)] for column in columns[kind]]
            return [kind.__name__, values, {name: nodes(get(instance)) for name, get, nodes in related}]

        return encode

    def related(self, entity: type[Any], name: str, paths: Sequence[str], *, path: str) -> Callable[[Any], Any]:
        """How to turn what a relationship holds into nodes, a node, null, or a number."""
        relationship = inspect(entity).relationships[name]
        if path in self.scenario.counted:
            return lambda held: held if isinstance(held, int) else len(held)
        found = relationship.mapper.class_
        encode, key = self.encoder(found, paths, at=path), _key(found)
        if relationship.uselist:
            return lambda held: [encode(one) for one in sorted(_members(held), key=key)]
        return lambda held: None if held is None else encode(held)

    def _columns(self, mapper: Any) -> list[str]:
        """The attributes by which instances of a class are compared."""
        entity = mapper.class_.__name__
        only = {name.partition(".")[2] for name in self.scenario.only if name.partition(".")[0] == entity}
        return sorted(only or mapper.column_attrs.keys())


def _first_steps(paths: Sequence[str]) -> Mapping[str, list[str]]:
    """Return what of the paths lies behind each of their first steps."""
    below: dict[str, list[str]] = {}
    for path in paths:
        first, _, rest = path.partition(".")
        below.setdefault(first, []).extend([rest] if rest else [])
    return below


def _parted(root: Any) -> Sequence[Any]:
    """Return a root as a tuple: of an entity and what was loaded of its relationships, or of the entity alone."""
    return root if isinstance(root, tuple) else _whole(root)


def _whole(root: Any) -> Sequence[Any]:
    """Return a root that is an entity, or a row or a mapping that stands for one, as a tuple of it alone."""
    return (SimpleNamespace(**root) if isinstance(root, Mapping) else root,)


def _key(entity: type[Any]) -> Callable[[Any], Any]:
    mapper = inspect(entity)
    return attrgetter(*(mapper.get_property_by_column(column).key for column in mapper.primary_key))


def _members(held: Any) -> Iterable[Any]:
    """Return the entities of a collection, which may be keyed by one of their attributes."""
    return held.values() if isinstance(held, Mapping) else held
