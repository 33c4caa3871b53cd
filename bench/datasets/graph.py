"""The graph that a load has to return, as canonical lines, from the recipe alone.

The form is that of `bench.measure.graph`, to the letter. A line stands for one root entity, in primary-key order, and
is the JSON of a node, `[class name, [[column attribute, value], ...], {relationship: [nodes]}]`: attributes and
relationships sorted by name, nodes by primary key; for a scalar relationship the node itself or null; ASCII, no
spaces, what JSON has no form for as `plain_value` tells it. A relationship that is only counted has a number there; a
root that is not touched, none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import accumulate, pairwise
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

import numpy as np

from bench.datasets.dataset import Dataset
from bench.datasets.ownership import Rows
from bench.datasets.plan import Attribute, Branch, Relation, graph_plan
from bench.datasets.route import counted, follow, roots
from bench.errors import BenchError
from bench.model import DatasetOptions, Scenario, Size, is_touched

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
    for place, rows in root_blocks(dataset, plan):
        if plan.touched == 100:
            yield from _nodes(dataset, plan, rows)
        else:
            yield from _partly_touched(dataset, plan, place, rows)


def root_blocks(dataset: Dataset, plan: Branch) -> Iterator[tuple[int, Rows]]:
    """Yield the rows of all roots block by block, each with the place of its first, in primary-key order."""
    chosen = roots(dataset, plan)
    total = dataset.rows[plan.table] if chosen is None else chosen.size
    step = max(1, BLOCK_ENTITIES * dataset.rows[plan.table] // max(1, sum(dataset.rows.values())))
    for first in range(0, total, step):
        last = min(first + step, total)
        yield first, np.arange(first, last, dtype=np.int64) if chosen is None else chosen[first:last]


def touched(plan: Branch, place: int, rows: Rows) -> Any:
    """Return whether the relationships of each of the roots, the first of which has this place, are walked."""
    return np.array([is_touched(place + nth, plan.touched) for nth in range(rows.size)], dtype=bool)


def fingerprint(graph: Iterable[str]) -> str:
    """Return the SHA-256 of the lines, each with its newline, as hexadecimal digits."""
    digest = hashlib.sha256()
    for line in graph:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _partly_touched(dataset: Dataset, plan: Branch, place: int, rows: Rows) -> list[str]:
    walked = touched(plan, place, rows)
    found = np.empty(rows.size, dtype=object)
    found[walked] = _nodes(dataset, plan, rows[walked])
    found[~walked] = _nodes(dataset, replace(plan, relations=()), rows[~walked])
    return found.tolist()


def _nodes(dataset: Dataset, branch: Branch, rows: Rows) -> list[str]:
    """Return the JSON of the nodes that stand for the given rows of the branch's table."""
    if branch.kinds:
        return _nodes_by_kind(dataset, branch, rows)
    return _filled(branch, [_spelled(dataset, one, rows) for one in branch.columns], _relations(dataset, branch, rows))


def _nodes_by_kind(dataset: Dataset, branch: Branch, rows: Rows) -> list[str]:
    """Return the same of rows that are of several classes in turn, some of which go on in a table of their own."""
    related = [np.array(one, dtype=object) for one in _relations(dataset, branch, rows)]
    found = np.empty(rows.size, dtype=object)
    turns = len(branch.kinds)
    for turn, kind in enumerate(branch.kinds):
        there = rows % turns == turn
        base, own = rows[there], rows[there] // turns
        columns = [_spelled(dataset, one, base if one.table == branch.table else own) for one in kind.columns]
        found[there] = _filled(kind, columns, [one[there].tolist() for one in related])
    return found.tolist()


def _filled(branch: Branch, columns: list[list[Any]], relations: list[list[str]]) -> list[str]:
    parts = [*columns, *relations]
    return list(map(_template(branch).__mod__, zip(*parts, strict=True)))


def _spelled(dataset: Dataset, attribute: Attribute, rows: Rows) -> list[Any]:
    if attribute.column is None:
        return ["null"] * rows.size
    return dataset.spelled(attribute.table, attribute.column, rows)


def _relations(dataset: Dataset, branch: Branch, rows: Rows) -> list[list[str]]:
    return [_related(dataset, branch, relation, rows) for relation in branch.relations]


def _template(branch: Branch) -> str:
    """Return a node with `%s` in the place of every value and every relationship."""
    name = _escaped(branch.entity)
    columns = ",".join(f"[{_escaped(attribute.name)},%s]" for attribute in branch.columns)
    relations = ",".join(f"{_escaped(relation.name)}:%s" for relation in branch.relations)
    return f"[{name},[{columns}],{{{relations}}}]"


def _escaped(name: str) -> str:
    return quoted(name).replace("%", "%%")


def _related(dataset: Dataset, branch: Branch, relation: Relation, rows: Rows) -> list[str]:
    """Return, for each row, the JSON of what the relationship leads to."""
    if relation.counted:
        return [str(count) for count in counted(dataset, branch, relation, rows).tolist()]
    below, counts = follow(dataset, branch, relation, rows)
    nodes = _nodes(dataset, relation.branch, below) if relation.owned else _shared(dataset, relation.branch, below)
    spans = pairwise(accumulate(counts.tolist(), initial=0))
    if relation.many:
        return [f"[{','.join(nodes[start:stop])}]" for start, stop in spans]
    if counts.max(initial=0) > 1:
        raise BenchError(
            f"{branch.entity}.{relation.name} is one entity, but the dataset has up to {counts.max()} for one.",
            remedy="Ask for a size with 1 in that place, such as 1000x1, and children `fixed`.",
        )
    return [nodes[start] if stop > start else "null" for start, stop in spans]


def _shared(dataset: Dataset, branch: Branch, rows: Rows) -> list[str]:
    """Return the JSON of nodes that come again and again, each made once."""
    distinct, nth = np.unique(rows, return_inverse=True)
    made = _nodes(dataset, branch, distinct)
    return [made[one] for one in nth.tolist()]
