"""Databases: from the targets that a user asks for to databases that are up and seeded, and gone without a trace.

`sources` finds where each server comes from; `fleet` brings those of a case up together.
"""

from bench.databases.facts import facts_of
from bench.databases.fleet import Fleet, are_fresh, fleet
from bench.databases.protocol import CachedDataset, Provider, Seeded
from bench.databases.sources import Sources, find_sources
from bench.databases.sqlite import SqliteCache

__all__ = [
    "CachedDataset",
    "Fleet",
    "Provider",
    "Seeded",
    "Sources",
    "SqliteCache",
    "are_fresh",
    "facts_of",
    "find_sources",
    "fleet",
]
