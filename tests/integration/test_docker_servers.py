"""Servers in containers, on a real daemon: they come up as configured, and whatever happens, none stays behind."""

from __future__ import annotations

import itertools
import os
import pwd
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from bench.databases.docker import DockerServer, DockerSource, available, sweep
from bench.databases.docker.images import origin_of, pull
from bench.databases.docker.leftovers import LABEL, notes_folder
from bench.databases.docker.server import MEMORY_BYTES
from bench.databases.postgres import SETTINGS, OwnDatabases, server_facts
from bench.databases.postgres.admin import connected
from bench.databases.postgres.settings import SERVER_COUNTS
from bench.errors import BenchError, DatabaseUnavailable
from bench.model import DatasetFacts, Shape, Target

if TYPE_CHECKING:
    from docker import DockerClient
    from support.docker import Registry

pytest_plugins = ("support.docker",)

ROOT = Path(__file__).parents[2]

PATIENCE_S = 60

MORE = {"work_mem": "32MB", "cluster_name": "it's \\ 'quoted'"}

CHILD = """
import sys
from bench.databases.docker import DockerServer

with DockerServer(sys.argv[1]):
    print("up", flush=True)
    sys.stdin.readline()
"""


class Child:
    """A process that starts a server with the cache folder that is set; its container is found by its note."""

    def __init__(self, client: DockerClient, image: str) -> None:
        self.client = client
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, image],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def reaches(self, stage: str) -> str:
        """Return its container's name when that is noted, when there is a container of it, or when its server is up."""
        if stage == "up":
            assert self.process.stdout is not None
            assert self.process.stdout.readline() == "up\n"
        until = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < until:
            self._wait_a_little()
            for note in notes_folder().glob("*.note"):
                if stage == "noted" or exists(self.client, note.stem):
                    return note.stem
        raise AssertionError(f"the child has not come to be {stage}")

    def _wait_a_little(self) -> None:
        """Wait until the process says something or ends, and not for long."""
        assert self.process.stdout is not None
        select.select([self.process.stdout], [], [], 0.002)

    def end_by(self, number: signal.Signals) -> str:
        """Signal its process group, as a terminal does, wait for the end, and return what it said about it."""
        os.killpg(self.process.pid, number)
        return self.process.communicate(timeout=PATIENCE_S)[1]


@pytest.fixture
def child(client: DockerClient, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    """A child whose notes lie apart from those of the servers of this session."""
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path))
    child = Child(client, image)
    yield child
    child.process.kill()
    child.process.communicate()
    sweep()


@pytest.fixture(scope="module")
def databases(image: str) -> Iterator[OwnDatabases]:
    """A server that tests share which change nothing of it but databases of their own."""
    with DockerSource(image=image, name="postgres:shared").up() as provider:
        yield provider


def exists(client: DockerClient, name: str) -> bool:
    from docker.errors import NotFound

    try:
        client.containers.get(name)
    except NotFound:
        return False
    return True


def containers(client: DockerClient) -> set[str]:
    return {entry["Id"] for entry in client.api.containers(all=True)}


def described(client: DockerClient, server: DockerServer) -> dict[str, Any]:
    attrs: dict[str, Any] = client.containers.get(server.container).attrs
    return attrs


def volumes_of(client: DockerClient, name: str) -> list[str]:
    return [mount["Name"] for mount in client.containers.get(name).attrs["Mounts"] if mount["Type"] == "volume"]


def answer(target: Target, question: str) -> object:
    with connected(target) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def gone(client: DockerClient, name: str, volumes: list[str]) -> bool:
    left = {volume.id for volume in client.volumes.list()}
    return not exists(client, name) and not left.intersection(volumes)


