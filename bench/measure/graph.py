"""The graph that a load returned, as canonical lines: what `bench.datasets` knows without a database.

A line stands for one root entity, and is the JSON of a node: `[class name, [[column attribute, value], ...],
{relationship: [nodes]}]`, attributes sorted by name, nodes by primary key; for a scalar relationship the node itself or
null. The fingerprint is the SHA-256 of all lines, in the order of the roots' primary keys, each with its newline.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from operator import attrgetter
from typing import Any

from sqlalchemy import inspect

from bench.model import Scenario

Node = list[Any]
Encode = Callable[[Any], Node]


def graph_lines(scenario: Scenario, roots: Iterable[Any]) -> Iterator[str]:
    """Yield one line for each root, in primary-key order. Lazy relationships on the scenario's paths are loaded."""
    encode = _encoder(scenario.entity, scenario.paths)
    dumps = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=_plain).encode
    for root in sorted(roots, key=_key(scenario.entity)):
        yield dumps(encode(root))


def fingerprint(lines: Iterable[str]) -> str:
    """SHA-256 of the lines, as hexadecimal digits."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _encoder(entity: type[Any], paths: Sequence[str]) -> Encode:
    """How to turn an instance of `entity` into a node, the relationships on `paths` walked."""
    mapper = inspect(entity)
    name = entity.__name__
    columns = sorted(mapper.column_attrs.keys())
    below: dict[str, list[str]] = {}
    for path in paths:
        first, _, rest = path.partition(".")
        below.setdefault(first, []).extend([rest] if rest else [])
    related = [_related(mapper.relationships[relationship], below[relationship]) for relationship in sorted(below)]

    def encode(instance: Any) -> Node:
        values = [[column, getattr(instance, column)] for column in columns]
        return [name, values, {relationship: nodes(instance) for relationship, nodes in related}]

    return encode


def _related(relationship: Any, paths: Sequence[str]) -> tuple[str, Callable[[Any], Any]]:
    entity = relationship.mapper.class_
    encode, key, get = _encoder(entity, paths), _key(entity), attrgetter(relationship.key)
    if relationship.uselist:
        return relationship.key, lambda instance: [encode(one) for one in sorted(get(instance), key=key)]

    def scalar(instance: Any) -> Node | None:
        one = get(instance)
        return None if one is None else encode(one)

    return relationship.key, scalar


def _key(entity: type[Any]) -> Callable[[Any], Any]:
    mapper = inspect(entity)
    return attrgetter(*(mapper.get_property_by_column(column).key for column in mapper.primary_key))


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
