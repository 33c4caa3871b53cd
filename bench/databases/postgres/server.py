"""A server of our own: a cluster made, started, and gone without a trace when the block is left."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Literal

from bench.databases.postgres.account import give, server_account, start_as
from bench.databases.postgres.admin import PROVIDER, connected, require_driver
from bench.databases.postgres.cluster import USER, configure, initialise, log_end, runnable
from bench.databases.postgres.installations import Installation
from bench.databases.postgres.places import FOLDER_PREFIX, temporary_root
from bench.databases.postgres.processes import end_processes
from bench.databases.postgres.registry import noted, sweep
from bench.databases.postgres.settings import configuration
from bench.errors import DatabaseUnavailable
from bench.model import Target

Transport = Literal["socket", "tcp"]

LOOPBACK = "127.0.0.1"

_SOCKET_PORT = 5432
"""Names the socket in its private folder; no port is opened."""

_START_S = 60.0
_STOP_S = 10.0
_LAST_MOMENT_S = 0.5
_POLL_S = 0.01

_PORT_ATTEMPTS = 5


class PostgresServer:
    """A throw-away PostgreSQL server, up inside the `with` block, which yields its admin target.

    It has a private folder, removed at the end, and never runs as root. transport: `socket`, a Unix socket in that
    folder and no open port, or `tcp`, on 127.0.0.1 beside the socket. port: None for a free one. settings: over those
    of `bench.databases.postgres.settings`. name: what its target is called, `postgres:17` unless told.

    Entering it sweeps what earlier processes have left. It raises BenchError for settings that cannot be written down,
    and DatabaseUnavailable, with the end of the server's log, where the server does not start.
    """

    def __init__(
        self,
        installation: Installation,
        *,
        transport: Transport = "socket",
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        name: str = "",
    ) -> None:
        if port is not None and transport != "tcp":
            raise ValueError("a port is for the transport tcp")
        self.installation = installation
        self.name = name or f"postgres:{installation.major}"
        self._transport = transport
        self._port = port
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._log: Path | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Target:
        require_driver()
        configuration(self._settings)  # what cannot be written down is refused before anything is made
        sweep()
        try:
            with ExitStack() as stack:
                folder = stack.enter_context(_private_folder())
                self._log = folder / "server.log"
                target = self._started(folder, stack)
                self._stack = stack.pop_all()
        except OSError as error:
            raise DatabaseUnavailable(
                f"{self._what()} could not be started: {error.strerror or error} ({error.filename}).",
                remedy="Check that the disk has room; TMPDIR names another folder for servers.",
            ) from error
        return target

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def pid(self) -> int | None:
        """The server's main process, while it has one."""
        return None if self._process is None else self._process.pid

    def fault(self) -> DatabaseUnavailable | None:
        """Return what to raise where the server has ended by itself, with the end of its log; None while it is up.

        A client sees the end of its connection before the main process has ended, so that one is given a moment.
        """
        if self._process is None:
            return None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_LAST_MOMENT_S)
        if self._process.poll() is None:
            return None
        return self._error("has ended", "Look at what it says; start the command again.")

    def _started(self, folder: Path, stack: ExitStack) -> Target:
        """Make a cluster in the folder and start a server on it; what is left of a failure is ended by the stack."""
        account = server_account()
        give(folder, account)
        programs = runnable(self.installation, account, folder)
        password = secrets.token_urlsafe(24)
        data = initialise(self.installation, programs, account, folder, password)
        address = LOOPBACK if self._transport == "tcp" else ""
        configure(self.installation, data, sockets=folder, address=address, settings=self._settings)
        for port in self._ports():
            by_socket = self._target(str(folder), port, password)
            with self._log_file().open("wb") as log:
                command = [str(programs / "postgres"), "-D", str(data), "-p", str(port)]
                self._process = start_as(account, command, folder=folder, log=log)
            stack.callback(self._stop)
            if self._ready(by_socket):
                return replace(by_socket, host=address or str(folder))
            if not self._port_was_taken():
                raise self._error("did not start", "A setting may be one that this version does not know.")
        raise self._error(f"could not have port {port}", "Free the port, or name none and take one that is free.")

    def _ports(self) -> list[int]:
        """Return the ports to try, each once: a free one may be taken by another before the server has it."""
        if self._transport == "socket":
            return [_SOCKET_PORT]
        return [self._port] if self._port is not None else [_free_port() for _ in range(_PORT_ATTEMPTS)]

    def _ready(self, target: Target) -> bool:
        """Wait until the server takes a connection, by its own socket, so that it can be no other; False if it ends."""
        assert self._process is not None
        until = time.monotonic() + _START_S
        while self._process.poll() is None:
            try:
                with connected(target):
                    return True
            except DatabaseUnavailable:
                if time.monotonic() > until:
                    raise self._error(
                        f"did not take a connection in {_START_S:.0f} s", "Is the machine busy?"
                    ) from None
            time.sleep(_POLL_S)
        return False

    def _stop(self) -> None:
        """Shut down fast: sessions are cut off, and the server ends in order; at once where that takes too long.

        A client that has connected and says nothing can hold up a fast shutdown for a minute.
        """
        assert self._process is not None
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if self._process.poll() is None:
                self._process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_S)
                return

    def _target(self, host: str, port: int, password: str) -> Target:
        return Target(
            name=self.name,
            dialect="postgresql",
            driver="psycopg",
            provider=PROVIDER,
            origin=self.installation.origin,
            database="postgres",
            host=host,
            port=port,
            user=USER,
            password=password,
        )

    def _what(self) -> str:
        return f"PostgreSQL {self.installation.version} ({self.installation.origin})"

    def _port_was_taken(self) -> bool:
        return "Address already in use" in self._log_file().read_text(errors="replace")

    def _log_file(self) -> Path:
        assert self._log is not None
        return self._log

    def _error(self, happened: str, remedy: str) -> DatabaseUnavailable:
        return DatabaseUnavailable(
            f"{self._what()} {happened}. The end of its log:\n{log_end(self._log_file())}\n", remedy=remedy
        )


@contextmanager
def _private_folder() -> Iterator[Path]:
    """Yield a new folder that nobody else can enter; at the end nothing runs in it, and it is gone.

    A note is kept of it meanwhile, by which `sweep` finds it where this process is killed before the end.
    """
    root = temporary_root(for_others=server_account() is not None)
    folder = root / f"{FOLDER_PREFIX}{secrets.token_hex(8)}"
    with noted(folder):
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            end_processes(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    """Return a port that was free a moment ago; a server that finds it taken is started on another."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port
