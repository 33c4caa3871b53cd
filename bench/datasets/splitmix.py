"""The integer generator: SplitMix64, addressed by place instead of run in sequence.

SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014) adds a constant to
its state for each output and mixes the state, so its output number n is a pure function of the starting state and n.
Here every column of every table has a starting state of its own, a *stream*, and the row's number is n: any value can
be made alone, in any order, and a column added to a recipe changes no other column.

All is integer arithmetic modulo 2**64: the same on every machine, Python and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

WIDEST = 2**32
"""The widest range that a word is mapped onto."""

_MASK = 2**64 - 1
_GAMMA = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


@dataclass(frozen=True, slots=True)
class Stream:
    """A sequence of 64-bit words, any of which can be had alone. `start` is SplitMix64's state before word 0."""

    start: int

    @classmethod
    def named(cls, seed: int, *names: str) -> Stream:
        """Return the stream that belongs to `names` under `seed`.

        Its start is SplitMix64's mix of seed + h modulo 2**64, where h is the BLAKE2b digest of 8 bytes, read as
        little-endian, of the names in UTF-8 joined by a zero byte.
        """
        digest = blake2b("\0".join(names).encode(), digest_size=8).digest()
        mixed = _mix(np.array([(seed + int.from_bytes(digest, "little")) & _MASK], dtype=np.uint64))
        return cls(int(mixed[0]))

    def words(self, places: Words) -> Words:
        """Return the words at `places`, each counted from 0."""
        return _mix(places * np.uint64(_GAMMA) + np.uint64((self.start + _GAMMA) & _MASK))

    def below(self, bound: int, places: Words) -> Words:
        """Return a number from 0 to `bound` - 1 for each place; `bound` is 2**32 at the most.

        It is the upper half of the word times the bound, shifted right by 32 (Lemire, "Fast random integer
        generation in an interval", 2019, without its rejection): no number is likelier than another by more than
        bound / 2**32.
        """
        if not 1 <= bound <= WIDEST:
            raise ValueError(f"{bound} is not a bound from 1 to 2**32")
        upper = self.words(places) >> np.uint64(32)
        return (upper * np.uint64(bound)) >> np.uint64(32)


def _mix(words: Words) -> Words:
    words = (words ^ (words >> np.uint64(30))) * np.uint64(_FIRST)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(_SECOND)
    return words ^ (words >> np.uint64(31))
