"""Which provider serves the database that a user asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.databases import sqlite_facts
from bench.databases.protocol import Provider, Seeded
from bench.databases.sqlite import SqliteCache, target_of
from bench.model import Asked, DatasetFacts, Target, TargetFacts

_DIALECTS = {"sqlite": "sqlite", "postgres": "postgresql"}


class Embedded:
    """The provider of SQLite files: the cache."""

    def __init__(self) -> None:
        self._cache = SqliteCache()

    def seeded(self, name: str, key: str, seed: Callable[[Target], DatasetFacts]) -> Seeded:
        """Return a target that holds the dataset of that key: the kept file, or a new one that `seed` fills."""
        return self._cache.seeded(name, key, lambda path: seed(target_of(path)))


def dialect_of(asked: Asked) -> str:
    """Return SQLAlchemy's name of the database's dialect."""
    return _DIALECTS[asked.database]


@contextmanager
def provided(asked: Asked) -> Iterator[Provider]:
    """Yield a provider of the database for as long as the block runs; a server of ours is gone after it.

    Raises DatabaseUnavailable where it cannot be had.
    """
    if asked.database == "sqlite":
        yield Embedded()
        return
    from bench.databases.postgres import PostgresBinaries, choose, survey

    at_hand = survey()
    (installation,) = choose([asked.version], at_hand.found, left_out=at_hand.left_out)
    with PostgresBinaries(installation, name=str(asked)) as provider:
        yield provider


def facts(target: Target) -> TargetFacts:
    """Return the facts of a target that is up."""
    if target.dialect == "sqlite":
        return sqlite_facts.facts(target)
    from bench.databases.postgres import server_facts

    return server_facts(target)
