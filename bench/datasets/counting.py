"""How many children each parent has, by distribution, as a pure function of the parent's row number.

Whatever the distribution, the total is exactly `with_children * mean`, and every parent that is not childless has one
child at least. So the mean over parents that have children is exactly what the size names, and a dataset's totals
follow from its size and options by arithmetic alone.

- `fixed`: every parent has `mean`.
- `uniform`: 1 to 2 * mean - 1, each equally likely. Parents are paired at random, and where one of a pair has k, the
  other has 2 * mean - k; a parent left over has `mean`.
- `zipf`: one each, and of the (mean - 1) * with_children that are left a share by rank: the parent of rank r weighs
  2**26 // r. Shares are rounded so that they add up (the share of rank r ends at left * W(r) // W(all), where W is the
  running sum of weights). Ranks are dealt at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from bench.datasets.permutation import Permutation
from bench.datasets.splitmix import Stream, Words

HEAVIEST = 2**26
"""The weight of rank 1. Two thousand million ranks weigh less than 2**31 in all, so a product with as many children
stays below 2**62 and no word overflows."""

_CHUNK = 65_536


def childless_rows(rows: int, share: float) -> int:
    """Return how many of `rows` have no child: the share as it is written in decimal, rounded half up."""
    return int(rows * Fraction(str(share)) + Fraction(1, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """Deals children to the rows of a parent table.

    lots: deals every parent its lot; the lowest `childless` lots have no child, in any child table alike.
    ranks: deals the others a rank for this child table alone. shares: where each rank's share ends (`zipf`).
    """

    mean: int
    distribution: str
    childless: int
    lots: Permutation
    ranks: Permutation
    sizes: Stream
    shares: NDArray[np.uint64] | None

    @classmethod
    def of(
        cls, *, parent: str, child: str, parents: int, mean: int, distribution: str, share: float, seed: int
    ) -> Counting:
        """Return the counting of table `child` under the `parents` rows of table `parent`."""
        childless = childless_rows(parents, share)
        with_children = parents - childless
        return cls(
            mean=mean,
            distribution=distribution,
            childless=childless,
            lots=Permutation.named(parents, seed, "structure", parent, "childless"),
            ranks=Permutation.named(with_children, seed, "structure", child, "ranks"),
            sizes=Stream.named(seed, "structure", child, "children"),
            shares=_zipf_shares(with_children, with_children * (mean - 1)) if distribution == "zipf" else None,
        )

    @property
    def with_children(self) -> int:
        """Parents that have children."""
        return self.lots.size - self.childless

    @property
    def total(self) -> int:
        """Children in all."""
        return self.with_children * self.mean

    def starts(self) -> NDArray[np.int64]:
        """Return where each parent's children begin when they lie parent by parent, and after the last the total."""
        starts = np.zeros(self.lots.size + 1, dtype=np.int64)
        for first in range(0, self.lots.size, _CHUNK):
            parents = np.arange(first, min(first + _CHUNK, self.lots.size), dtype=np.uint64)
            starts[first + 1 : first + 1 + parents.size] = self._counts(parents)
        return np.cumsum(starts, out=starts)

    def _counts(self, parents: Words) -> Words:
        counts = np.zeros(parents.size, dtype=np.uint64)
        lots = self.lots.forward(parents)
        holding = lots >= np.uint64(self.childless)
        if holding.any():
            counts[holding] = self._sizes(self.ranks.forward(lots[holding] - np.uint64(self.childless)))
        return counts

    def _sizes(self, ranks: Words) -> Words:
        if self.shares is not None:
            ends: Words = self.shares[ranks + np.uint64(1)]
            return np.uint64(1) + ends - self.shares[ranks]
        if self.distribution == "uniform":
            return self._paired(ranks)
        return np.full(ranks.size, self.mean, dtype=np.uint64)

    def _paired(self, ranks: Words) -> Words:
        drawn = np.uint64(1) + self.sizes.below(2 * self.mean - 1, ranks >> np.uint64(1))
        sizes = np.where(ranks & np.uint64(1), np.uint64(2 * self.mean) - drawn, drawn)
        left_over = (ranks == np.uint64(self.with_children - 1)) & np.bool_(self.with_children % 2)
        return np.where(left_over, np.uint64(self.mean), sizes)


def _zipf_shares(ranks: int, children: int) -> NDArray[np.uint64]:
    """Return where the share of each rank begins, and after the last one `children`."""
    weights = np.uint64(HEAVIEST) // np.arange(1, ranks + 1, dtype=np.uint64)
    ends = np.zeros(ranks + 1, dtype=np.uint64)
    np.cumsum(weights, out=ends[1:])
    ends *= np.uint64(children)
    ends //= np.uint64(max(int(weights.sum()), 1))
    return ends
