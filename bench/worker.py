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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from bench.catalogue import find_scenario, find_strategy
from bench.connect import calling
from bench.connect import engine as connect
from bench.errors import BenchError
from bench.measure.call_profile import call_profile
from bench.measure.called_with import called_with
from bench.measure.calls import python_calls
from bench.measure.floor import bare_connection, read_sent, replay, write_sent
from bench.measure.graph import fingerprint, graph_lines
from bench.measure.jit import is_compiled
from bench.measure.memory import peak_bytes
from bench.measure.memory_use import memory_use
from bench.measure.memray_graph import memory_flames
from bench.measure.phase_times import phase_times
from bench.measure.plans import statement_plans
from bench.measure.protocol import PROTOCOL
from bench.measure.reference import bytes_of, lacking, loaded
from bench.measure.schema import collation, schema_lines
from bench.measure.shapes import distinct_queries, fix_planner, plan_shapes
from bench.measure.snapshot import refused_write, snapshot
from bench.measure.statements import counting
from bench.measure.timing import Opened, timed_load
from bench.measure.tracing import traced_load
from bench.measure.warming import warm_up
from bench.measure.wire import rows_held
from bench.model import Strategy, Target

PR_SET_PDEATHSIG = 1

REFERENCE = ".reference"
"""Ends the name of the file that holds the reference of existing data, beside that of a graph."""


