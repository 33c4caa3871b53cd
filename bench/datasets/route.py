"""From rows to those that they are related to, and which of these a load has to return."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.datasets.dataset import Dataset
from bench.datasets.ownership import Rows
from bench.datasets.plan import Branch, Relation
from bench.model import Selection

_HOLDS = {"==": operator.eq, "<": operator.lt, ">=": operator.ge}


def follow(dataset: Dataset, branch: Branch, relation: Relation, rows: Rows) -> tuple[Rows, Rows]:
    """Return the rows that the given rows of the branch lead to, row by row and in order, and how many each."""
    found, counts = _followed(dataset, branch, relation, rows)
    selection = relation.branch.selection
    return (found, counts) if selection is None else _selected(dataset, relation.branch.table, selection, found, counts)


def counted(dataset: Dataset, branch: Branch, relation: Relation, rows: Rows) -> Rows:
    """Return how many rows each leads to, without making them where that is known otherwise."""
    if relation.route.by == "down" and relation.branch.selection is None:
        return dataset.counts(relation.branch.table, rows)
    return follow(dataset, branch, relation, rows)[1]


def roots(dataset: Dataset, branch: Branch) -> Rows | None:
    """Return the rows that a load has to return, where these are not all of the table."""
    if branch.selection is None:
        return None
    rows = np.arange(dataset.rows[branch.table], dtype=np.int64)
    return _selected(dataset, branch.table, branch.selection, rows, np.array([rows.size]))[0]


def _followed(dataset: Dataset, branch: Branch, relation: Relation, rows: Rows) -> tuple[Rows, Rows]:
    route, ones = relation.route, np.ones(rows.size, dtype=np.int64)
    match route.by:
        case "down":
            return dataset.owned(relation.branch.table, rows)
        case "up":
            return dataset.owners(branch.table, rows), ones
        case "refer":
            return dataset.referred(route.table, route.column, rows), ones
        case "link":
            links, counts = dataset.owned(route.table, rows)
            found = dataset.referred(route.table, route.column, links)
            return found[np.lexsort((found, _groups(counts)))], counts
        case "nowhere":
            return np.zeros(0, dtype=np.int64), ones * 0


def _selected(dataset: Dataset, table: str, selection: Selection, rows: Rows, counts: Rows) -> tuple[Rows, Rows]:
    """Return of rows that come in groups, each in order, those that are selected of each group, in order still."""
    groups = _groups(counts)
    if (where := selection.where) is not None:
        held = np.array(dataset.values(table, where.column, rows))
        kept = np.asarray(_HOLDS[where.is_](held, where.value), dtype=bool) if rows.size else np.zeros(0, dtype=bool)
        rows, groups = rows[kept], groups[kept]
    ranked = np.lexsort((rows, _ranks(dataset, table, selection, rows), groups))
    left = np.bincount(groups, minlength=counts.size)
    place = np.empty(rows.size, dtype=np.int64)
    place[ranked] = np.arange(rows.size) - np.repeat(np.cumsum(left) - left, left)
    taken = place >= selection.offset
    if selection.limit is not None:
        taken &= place < selection.offset + selection.limit
    return rows[taken], np.bincount(groups[taken], minlength=counts.size)


def _ranks(dataset: Dataset, table: str, selection: Selection, rows: Rows) -> NDArray[Any]:
    """Return by what the rows are ranked: the place of the value among the distinct ones, or all alike."""
    if selection.order_by is None:
        return -rows if selection.descending else rows
    values = dataset.values(table, selection.order_by, rows)
    _, ranks = np.unique(np.array(values), return_inverse=True)
    return -ranks if selection.descending else ranks


def _groups(counts: Rows) -> NDArray[np.int64]:
    return np.repeat(np.arange(counts.size), counts)
