from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import traceback
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, OperationalError

from bench.connect import calling, engine
from bench.errors import BenchError
from bench.model import Target

if TYPE_CHECKING:  # pytest imports it as a plugin, and has to be the first to
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]

SERVER_DRIVERS = pytest.mark.parametrize("driver", ["psycopg", "psycopg_async", "asyncpg"])


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


IN_MEMORY = pytest.mark.parametrize("driver", ["pysqlite", "aiosqlite"])


@IN_MEMORY
def test_in_memory_each_connection_has_a_copy_that_outlives_the_file(driver: str, tmp_path: Path) -> None:
    path = make_database(tmp_path / "'so' called %20?.db")
    made = engine(target(path, driver=driver, memory=True, settings={"cache_size": "-4000"}))

    def work() -> None:
        with made.connect() as first, made.connect() as second:
            path.unlink()
            for connection in (first, second):
                assert connection.scalar(text("SELECT n FROM t")) == 7
                assert connection.execute(text("PRAGMA database_list")).all() == [(0, "main", "")]
                assert connection.scalar(text("PRAGMA cache_size")) == -4000

    with calling(made) as call:
        call(work)


@IN_MEMORY
def test_in_memory_the_copy_is_made_once_however_often_it_is_used(driver: str, tmp_path: Path) -> None:
    path = make_database(tmp_path / "f.db")
    made = engine(target(path, driver=driver, memory=True))

    def work() -> None:
        for _ in range(3):
            with made.connect() as connection:
                assert connection.scalar(text("SELECT n FROM t")) == 7
            path.unlink(missing_ok=True)

    with calling(made) as call:
        call(work)


@IN_MEMORY
def test_in_memory_nothing_can_be_written_and_no_file_is_made(driver: str, tmp_path: Path) -> None:
    with pytest.raises(OperationalError, match="readonly database"):
        ask(target(make_database(tmp_path / "f.db"), driver=driver, memory=True), "INSERT INTO t VALUES (8)")
    with pytest.raises((OperationalError, sqlite3.OperationalError), match="unable to open database file"):
        ask(target(tmp_path / "none.db", driver=driver, memory=True), "SELECT 1")

    assert [path.name for path in tmp_path.iterdir()] == ["f.db"]


def test_a_dialect_that_there_is_no_way_to_is_refused() -> None:
    with pytest.raises(ValueError, match="no way to connect to oracle"):
        engine(target("f.db", dialect="oracle", driver="oracledb"))


def ask(reached: Target, sql: str) -> Any:
    """The first value of the first row."""
    made = engine(reached)

    def asked() -> Any:
        with made.connect() as connection:
            return connection.scalar(text(sql))

    with calling(made) as call:
        return call(asked)


def test_aiosqlite_opens_the_same_file_under_the_same_settings_to_be_read_only(tmp_path: Path) -> None:
    path = make_database(tmp_path / "'so' called %20.db")
    reached = target(path, driver="aiosqlite", settings={"cache_size": "-4000"})

    assert ask(reached, "SELECT n FROM t") == 7
    assert ask(reached, "PRAGMA cache_size") == -4000
    with pytest.raises(OperationalError, match="readonly database"):
        ask(reached, "INSERT INTO t VALUES (8) RETURNING n")


def test_all_work_on_an_asynchronous_engine_runs_on_one_event_loop_and_one_connection(tmp_path: Path) -> None:
    made = engine(target(make_database(tmp_path / "f.db"), driver="aiosqlite"))
    loops, opened = set(), []
    event.listen(made, "connect", lambda connection, _: opened.append(connection))

    def work() -> None:
        loops.add(asyncio.get_running_loop())
        with made.connect() as connection:
            connection.scalar(text("SELECT n FROM t"))

    with calling(made) as call:
        for _ in range(3):
            call(work)

    assert (len(loops), len(opened)) == (1, 1)
    assert loops.pop().is_closed()


