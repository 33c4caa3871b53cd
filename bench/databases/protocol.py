"""What a provider is: it makes a target that holds a dataset, seeded now or kept from before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from bench.model import DatasetFacts, Target


class Seeded(NamedTuple):
    """A target that holds a dataset, the dataset's facts, and whether it was there already."""

    target: Target
    facts: DatasetFacts
    reused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedDataset:
    """A dataset that is kept for the next run. file_bytes: on disk. created: ISO 8601, UTC."""

    name: str
    path: Path
    file_bytes: int
    created: str


class Provider(Protocol):
    """Keeps seeded datasets and hands out targets that hold them."""

    def seeded(self, name: str, key: str, seed: Callable[[Target], DatasetFacts]) -> Seeded:
        """Return a target with the dataset of that key in it; `seed` fills an empty one where it is not kept."""
        ...
