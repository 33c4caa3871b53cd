"""A snapshot: one moment of a database that others may write to meanwhile, and whether it refused to be written to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

READ_ONLY_TRANSACTION = "25006"
"""PostgreSQL's code of what a read-only transaction refuses."""


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that sees one moment of the database; sessions may be bound to it.

    A session that joins it ends without ending it. On SQLite nobody can commit a change of the file meanwhile, unless
    it keeps a write-ahead log.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.begin()
            connection.exec_driver_sql("BEGIN")  # the driver itself begins before a write only
        else:
            connection.execution_options(isolation_level="REPEATABLE READ")
            connection.begin()
        yield connection


def refused_write(error: BaseException) -> str:
    """Return what a database said when it refused to be written to; empty where an error is another."""
    said = getattr(error, "orig", None) or error
    code = getattr(said, "sqlstate", None) or getattr(said, "pgcode", None)
    name = getattr(said, "sqlite_errorname", None)
    if code == READ_ONLY_TRANSACTION or name == "SQLITE_READONLY":
        return str(said).splitlines()[0].rpartition(">: ")[2].rstrip(".")
    return ""
