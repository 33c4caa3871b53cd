"""PostgreSQL servers of our own: binaries are found and chosen, servers started, filled, and none is left behind."""

from bench.databases.postgres.binaries import BinariesSource
from bench.databases.postgres.choice import choose
from bench.databases.postgres.facts import server_facts
from bench.databases.postgres.installations import Installation, LeftOut, installations, survey
from bench.databases.postgres.own import OwnDatabases, OwnServer
from bench.databases.postgres.registry import sweep
from bench.databases.postgres.server import PostgresServer
from bench.databases.postgres.settings import SETTINGS

__all__ = [
    "SETTINGS",
    "BinariesSource",
    "Installation",
    "LeftOut",
    "OwnDatabases",
    "OwnServer",
    "PostgresServer",
    "choose",
    "installations",
    "server_facts",
    "survey",
    "sweep",
]
