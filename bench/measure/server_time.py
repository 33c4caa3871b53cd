"""How long a PostgreSQL server says that it worked for a load: `pg_stat_database.active_time`, no extension needed.

The server counts, for each database, how long its sessions were active: the execution, with the turning of rows into
what is sent and the sending. Drivers send a statement in steps (parse, bind, execute), and the count begins anew with
each, so parsing and planning are not in it; but for a statement that is sent whole, as psycopg does without parameters.
What a session has counted is published when it asks for it
(`pg_stat_force_next_flush`, PostgreSQL 15 and later), so both ends of a load are read on the load's own connection.

Other sessions of the same database count too. While there are any, and where the server does not keep the count
(`track_activities` off), nothing is reported rather than something that may be wrong.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

from sqlalchemy import Engine

Result = TypeVar("Result")

EMPTY_READINGS = 7
"""Readings with nothing between, of which the median is what a reading itself takes."""

_FLUSH = "SELECT pg_stat_force_next_flush()"
_ACTIVE_MS = "SELECT active_time FROM pg_stat_database WHERE datname = current_database()"
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


class ServerTime:
    """Asks the server how long it executed for loads. silent: why it says nothing; empty where it does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.silent = self._why_silent()
        self._reading_ns = 0 if self.silent else int(statistics.median(self._empty() for _ in range(EMPTY_READINGS)))

    def around(self, work: Callable[[], Result]) -> tuple[Result, int | None]:
        """Do the work, and return with its result how many ns the server was active; None where it does not say."""
        if self.silent or self._others():
            return work(), None
        before_ns = self._active_ns()
        result = work()
        active_ns = self._active_ns() - before_ns - self._reading_ns
        return result, None if self._others() else max(0, active_ns)

    def _why_silent(self) -> str:
        if self._engine.dialect.name != "postgresql":
            return "the database runs in the process itself"
        try:
            if self._active_ns() == self._active_ns():
                return "the server does not count its active time: track_activities is off"
            if self._others():
                return "others are connected to the database, and the server counts for all of them together"
        except Exception as error:  # noqa: BLE001 - whatever the driver raises, the load itself is well
            return f"the server does not give its active time, as PostgreSQL 15 does: {' '.join(str(error).split())}"
        return ""

    def _empty(self) -> int:
        before_ns = self._active_ns()
        with closing(self._engine.raw_connection()):
            pass
        return self._active_ns() - before_ns

    def _active_ns(self) -> int:
        """Publish what the session has counted, then read it; each in a transaction of its own."""
        self._ask(_FLUSH)
        return round(float(self._ask(_ACTIVE_MS)) * 1_000_000)

    def _others(self) -> int:
        return int(self._ask(_OTHERS))

    def _ask(self, sql: str) -> Any:
        with closing(self._engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(sql)
            return cursor.fetchall()[0][0]
