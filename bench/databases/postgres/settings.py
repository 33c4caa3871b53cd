"""The settings of servers that are started for a run and thrown away: the same for every version and origin."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bench.errors import BenchError

SETTINGS: Mapping[str, str] = {
    # Memory: what is measured is loading, so the datasets that people measure stay in the server's own cache.
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    # No durability: the rows are made again from a seed, and a crash costs the server.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Nothing of its own accord while timing: no vacuum, no checkpoint between seeding and the end.
    "autovacuum": "off",
    "checkpoint_timeout": "1d",
    "max_wal_size": "4GB",
    # One clock and one language on every machine.
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
}
"""All else is as the build has it, `jit` and the planner's costs among it: these are what users of a version get."""

COUNTING_SETTINGS: Mapping[str, str] = {
    "shared_preload_libraries": "pg_stat_statements",
    # Loaded but idle, for without an identifier no statement is counted: a timed load is never observed.
    "compute_query_id": "off",
}
"""More settings, where the origin has pg_stat_statements: the server's own count of statements and rows."""

SERVER_COUNTS: Mapping[str, str] = {"compute_query_id": "on"}
"""What a session sets to be counted by pg_stat_statements, as a superuser may."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?", re.ASCII)


def configuration(settings: Mapping[str, str]) -> str:
    """Return settings as lines of postgresql.conf. Raises BenchError for what cannot stand there."""
    return "".join(f"{_checked(name)} = {_quoted(name, value)}\n" for name, value in settings.items())


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BenchError(f"{name!r} is not the name of a server setting.", remedy="An example: work_mem.")
    return name


def _quoted(name: str, value: str) -> str:
    if not value.isprintable():
        raise BenchError(f"The value of {name}, {value!r}, has characters in it that cannot be printed.")
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
