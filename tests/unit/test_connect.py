from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from bench.connect import engine
from bench.model import Target


def target(path: Path | str, **fields: object) -> Target:
    values = {
        "name": "sqlite",
        "dialect": "sqlite",
        "driver": "pysqlite",
        "provider": "embedded",
        "database": str(path),
    }
    return Target(**{**values, **fields})  # type: ignore[arg-type]


def make_database(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS n")
    return path


@pytest.mark.parametrize(
    "name",
    [
        "plain.db",
        "with spaces.db",
        "'single' and \"double\".db",
        "what?mode=rwc&x=y.db",
        "#fragment.db",
        "100%25 %zz.db",
        "Zoë 日本.db",
        "a;b+c@d:e.db",
        "back\\slash.db",
    ],
)
def test_a_file_of_any_name_is_opened(name: str, tmp_path: Path) -> None:
    folder = tmp_path / f"in {name}"
    folder.mkdir()
    made = engine(target(make_database(folder / name)))

    with made.connect() as connection:
        assert connection.scalar(text("SELECT n FROM t")) == 7
    made.dispose()
    assert [path.name for path in folder.iterdir()] == [name]


def test_a_relative_path_is_one_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_database(tmp_path / "here.db")
    monkeypatch.chdir(tmp_path)
    made = engine(target("here.db"))

    with made.connect() as connection:
        assert connection.scalar(text("SELECT n FROM t")) == 7
    made.dispose()


def test_nothing_can_be_written(tmp_path: Path) -> None:
    made = engine(target(make_database(tmp_path / "f.db")))

    with made.connect() as connection, pytest.raises(OperationalError, match="readonly database"):
        connection.execute(text("INSERT INTO t VALUES (8)"))
    made.dispose()


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    made = engine(target(tmp_path / "none.db"))

    with pytest.raises(OperationalError, match="unable to open database file"):
        made.connect()
    assert not list(tmp_path.iterdir())


def test_the_file_is_opened_once_however_often_it_is_used(tmp_path: Path) -> None:
    made = engine(target(make_database(tmp_path / "f.db")))
    opened = []
    event.listen(made, "connect", lambda connection, _: opened.append(connection))

    for _ in range(3):
        with made.connect() as connection:
            connection.scalar(text("SELECT n FROM t"))
        raw = made.raw_connection()
        assert raw.driver_connection is opened[0]
        raw.close()

    assert len(opened) == 1
    made.dispose()


def test_settings_are_set_on_every_connection(tmp_path: Path) -> None:
    made = engine(target(make_database(tmp_path / "f.db"), settings={"cache_size": "-4000", "query_only": "on"}))

    with made.connect() as first, made.connect() as second:
        for connection in (first, second):
            assert connection.scalar(text("PRAGMA cache_size")) == -4000
            assert connection.scalar(text("PRAGMA query_only")) == 1
    made.dispose()


def test_a_setting_cannot_carry_a_statement(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a setting in plain words"):
        engine(target(tmp_path / "f.db", settings={"cache_size": "1; DROP TABLE t"}))


def test_a_dialect_that_there_is_no_way_to_is_refused() -> None:
    with pytest.raises(ValueError, match="no way to connect to oracle"):
        engine(target("f.db", dialect="oracle", driver="oracledb"))


def test_importing_it_loads_sqlalchemy_and_the_standard_library_alone() -> None:
    code = (
        "import sys; import bench.connect; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names - {'__main__'}))"
    )
    printed = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = {name for name in printed.stdout.split() if not name.startswith("_")}
    assert loaded <= {"bench", "sqlalchemy", "greenlet", "typing_extensions", "cython_runtime"}
