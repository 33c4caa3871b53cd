"""A connection for what is asked of a server beside measuring: it is up, make a database, which settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.connect import postgresql_arguments
from bench.errors import BenchError, DatabaseUnavailable
from bench.model import Target

if TYPE_CHECKING:
    import psycopg

PROVIDER = "binaries"


def require_driver() -> None:
    """Raise BenchError, which names the extra, where psycopg does not load."""
    try:
        import psycopg  # noqa: F401 - only whether it loads
    except ImportError as error:
        raise BenchError(
            f"PostgreSQL needs the driver psycopg, which does not load: {error}.",
            remedy="Install it: pip install 'orm-loading-bench[postgres]'.",
        ) from error


@contextmanager
def connected(target: Target) -> Iterator[psycopg.Connection]:
    """Yield a connection in which each statement is a transaction of its own.

    Raises BenchError where psycopg is not installed, and DatabaseUnavailable where the server cannot be reached; what
    the server says to a statement passes through.
    """
    require_driver()
    import psycopg

    try:
        opened = psycopg.connect(
            host=target.host,
            port=target.port,
            user=target.user,
            password=target.password or None,
            dbname=target.database,
            autocommit=True,
            **{"connect_timeout": "10", **postgresql_arguments(replace(target, driver="psycopg"))},
        )
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(
            f"{target.name} cannot be reached: {' '.join(str(error).split())}.",
            remedy="Check that it is up, and that the user may connect to the database.",
        ) from error
    with opened:
        yield opened
