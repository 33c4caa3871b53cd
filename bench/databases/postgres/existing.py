"""A server that the user runs, with the user's data in it: only read, by transactions that the server keeps to that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from bench.databases.postgres.admin import connected, require_driver
from bench.databases.postgres.url import OLDEST, refusals
from bench.databases.postgres.url_target import make_target, resolved
from bench.databases.protocol import Provider, Seeded
from bench.errors import DatabaseUnavailable
from bench.model import Asked, DatasetFacts, Target

READ_ONLY = "default_transaction_read_only"

WAITING = ("idle_session_timeout", "idle_in_transaction_session_timeout")
"""Timeouts that are off for our sessions, which wait for one another. Those that guard the server stay as they are."""


@dataclass(frozen=True, slots=True)
class ExistingServer:
    """The database that a URL names. password: as it stood there, else empty. Raises BenchError for what is no URL."""

    asked: Asked
    password: str = field(repr=False, kw_only=True)
    fresh: bool = False

    def __post_init__(self) -> None:
        make_target(self.asked, self.password)

    def prepare(self) -> Iterator[str]:
        """Nothing has to be fetched."""
        yield from ()

    @contextmanager
    def up(self) -> Iterator[Provider]:
        """Yield the provider; nothing is made there, so nothing has to be taken down.

        Raises DatabaseUnavailable for a server that cannot be reached, and for what does not keep sessions to reading.
        A replica and a user that may only read are as good as any.
        """
        require_driver()
        written = make_target(replace(self.asked, driver="psycopg"), self.password)
        settings = {READ_ONLY: "on", **dict.fromkeys(WAITING, "0")}
        with connected(written) as connection:
            target = replace(resolved(written, connection), settings=settings, read_only=True)
            version = connection.info.server_version // 10_000
        if version < OLDEST:
            raise DatabaseUnavailable(
                f"{target.name} is PostgreSQL {version}, older than {OLDEST}.",
                remedy=f"Name a server of {OLDEST} or later.",
            )
        _check_read_only(target)
        yield _Server(target)


@dataclass(frozen=True, slots=True)
class _Server:
    """The provider of one database."""

    target: Target
    image: str = ""

    def seeded(self, name: str, key: str, seed: Callable[[Target], DatasetFacts]) -> Seeded:  # noqa: ARG002 - its rows are its own
        """Return the target, which may only read, and what `seed` finds to be there."""
        return Seeded(self.target, seed(self.target), True)

    def fault(self) -> DatabaseUnavailable | None:
        """Return what to raise where the server takes no connection any more."""
        try:
            with connected(self.target):
                return None
        except DatabaseUnavailable as error:
            return DatabaseUnavailable(
                f"{self.target.name} has gone away: {error.message}",
                remedy="See that it runs, and start the command again.",
            )


def _check_read_only(target: Target) -> None:
    """See that a new connection may only read: what pools connections may leave out its settings."""
    with connected(target) as connection, refusals(target.name):
        row = connection.execute("SHOW transaction_read_only").fetchone()
    if row is None or row[0] != "on":
        raise DatabaseUnavailable(
            f"{target.name} does not pass on {READ_ONLY} as a connection starts, so nothing was asked of it.",
            remedy="Name the server itself, not a pool in front of it.",
        )
