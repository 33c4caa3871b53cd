from __future__ import annotations

import platform
import sqlite3
from contextlib import closing
from pathlib import Path

from bench.databases import facts_of
from bench.model import Target, TargetFacts


def make(path: Path, *statements: str) -> Target:
    with closing(sqlite3.connect(path)) as connection:
        for statement in (*statements, "CREATE TABLE t (n)"):
            connection.execute(statement)
    return Target(name="sqlite", dialect="sqlite", driver="pysqlite", provider="embedded", database=str(path))


def test_a_target_as_it_comes_has_no_settings_of_its_own(tmp_path: Path) -> None:
    assert facts_of(make(tmp_path / "f")) == TargetFacts(
        name="sqlite",
        dialect="sqlite",
        driver="pysqlite",
        driver_version=platform.python_version(),
        server_version=sqlite3.sqlite_version,
        provider="embedded",
        settings={},
    )


def test_settings_that_differ_from_the_defaults_are_told(tmp_path: Path) -> None:
    target = make(
        tmp_path / "f", "PRAGMA page_size = 8192", "PRAGMA auto_vacuum = FULL", "PRAGMA encoding = 'UTF-16le'"
    )

    assert facts_of(target).settings == {"page_size": "8192", "auto_vacuum": "1", "encoding": "UTF-16le"}


def test_settings_of_the_connection_are_told_too(tmp_path: Path) -> None:
    made = make(tmp_path / "f")
    target = Target(
        name=made.name,
        dialect=made.dialect,
        driver=made.driver,
        provider=made.provider,
        database=made.database,
        settings={"cache_size": "-64000", "mmap_size": "1048576"},
    )

    assert facts_of(target).settings == {"cache_size": "-64000", "mmap_size": "1048576"}
