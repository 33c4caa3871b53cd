"""Target: where a case runs, as plain data that a worker in any environment can connect to."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

from bench.errors import BenchError

DATABASES = ("sqlite",)
"""What `--db` accepts; each name has a provider in `bench.databases`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A database that is up, seeded and reachable.

    name: as the user asked for it, such as `sqlite`. dialect, driver: SQLAlchemy's names, such as `sqlite` and
    `pysqlite`. provider: how it came to be; origin: whose build the server is. database: a path (SQLite) or a
    database's name. host: an address, or the folder of a Unix socket. settings: what is set on every connection.
    The password lives here and in the worker's memory only: it is never stored, shown or put on a command line.
    """

    name: str
    dialect: str
    driver: str
    provider: str
    database: str
    origin: str = ""
    host: str = ""
    port: int | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    settings: dict[str, str] = field(default_factory=dict)


def parse_target(text: str) -> str:
    """Check what `--db` was given and return the database's name. Raises BenchError with the nearest name."""
    if text in DATABASES:
        return text
    near = difflib.get_close_matches(text, DATABASES, n=1)
    raise BenchError(
        f"There is no database {text!r}" + (f"; did you mean {near[0]!r}?" if near else "."),
        remedy=f"Known: {', '.join(DATABASES)}.",
    )
