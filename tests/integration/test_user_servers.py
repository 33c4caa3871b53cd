"""Servers that the user runs: nothing of them is changed but schemas of ours, which go whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psutil
import psycopg
import pytest
from sqlalchemy import text
from support.command import Bench

from bench.connect import calling, engine
from bench.databases.postgres import server_facts
from bench.databases.postgres.schemas import MARK
from bench.databases.postgres.url import UrlSource
from bench.datasets import seed_postgres
from bench.errors import BenchError, DatabaseUnavailable
from bench.model import DatasetFacts, DatasetOptions, Size, Target, parse_targets
from scenarios.one_to_many import ONE_TO_MANY

if TYPE_CHECKING:  # pytest imports it as a plugin, and has to be the first to
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]

ROOT = Path(__file__).parents[2]
SIZE = Size((6, 2))
DRIVERS = ("psycopg", "psycopg_async", "asyncpg")
PATIENCE_S = 60

SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1"

END_SESSIONS = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s"

CHANGEABLE = {
    "databases": "SELECT datname, datacl::text, datistemplate, datallowconn, datconnlimit FROM pg_database ORDER BY 1",
    "roles": "SELECT rolname, rolconfig::text FROM pg_roles ORDER BY 1",
    "settings of roles": "SELECT setdatabase, setrole, setconfig::text FROM pg_db_role_setting ORDER BY 1, 2",
    "settings": "SELECT name, setting FROM pg_settings WHERE source NOT IN ('client', 'session') ORDER BY 1",
    "files of settings": "SELECT sourceline, name, setting FROM pg_file_settings ORDER BY 1, 2",
    "extensions": "SELECT extname FROM pg_extension ORDER BY 1",
    "schemas": "SELECT nspname, nspacl::text, obj_description(oid, 'pg_namespace') FROM pg_namespace ORDER BY 1",
    "relations": "SELECT oid::regclass::text, reloptions::text, relacl::text, reltuples FROM pg_class "
    "WHERE relnamespace <> 'pg_catalog'::regnamespace AND relnamespace <> 'pg_toast'::regnamespace ORDER BY 1",
    "types": "SELECT count(*) FROM pg_type",
    "the user's rows": "SELECT * FROM public.users",
}


def seed(target: Target) -> DatasetFacts:
    return seed_postgres(ONE_TO_MANY, SIZE, DatasetOptions(), target)


def source(url: str, *, run: str = "20250101-000000-a run") -> UrlSource:
    (asked,), secrets = parse_targets(url)
    return UrlSource(asked, password=secrets.by_url.get(asked.url, ""), run=run)


def url_of(postgres: PostgresForTests, database: str, *, user: str = "bench", password: str | None = None) -> str:
    """Over TCP, with a password."""
    account = f"{user}:{quote(postgres.password if password is None else password, safe='')}"
    return f"postgresql://{account}@127.0.0.1:{postgres.port}/{quote(database, safe='')}"


@contextmanager
def role(postgres: PostgresForTests, database: str, *, more: str = "") -> Iterator[str]:
    """A user that may connect and create schemas in the database, and no more."""
    name = 'a "plain" user'
    quoted = '"a ""plain"" user"'
    postgres.query(f"CREATE ROLE {quoted} LOGIN PASSWORD 'hunter2' {more}")
    postgres.query(f'GRANT CREATE ON DATABASE "{database}" TO {quoted}')
    try:
        yield name
    finally:
        postgres.query(f"DROP OWNED BY {quoted} CASCADE", database=database)
        postgres.query(f"DROP ROLE {quoted}")


def ask(target: Target, sql: str, driver: str = "psycopg") -> Any:
    made = engine(replace(target, driver=driver))

    def asked() -> Any:
        with made.connect() as connection:
            return connection.scalar(text(sql))

    with calling(made) as call:
        return call(asked)


def ours(postgres: PostgresForTests, database: str) -> list[str]:
    return [name for (name,) in postgres.query(SCHEMAS, database=database) if name != "public"]


def refusal(url: str) -> DatabaseUnavailable:
    with pytest.raises(DatabaseUnavailable) as caught, source(url).up():
        pass
    assert caught.value.exit_code == 3
    shown = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in shown and "s3cret" not in shown  # noqa: PT018 - the passwords
    return caught.value


def test_a_dataset_is_in_a_schema_named_for_the_run_and_every_driver_finds_it_there(
    postgres: PostgresForTests, database: str
) -> None:
    with source(url_of(postgres, database)).up() as provider:
        target, facts, reused = provider.seeded("one_to_many-6x2", "key", seed)

        assert not reused
        assert 0 < facts.file_bytes < 1_000_000
        (schema,) = ours(postgres, database)
        assert schema.startswith("bench_20250101_000000_a_run_")
        assert target.settings == {"search_path": f'"{schema}"'}
        for driver in DRIVERS:
            assert ask(target, "SELECT count(*) FROM books", driver) == 12
            assert ask(target, "SELECT current_schemas(false)", driver) == [schema]
    assert ours(postgres, database) == []


def test_nothing_else_of_the_server_is_changed(postgres: PostgresForTests, database: str) -> None:
    postgres.query("CREATE TABLE users (theirs int); INSERT INTO users VALUES (7)", database=database)
    before = {what: postgres.query(sql, database=database) for what, sql in CHANGEABLE.items()}

    with source(url_of(postgres, database)).up() as provider:
        provider.seeded("n", "key", seed)
        assert postgres.query("SELECT reloptions FROM pg_class WHERE oid = 'users'::regclass", database=database) == [
            (None,)
        ]

    assert {what: postgres.query(sql, database=database) for what, sql in CHANGEABLE.items()} == before


def test_each_dataset_has_its_schema_and_is_seeded_once(postgres: PostgresForTests, database: str) -> None:
    with source(url_of(postgres, database)).up() as provider:
        first = provider.seeded("n", "key", seed)
        other = provider.seeded("n", "another key", seed)
        again = provider.seeded("n", "key", seed)

        assert len(ours(postgres, database)) == 2
        assert first.target.settings != other.target.settings
        assert again == (first.target, first.facts, True)
    assert ours(postgres, database) == []


@pytest.mark.parametrize("kind", [BenchError, KeyboardInterrupt, ZeroDivisionError])
def test_whatever_is_raised_while_seeding_passes_through_and_leaves_no_schema(
    kind: type[BaseException], postgres: PostgresForTests, database: str
) -> None:
    def failing(target: Target) -> DatasetFacts:
        seed(target)
        raise kind("it failed")

    with pytest.raises(kind), source(url_of(postgres, database)).up() as provider:
        provider.seeded("n", "key", failing)
    assert ours(postgres, database) == []


@pytest.mark.parametrize("kind", [BenchError, KeyboardInterrupt, ZeroDivisionError])
def test_whatever_is_raised_while_measuring_passes_through_and_leaves_no_schema(
    kind: type[BaseException], postgres: PostgresForTests, database: str
) -> None:
    def measure() -> None:
        with source(url_of(postgres, database)).up() as provider:
            provider.seeded("n", "key", seed)
            raise kind("it failed")

    with pytest.raises(kind, match="it failed"):
        measure()
    assert ours(postgres, database) == []


def test_two_runs_at_once_leave_each_other_alone(postgres: PostgresForTests, database: str) -> None:
    with source(url_of(postgres, database)).up() as provider:
        target = provider.seeded("n", "key", seed).target
        with source(url_of(postgres, database)).up() as second:
            assert second.seeded("n", "key", seed).target.settings != target.settings
        assert ask(target, "SELECT count(*) FROM books") == 12
        assert provider.fault() is None


CHILD = """
import sys
sys.path[:0] = sys.argv[2:]
from integration.test_user_servers import seed, source

