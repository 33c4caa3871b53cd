"""A bijection of the whole numbers below n that looks random, both ways, without a table of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import numpy as np

from bench.datasets.splitmix import Stream, Words

ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Permutation:
    """A permutation of 0 to `size` - 1 in constant memory: a generalised Feistel network with cycle walking.

    After Black and Rogaway, "Ciphers with arbitrary finite domains" (2002). A number x stands as x = low + wide * high
    with low < wide and high < tall, where wide * tall is the least such product that holds `size` numbers and is
    nearly square. Each round adds to one half, modulo its bound, a number drawn at the place that the other half names.
    What falls outside `size` goes round again; fewer than one in sqrt(size) does.
    """

    size: int
    rounds: tuple[Stream, ...]

    @classmethod
    def named(cls, size: int, seed: int, *names: str) -> Permutation:
        """Return the permutation of `size` numbers that belongs to `names` under `seed`."""
        return cls(size, tuple(Stream.named(seed, *names, str(number)) for number in range(ROUNDS)))

    def forward(self, numbers: Words) -> Words:
        """Return where each number goes."""
        return self._walk(numbers, backward=False)

    def backward(self, numbers: Words) -> Words:
        """Return what goes to each number: the inverse of `forward`."""
        return self._walk(numbers, backward=True)

    def _walk(self, numbers: Words, *, backward: bool) -> Words:
        """Step until every number lies inside: a path leads from inside to inside again, so the inverse walks too."""
        step = self._step_back if backward else self._step
        walked = step(numbers)
        while (outside := np.flatnonzero(walked >= np.uint64(self.size))).size:
            walked[outside] = step(walked[outside])
        return walked

    @property
    def _bounds(self) -> tuple[int, int]:
        wide = isqrt(max(self.size, 1) - 1) + 1
        return wide, max(-(-self.size // wide), 1)

    def _step(self, numbers: Words) -> Words:
        wide, tall = self._bounds
        high, low = np.divmod(numbers, np.uint64(wide))
        for number, stream in enumerate(self.rounds):
            if number % 2:
                high = (high + stream.below(tall, low)) % np.uint64(tall)
            else:
                low = (low + stream.below(wide, high)) % np.uint64(wide)
        return low + np.uint64(wide) * high

    def _step_back(self, numbers: Words) -> Words:
        wide, tall = self._bounds
        high, low = np.divmod(numbers, np.uint64(wide))
        for number, stream in reversed(tuple(enumerate(self.rounds))):
            if number % 2:
                high = (high + np.uint64(tall) - stream.below(tall, low)) % np.uint64(tall)
            else:
                low = (low + np.uint64(wide) - stream.below(wide, high)) % np.uint64(wide)
        return low + np.uint64(wide) * high