def test_a_server_starts_as_it_is_configured_and_leaves_nothing(client: DockerClient, image: str) -> None:
    server = DockerServer(image, settings=MORE)
    with server as target:
        attrs, name = described(client, server), server.container
        volumes = volumes_of(client, name)
        facts = server_facts(target)
        checksums = answer(target, "SHOW data_checksums")
        fault = server.fault()

    assert fault is None
    assert volumes
    assert gone(client, name, volumes)
    assert not list(notes_folder().glob(f"{name}*"))
    assert target.name == f"docker:{image}"
    assert (target.provider, target.origin, target.host) == ("docker", origin_of(image), "127.0.0.1")
    assert server.image_digest == client.images.get(image).id
    assert facts.server_version.split()[0] == image.partition(":")[2].partition("-")[0]
    settings = {name.lower(): value for name, value in facts.settings.items()}
    assert {name: settings[name] for name in {**SETTINGS, **MORE}} == {**SETTINGS, **MORE}
    assert settings["shared_preload_libraries"] == "pg_stat_statements"
    assert checksums == "off"
    assert attrs["HostConfig"]["Memory"] == attrs["HostConfig"]["MemorySwap"] == MEMORY_BYTES


def test_the_port_is_open_on_this_machine_alone(client: DockerClient, databases: OwnDatabases) -> None:
    assert isinstance(databases.server, DockerServer)
    ports = described(client, databases.server)["NetworkSettings"]["Ports"]

    assert ports == {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(databases.admin.port)}]}


def test_whoever_has_not_the_password_is_refused(databases: OwnDatabases) -> None:
    with (
        pytest.raises(DatabaseUnavailable, match="password authentication failed"),
        connected(replace(databases.admin, password="another")),
    ):
        pass
    assert databases.admin.password not in repr(databases.admin)


def test_a_dataset_is_seeded_once_in_a_container(databases: OwnDatabases) -> None:
    facts = DatasetFacts(key="k", fingerprint="f", shape=Shape(rows=(1,), childless=(0,)), file_bytes=1, seed_s=0.1)
    filled: list[Target] = []

    def seed(target: Target) -> DatasetFacts:
        filled.append(target)
        with connected(target) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        return facts

    first, second = (databases.seeded("a name", "key" * 9, seed) for _ in range(2))

    assert len(filled) == 1
    assert (first.reused, second.reused) == (False, True)
    assert answer(second.target, "SELECT number FROM kept") == 7
    assert databases.image.startswith("sha256:")
    assert databases.fault() is None


def test_a_server_that_can_count_statements_does_so_when_a_session_asks_only(databases: OwnDatabases) -> None:
    counted = "SELECT sum(calls)::int FROM pg_stat_statements WHERE query ~ 'generate_series'"

    with connected(databases.admin) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        connection.execute("SELECT * FROM generate_series(1, 3)")
        assert connection.execute(counted).fetchone() == (None,)
        for name, value in SERVER_COUNTS.items():
            connection.execute(f"SET {name} = '{value}'".encode())
        connection.execute("SELECT * FROM generate_series(1, 3)")
        assert connection.execute(counted).fetchone() == (1,)


def test_an_image_without_the_module_that_counts_starts_without_it(client: DockerClient, plain_image: str) -> None:
    before = containers(client)

    with DockerServer(plain_image) as target:
        assert answer(target, "SHOW shared_preload_libraries") == ""
        assert answer(target, "SHOW data_checksums") == "off"
        assert len(containers(client) - before) == 1

    assert containers(client) == before


def test_a_server_that_dies_at_start_is_told_with_its_exit_code_and_the_end_of_its_log(
    client: DockerClient, image: str
) -> None:
    before = containers(client)

    with (
        pytest.raises(DatabaseUnavailable, match=r"(?s)did not start: exit code 1.*no_such_setting") as raised,
        DockerServer(image, settings={"no_such_setting": "1"}),
    ):
        pass

    assert "The end of its log:\n" in str(raised.value)
    assert containers(client) == before


def test_a_server_that_wants_more_memory_than_it_has_is_told(image: str) -> None:
    with (
        pytest.raises(DatabaseUnavailable, match="ran out of memory while it started"),
        DockerServer(image, memory_bytes=16 << 20),
    ):
        pass


def test_a_cache_folder_that_cannot_be_written_is_told_and_nothing_is_made(
    client: DockerClient, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "a file"))
    before = containers(client)

    with pytest.raises(DatabaseUnavailable, match="Set BENCH_CACHE_DIR"), DockerServer(image):
        pass
    assert containers(client) == before


