"""The measuring side, run as a process of its own: answers one JSON request a line on standard input.

It loads the standard library, SQLAlchemy, the driver and the scenario, nothing else, so that any environment can run
it. Replies go over a private descriptor, a line each; what a scenario prints goes to standard error. The first line
in says what to open; the first out is a greeting: the protocol's version and where every scenario and model module
came from.

Requests are `{"do": NAME, ...}`; a reply is `{"ok": {...}}` or `{"error": {"type": ..., "message": ...}}`.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import json
import os
import platform
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from bench.catalogue import find_scenario, find_strategy
from bench.connect import calling
from bench.connect import engine as connect
from bench.errors import BenchError
from bench.measure.floor import bare_connection, read_sent, replay
from bench.measure.protocol import PROTOCOL
from bench.measure.snapshot import refused_write
from bench.measure.timing import Load, Opened, set_aside, timed_load
from bench.measure.warming import warm_up
from bench.model import Target

if TYPE_CHECKING:
    from bench.observer import Observer

PR_SET_PDEATHSIG = 1


class Worker:
    """One scenario on one target; each public method whose name a request gives answers with plain data.

    Here stand those that a timing worker is asked for, in `bench.observer` those that look at a load. They are written
    for a synchronous driver, and are called through `bench.connect.calling`: so the same load, in the same clock,
    serves an asynchronous one too.
    """

    def __init__(self, scenario: str, target: Target) -> None:
        self.scenario = find_scenario(scenario)
        self.engine = connect(target)
        self.existing = target.read_only
        self._floors: dict[str, list[tuple[str, Any, bool]]] = {}

    @cached_property
    def observer(self) -> Observer:
        """What looks at loads, where the others are only timed."""
        from bench.observer import Observer  # here, so that a timing worker never has it

        return Observer(
            scenario=self.scenario,
            engine=self.engine,
            existing=self.existing,
            sessions=self._session,
            loading=self._load,
        )

    def warm(self, *, strategy: str) -> dict[str, Any]:
        """Load as often as it takes until every load finds what the one before found."""
        return {"loads": warm_up(self.engine.dialect.driver, *self._load(strategy))}

    def disconnect(self) -> dict[str, Any]:
        """Close the connection; the next load opens another. A server's own time is told of one that is alone."""
        self.engine.dispose()
        return {}

    def floor(self, *, strategy: str, path: str) -> dict[str, Any]:
        """Take the statements that a strategy sent, to be replayed as its floor."""
        self._floors[strategy] = read_sent(Path(path))
        return {"statements": len(self._floors[strategy])}

    def time(self, *, strategy: str, floor: bool, collector: Any) -> dict[str, Any]:
        """Time one load, or one replay of its floor."""
        return asdict(timed_load(*self._timeable(strategy, floor=floor), collector))

    def live_objects(self) -> dict[str, Any]:
        """How many objects the collector tracks before a load; from here on they are in no quiet load's way."""
        return {"live_objects": set_aside()}

    def _timeable(self, strategy: str, *, floor: bool) -> tuple[Any, Any]:
        if not floor:
            return self._load(strategy)
        statements = self._floors[strategy]
        return lambda: bare_connection(self.engine), lambda connection: replay(connection, statements)

    def _load(self, name: str) -> tuple[Opened, Load]:
        load, strategy = self.scenario.load, find_strategy(self.scenario, name)
        return self._session, lambda session: load(session, strategy)

    @contextmanager
    def _session(self, bind: Engine | Connection | None = None) -> Iterator[Session]:
        """Yield a new session, prepared as the scenario has it, before anything is counted or timed.

        bind: what it is of, where that is not the engine itself.
        """
        with Session(self.engine if bind is None else bind) as session:
            if self.scenario.prepare is not None:
                self.scenario.prepare(session)
            yield session


def greeting() -> dict[str, Any]:
    """What this process is, for the parent to hold against what it meant to start."""
    ours = {
        name: module.__file__
        for name, module in sorted(sys.modules.items())
        if name.partition(".")[0] in {"bench", "scenarios"} and getattr(module, "__file__", None)
    }
    return {
        "protocol": PROTOCOL,
        "pid": os.getpid(),
        "python": platform.python_version(),
        "sqlalchemy": sqlalchemy.__version__,
        "modules": {
            name: {"path": str(path), "sha256": hashlib.sha256(Path(str(path)).read_bytes()).hexdigest()}
            for name, path in ours.items()
        },
        "others": sorted(_others()),
    }


def _others() -> Iterator[str]:
    """Yield the files of modules that are neither ours, nor Python's, nor an installed package's: the user's own."""
    installed = ("site-packages", "dist-packages")
    standard = str(Path(os.__file__).parent)
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if not isinstance(path, str) or name.partition(".")[0] in {"bench", "scenarios", "__main__"}:
            continue
        if not path.startswith(standard) and not any(part in path for part in installed):
            yield path


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (Linux); elsewhere the end of its input does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel was told
            os._exit(1)


def answer(worker: Worker, request: dict[str, Any]) -> dict[str, Any]:
    """Carry out one request; whatever it raises becomes the reply."""
    do = request.pop("do")
    try:
        asked = worker if hasattr(worker, do) else worker.observer
        return {"ok": getattr(asked, do)(**request)}
    except Exception as error:  # noqa: BLE001 - a scenario is the user's code and may raise anything
        return {"error": explained(error)}


def explained(error: Exception) -> dict[str, str]:
    """Return an error as a reply gives it: a `BenchError` in its own words, another with its type before it."""
    message = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
    if said := refused_write(error):
        message = f"{type(error).__name__}: it writes, and may only read ({said}); nothing was changed."
    return {"type": type(error).__name__, "message": message}


def main() -> None:
    """Serve requests until standard input ends. The only argument is the parent's process id.

    The first line says what to open: a target may hold a password, and anyone may read a command line.
    """
    die_with_parent(int(sys.argv[1]))
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1, encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    requests = os.fdopen(os.dup(sys.stdin.fileno()), encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())  # a scenario that reads its input must not read ours
    os.close(nothing)

    def reply(value: dict[str, Any]) -> None:
        replies.write(json.dumps(value) + "\n")
        replies.flush()

    try:
        opening = json.loads(requests.readline())
        worker = Worker(opening["scenario"], Target(**opening["target"]))
    except Exception as error:  # noqa: BLE001 - the scenario's import or the connection, both beyond our control
        reply({"error": explained(error)})
        return
    reply({"ok": greeting()})
    with calling(worker.engine) as call:
        for line in requests:
            reply(call(partial(answer, worker, json.loads(line))))
    gc.freeze()  # else the interpreter goes through all of it once more, to free what ends with the process anyway


if __name__ == "__main__":
    main()
