"""Size: how many parents, how many children of each, how many grandchildren of each of those."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from bench.errors import BenchError

MOST_ROWS = 2_000_000_000
"""Rows that a dataset may have in all: beyond it row numbers would not fit the keys that databases index."""

MOST_CASES = 200
"""Sizes that one command may ask for: a range typed wrongly would otherwise run for days."""

_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)
_RANGE = re.compile(r"([0-9]{1,18})\.\.([0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """How many rows a dataset has: `counts[0]` parents, `counts[1]` children of each parent, and so on down.

    Without any, as EXISTING, it is whatever a database holds already: nobody asked for a number, they are counted.
    """

    counts: tuple[int, ...]

    def __str__(self) -> str:
        return "x".join(str(count) for count in self.counts) or "(existing data)"

    @property
    def rows(self) -> int:
        """Rows of all levels together, were every parent to have exactly the children that the size names."""
        return sum(itertools.accumulate(self.counts, lambda above, each: above * each))


EXISTING = Size(())
"""The size of data that is there already."""


def parse_sizes(text: str, *, levels: int) -> tuple[Size, ...]:
    """Parse `1000x50`, `10x50,100x5` or `1000x1..50` into sizes of `levels` counts each, in the order written.

    A range stands for the 1-2-5 steps between its ends, both ends included: `1..50` is 1, 2, 5, 10, 20, 50.
    Raises BenchError for anything else, naming what was wrong and what is accepted.
    """
    sizes = tuple(size for part in text.split(",") for size in _parse_part(part.strip(), levels=levels))
    distinct = tuple(dict.fromkeys(sizes))
    if len(distinct) > MOST_CASES:
        raise BenchError(
            f"SIZE {text!r} asks for {len(distinct)} sizes; one run takes {MOST_CASES} at the most.",
            remedy="Ask for fewer sizes, or for narrower ranges.",
        )
    return distinct


def _parse_part(part: str, *, levels: int) -> list[Size]:
    pieces = part.split("x")
    if part and len(pieces) != levels:
        raise BenchError(
            f"SIZE {part!r} has {len(pieces)} number{'s' * (len(pieces) != 1)}, but this scenario takes {levels}.",
            remedy=f"Write it as {_example(levels)}.",
        )
    choices = [_parse_count(piece, part, levels=levels) for piece in pieces]
    sizes = [Size(counts) for counts in itertools.product(*choices)]
    for size in sizes:
        if size.rows > MOST_ROWS:
            raise BenchError(
                f"SIZE {str(size)!r} is {size.rows:,} rows; {MOST_ROWS:,} is the most that a dataset may have.",
                remedy="Use a smaller size, such as 1000x50.",
            )
    return sizes


def _parse_count(piece: str, part: str, *, levels: int) -> list[int]:
    if ranged := _RANGE.fullmatch(piece):
        first, last = int(ranged[1]), int(ranged[2])
        if 1 <= first <= last:
            return _steps(first, last)
    elif _COUNT.fullmatch(piece) and int(piece) >= 1:
        return [int(piece)]
    raise BenchError(
        f"SIZE {part!r} is not a size: {piece!r} is not a whole number of 1 or more, nor a range such as 1..50.",
        remedy=f"Write it in plain digits, as {_example(levels)}.",
    )


def _steps(first: int, last: int) -> list[int]:
    steps = (digit * 10**power for power in range(len(str(last))) for digit in (1, 2, 5))
    return sorted({first, last, *(step for step in steps if first < step < last)})


def _example(levels: int) -> str:
    return {1: "1000", 2: "1000x50", 3: "100x20x5"}.get(levels, "x".join(["10"] * levels)) + (
        " (parents x children of each)" if levels == 2 else ""
    )
