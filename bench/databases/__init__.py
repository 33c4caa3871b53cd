"""Databases: from a target's name and a dataset's key to a target that is up and seeded, one provider a file."""

from bench.databases.protocol import CachedDataset, Provider, Seeded
from bench.databases.providing import dialect_of, facts, provided
from bench.databases.sqlite import SqliteCache

__all__ = ["CachedDataset", "Provider", "Seeded", "SqliteCache", "dialect_of", "facts", "provided"]
