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


_REMEDIES = {
    "password authentication failed": "Check the user and the password.",
    "no password supplied": "Write the password in the URL, in PGPASSWORD or in ~/.pgpass.",
    "too many": "Have other sessions closed, or the limit raised: a run needs a few beside one for each worker.",
    "remaining connection slots": "Have other sessions closed, or the limit raised: a run needs one for each worker.",
    "unsupported startup parameter": "Name the server itself, not a pool in front of it.",
    "certificate": "Check sslmode, sslrootcert and the host's name.",
}
"""What to do about what a server or libpq says, by words of it; there is no code to go by while connecting."""


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
            host=target.host or None,
            port=target.port,
            user=target.user or None,
            password=target.password or None,
            dbname=target.database or None,
            autocommit=True,
            **{"connect_timeout": "10", **postgresql_arguments(replace(target, driver="psycopg"))},
        )
    except psycopg.OperationalError as error:
        said = "; ".join(" ".join(line.split()).rstrip(".?") for line in str(error).splitlines() if line.strip())
        raise DatabaseUnavailable(f"{target.name} cannot be reached: {said}.", remedy=_remedy(said)) from error
    with opened:
        yield opened


def _remedy(said: str) -> str:
    known = (remedy for words, remedy in _REMEDIES.items() if words in said)
    return next(known, "Check that it is up, and that the user may connect to the database.")
