"""The source `binaries`: each server is started from programs at hand, on a cluster that is made for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.databases.postgres.installations import Installation
from bench.databases.postgres.own import OwnDatabases
from bench.databases.postgres.server import PostgresServer


@dataclass(frozen=True, slots=True, kw_only=True)
class BinariesSource:
    """Servers of one installation, called `name`."""

    installation: Installation
    name: str
    fresh: bool = True

    def prepare(self) -> Iterator[str]:
        """Nothing has to be fetched."""
        yield from ()

    def up(self) -> OwnDatabases:
        """Return a provider on a server that is up inside its `with` block."""
        return OwnDatabases(PostgresServer(self.installation, name=self.name))
