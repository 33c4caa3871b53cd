"""A real PostgreSQL server for tests, from binaries on this machine; a test that asks for it is skipped where none are.

Named in `pytest_plugins` by the files that use it: the server is started once a session, each test gets a database of
its own.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.model import Target

UNPRIVILEGED = ("postgres", "nobody")
"""Who runs the server where the tests run as root, whom it refuses."""

PASSWORD = "s3cret /@:?#%&'\"pass"
"""Of the user `bench` over TCP: with what a URL or a connection string could trip over."""

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_preload_libraries": "'pg_stat_statements'",
    "pg_stat_statements.track_utility": "on",
    "listen_addresses": "'127.0.0.1, ::1'",
}

INITDB = ("-U", "bench", "--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync")

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresForTests:
    """A server that is up. sockets: its folder of Unix sockets, whose name has a space and quotes in it.

    password: of the user `bench`, asked over TCP only.
    """

    bin: Path
    port: int
    sockets: Path
    password: str = PASSWORD

    def target(self, database: str, driver: str = "psycopg", **fields: Any) -> Target:
        """Return a target in it, over its Unix socket, where no password is asked."""
        values = {
            "name": "postgres",
            "dialect": "postgresql",
            "driver": driver,
            "provider": "tests",
            "database": database,
            "host": str(self.sockets),
            "port": self.port,
            "user": "bench",
        }
        return Target(**{**values, **fields})

    def query(self, sql: str, parameters: Sequence[object] | None = None, *, database: str = "postgres") -> list[Any]:
        """Run a statement on a connection of its own, committed; return its rows."""
        import psycopg

        connection = psycopg.connect(
            host=str(self.sockets), port=self.port, user="bench", dbname=database, autocommit=True
        )
        with closing(connection):
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database and drop it at the end."""
        name = f"test {next(_numbers)}"
        self.query(f'CREATE DATABASE "{name}"')
        try:
            yield name
        finally:
            self.query(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresForTests]:
    """A server with pg_stat_statements; skipped, and said so, where no binaries are."""
    found = server_binaries()
    if found is None:
        pytest.skip("no PostgreSQL server on this machine: /usr/lib/postgresql/*/bin and PATH have no pg_ctl")
    with server(found) as started:
        yield started


@pytest.fixture
def database(postgres: PostgresForTests) -> Iterator[str]:
    """The name of an empty database."""
    with postgres.database() as name:
        yield name


def server_binaries() -> Path | None:
    """Return the folder of the newest server's binaries, or None."""
    installed = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")]
    on_path = shutil.which("pg_ctl")
    if installed:
        return max(installed, key=lambda path: int(path.parent.name))
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def server(
    binaries: Path,
    *,
    settings: Mapping[str, str] | None = None,
    standby: bool = False,
    files: Mapping[str, bytes] | None = None,
) -> Iterator[PostgresForTests]:
    """Start a server in a folder of its own and stop it at the end.

    settings: more lines of postgresql.conf, as they stand there. standby: in recovery, though it follows nobody.
    files: more files in its data folder, which nobody else may read.
    """
    with tempfile.TemporaryDirectory(prefix="bench-tests-") as temporary:
        folder = Path(temporary)
        data, sockets, password = folder / "data", folder / "a 'sock\" et", folder / "password"
        sockets.mkdir()
        password.write_text(PASSWORD + "\n")
        owner = _owner()
        if owner is not None:
            for path in (folder, sockets, password):
                os.chown(path, *owner)
        _run(
            [binaries / "initdb", *INITDB, "-D", data, "--pwfile", password],
            owner,
        )
        port = _free_port()
        for name, content in {**(files or {}), **({"standby.signal": b""} if standby else {})}.items():
            (data / name).write_bytes(content)
            (data / name).chmod(0o600)
            if owner is not None:
                os.chown(data / name, *owner)
        lines = {**SETTINGS, "port": port, "unix_socket_directories": _quoted_folder(sockets), **(settings or {})}
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{setting} = {value}\n" for setting, value in lines.items())
        log = folder / "log"
        _run([binaries / "pg_ctl", "-D", data, "-w", "-l", log, "start"], owner, log=log)
        try:
            yield PostgresForTests(bin=binaries, port=port, sockets=sockets)
        finally:
            _run([binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"], owner)


def _quoted_folder(path: Path) -> str:
    in_a_list = '"' + str(path).replace('"', '""') + '"'
    return "'" + in_a_list.replace("'", "''") + "'"


def _owner() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: (entry.pw_uid, entry.pw_gid) for entry in pwd.getpwall()}
    return next(known[name] for name in UNPRIVILEGED if name in known)


def _run(command: Sequence[str | Path], owner: tuple[int, int] | None, *, log: Path | None = None) -> None:
    user, group = owner or (None, None)
    done = subprocess.run(
        command,
        user=user,
        group=group,
        extra_groups=[] if owner else None,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # a pipe would be inherited by the server and never end
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        said = log.read_text(errors="replace") if log and log.exists() else ""
        raise RuntimeError(f"{Path(command[0]).name} exited with {done.returncode}: {said}")


def _free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
