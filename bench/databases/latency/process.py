"""The parent's end of the proxy: started, told what each port adds, never left running."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.errors import DatabaseUnavailable

_TREE = Path(__file__).resolve().parents[3]
"""The folder that holds the package `bench`: a checkout, or site-packages."""

LOOPBACK = "127.0.0.1"
"""Where the proxy listens."""

Server = str | tuple[str, int]
"""Where a server is: the path of its Unix socket, or a numeric address and a port."""

_PATIENCE_S = 5
_END_MS = 100
_LOG_BYTES = 2000


class ProxyProcess:
    """A proxy in front of one server, up inside the `with` block.

    It is to be entered by a thread that outlives the block: on Linux the proxy dies with the thread that started it.
    name: the target's, for messages. ports: once it is up, the numbers on loopback that it listens on.
    """

    def __init__(self, server: Server, *, ports: int, name: str) -> None:
        self.ports: Sequence[int] = ()
        self._opening = {"server": server, "ports": ports}
        self._name = name

    def __enter__(self) -> Self:
        self._log = tempfile.TemporaryFile()
        path = [str(_TREE), *filter(None, [os.environ.get("PYTHONPATH")])]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "bench.databases.latency.proxy", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
                text=True,
                start_new_session=True,  # a Ctrl-C is for us, who end it
            )
        except BaseException:
            self._log.close()
            raise
        try:
            opened = self._ask(self._opening)
            if "error" in opened:
                raise DatabaseUnavailable(
                    f"No port can be had for the proxy that adds latency to {self._name}: {opened['error']}.",
                    remedy="See which program holds so many, or leave the round-trip time out.",
                )
        except BaseException:
            self._end()
            raise
        self.ports = opened["ports"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def pid(self) -> int:
        """The proxy's process id."""
        return self._process.pid

    def delay(self, port: int, one_way_ns: int) -> None:
        """Set what a port, by its place among them, adds to each direction. Raises DatabaseUnavailable."""
        self._ask({"port": port, "one_way_ns": one_way_ns})

    def passed(self, port: int) -> tuple[int, int]:
        """Return the bytes that clients of a port have sent and received since it is up. Raises DatabaseUnavailable.

        Of a client that has its answer, all that it sent before and all that it was answered is in them.
        """
        told = self._ask({"port": port})
        return told["sent"], told["received"]

    def fault(self) -> DatabaseUnavailable | None:
        """Return what to raise where the proxy has ended by itself, with what it said last; None while it is up."""
        if not self._has_ended():
            return None
        code = self._process.wait()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"it exited with status {code}"
        said = self._said()
        return DatabaseUnavailable(
            f"The proxy that adds latency to {self._name} has ended: {how}." + (f" It said:\n{said}\n" if said else ""),
            remedy="Start the command again.",
        )

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line.endswith("\n"):
            fault = self.fault()
            assert fault is not None
            raise fault
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _has_ended(self) -> bool:
        """Whether its end of the pipe is closed: it says nothing unasked, so there is nothing to read but the end.

        It is waited for a little. Whoever asks has seen a connection end, and must not be told that all is well because
        the kernel closes what a process had open in an order of its own, and lets us know of its status last.
        """
        if self._process.returncode is not None:
            return True
        assert self._process.stdout is not None
        waiting = select.poll()
        waiting.register(self._process.stdout, select.POLLIN)
        return bool(waiting.poll(_END_MS))

    def _said(self) -> str:
        if self._log.closed:
            return ""
        length = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, length - _LOG_BYTES))
        return self._log.read().decode(errors="replace").strip()

    def _end(self) -> None:
        """Close its input, which ends it, and kill it where that does not do."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=_PATIENCE_S)
        finally:
            self._process.kill()  # which does nothing to one that has ended
            self._process.wait()
            self._process.stdout.close()
            self._log.close()
