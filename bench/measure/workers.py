"""The parent's end of a worker process: started fresh, asked one thing at a time, never left running."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import signal
import subprocess
import threading
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from bench.errors import BenchError, WorkerDied
from bench.measure.protocol import PROTOCOL
from bench.measure.surroundings import HERE, TREE, Surroundings
from bench.model import Target

PATIENCE_S = 10
"""How long a worker that has been told to end may take before it is killed."""

KEPT_LINES = 40
"""Lines of a worker's standard error that are kept to be shown when it dies."""


class LoadFailed(Exception):
    """A worker is well, but what it was asked to do raised; the message is what was raised."""


class WorkerProcess:
    """A fresh interpreter with one scenario on one target.

    hash_seed fixes the order of its sets, so that a sample can be taken again. surroundings: the environment that it
    runs in. Use it as a context manager: at the end, and at any exception, the process is gone.
    """

    def __init__(self, scenario: str, target: Target, *, hash_seed: int, surroundings: Surroundings = HERE) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*surroundings.path, *filter(None, [os.environ.get("PYTHONPATH")])]),
            "PYTHONHASHSEED": str(hash_seed),
        }
        command = [surroundings.interpreter, "-P", "-m", "bench.worker", str(os.getpid())]
        self.hash_seed = hash_seed
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=surroundings.folder,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._errors: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        self._drain = threading.Thread(target=self._keep, args=(self._process.stderr,), daemon=True)
        self._drain.start()
        self._opening = {"scenario": surroundings.reference(scenario), "target": asdict(target)}
        self._surroundings = surroundings

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    def __enter__(self) -> Self:
        try:
            self._check(self._send(self._opening))
        except LoadFailed as failure:
            self._end(now=True)
            raise BenchError(
                f"The scenario does not start in a worker of its own: {failure}",
                remedy="See that it imports, and that the database is there.",
            ) from None
        except BaseException:
            self._end(now=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(now=kind is not None)

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Send a request and wait for its reply.

        Raises LoadFailed when the load raised, WorkerDied when the process ended before it answered.
        """
        return self._send({"do": do, **request})

    def _send(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._death() from None
        line = self._process.stdout.readline()
        if not line.endswith("\n"):
            raise self._death()
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise LoadFailed(reply["error"]["message"])
        ok: dict[str, Any] = reply["ok"]
        return ok

    def _check(self, greeting: dict[str, Any]) -> None:
        """Hold the greeting against what was meant to be started, so that nothing is measured in another's place."""
        if greeting["protocol"] != PROTOCOL:
            raise BenchError(
                f"The worker speaks protocol {greeting['protocol']}, this side {PROTOCOL}.",
                remedy="Two versions of the harness are mixed on the path: install one of them afresh.",
            )
        expected = self._surroundings
        trees = [tree for tree in (TREE, expected.tree) if tree is not None]
        for name, module in greeting["modules"].items():
            ours = trees[:1] if name.partition(".")[0] == "bench" else trees
            if not any(Path(module["path"]).resolve().is_relative_to(tree) for tree in ours):
                raise BenchError(
                    f"The worker imported {name} from {module['path']}, outside {TREE}.",
                    remedy="Another copy comes first on PYTHONPATH: remove it and run again.",
                )
        for what, version in (("sqlalchemy", expected.sqlalchemy), ("python", expected.python)):
            if version and greeting[what] != version:
                raise BenchError(
                    f"The worker has {what} {greeting[what]}, where {version} was prepared.",
                    remedy="Another copy comes first on PYTHONPATH: remove it and run again.",
                )
        _check_revision(greeting, expected)

    def _death(self) -> WorkerDied:
        self._end(now=False)
        code = self._process.returncode
        reason = f"killed by {signal.Signals(-code).name}" if code < 0 else f"it exited with status {code}"
        return WorkerDied(reason, log="\n".join(self._errors), pid=self._process.pid)

    def dismiss(self) -> None:
        """Close its input, which ends it, without waiting for that: several that are dismissed end at the same time."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def _end(self, *, now: bool) -> None:
        """Dismiss it, and kill its whole session where that does not do or must not wait."""
        assert self._process.stdout is not None
        self.dismiss()
        if not now:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=PATIENCE_S)
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._drain.join()
        self._process.stdout.close()

    def _keep(self, stream: IO[str] | None) -> None:
        assert stream is not None
        with stream:
            for line in stream:
                self._errors.append(line.rstrip("\n"))


def _check_revision(greeting: dict[str, Any], expected: Surroundings) -> None:
    """Raise BenchError where a module of the work tree is loaded in place of the revision's: nothing would differ."""
    if expected.tree is None or expected.instead_of is None:
        return
    ours = [module["path"] for name, module in greeting["modules"].items() if name.partition(".")[0] != "bench"]
    for path in (*ours, *greeting["others"]):
        found = Path(path).resolve()
        if found.is_relative_to(expected.instead_of) and not found.is_relative_to(expected.tree):
            raise BenchError(
                f"The revision's worker imported {path}, from the work tree and not from the revision.",
                remedy="Take away what puts the work tree first: an installation for editing, or a change of sys.path.",
            )