with source(sys.argv[1]).up() as provider:
    provider.seeded("n", "key", seed)
    print("up", flush=True)
    sys.stdin.readline()
"""


def test_what_a_killed_run_has_left_is_dropped_by_the_next_and_nothing_else(
    postgres: PostgresForTests, database: str
) -> None:
    url = url_of(postgres, database)
    command = [sys.executable, "-c", CHILD, url, str(ROOT), str(ROOT / "tests")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=PATIENCE_S)
    (left,) = ours(postgres, database)
    theirs = ["bench_20250101_by_name_0123456789ab", "bench by comment"]
    for schema in theirs:
        postgres.query(f'CREATE SCHEMA "{schema}"', database=database)
    postgres.query(f"COMMENT ON SCHEMA \"{theirs[1]}\" IS '{MARK}'", database=database)
    _until_nobody_holds_a_lock(postgres, database)

    with source(url).up():
        found = ours(postgres, database)

    assert left not in found
    assert found == sorted(theirs)


def _until_nobody_holds_a_lock(postgres: PostgresForTests, database: str) -> None:
    """Until the server has seen the end of a client that was killed."""
    psql = psycopg.connect(host=str(postgres.sockets), port=postgres.port, user="bench", dbname=database)
    with psql as connection:
        rows = connection.execute(
            "SELECT classid::bigint << 32 | objid::bigint FROM pg_locks WHERE locktype = 'advisory'"
        )
        for (key,) in rows.fetchall():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [key])  # waits for its holder


def test_what_another_user_has_left_is_not_ours_to_drop(postgres: PostgresForTests, database: str) -> None:
    postgres.query(
        f"CREATE SCHEMA bench_run_0123456789ab; COMMENT ON SCHEMA bench_run_0123456789ab IS '{MARK}'", database=database
    )
    with (
        role(postgres, database) as user,
        source(url_of(postgres, database, user=quote(user), password="hunter2")).up(),
    ):
        assert ours(postgres, database) == ["bench_run_0123456789ab"]
    with source(url_of(postgres, database)).up():
        assert ours(postgres, database) == []


def test_a_user_without_the_right_is_told_the_grant_and_with_it_can_measure(
    postgres: PostgresForTests, database: str
) -> None:
    with role(postgres, database) as user:
        url = url_of(postgres, database, user=quote(user), password="hunter2")
        postgres.query(f'REVOKE CREATE ON DATABASE "{database}" FROM "a ""plain"" user"')
        postgres.query(f'REVOKE CREATE ON DATABASE "{database}" FROM PUBLIC')

        refused = refusal(url)

        assert f'the user "a ""plain"" user" may not create a schema in the database "{database}"' in refused.message
        grant = f'GRANT CREATE ON DATABASE "{database}" TO "a ""plain"" user"'
        assert grant in refused.remedy
        postgres.query(grant)
        with source(url).up() as provider:
            assert ask(provider.seeded("n", "key", seed).target, "SELECT count(*) FROM books") == 12


def test_a_read_only_user_is_refused(postgres: PostgresForTests, database: str) -> None:
    with role(postgres, database) as user:
        postgres.query('ALTER ROLE "a ""plain"" user" SET default_transaction_read_only = on')
        refused = refusal(url_of(postgres, database, user=quote(user), password="hunter2"))

    assert "is read-only" in refused.message
    assert 'ALTER ROLE "a ""plain"" user" SET default_transaction_read_only = off' in refused.remedy


@pytest.mark.parametrize(
    ("change", "said", "remedy"),
    [
        (("s3cret", "hunter2"), 'password authentication failed for user "bench"', "password"),
        (("bench:", "nobody:"), 'password authentication failed for user "nobody"', "password"),
        (("127.0.0.1", "nowhere.invalid"), "nowhere.invalid", "up"),
        (("/test", "/none"), "does not exist", "database"),
    ],
)
def test_a_server_that_does_not_let_us_in_is_a_sentence(
    change: tuple[str, str], said: str, remedy: str, postgres: PostgresForTests, database: str
) -> None:
    refused = refusal(url_of(postgres, database).replace(*change))

    assert "cannot be reached" in refused.message
    assert said in refused.message
    assert remedy in refused.remedy


def test_a_port_where_nobody_listens_is_a_sentence() -> None:
    assert "Connection refused" in refusal("postgresql://u:hunter2@127.0.0.1:1/d").message


def test_a_password_that_is_missing_is_asked_for(
    postgres: PostgresForTests, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))

    refused = refusal(f"postgresql://bench@127.0.0.1:{postgres.port}/{quote(database)}")

    assert "no password supplied" in refused.message
    assert "PGPASSWORD" in refused.remedy


def test_too_many_connections_are_told(postgres: PostgresForTests, database: str) -> None:
    with role(postgres, database, more="CONNECTION LIMIT 1") as user:
        url = url_of(postgres, database, user=quote(user), password="hunter2")
        with pytest.raises(DatabaseUnavailable, match="too many connections") as caught, source(url).up() as provider:
            provider.seeded("n", "key", seed)
    assert "limit" in caught.value.remedy
    assert ours(postgres, database) == []


def test_limits_on_a_users_statements_and_sessions_do_not_cut_a_run_short(
    postgres: PostgresForTests, database: str
) -> None:
    limits = {"statement_timeout": "1ms", "lock_timeout": "1ms", "idle_session_timeout": "1ms"}
    with role(postgres, database) as user:
        for name, value in limits.items():
            postgres.query(f'ALTER ROLE "a ""plain"" user" SET {name} = \'{value}\'')
        # The first connection is under them; whoever sets such a limit can connect, and so does the URL's owner.
        url = url_of(postgres, database, user=quote(user), password="hunter2")
        with source(url + "?options=-c%20statement_timeout%3D10s%20-c%20idle_session_timeout%3D10s").up() as provider:
            target = provider.seeded("n", "key", seed).target
            for driver in DRIVERS:
                for name in limits:
                    assert ask(target, f"SHOW {name}", driver) == "0"


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_the_environment_says_holds_for_every_driver(
    driver: str, postgres: PostgresForTests, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "pgpass"
    escaped = postgres.password.replace("\\", "\\\\").replace(":", "\\:")
    passwords.write_text(f"127.0.0.1:{postgres.port}:*:bench:{escaped}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    monkeypatch.setenv("PGPORT", str(postgres.port))
    monkeypatch.setenv("PGUSER", "bench")
    monkeypatch.setenv("PGDATABASE", database)
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=77kB")
    monkeypatch.setenv("PGAPPNAME", "mine")

    with source("postgresql://127.0.0.1").up() as provider:
        target = provider.seeded("n", "key", seed).target
        for name in ("PGPASSFILE", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS", "PGAPPNAME"):
            monkeypatch.delenv(name)  # the target alone says it all
        assert ask(target, "SELECT count(*) FROM books", driver) == 12
        assert ask(target, "SHOW work_mem", driver) == "77kB"
        assert ask(target, "SHOW application_name", driver) == "mine"
        assert target.database == database
        assert postgres.password not in repr(target)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_socket_and_a_database_of_any_name_are_reached(driver: str, postgres: PostgresForTests) -> None:
    name = 'it\'s a "so-called" %20 db/?x=1&y#@:'
    postgres.query('CREATE DATABASE "{}"'.format(name.replace('"', '""')))
    try:
        url = f"postgresql://bench@/{quote(name, safe='')}?host={quote(str(postgres.sockets))}&port={postgres.port}"
        with source(url).up() as provider:
            target = provider.seeded("n", "key", seed).target
            assert ask(target, "SELECT current_database()", driver) == name
            assert ask(target, "SELECT count(*) FROM books", driver) == 12
    finally:
        postgres.query('DROP DATABASE "{}" WITH (FORCE)'.format(name.replace('"', '""')))


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
def test_an_ipv6_address_is_reached(postgres: PostgresForTests, database: str) -> None:
    with source(url_of(postgres, database).replace("127.0.0.1", "[::1]")).up() as provider:
        target = provider.seeded("n", "key", seed).target
        for driver in DRIVERS:
            assert ask(target, "SELECT host(inet_server_addr())", driver) == "::1"


def test_a_server_that_goes_away_is_told_with_what_was_said(postgres: PostgresForTests, database: str) -> None:
    with source(url_of(postgres, database)).up() as provider:
        provider.seeded("n", "key", seed)
        assert provider.fault() is None
        postgres.query(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
        fault = provider.fault()
        postgres.query(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')

    assert fault is not None
    assert "has gone away: " in fault.message
    assert "not currently accepting connections" in fault.message


def test_a_schema_that_somebody_dropped_is_told(postgres: PostgresForTests, database: str) -> None:
    with source(url_of(postgres, database)).up() as provider:
        provider.seeded("n", "key", seed)
        (schema,) = ours(postgres, database)
        postgres.query(f'DROP SCHEMA "{schema}" CASCADE', database=database)

        assert f"somebody dropped the schema {schema}" in str(provider.fault())


def test_a_connection_that_is_lost_in_between_leaves_no_schema(postgres: PostgresForTests, database: str) -> None:
    with source(url_of(postgres, database)).up() as provider:
        provider.seeded("n", "key", seed)
        postgres.query(END_SESSIONS, [database])
    assert ours(postgres, database) == []


def test_a_schema_that_cannot_be_dropped_is_named(postgres: PostgresForTests, database: str) -> None:
    def measure() -> None:
        with source(url_of(postgres, database)).up() as provider:
            provider.seeded("n", "key", seed)
            postgres.query(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
            postgres.query(END_SESSIONS, [database])

    with pytest.raises(DatabaseUnavailable, match="still has the schema bench_") as caught:
        measure()
    assert "next run" in caught.value.remedy
    postgres.query(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')
    with source(url_of(postgres, database)).up():
        assert ours(postgres, database) == []


@pytest.fixture(scope="module")
def standby() -> Iterator[PostgresForTests]:
    """A server in recovery that has secrets in its settings."""
    from support.postgres import server, server_binaries

    binaries = server_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server on this machine")
    secret = {
        "primary_conninfo": "'host=/nowhere user=u password=hunter2'",
        "ssl_passphrase_command": "'echo hunter2'",
        "restore_command": "'false hunter2'",
        "archive_command": "'upload --key hunter2'",
    }
    with server(binaries, settings=secret, standby=True) as started:
        yield started


def test_a_standby_is_refused(standby: PostgresForTests) -> None:
    refused = refusal(f"postgresql://bench@/postgres?host={quote(str(standby.sockets))}&port={standby.port}")

    assert "is in recovery" in refused.message
    assert "primary" in refused.remedy


def test_no_secret_among_a_servers_settings_is_in_its_facts(standby: PostgresForTests) -> None:
    facts = server_facts(standby.target("postgres", provider="url"))

    assert "hunter2" not in repr(facts)
    for name in ("primary_conninfo", "restore_command", "archive_command"):
        assert facts.settings[name] == "(not stored)"
    assert facts.settings["fsync"] == "off"
    assert facts.settings["shared_preload_libraries"] == "pg_stat_statements"


def test_a_full_disk_is_told_and_no_schema_stays(postgres: PostgresForTests, database: str, small_disk: Path) -> None:
    postgres.query(f"CREATE TABLESPACE \"small\" LOCATION '{small_disk}'")
    postgres.query(f"ALTER DATABASE \"{database}\" SET default_tablespace = 'small'")
    try:
        with (
            pytest.raises(BenchError, match="disk of the server was full"),
            source(url_of(postgres, database)).up() as provider,
        ):
            provider.seeded(
                "n", "key", lambda target: seed_postgres(ONE_TO_MANY, Size((1000, 50)), DatasetOptions(), target)
            )
        assert ours(postgres, database) == []
    finally:
        postgres.query(f'ALTER DATABASE "{database}" RESET default_tablespace')
        postgres.query('DROP TABLESPACE "small"')


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder of the server's on a disk of 2 MB."""
    from support.postgres import _owner

    owner, mount = _owner(), shutil.which("mount")
    if owner is None or mount is None or sys.platform != "linux":
        pytest.skip("only root on Linux can make a small disk")
    folder = Path("/tmp") / f"bench-small-{os.getpid()}"  # noqa: S108 - where the server's user can walk
    folder.mkdir()
    try:
        done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=2m", "none", folder], capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"no disk can be mounted here: {done.stderr.decode()}")
        try:
            os.chown(folder, *owner)
            yield folder
        finally:
            subprocess.run(["/bin/umount", folder], check=True)
    finally:
        folder.rmdir()


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PostgresForTests, Path]]:
    """A server that speaks TLS as `localhost`, and its certificate."""
    from support.postgres import server, server_binaries

    binaries, openssl = server_binaries(), shutil.which("openssl")
    if binaries is None or openssl is None:
        pytest.skip("no PostgreSQL server or no openssl on this machine")
    folder = tmp_path_factory.mktemp("it's a & certificate")
    certificate, key = folder / "server.crt", folder / "server.key"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-out", certificate, "-keyout", key],
        check=True, capture_output=True,
    )  # fmt: skip
    files = {"server.crt": certificate.read_bytes(), "server.key": key.read_bytes()}
    with server(binaries, settings={"ssl": "on"}, files=files) as started:
        yield started, certificate


