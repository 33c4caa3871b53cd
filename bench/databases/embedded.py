"""The source of SQLite databases: a file in the cache or at a path of the user's choosing, read there or in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.databases.protocol import Provider, Seeded
from bench.databases.sqlite import SqliteCache, seeded_file, target_of
from bench.errors import DatabaseUnavailable
from bench.model import Asked, DatasetFacts, Target


@dataclass(frozen=True, slots=True)
class EmbeddedSource:
    """SQLite as it was asked for. A file is the same for every worker, so none is fresh."""

    asked: Asked
    fresh: bool = False

    def prepare(self) -> Iterator[str]:
        """Nothing has to be fetched."""
        yield from ()

    @contextmanager
    def up(self) -> Iterator[Provider]:
        """Yield the provider; there is nothing to be brought up or torn down."""
        yield Embedded(self.asked)


@dataclass(frozen=True, slots=True)
class Embedded:
    """The provider of SQLite files."""

    asked: Asked
    image: str = ""

    def seeded(self, name: str, key: str, seed: Callable[[Target], DatasetFacts]) -> Seeded:
        """Return a target that holds the dataset of that key: the kept file, or a new one that `seed` fills.

        Raises BenchError where the user's path holds a file that was not seeded here.
        """
        if self.asked.path:
            found = seeded_file(Path(self.asked.path), key, lambda path: seed(target_of(path)))
        else:
            found = SqliteCache().seeded(name, key, lambda path: seed(target_of(path)))
        return found._replace(target=replace(found.target, memory=self.asked.memory))

    def fault(self) -> DatabaseUnavailable | None:
        """None: a library in the worker's own process does not go away by itself."""
        return None
