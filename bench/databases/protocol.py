"""What a provider is: it makes a target that holds a dataset, seeded now or kept from before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from bench.errors import DatabaseUnavailable
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
    """A database, or a server of them, that is up: it hands out targets that hold datasets."""

    @property
    def image(self) -> str:
        """The digest of the image that the server is a container of; empty where it is none."""
        ...

    def seeded(self, name: str, key: str, seed: Callable[[Target], DatasetFacts]) -> Seeded:
        """Return a target with the dataset of that key in it; `seed` fills an empty one where it is not kept."""
        ...

    def fault(self) -> DatabaseUnavailable | None:
        """Return what to raise where it has gone away by itself, with what it said last; None while it is up."""
        ...


class Source(Protocol):
    """Where a database that was asked for comes from, once it is certain that it can be had.

    fresh: whether each one that is brought up is made anew, so that several of them are several samples.
    """

    @property
    def fresh(self) -> bool:
        """Whether each one is made anew."""
        ...

    def prepare(self) -> Iterator[str]:
        """Fetch what takes a while to fetch, once for all that are brought up; yield phrases for a reader meanwhile."""
        ...

    def up(self) -> AbstractContextManager[Provider]:
        """Bring one up for as long as the block runs; nothing is left of it afterwards. Raises DatabaseUnavailable."""
        ...
