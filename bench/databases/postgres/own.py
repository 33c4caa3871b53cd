"""A server of our own, however it came up, holds a database for each dataset until it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self

from bench.databases.postgres.admin import connected
from bench.databases.protocol import Seeded
from bench.errors import DatabaseUnavailable
from bench.model import DatasetFacts, Target

_LONGEST_NAME = 63
"""Bytes that PostgreSQL keeps of a name."""


class OwnServer(Protocol):
    """A throw-away server, up inside its `with` block, which yields its superuser's target."""

    def __enter__(self) -> Target:
        """Start it. Raises DatabaseUnavailable."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop it, and leave nothing of it."""
        ...

    def fault(self) -> DatabaseUnavailable | None:
        """Return what to raise where it has ended by itself, with the end of its log; None while it is up."""
        ...


class OwnDatabases:
    """A provider of databases on a server of our own, which is up inside the `with` block."""

    def __init__(self, server: OwnServer) -> None:
        self.server = server
        self._admin: Target | None = None
        self._seeded: dict[str, tuple[Target, DatasetFacts]] = {}

    def __enter__(self) -> Self:
        self._admin = self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.server.__exit__(kind, error, traceback)

    @property
    def admin(self) -> Target:
        """The server's own database, as its superuser. Raises RuntimeError outside the `with` block."""
        if self._admin is None:
            raise RuntimeError("the server is not up: use it in a with block")
        return self._admin

    @property
    def image(self) -> str:
        """The digest of the image that the server is a container of; empty where it is none."""
        return str(getattr(self.server, "image_digest", ""))

    def fault(self) -> DatabaseUnavailable | None:
        """Return what to raise where the server has ended by itself; None while it is up."""
        return self.server.fault()

    def seeded(self, name: str, key: str, seed: Callable[[Target], DatasetFacts]) -> Seeded:
        """Return a target that holds the dataset of that key: one that is there, or a database that `seed` fills.

        A database that is filled takes no more writes unless a session asks for it, and serves as a template for
        copies. What `seed` raises passes through, and leaves no database. Raises DatabaseUnavailable.
        """
        known = self._seeded.get(key)
        if known is not None:
            return Seeded(*known, True)
        target = replace(self.admin, database=self._database(name, key))
        self._command("CREATE DATABASE {}", target.database)
        try:
            facts = seed(target)
        except BaseException:
            self._command("DROP DATABASE {} WITH (FORCE)", target.database)
            raise
        self._command("ALTER DATABASE {} SET default_transaction_read_only = on", target.database)
        self._command("ALTER DATABASE {} IS_TEMPLATE true", target.database)
        self._seeded[key] = (target, facts)
        return Seeded(target, facts, False)

    def _database(self, name: str, key: str) -> str:
        """Return a name of its own for each key, also where two keys begin alike; the server would cut a longer one."""
        end = f"-{key[:16]}-{len(self._seeded) + 1}"
        return name.encode()[: _LONGEST_NAME - len(end.encode())].decode(errors="ignore") + end

    def _command(self, text: str, database: str) -> None:
        """Run a command about a database. Raises DatabaseUnavailable with what the server said."""
        with connected(self.admin) as connection:
            import psycopg
            from psycopg import sql

            try:
                connection.execute(sql.SQL(text).format(sql.Identifier(database)))
            except psycopg.Error as error:
                raise DatabaseUnavailable(
                    f"{self.admin.name} refuses a database for a dataset: {' '.join(str(error).split())}.",
                    remedy="Check that the disk of the temporary folder has room; TMPDIR names another.",
                ) from error