class Worker:
    """One scenario on one target; each public method whose name a request gives answers with plain data.

    They are written for a synchronous driver, and are called through `bench.connect.calling`: so the same load, in the
    same clock, serves an asynchronous one too.
    """

    def __init__(self, scenario: str, target: Target) -> None:
        self.scenario = find_scenario(scenario)
        self.engine = connect(target)
        self.existing = target.read_only
        self._floors: dict[str, list[tuple[str, Any, bool]]] = {}

    def observe(self, *, strategy: str, expected: str, sent_to: str) -> dict[str, Any]:
        """Count one load, then walk its graph, which must send nothing more, and compare the fingerprint.

        Existing data may have changed since the reference was taken: then the reference of the same moment counts.
        """
        chosen = self._strategy(strategy)
        with self._one_moment() as session, counting(self.engine) as tally:
            roots = self.scenario.load(session, chosen)
            counters = tally.counters()
            found = fingerprint(graph_lines(self.scenario, roots))
            further = tally.counters().statements - counters.statements
            if self.existing and found != expected:
                expected = fingerprint(loaded(self.scenario, session.connection())[0])
        sent = tally.sent[: counters.statements]
        write_sent(sent, Path(sent_to))
        return {
            "counters": asdict(counters),
            "equal": found == expected,
            "fingerprint": found,
            "further": further,
            "jit": is_compiled(self.engine, sent),
        }

    def graph(self, *, strategy: str, path: str) -> dict[str, Any]:
        """Write the graph that a strategy loads to a file, a line for each root; of existing data the reference too."""
        with self._one_moment() as session, Path(path).open("w", encoding="ascii") as file:
            lines = graph_lines(self.scenario, self.scenario.load(session, self._strategy(strategy)))
            count = sum(1 for _ in map(file.write, (line + "\n" for line in lines)))
            if self.existing:
                reference = "".join(line + "\n" for line in loaded(self.scenario, session.connection())[0])
                Path(path).with_suffix(REFERENCE).write_text(reference, encoding="ascii")
            return {"lines": count}

    def reference(self) -> dict[str, Any]:
        """What existing data holds of what a load reaches, in one snapshot; or the tables and columns it lacks."""
        if missing := lacking(self.engine, self.scenario):
            return {"lacking": missing}
        with snapshot(self.engine) as connection:
            lines, shape = loaded(self.scenario, connection)
        size = bytes_of(self.engine, self.scenario)
        return {"lacking": [], "fingerprint": fingerprint(lines), "shape": asdict(shape), "bytes": size}

    def memory(self, *, strategy: str) -> dict[str, Any]:
        """Peak memory of one load whose statements are compiled already."""
        return {"peak_bytes": peak_bytes(*self._load(self._strategy(strategy)))}

    def memory_use(self, *, strategy: str) -> dict[str, Any]:
        """Who holds what of a load's memory, when it is the most and at the end. Only a fresh worker may be asked."""
        return asdict(memory_use(self.engine, *self._load(self._strategy(strategy))))

    def memory_flames(self, *, strategy: str, html: str) -> dict[str, Any]:
        """Write memray's flame graph of a load to a file."""
        memory_flames(*self._load(self._strategy(strategy)), html=Path(html))
        return {}

    def trace(self, *, strategy: str, explain: bool) -> dict[str, Any]:
        """What one load sends, for whom and from which line; on request how the database runs each statement."""
        trace = traced_load(self.engine, *self._load(self._strategy(strategy)))
        plans = statement_plans(self.engine, trace.distinct()) if explain else []
        return {"sendings": [asdict(one) for one in trace.sendings()], "plans": [asdict(one) for one in plans]}

    def calls(self, *, strategy: str) -> dict[str, Any]:
        """How many times a warm load calls a Python function, and what that hangs on."""
        opened, load = self._load(self._strategy(strategy))
        warm_up(self.engine.dialect.driver, opened, load)
        return {"calls": python_calls(opened, load), "with": called_with(self.engine)}

    def call_profile(self, *, strategy: str, folder: str, stem: str, title: str) -> dict[str, Any]:
        """What a load calls and where its time goes, function by function; call tree and flame graph go to files."""
        load = self._load(self._strategy(strategy))
        return asdict(call_profile(self.engine, *load, folder=Path(folder), stem=stem, title=title))

    def warm(self, *, strategy: str) -> dict[str, Any]:
        """Load as often as it takes until every load finds what the one before found."""
        return {"loads": warm_up(self.engine.dialect.driver, *self._load(self._strategy(strategy)))}

    def disconnect(self) -> dict[str, Any]:
        """Close the connection; the next load opens another. A server's own time is told of one that is alone."""
        self.engine.dispose()
        return {}

    def rows_held(self, *, strategy: str) -> dict[str, Any]:
        """What the rows of a load hold, in bytes, and how much of it repeats an entity."""
        return asdict(rows_held(self.engine, *self._load(self._strategy(strategy))))

    def describe(self, *, sent: dict[str, str]) -> dict[str, Any]:
        """The schema as the database has it, and by strategy the shape of the plan of each statement that it sent."""
        metadata = self.scenario.base.metadata
        fix_planner(self.engine, metadata)
        statements = {strategy: distinct_queries(read_sent(Path(path))) for strategy, path in sent.items()}
        return {
            "schema": schema_lines(self.engine, metadata),
            "collation": collation(self.engine),
            "plans": {name: plan_shapes(self.engine, each) for name, each in statements.items()},
        }

    def phases(self, *, strategy: str, loads: int) -> dict[str, Any]:
        """Where the time of a load goes: loads under the markers, and as many without, in turn."""
        return asdict(phase_times(self.engine, *self._load(self._strategy(strategy)), loads=loads))

    def floor(self, *, strategy: str, path: str) -> dict[str, Any]:
        """Take the statements that a strategy sent, to be replayed as its floor."""
        self._floors[strategy] = read_sent(Path(path))
        return {"statements": len(self._floors[strategy])}

    def time(self, *, strategy: str, floor: bool, collector: Any) -> dict[str, Any]:
        """Time one load, or one replay of its floor."""
        return asdict(timed_load(*self._timeable(strategy, floor=floor), collector))

    def live_objects(self) -> dict[str, Any]:
        """How many objects the collector tracks in this process before a load."""
        gc.collect()
        return {"live_objects": len(gc.get_objects())}

    def _timeable(self, strategy: str, *, floor: bool) -> tuple[Any, Any]:
        if not floor:
            return self._load(self._strategy(strategy))
        statements = self._floors[strategy]
        return lambda: bare_connection(self.engine), lambda connection: replay(connection, statements)

    def _load(self, strategy: Strategy) -> tuple[Opened, Callable[[Session], Any]]:
        load = self.scenario.load
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

    @contextmanager
    def _one_moment(self) -> Iterator[Session]:
        """Yield a session as `_session` does; of existing data, to which others may write, in one snapshot."""
        if not self.existing:
            with self._session() as session:
                yield session
            return
        with snapshot(self.engine) as connection, self._session(connection) as session:
            yield session

    def _strategy(self, name: str) -> Strategy:
        return find_strategy(self.scenario, name)


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
        return {"ok": getattr(worker, do)(**request)}
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


if __name__ == "__main__":
    main()