def test_settings_that_cannot_be_written_down_are_refused_before_anything_is_made(image: str) -> None:
    with pytest.raises(BenchError, match="not the name of a server setting"), DockerServer(image, settings={"a b": ""}):
        pass


def test_a_server_that_ends_by_itself_is_told_with_its_exit_code_and_log(client: DockerClient, image: str) -> None:
    server = DockerServer(image)
    with server:
        container = client.containers.get(server.container)
        container.kill("SIGQUIT")
        container.wait()
        fault = server.fault()

    assert fault is not None
    assert "has ended with exit code 0" in str(fault)
    assert "immediate shutdown request" in str(fault)
    assert server.fault() is None  # it is down because we took it down


def test_a_container_that_somebody_removes_is_told(client: DockerClient, image: str) -> None:
    server = DockerServer(image)
    with server:
        name = server.container
        client.api.remove_container(name, v=True, force=True)
        fault = server.fault()

    assert fault is not None
    assert name in str(fault) or "No such container" in str(fault)


def test_a_server_that_runs_out_of_its_memory_is_told(image: str) -> None:
    much = "SELECT length(string_agg(repeat('x', 1000000) || g, '')) FROM generate_series(1, 900) AS g"

    server = DockerServer(image, memory_bytes=400 << 20)
    with server as target:
        with pytest.raises(psycopg.OperationalError):
            answer(target, much)
        fault = server.fault()

    assert fault is not None
    assert "ran out of the 400 MB of memory" in str(fault)


@pytest.mark.parametrize("stage", ["starting", "up"])
def test_after_sigkill_the_next_run_removes_the_container_and_its_data(
    child: Child, client: DockerClient, stage: str
) -> None:
    name = child.reaches(stage)
    volumes = volumes_of(client, name)

    child.end_by(signal.SIGKILL)

    assert exists(client, name)
    assert sweep() == (name,)
    assert gone(client, name, volumes)
    assert not list(notes_folder().glob("*.note"))
    assert sweep() == ()


@pytest.mark.parametrize("stage", ["noted", "starting", "up"])
def test_ctrl_c_leaves_nothing(child: Child, client: DockerClient, stage: str) -> None:
    name = child.reaches(stage)
    volumes = volumes_of(client, name) if stage != "noted" else []

    said = child.end_by(signal.SIGINT)

    assert "KeyboardInterrupt" in said
    assert gone(client, name, volumes)
    assert not list(notes_folder().glob("*.note"))


def test_a_start_sweeps_what_a_killed_run_has_left(child: Child, client: DockerClient, image: str) -> None:
    name = child.reaches("up")
    child.end_by(signal.SIGKILL)

    with DockerServer(image):
        assert not exists(client, name)


def test_runs_at_once_leave_one_another_alone(child: Child, client: DockerClient, image: str) -> None:
    name = child.reaches("up")

    assert sweep() == ()
    with DockerServer(image):
        assert client.containers.get(name).status == "running"
    assert child.process.poll() is None


