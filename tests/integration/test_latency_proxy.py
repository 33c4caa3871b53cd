"""The proxy alone, in front of a server that echoes: the same bytes in the same order, later by the time that was set.

Durations are asserted here and in `test_latency` only, for here they are the promise: nothing arrives before its time,
and a large result pays for the delay once.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from select import select as wait_for

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.databases.latency.process import ProxyProcess, Server
from bench.databases.latency.relay import HELD_BYTES
from bench.databases.postgres.account import UNPRIVILEGED

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
FAR_NS = 25_000_000


class Echo:
    """A server that sends back what it gets; `connections` counts those that are open."""

    def __init__(self, family: socket.AddressFamily = socket.AF_INET, address: object = ("127.0.0.1", 0)) -> None:
        self._listener = socket.socket(family)
        self._listener.bind(address)  # type: ignore[arg-type]
        self._listener.listen(64)
        name = self._listener.getsockname()
        self.address: Server = name if isinstance(name, str) else name[:2]
        self.accepted: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted.append(connection)
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        try:
            while data := connection.recv(1 << 16):
                connection.sendall(data)
        except OSError:
            pass
        finally:
            connection.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # it is closed already
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self.accepted:
            connection.close()


@contextmanager
def proxied(address: Server, *, one_way_ns: int = 0) -> Iterator[tuple[ProxyProcess, Callable[[], socket.socket]]]:
    """A proxy in front of an address, and how to connect through it."""
    with ProxyProcess(address, ports=1, name="echo") as proxy:
        proxy.delay(0, one_way_ns)
        yield proxy, lambda: socket.create_connection(("127.0.0.1", proxy.ports[0]), timeout=PATIENCE_S)


@pytest.fixture
def echo() -> Iterator[Echo]:
    with closing(Echo()) as server:
        yield server


def received(connection: socket.socket, count: int) -> bytes:
    found = bytearray()
    while len(found) < count:
        chunk = connection.recv(1 << 20)
        assert chunk, f"the connection ended after {len(found)} of {count} bytes"
        found += chunk
    return bytes(found)


def exchanged(connection: socket.socket, pieces: list[bytes]) -> bytes:
    """Send the pieces, one call each, and read as many bytes meanwhile."""

    def send() -> None:
        for piece in pieces:
            connection.sendall(piece)

    sender = threading.Thread(target=send)
    sender.start()
    found = received(connection, sum(map(len, pieces)))
    sender.join()
    return found


@pytest.mark.parametrize("one_way_ns", [0, 300_000])
def test_bytes_arrive_unchanged_and_in_order_whatever_their_number(echo: Echo, one_way_ns: int) -> None:
    with proxied(echo.address, one_way_ns=one_way_ns) as (_, connect), closing(connect()) as connection:

        @settings(max_examples=20, deadline=None)
        @given(st.lists(st.integers(1, 40_000), min_size=1, max_size=12), st.integers(0, 2**32))
        def check(sizes: list[int], seed: int) -> None:
            chosen = random.Random(seed)
            pieces = [chosen.randbytes(size) for size in sizes]
            assert exchanged(connection, pieces) == b"".join(pieces)

        check()
        large = random.Random(1).randbytes(3_000_000)
        assert exchanged(connection, [large]) == large


def test_a_delay_that_changes_while_bytes_are_under_way_changes_no_order(echo: Echo) -> None:
    pieces = [random.Random(at).randbytes(2_000) for at in range(200)]
    with proxied(echo.address) as (proxy, connect), closing(connect()) as connection:
        reader: list[bytes] = []
        total = sum(map(len, pieces))
        reading = threading.Thread(target=lambda: reader.append(received(connection, total)))
        reading.start()
        for at, piece in enumerate(pieces):
            proxy.delay(0, 2_000_000 * (at % 3))
            connection.sendall(piece)
        reading.join()

    assert reader == [b"".join(pieces)]


def test_a_large_result_pays_for_one_round_trip_and_not_for_each_of_its_chunks(echo: Echo) -> None:
    """At 50 ms a round trip, 8 MB in chunks of 8 KiB would take 25 s or more one after another.

    The bound is half of that: echoing 8 MB takes a fiftieth of it, and the rest is for a busy machine.
    """
    large = bytes(8_000_000)
    with proxied(echo.address, one_way_ns=FAR_NS) as (_, connect), closing(connect()) as connection:
        before = time.monotonic_ns()
        exchanged(connection, [large[at : at + 8192] for at in range(0, len(large), 8192)])
        took = time.monotonic_ns() - before

    assert 2 * FAR_NS <= took < 12_500_000_000


def test_no_byte_arrives_before_its_time(echo: Echo) -> None:
    with proxied(echo.address, one_way_ns=FAR_NS) as (_, connect), closing(connect()) as connection:
        for _ in range(5):
            before = time.monotonic_ns()
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
            assert time.monotonic_ns() - before >= 2 * FAR_NS


def test_who_does_not_read_holds_up_the_sender_and_not_the_memory_of_the_proxy() -> None:
    """What is sent to somebody who does not read stops at the bound, with what the sockets on the way hold."""
    with ExitStack() as stack:
        listener = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
        proxy, connect = stack.enter_context(proxied(listener.getsockname()))
        with closing(connect()) as client:
            silent, _ = listener.accept()
            client.setblocking(False)
            sent, chunk = 0, bytes(1 << 20)
            while wait_for([], [client], [], 1.0)[1]:
                sent += client.send(chunk)
                assert sent < 4 * HELD_BYTES, "it takes in more and more"
            assert psutil.Process(proxy.pid).memory_info().rss < 4 * HELD_BYTES
            client.setblocking(True)
            reading = threading.Thread(target=lambda: client.shutdown(socket.SHUT_WR))
            reading.start()
            with closing(silent):
                assert len(received(silent, sent)) == sent
            reading.join()


@pytest.mark.parametrize("kind", ["IPv4", "IPv6", "socket"])
def test_servers_are_reached_by_either_address_family_and_by_unix_socket(kind: str, tmp_path: Path) -> None:
    made = {
        "IPv4": lambda: Echo(),
        "IPv6": lambda: Echo(socket.AF_INET6, ("::1", 0)),
        "socket": lambda: Echo(socket.AF_UNIX, str(tmp_path / "it's a \" socket")),
    }[kind]
    try:
        server = made()
    except OSError as error:
        pytest.skip(f"no {kind} on this machine: {error}")
    with closing(server), proxied(server.address) as (_, connect), closing(connect()) as connection:
        assert exchanged(connection, [b"there and back"]) == b"there and back"


def test_many_connections_are_served_at_once_and_leave_no_thread_behind(echo: Echo) -> None:
    with proxied(echo.address, one_way_ns=1_000_000) as (proxy, connect), ExitStack() as stack:
        process = psutil.Process(proxy.pid)
        alone = process.num_threads()
        connections = [stack.enter_context(closing(connect())) for _ in range(100)]
        for at, connection in enumerate(connections):
            connection.sendall(bytes([at]))
        assert [connection.recv(1)[0] for connection in connections] == list(range(100))
        assert process.num_threads() == alone + 100
        stack.close()
        wait_until(lambda: process.num_threads() == alone and process.num_fds() < 40)


def test_where_the_server_is_gone_a_client_is_closed_at_once(echo: Echo) -> None:
    with proxied(echo.address) as (_, connect), closing(connect()) as connection:
        exchanged(connection, [b"hello"])
        echo.accepted[0].shutdown(socket.SHUT_RDWR)
        assert ended(connection)
        echo.close()
        with closing(connect()) as another:
            assert ended(another)


def ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_by_a_servers_unix_socket_no_other_user_is_let_in(tmp_path: Path) -> None:
    """The server may take whoever comes by its socket for the user whose process it is, and that is the proxy."""
    python = shutil.which("python3", path="/usr/bin:/bin")
    if os.geteuid() != 0 or not Path("/proc/net/tcp").exists() or python is None:
        pytest.skip("takes root and a python3 for all, to be another user, and Linux, which says whose a connection is")
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    other = next(known[name] for name in UNPRIVILEGED if name in known)
    code = (
        "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
        "try:\n    s.sendall(b'hello'); print(s.recv(5))\nexcept ConnectionError:\n    print(b'')"
    )
    with ExitStack() as stack:
        server = stack.enter_context(closing(Echo(socket.AF_UNIX, str(tmp_path / "socket"))))
        proxy, connect = stack.enter_context(proxied(server.address))
        ours = stack.enter_context(closing(connect()))
        assert exchanged(ours, [b"hello"]) == b"hello"
        said = subprocess.check_output([python, "-c", code, str(proxy.ports[0])], user=other, extra_groups=[], cwd="/")

    assert said == b"b''\n"


def test_a_killed_parent_leaves_no_proxy(echo: Echo) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, *map(str, echo.address)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    proxy = psutil.Process(int(child.stdout.readline()))
    child.send_signal(signal.SIGKILL)
    child.communicate()

    proxy.wait(timeout=PATIENCE_S)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_killed_parent_leaves_no_proxy_where_a_fork_of_it_holds_its_input_open(echo: Echo) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", FORKING + CHILD, *map(str, echo.address)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    proxy = psutil.Process(int(child.stdout.readline()))
    fork = psutil.Process(int(child.stdout.readline()))
    try:
        child.send_signal(signal.SIGKILL)
        child.wait()
        proxy.wait(timeout=PATIENCE_S)
        assert fork.is_running()
    finally:
        fork.kill()
        child.communicate()


def test_the_end_of_its_input_ends_it_where_the_kernel_does_not(echo: Echo) -> None:
    with ProxyProcess(echo.address, ports=1, name="echo") as proxy:
        running = psutil.Process(proxy.pid)
        with closing(socket.create_connection(("127.0.0.1", proxy.ports[0]))) as connection:
            exchanged(connection, [b"hello"])
            assert proxy._process.stdin is not None
            proxy._process.stdin.close()
            running.wait(timeout=PATIENCE_S)


CHILD = """
import signal
import sys
from bench.databases.latency.process import ProxyProcess, Server

with ProxyProcess((sys.argv[1], int(sys.argv[2])), ports=1, name="echo") as proxy:
    print(proxy.pid, flush=True)
    signal.pause()
"""

FORKING = """
import os
import signal

pause = signal.pause


def fork():
    if child := os.fork():
        print(child, flush=True)
    pause()


signal.pause = fork
"""


def wait_until(holds: Callable[[], bool]) -> None:
    """Look again and again until it holds, and not for ever."""
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, "it has not come to that"
        wait_for([], [], [], 0.005)
