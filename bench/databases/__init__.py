"""Databases: from a target's name and a dataset's key to a target that is up and seeded, one provider a file."""

from bench.databases.protocol import CachedDataset, Provider, Seeded
from bench.databases.sqlite import SqliteCache
from bench.databases.sqlite_facts import facts

__all__ = ["CachedDataset", "Provider", "Seeded", "SqliteCache", "facts"]