def test_the_containers_of_another_cache_folder_or_machine_are_not_ours(
    child: Child, client: DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = child.reaches("up")
    child.end_by(signal.SIGKILL)

    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("BENCH_CACHE_DIR", str(tmp_path / "another user's"))
        notes_folder().mkdir(parents=True)
        assert sweep() == ()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("platform.node", lambda: "another")
        assert sweep() == ()
    assert exists(client, name)
    assert sweep() == (name,)


def test_a_container_of_a_run_that_lost_its_note_is_removed(child: Child, client: DockerClient) -> None:
    name = child.reaches("up")
    child.end_by(signal.SIGKILL)
    (notes_folder() / f"{name}.note").unlink()

    assert sweep() == (name,)
    assert not exists(client, name)


def test_containers_of_others_are_never_touched(child: Child, client: DockerClient, image: str) -> None:
    child.reaches("up")
    theirs = client.containers.create(image, labels={LABEL: "mentioned"})
    try:
        child.end_by(signal.SIGKILL)
        assert theirs.name not in sweep()
        theirs.reload()
    finally:
        theirs.remove(v=True)


def test_an_image_that_is_not_there_is_pulled_with_progress_and_known_by_its_digest(
    client: DockerClient, registry: Registry
) -> None:
    digest = registry.publish("some/thing", os.urandom(3_000_000))
    name = registry.name("some/thing")
    seconds = itertools.count()

    phrases = list(pull(client, name, clock=lambda: float(next(seconds))))

    assert phrases[0] == f"pulling {name}"
    assert f"pulling {name}, 3 of 3 MB" in phrases
    assert len(phrases) == len(set(phrases))
    assert f"127.0.0.1:{registry.port}/some/thing@{digest}" in client.images.get(name).attrs["RepoDigests"]
    assert list(DockerSource(image=name, name="known").prepare()) == []


def test_an_image_by_its_digest_is_pulled_too(client: DockerClient, registry: Registry) -> None:
    digest = registry.publish("some/thing", b"small")
    name = registry.name("some/thing").removesuffix(":latest") + f"@{digest}"

    list(DockerSource(image=name, name="pinned").prepare())

    assert client.images.get(name).attrs["RepoDigests"] == [name]
    client.images.remove(name)


def test_news_of_a_pull_come_at_most_a_few_times_a_second(client: DockerClient, registry: Registry) -> None:
    registry.publish("some/thing", os.urandom(3_000_000))

    assert len(list(pull(client, registry.name("some/thing"), clock=lambda: 0.0))) == 1


def test_an_image_of_something_else_is_refused_and_leaves_nothing(client: DockerClient, registry: Registry) -> None:
    digest = registry.publish("some/thing", b"no server")
    server = DockerServer(registry.name("some/thing"))
    before = containers(client)

    with pytest.raises(DatabaseUnavailable, match=r"Docker refuses a container of 127.*postgres"), server:
        pass

    assert server.image_digest.endswith(digest)
    assert containers(client) == before


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("some/unknown", r"There is no image .*manifest.*official ones are postgres:14"),
        ("closed/thing", r"may not be pulled, or does not exist.*docker login"),
        ("cut/thing", r"cannot be pulled.*Check the network"),
    ],
)
def test_an_image_that_cannot_be_had_is_told_with_what_to_do(registry: Registry, image: str, said: str) -> None:
    registry.publish("cut/thing", os.urandom(100_000))

    with pytest.raises(DatabaseUnavailable, match=said):
        list(DockerSource(image=registry.name(image), name="it").prepare())


@pytest.mark.usefixtures("client")
def test_a_registry_that_cannot_be_reached_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        image = f"127.0.0.1:{taken.getsockname()[1]}/some/thing"
        with pytest.raises(DatabaseUnavailable, match=r"cannot be pulled.*connection refused.*Check the network"):
            list(DockerSource(image=image, name="it").prepare())


@pytest.mark.usefixtures("client")
def test_what_is_no_name_of_an_image_is_told() -> None:
    with pytest.raises(DatabaseUnavailable, match="postgres:17"):
        list(DockerSource(image="Not/A Name", name="it").prepare())


def test_without_a_daemon_the_reason_names_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing, deaf = tmp_path / "missing.sock", tmp_path / "deaf.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(deaf))
        for address in (f"unix://{missing}", f"unix://{deaf}"):
            monkeypatch.setenv("DOCKER_HOST", address)
            assert available().startswith(f"No Docker daemon answers at {address}. Start it")


def test_a_socket_that_the_user_may_not_use_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "closed.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
        path.chmod(0)
        with as_nobody():
            reason = available()

    assert reason.startswith("This user may not ask the Docker daemon")
    assert "group docker" in reason


@pytest.mark.parametrize("address", ["tcp://192.0.2.1:2375", "ssh://somebody@elsewhere"])
def test_a_daemon_on_another_machine_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)

    assert "is on another machine" in available()
    assert "somebody" not in available()


def test_a_daemon_that_does_not_answer_by_tcp_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("DOCKER_HOST", address)

        assert f"The Docker daemon at {address} cannot be asked: it does not answer." in available()


def test_an_address_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "nonsense://")

    assert "The Docker daemon at nonsense:// cannot be asked" in available()


def test_without_the_sdk_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)

    assert "pip install 'orm-loading-bench[docker]'" in available()


@contextmanager
def as_nobody() -> Iterator[None]:
    """Act as a user who owns nothing, where the tests run as root, whom no permission stops."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
