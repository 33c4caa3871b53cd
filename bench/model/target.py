"""Target: where a case runs, as plain data that a worker in any environment can connect to."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.errors import BenchError

DRIVERS = {
    "sqlite": ("pysqlite", "aiosqlite"),
    "postgres": ("psycopg", "psycopg_async", "asyncpg"),
}
"""What `--db` accepts: each database with SQLAlchemy's names of its drivers, the usual one first."""

_ASKED = re.compile(r"([^:+]*)(?::([^+]*))?(?:\+(.*))?", re.ASCII | re.DOTALL)
_VERSION = re.compile(r"[1-9][0-9]?(?:\.[0-9]{1,2})?", re.ASCII)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A database as a user asks for it. version: `17` or `16.4`, None for the newest at hand."""

    database: str
    version: str | None
    driver: str

    def __str__(self) -> str:
        version = f":{self.version}" if self.version else ""
        return f"{self.database}{version}" + (f"+{self.driver}" if self.driver != DRIVERS[self.database][0] else "")


def parse_target(text: str) -> Asked:
    """Parse `sqlite`, `postgres`, `postgres:17` or `postgres:16.4+asyncpg`.

    Raises BenchError with the nearest name where there is no such database or driver.
    """
    matched = _ASKED.fullmatch(text)
    assert matched is not None
    database, version, driver = matched.groups()
    if "," in text:
        raise BenchError("One run measures on one database.", remedy=f"Name one of {', '.join(DRIVERS)}.")
    if database not in DRIVERS:
        raise _unknown("database", database, DRIVERS)
    if version is not None and (database == "sqlite" or not _VERSION.fullmatch(version)):
        raise BenchError(
            f"{text!r}: there is no {database} of version {version!r} to choose.",
            remedy="Write sqlite, postgres, postgres:17 or postgres:16.4.",
        )
    if driver is not None and driver not in DRIVERS[database]:
        raise _unknown(f"driver of {database}", driver, DRIVERS[database])
    return Asked(database=database, version=version, driver=driver or DRIVERS[database][0])


def _unknown(kind: str, name: str, known: Iterable[str]) -> BenchError:
    near = difflib.get_close_matches(name, known := list(known), n=1)
    return BenchError(
        f"There is no {kind} {name!r}" + (f"; did you mean {near[0]!r}?" if near else "."),
        remedy=f"Known: {', '.join(known)}.",
    )
