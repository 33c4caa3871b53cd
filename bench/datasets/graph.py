"""The graph that a load has to return, as canonical lines, from the recipe alone.

The form is that of `bench.measure.graph`, to the letter. A line stands for one root entity, in primary-key order, and
is the JSON of a node, `[class name, [[column attribute, value], ...], {relationship: [nodes]}]`: attributes and
relationships sorted by name, nodes by primary key; for a scalar relationship the node itself or null; ASCII, no
spaces, dates in ISO 8601.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

import numpy as np

from bench.datasets.dataset import Dataset
from bench.datasets.ownership import Rows
from bench.datasets.plan import Branch, Relation, graph_plan
from bench.errors import BenchError
from bench.model import DatasetOptions, Scenario, Size

BLOCK_ENTITIES = 8192
"""Entities made at a time, as near as whole roots come to it."""


def graph_lines(scenario: Scenario, size: Size, options: DatasetOptions) -> Iterator[str]:
    """Yield the line of each root entity, without its newline.

    Memory does not grow with the dataset beyond what `Dataset` and the largest line hold. Raises BenchError when the
    scenario's paths do not follow its recipe.
    """
    return lines(Dataset(scenario.recipe, size, options), graph_plan(scenario))


def lines(dataset: Dataset, plan: Branch) -> Iterator[str]:
    """Yield the line of each root entity of a dataset that is there already."""
    roots = dataset.rows[plan.table]
    step = max(1, BLOCK_ENTITIES * roots // max(1, sum(dataset.rows.values())))
    for first in range(0, roots, step):
        yield from _nodes(dataset, plan, np.arange(first, min(first + step, roots), dtype=np.int64))


def fingerprint(graph: Iterable[str]) -> str:
    """Return the SHA-256 of the lines, each with its newline, as hexadecimal digits."""
    digest = hashlib.sha256()
    for line in graph:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _nodes(dataset: Dataset, branch: Branch, rows: Rows) -> list[str]:
    """Return the JSON of the nodes that stand for the given rows of the branch's table."""
    parts: list[list[Any]] = [
        dataset.spelled(branch.table, column.name, rows) for _, column in branch.columns if column is not None
    ]
    parts += [_related(dataset, branch, relation, rows) for relation in branch.relations]
    return list(map(_template(branch).__mod__, zip(*parts, strict=True)))


def _template(branch: Branch) -> str:
    """Return a node with `%s` in the place of every value and every relationship."""
    name = _escaped(branch.entity)
    columns = ",".join(f"[{_escaped(attribute)},{'%s' if column else 'null'}]" for attribute, column in branch.columns)
    relations = ",".join(f"{_escaped(relation.name)}:%s" for relation in branch.relations)
    return f"[{name},[{columns}],{{{relations}}}]"


def _escaped(name: str) -> str:
    return quoted(name).replace("%", "%%")


def _related(dataset: Dataset, branch: Branch, relation: Relation, rows: Rows) -> list[str]:
    """Return, for each row, the JSON of what the relationship leads to."""
    if not relation.down:
        owners, nth_owner = np.unique(dataset.owners(branch.table, rows), return_inverse=True)
        nodes = _nodes(dataset, relation.branch, owners)
        return [nodes[nth] for nth in nth_owner.tolist()]
    owned, counts = dataset.owned(relation.branch.table, rows)
    nodes = _nodes(dataset, relation.branch, owned)
    spans = pairwise(accumulate(counts.tolist(), initial=0))
    if relation.many:
        return [f"[{','.join(nodes[start:stop])}]" for start, stop in spans]
    if counts.max(initial=0) > 1:
        raise BenchError(
            f"{branch.entity}.{relation.name} is one entity, but the dataset has up to {counts.max()} for one.",
            remedy="Ask for a size with 1 in that place, such as 1000x1, and children `fixed`.",
        )
    return [nodes[start] if stop > start else "null" for start, stop in spans]
