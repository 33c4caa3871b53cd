"""Target: where a case runs, as plain data that a worker in any environment can connect to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A database that is up, seeded and reachable.

    name: as the user asked for it, such as `sqlite`. dialect, driver: SQLAlchemy's names, such as `sqlite` and
    `pysqlite`. provider: how it came to be; origin: whose build the server is. database: a path (SQLite) or a
    database's name. memory: each connection copies that file into memory. host: an address, or the folder of a Unix
    socket. settings: what is set on every connection. options: what else a URL gives the driver, such as `sslmode`,
    by libpq's names, and SQLite's by those of its URIs. read_only: it holds data of the user's, and every transaction
    in it is a read-only one. The password lives here and in the worker's memory only: it is never stored, shown or put
    on a command line.
    """

    name: str
    dialect: str
    driver: str
    provider: str
    database: str
    origin: str = ""
    memory: bool = False
    host: str = ""
    port: int | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    settings: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    read_only: bool = False