def test_an_error_of_the_work_comes_out_as_it_is_and_the_next_work_is_done(tmp_path: Path) -> None:
    for driver in ("pysqlite", "aiosqlite"):
        with calling(engine(target(make_database(tmp_path / driver), driver=driver))) as call:
            with pytest.raises(ZeroDivisionError):
                call(lambda: 1 // 0)
            assert call(lambda: 7) == 7


@SERVER_DRIVERS
def test_a_database_of_any_name_is_reached_by_a_socket_in_a_folder_of_any_name(
    postgres: PostgresForTests, driver: str
) -> None:
    name = 'it\'s a "so-called" %20 db/?x=1&y#@:'
    quoted = name.replace('"', '""')
    postgres.query(f'CREATE DATABASE "{quoted}"')
    try:
        assert ask(postgres.target(name, driver), "SELECT current_database()") == name
    finally:
        postgres.query(f'DROP DATABASE "{quoted}" WITH (FORCE)')


@SERVER_DRIVERS
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_server_is_reached_by_address_with_a_password_of_any_characters(
    postgres: PostgresForTests, driver: str, host: str
) -> None:
    if host == "::1" and not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")

    reached = postgres.target("postgres", driver, host=host, password=postgres.password)

    assert ask(reached, "SELECT host(inet_server_addr())") == host


@SERVER_DRIVERS
def test_no_password_is_in_an_error_nor_in_what_an_engine_or_target_looks_like(
    postgres: PostgresForTests, driver: str
) -> None:
    reached = postgres.target("postgres", driver, host="127.0.0.1", password="not-the-password")

    with pytest.raises(DBAPIError) as caught:
        ask(reached, "SELECT 1")

    shown = "".join(traceback.format_exception(caught.value)) + repr(reached) + repr(engine(reached))
    assert "password authentication failed" in shown
    assert "not-the-password" not in shown


@SERVER_DRIVERS
def test_settings_are_set_on_every_connection_whatever_is_in_them(postgres: PostgresForTests, driver: str) -> None:
    settings = {"search_path": '"a b", "c\\d\'s"', "statement_timeout": "12345", "work_mem": "64kB"}

    for name, value in settings.items():
        shown = ask(
            postgres.target("postgres", driver, settings=settings),
            f"SELECT setting FROM pg_settings WHERE name = '{name}'",
        )
        assert shown == value.removesuffix("kB")


@SERVER_DRIVERS
def test_a_setting_of_a_server_cannot_carry_another_one(driver: str) -> None:
    with pytest.raises(ValueError, match="not a setting in plain words"):
        engine(target("f", dialect="postgresql", driver=driver, settings={"jit=off -c work_mem": "1"}))


@SERVER_DRIVERS
def test_options_of_a_url_hold_beside_settings_which_come_last(postgres: PostgresForTests, driver: str) -> None:
    reached = postgres.target(
        "postgres",
        driver,
        options={
            "application_name": "it's me",
            "connect_timeout": "7",
            "options": "-c work_mem=77kB -c search_path=theirs",
            "sslmode": "require",  # which libpq ignores on a Unix socket
        },
        settings={"search_path": '"our own"'},
    )

    assert ask(reached, "SHOW application_name") == "it's me"
    assert ask(reached, "SHOW work_mem") == "77kB"
    assert ask(reached, "SHOW search_path") == '"our own"'


@SERVER_DRIVERS
@pytest.mark.parametrize("provider", ["binaries", "docker"])
def test_what_the_environment_says_for_other_servers_does_not_reach_ours(
    postgres: PostgresForTests, driver: str, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = postgres.target("postgres", driver, host="127.0.0.1", password=postgres.password, provider=provider)
    for name, value in {
        "PGCHANNELBINDING": "require",
        "PGCLIENTENCODING": "LATIN1",
        "PGDATABASE": "other",
        "PGGSSENCMODE": "require",
        "PGHOST": "nowhere.invalid",
        "PGHOSTADDR": "192.0.2.1",
        "PGOPTIONS": "-c work_mem=77kB",
        "PGPASSWORD": "other",
        "PGPORT": "1",
        "PGREQUIREAUTH": "none",
        "PGREQUIREPEER": "nobody",
        "PGSSLMODE": "verify-full",
        "PGSSLNEGOTIATION": "direct",
        "PGSSLROOTCERT": "/nowhere",
        "PGTARGETSESSIONATTRS": "standby",
        "PGUSER": "other",
    }.items():
        monkeypatch.setenv(name, value)

    assert ask(reached, "SHOW work_mem") == "4MB"
    assert ask(replace(reached, settings={"work_mem": "88kB"}), "SHOW work_mem") == "88kB"
    assert ask(reached, "SHOW client_encoding").upper() == "UTF8"


@SERVER_DRIVERS
def test_encryption_that_a_url_asks_for_is_insisted_on(postgres: PostgresForTests, driver: str) -> None:
    reached = postgres.target("postgres", driver, host="127.0.0.1", password=postgres.password)

    assert ask(replace(reached, options={"sslmode": "disable"}), "SELECT 1") == 1
    with pytest.raises((DBAPIError, OSError), match=r"(?i)SSL"):  # this server has none
        ask(replace(reached, options={"sslmode": "require"}), "SELECT 1")


def test_asyncpg_is_refused_what_it_would_ignore() -> None:
    reached = target(
        "f", dialect="postgresql", driver="asyncpg", options={"channel_binding": "require", "keepalives": "1"}
    )

    with pytest.raises(BenchError, match="nothing for the option channel_binding, keepalives") as caught:
        engine(reached)
    assert "psycopg" in caught.value.remedy
    engine(replace(reached, options={"channel_binding": "prefer", "gssencmode": "disable"}))


@pytest.mark.parametrize(
    ("dialect", "driver", "module", "extra"),
    [
        ("postgresql", "psycopg", "psycopg", "postgres"),
        ("postgresql", "psycopg_async", "greenlet", "postgres"),
        ("postgresql", "asyncpg", "asyncpg", "postgres"),
        ("sqlite", "aiosqlite", "aiosqlite", "sqlite-async"),
    ],
)
def test_a_missing_driver_is_an_error_that_names_the_extra(
    dialect: str, driver: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(BenchError) as caught:
        engine(target("f", dialect=dialect, driver=driver))

    assert f"The driver {driver} cannot be used" in caught.value.message
    assert f"pip install 'orm-loading-bench[{extra}]'" in caught.value.remedy


def test_a_sqlite_engine_at_work_loads_no_other_driver_and_no_event_loop(tmp_path: Path) -> None:
    path = make_database(tmp_path / "f.db")
    code = (
        "import sys; from bench.connect import calling, engine; from bench.model import Target\n"
        "made = engine(Target(name='sqlite', dialect='sqlite', driver='pysqlite', provider='', database=sys.argv[1]))\n"
        "with calling(made) as call: call(lambda: made.connect().close())\n"
        "print(*sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code, path], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )

    # SQLAlchemy itself imports asyncio, whatever the driver.
    others = {"psycopg", "asyncpg", "aiosqlite", "greenlet", "sqlalchemy.ext.asyncio"}
    assert not others & set(printed.stdout.split())


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
