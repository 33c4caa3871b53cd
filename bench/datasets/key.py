"""The key of a dataset: a digest of all that decides its bytes and the fingerprint kept with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import Field, fields, is_dataclass
from typing import Any

from sqlalchemy import ClauseElement, Index, MetaData, Table
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateIndex, CreateTable

from bench.datasets import pools
from bench.datasets.plan import described, graph_plan
from bench.model import DatasetOptions, Scenario, Size, plain_value

AS_JSON = (int, float, str, dict, type(None))
"""Types of values that are written down as they are."""

VERSION = 1
"""Raised with any change to the generator, the loaders or the form of the graph that alters a byte of what they make.

1: the first.
"""


def dataset_key(scenario: Scenario, size: Size, options: DatasetOptions, dialect: str) -> str:
    """Return the SHA-256, in hexadecimal digits, of what a dataset depends on.

    That is the recipe, the size and the options; the schema as it is created in SQLAlchemy's `dialect`; the classes,
    attributes and paths of the graph; the pools; and `VERSION`.
    """
    decided_by = {
        "version": VERSION,
        "dialect": dialect,
        "size": list(size.counts),
        "options": _plain(options),
        "recipe": _plain(scenario.recipe),
        "schema": schema(scenario.base.metadata, dialect, without=scenario.recipe.unindexed),
        "graph": described(graph_plan(scenario)),
        "pools": pools.digest(),
    }
    canonical = json.dumps(decided_by, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def schema(metadata: MetaData, dialect: str, *, without: Sequence[str] = ()) -> list[str]:
    """Return the statements that create the tables, parents first, and after those their indexes.

    without: indexes that are left out, by name.
    """
    compiler = registry.load(dialect)()
    tables = metadata.sorted_tables
    indexes = [index for table in tables for index in _indexes(table) if index.name not in without]
    elements: list[ClauseElement] = [*map(CreateTable, tables), *map(CreateIndex, indexes)]
    return [str(element.compile(dialect=compiler)).strip() for element in elements]


def _indexes(table: Table) -> list[Index]:
    """Return a table's indexes, but for those of nothing: no database makes one, and `create_all` would try to."""
    return sorted((one for one in table.indexes if len(one.expressions)), key=lambda index: str(index.name))


def _plain(value: Any) -> Any:
    """Return dataclasses as plain data, each with the name of its class, less the `LATER` fields at their defaults.

    Of what JSON has no form for, the name of its type stands beside what stands for it in a graph.
    """
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        held = {field.name: getattr(value, field.name) for field in fields(value) if not _untouched(value, field)}
        return [type(value).__name__, {name: _plain(each) for name, each in held.items()}]
    return value if isinstance(value, AS_JSON) else [type(value).__name__, plain_value(value)]


def _untouched(value: Any, field: Field[Any]) -> bool:
    return "later" in field.metadata and getattr(value, field.name) == field.default
