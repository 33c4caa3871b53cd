"""The pools: names, titles, cities, words and sentences, drawn once with Faker and kept with the package.

`scripts/draw_pools.py` draws them. The file's digest is part of every dataset's key.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from importlib.resources import files

from bench.errors import BenchError


@cache
def pool(name: str) -> tuple[str, ...]:
    """Return the strings of a pool, all distinct. Raises BenchError when there is none of that name."""
    pools = _pools()
    if name not in pools:
        raise BenchError(f"There is no pool {name!r}.", remedy=f"Known: {', '.join(pools)}.")
    return pools[name]


@cache
def prose() -> str:
    """Return all sentences in one string, with a space after each: it can be read round and round."""
    return "".join(f"{sentence} " for sentence in pool("sentence"))


@cache
def word_starts() -> tuple[int, ...]:
    """Return where in `prose` a word begins."""
    return tuple(found.start() for found in re.finditer(r"\S+", prose()))


@cache
def digest() -> str:
    """Return the SHA-256 of the file, as hexadecimal digits."""
    return hashlib.sha256(_raw()).hexdigest()


@cache
def _pools() -> dict[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in json.loads(_raw())["pools"].items()}


def _raw() -> bytes:
    return files("bench.datasets").joinpath("pools.json").read_bytes()
