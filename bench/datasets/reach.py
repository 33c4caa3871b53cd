"""What a load has to reach, path by path, counted from the recipe alone: what its statements and rows follow from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bench.datasets.dataset import Dataset
from bench.datasets.graph import root_blocks, touched
from bench.datasets.ownership import Rows
from bench.datasets.plan import Branch, Relation
from bench.datasets.route import counted, follow
from bench.datasets.shape import shape
from bench.model import Reached, Shape


def full_shape(dataset: Dataset, plan: Branch) -> Shape:
    """Return the shape of a dataset with what a load has to reach of it.

    Memory grows by a byte for each row of a table that many rows lead to.
    """
    reach = _Reach(dataset)
    reach.roots(plan, 0, np.zeros(0, dtype=np.int64))  # every path has its numbers, where no root has any
    joined = sum(reach.roots(plan, place, rows) for place, rows in root_blocks(dataset, plan))
    return replace(
        shape(dataset.recipe, dataset.size, dataset.options),
        reached=tuple(reach.found[path].frozen() for path in sorted(reach.found)),
        joined=joined,
    )


@dataclass(slots=True)
class _Counted:
    path: str
    asked: int = 0
    nodes: int = 0
    empty: int = 0
    seen: NDArray[np.bool_] | None = None

    def found(self, nodes: int, counts: Rows) -> None:
        """Count what they lead to."""
        self.nodes += nodes
        self.empty += int((counts == 0).sum())

    def see(self, rows: Rows, of: int) -> None:
        """Note the rows, of a table of so many, that are reached."""
        if self.seen is None:
            self.seen = np.zeros(of, dtype=np.bool_)
        self.seen[rows] = True

    def frozen(self) -> Reached:
        distinct = self.nodes if self.seen is None else int(self.seen.sum())
        return Reached(path=self.path, asked=self.asked, nodes=self.nodes, distinct=distinct, empty=self.empty)


@dataclass(slots=True)
class _Reach:
    dataset: Dataset
    found: dict[str, _Counted] = field(default_factory=dict)

    def roots(self, plan: Branch, place: int, rows: Rows) -> int:
        """Count a block of roots and all below them; return how many rows joining it all comes to."""
        self._at("").nodes += rows.size
        walked = rows if plan.touched == 100 else rows[touched(plan, place, rows)]
        return int(self._below(plan, walked, "", shared=False).sum()) + rows.size - walked.size

    def _below(self, branch: Branch, rows: Rows, path: str, *, shared: bool) -> Rows:
        """Count what the rows lead to, and return for each how many rows joining it all to it comes to.

        shared: whether any of the rows may come again.
        """
        joined = np.ones(rows.size, dtype=np.int64)
        for relation in branch.relations:
            here = f"{path}.{relation.name}" if path else relation.name
            joined *= np.maximum(self._relation(branch, relation, rows, here, shared=shared or not relation.owned), 1)
        return joined

    def _relation(self, branch: Branch, relation: Relation, rows: Rows, path: str, *, shared: bool) -> Rows:
        at = self._at(path)
        at.asked += rows.size
        if not (relation.branch.relations or shared):
            counts = counted(self.dataset, branch, relation, rows)
            at.found(int(counts.sum()), counts)
            return counts
        below, counts = follow(self.dataset, branch, relation, rows)
        at.found(below.size, counts)
        if shared:
            at.see(below, self.dataset.rows[relation.branch.table])
        ends = np.zeros(below.size + 1, dtype=np.int64)
        np.cumsum(self._below(relation.branch, below, path, shared=shared), out=ends[1:])
        last = np.cumsum(counts)
        joined: Rows = ends[last] - ends[last - counts]
        return joined

    def _at(self, path: str) -> _Counted:
        return self.found.setdefault(path, _Counted(path))
