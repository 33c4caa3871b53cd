"""Which row of a parent table owns which rows of a child table, both ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.datasets.counting import Counting
from bench.datasets.permutation import Permutation

Rows = NDArray[np.int64]
"""Row numbers, counted from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Who owns whom between two tables.

    Children have a place in the order parent by parent. Where the dataset is clustered, a child's row number is its
    place; where it is shuffled, `spread` leads from row number to place. `each`: children of every parent, where all
    have the same; otherwise `starts` holds the place of each parent's first child (8 bytes a parent).
    """

    total: int
    each: int
    starts: Rows | None
    spread: Permutation | None

    @classmethod
    def of(cls, counting: Counting, spread: Permutation | None) -> Ownership:
        """Return the ownership that a counting leads to."""
        even = counting.distribution == "fixed" and not counting.childless
        return cls(total=counting.total, each=counting.mean, starts=None if even else counting.starts(), spread=spread)

    def owners(self, children: Rows) -> Rows:
        """Return the row that owns each of the rows `children`."""
        places = self.places(children)
        if self.starts is None:
            return places // self.each
        return self.starts.searchsorted(places, side="right") - 1

    def places(self, children: Rows) -> Rows:
        """Return the place of each of the rows `children` in the order parent by parent."""
        return children if self.spread is None else self.spread.forward(children.view(np.uint64)).view(np.int64)

    def nth(self, children: Rows) -> Rows:
        """Return the place of each of the rows `children` among those of the same parent, from 0."""
        owners = self.owners(children)
        return self.places(children) - (owners * self.each if self.starts is None else self.starts[owners])

    def counts(self, parents: Rows) -> Rows:
        """Return how many rows each of the rows `parents` owns."""
        if self.starts is None:
            return np.full(parents.size, self.each)
        return self.starts[parents + 1] - self.starts[parents]

    @property
    def most(self) -> int:
        """How many rows a parent has at the most."""
        return self.each if self.starts is None else int(np.diff(self.starts).max(initial=0))

    def owned(self, parents: Rows) -> tuple[Rows, Rows]:
        """Return the rows that the rows `parents` own, parent by parent and in order, and how many each owns."""
        first = parents * self.each if self.starts is None else self.starts[parents]
        counts = self.counts(parents)
        before = np.cumsum(counts) - counts
        places = np.arange(int(counts.sum()), dtype=np.int64) + np.repeat(first - before, counts)
        if self.spread is None:
            return places, counts
        rows = self.spread.backward(places.view(np.uint64)).view(np.int64)
        nth_parent = np.repeat(np.arange(parents.size), counts)
        return rows[np.lexsort((rows, nth_parent))], counts
