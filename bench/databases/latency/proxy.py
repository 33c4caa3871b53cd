"""The proxy, run as a process of its own: it listens on loopback and stands between clients and one server.

A process of its own, so that neither the interpreter lock nor the collector of whoever measures can hold it up. Each
connection has a thread, with the finest timers that the kernel gives.

The first line in is `{"server": [HOST, PORT]}` or `{"server": PATH}`, with `"ports": N`; the first out is
`{"ports": [...]}` or `{"error": ...}`. Then each line in, `{"port": I, "one_way_ns": N}`, sets what the I-th port adds
to each direction, on connections that are open too, and is answered by `{}`; `{"port": I}` alone by the bytes that it
has passed on since it is up, `{"sent": N, "received": N}`. It ends when its input does, and on Linux when its parent
dies.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from bench.databases.latency.relay import Delay, Passed, relay

LOOPBACK = "127.0.0.1"

MOST_CONNECTIONS = 400
"""At once; one more is closed as soon as it opens. `select` takes descriptors below 1024, and each needs two."""

PR_SET_PDEATHSIG = 1
PR_SET_TIMERSLACK = 29

_DESCRIPTORS = 1024

Server = str | tuple[str, int]
"""Where the server is: the path of its Unix socket, or a numeric address and a port."""


class Port:
    """A listening port on loopback, what connections through it are delayed by, and what they have passed on."""

    def __init__(self, server: Server, places: threading.Semaphore) -> None:
        self.delay = Delay()
        self.passed: list[Passed] = []  # one a connection, for each has a thread of its own
        self.listener = socket.create_server((LOOPBACK, 0), backlog=128)
        self.number: int = self.listener.getsockname()[1]
        self._server = server
        self._places = places

    def serve(self) -> None:
        """Give each connection a thread of its own, for as long as the process lives."""
        while True:
            try:
                client, address = self.listener.accept()
            except ConnectionError:  # it has gone again already
                continue
            if self._places.acquire(blocking=False):
                threading.Thread(target=self._connect, args=(client, address[1]), daemon=True).start()
            else:
                client.close()

    def _connect(self, client: socket.socket, port: int) -> None:
        """Join a client to a connection of its own to the server; where there is none, the client's is closed."""
        try:
            with client, suppress(OSError):
                if isinstance(self._server, str) and not is_ours(port, self.number):
                    return
                with connect(self._server) as server:
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    passed = Passed()
                    self.passed.append(passed)
                    relay(client, server, self.delay, passed)
        finally:
            self._places.release()


def connect(server: Server) -> socket.socket:
    """Return a connection to the server. Raises OSError."""
    if isinstance(server, str):
        made = socket.socket(socket.AF_UNIX)
        try:
            made.connect(server)
        except OSError:
            made.close()
            raise
        return made
    made = socket.create_connection(server)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def is_ours(client: int, port: int) -> bool:
    """Whether the client at that loopback port is a process of our own user; True where the kernel does not say.

    A server may take whoever comes by its Unix socket for the user whose process it is: us. A port lets others in.
    """
    table = Path("/proc/net/tcp")
    if not table.exists():
        return True
    ends = [f"0100007F:{number:04X}" for number in (client, port)]
    if sys.byteorder == "big":
        ends = [end.replace("0100007F", "7F000001") for end in ends]
    for line in table.read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1:3] == ends:
            return int(fields[7]) == os.geteuid()
    return False


def set_up(parent: int) -> None:
    """Have the kernel kill this process with its parent, and wake it in time (Linux); allow it its descriptors.

    Timers may be late by their slack, 50 us unless told; threads have that of the thread that starts them.
    """
    if sys.platform == "linux":
        kernel = ctypes.CDLL(None)
        kernel.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        kernel.prctl(PR_SET_TIMERSLACK, 1)
        if os.getppid() != parent:  # it died before the kernel was told
            os._exit(1)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = _DESCRIPTORS if most == resource.RLIM_INFINITY else min(_DESCRIPTORS, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))
    gc.disable()  # a pause would be a delay; what is made here has no cycles


def main() -> None:
    """Serve until standard input ends. The only argument is the parent's process id."""
    set_up(int(sys.argv[1]))
    opening = json.loads(sys.stdin.readline())
    server: Server = opening["server"] if isinstance(opening["server"], str) else tuple(opening["server"])
    places = threading.Semaphore(MOST_CONNECTIONS)
    try:
        ports = [Port(server, places) for _ in range(opening["ports"])]
    except OSError as error:
        _reply({"error": error.strerror or str(error)})
        return
    threading.excepthook = _end
    for port in ports:
        threading.Thread(target=port.serve, daemon=True).start()
    _reply({"ports": [port.number for port in ports]})
    for line in sys.stdin:
        told = json.loads(line)
        port = ports[told["port"]]
        if "one_way_ns" in told:
            port.delay.one_way_ns = told["one_way_ns"]
            _reply({})
        else:
            _reply(
                {
                    "sent": sum(one.sent for one in port.passed),
                    "received": sum(one.received for one in port.passed),
                }
            )
    os._exit(0)  # without waiting for the threads of connections that are still open


def _end(failed: threading.ExceptHookArgs) -> NoReturn:
    """End with what was raised in a thread: a port that no longer answers must not be taken for a slow one."""
    if failed.exc_value is not None:
        traceback.print_exception(failed.exc_value)
    os._exit(1)


def _reply(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)  # noqa: T201 - its parent reads it


if __name__ == "__main__":
    main()
