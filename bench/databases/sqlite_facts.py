"""What there is to know of an SQLite target: the library's version, and settings that are not its defaults."""

from __future__ import annotations

import importlib.metadata
import platform
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from bench.connect import engine
from bench.model import Target, TargetFacts

SETTINGS = (
    "auto_vacuum",
    "automatic_index",
    "busy_timeout",
    "cache_size",
    "cell_size_check",
    "encoding",
    "foreign_keys",
    "journal_mode",
    "journal_size_limit",
    "locking_mode",
    "mmap_size",
    "page_size",
    "query_only",
    "read_uncommitted",
    "recursive_triggers",
    "reverse_unordered_selects",
    "secure_delete",
    "synchronous",
    "temp_store",
    "threads",
)
"""Pragmas that can change how long a load takes or say how the file is laid out, less those that follow from others."""


def facts(target: Target) -> TargetFacts:
    """Return the facts of a target. The settings are those of a connection as `bench.connect` makes it.

    They are read by the standard library's driver, whichever is measured, and compared with a file that was just made:
    an in-memory database differs in its journal by nature.
    """
    opened = engine(replace(target, driver="pysqlite"))
    with closing(opened.raw_connection()) as connection:
        assert connection.driver_connection is not None
        settings = _settings(connection.driver_connection)
    opened.dispose()
    defaults = _defaults()
    return TargetFacts(
        name=target.name,
        dialect=target.dialect,
        driver=target.driver,
        driver_version=_driver_version(target.driver),
        server_version=sqlite3.sqlite_version,
        provider=target.provider,
        settings={name: value for name, value in settings.items() if value != defaults.get(name)},
    )


def _driver_version(driver: str) -> str:
    """Return the version of a package, and Python's own for its own driver."""
    return platform.python_version() if driver == "pysqlite" else importlib.metadata.version(driver)


def _defaults() -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(Path(folder) / "fresh")) as connection:
        return _settings(connection)


def _settings(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the pragmas' values; a version of SQLite that lacks one returns no row for it."""
    rows = ((name, connection.execute(f"PRAGMA {name}").fetchone()) for name in SETTINGS)
    return {name: str(row[0]) for name, row in rows if row is not None}