@pytest.mark.parametrize("driver", DRIVERS)
def test_encryption_is_the_same_for_every_driver(driver: str, encrypted: tuple[PostgresForTests, Path]) -> None:
    server, certificate = encrypted
    url = url_of(server, "postgres").replace("127.0.0.1", "localhost")
    how = f"?sslmode=verify-full&sslrootcert={quote(str(certificate))}"

    with source(url + how).up() as provider:
        target = provider.seeded("n", "key", seed).target
        assert ask(target, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", driver) is True
    assert "certificate" in refusal(url.replace("localhost", "127.0.0.1") + how).message
    with source(url + "?sslmode=disable").up() as provider:
        target = provider.seeded("n", "key", seed).target
        assert ask(target, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", driver) is False


def everything_shown(process: subprocess.Popen[str]) -> str:
    """What the process list shows of a command and its workers, for as long as it runs."""
    shown: set[str] = set()
    assert process.stderr is not None
    for _line in process.stderr:
        with suppress(psutil.NoSuchProcess):
            this = psutil.Process(process.pid)
            for each in (this, *this.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    shown.add(" ".join(each.cmdline()))
    return "\n".join(shown)


def test_a_run_shows_and_stores_no_password_anywhere(postgres: PostgresForTests, database: str, tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    url = url_of(postgres, database)
    with bench.start(
        "run",
        "--db",
        url,
        "--driver",
        "psycopg,asyncpg",
        "--size",
        "5x2",
        "--quick",
        "--strategy",
        "lazy,selectin",
        "-v",
    ) as process:
        shown = everything_shown(process)
        assert process.stdout is not None
        printed = process.stdout.read()
    stored = [path for path in tmp_path.rglob("*") if path.is_file()]

    assert process.returncode == 0
    assert "bench run --db *** --driver psycopg,asyncpg" in shown
    assert any(path.name == "run.json" for path in stored)
    for part in ("s3cret", quote(postgres.password, safe="")):
        assert part not in shown + printed
        assert not [path for path in stored if part.encode() in path.read_bytes()]
    assert ours(postgres, database) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_schema(
    number: signal.Signals, postgres: PostgresForTests, database: str, tmp_path: Path
) -> None:
    process = Bench(tmp_path).start("run", "--size", "50x10", "--budget", "60s", BENCH_DB=url_of(postgres, database))
    with process:
        assert process.stderr is not None
        for line in process.stderr:
            if "timing" in line:
                process.send_signal(number)
                break
        _, err = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 130
    assert "Traceback" not in err
    assert ours(postgres, database) == []
