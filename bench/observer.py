"""The observing half of a worker: what is counted, walked, traced, explained and profiled, and never timed.

A worker loads it at the first request for it, so that one that only takes times starts sooner and holds none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from bench.measure.call_profile import call_profile
from bench.measure.called_with import called_with
from bench.measure.calls import python_calls
from bench.measure.floor import read_sent, write_sent
from bench.measure.graph import fingerprint, graph_lines
from bench.measure.jit import is_compiled
from bench.measure.memory import peak_bytes
from bench.measure.memory_use import memory_use
from bench.measure.memray_graph import memory_flames
from bench.measure.phase_times import phase_times
from bench.measure.plans import statement_plans
from bench.measure.reference import bytes_of, lacking, loaded
from bench.measure.schema import collation, schema_lines
from bench.measure.shapes import distinct_queries, fix_planner, plan_shapes
from bench.measure.snapshot import snapshot
from bench.measure.statements import counting
from bench.measure.timing import Load, Opened
from bench.measure.tracing import traced_load
from bench.measure.warming import warm_up
from bench.measure.wire import rows_held
from bench.model import Scenario

REFERENCE = ".reference"
"""Ends the name of the file that holds the reference of existing data, beside that of a graph."""


class Sessions(Protocol):
    """Opens a session as the scenario prepares it. bind: what it is of, where that is not the engine itself."""

    def __call__(self, bind: Connection | None = None) -> AbstractContextManager[Session]:
        """Return what yields the session."""


class Observer:
    """Answers requests as `bench.worker.Worker` does, of the same scenario by the same engine.

    existing: whether others may write to the data. loading: what opens a session and what loads, of a strategy's name.
    """

    def __init__(
        self,
        *,
        scenario: Scenario,
        engine: Engine,
        existing: bool,
        sessions: Sessions,
        loading: Callable[[str], tuple[Opened, Load]],
    ) -> None:
        self.scenario = scenario
        self.engine = engine
        self.existing = existing
        self._session = sessions
        self._load = loading

    def observe(self, *, strategy: str, expected: str, sent_to: str) -> dict[str, Any]:
        """Count one load, then walk its graph, which must send nothing more, and compare the fingerprint.

        Existing data may have changed since the reference was taken: then the reference of the same moment counts.
        """
        _, load = self._load(strategy)
        with self._one_moment() as session, counting(self.engine) as tally:
            roots = load(session)
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
        _, load = self._load(strategy)
        with self._one_moment() as session, Path(path).open("w", encoding="ascii") as file:
            lines = graph_lines(self.scenario, load(session))
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
        return {"peak_bytes": peak_bytes(*self._load(strategy))}

    def memory_use(self, *, strategy: str) -> dict[str, Any]:
        """Who holds what of a load's memory, when it is the most and at the end. Only a fresh worker may be asked."""
        return asdict(memory_use(self.engine, *self._load(strategy)))

    def memory_flames(self, *, strategy: str, html: str) -> dict[str, Any]:
        """Write memray's flame graph of a load to a file."""
        memory_flames(*self._load(strategy), html=Path(html))
        return {}

    def trace(self, *, strategy: str, explain: bool) -> dict[str, Any]:
        """What one load sends, for whom and from which line; on request how the database runs each statement."""
        trace = traced_load(self.engine, *self._load(strategy))
        plans = statement_plans(self.engine, trace.distinct()) if explain else []
        return {"sendings": [asdict(one) for one in trace.sendings()], "plans": [asdict(one) for one in plans]}

    def calls(self, *, strategy: str) -> dict[str, Any]:
        """How many times a warm load calls a Python function, and what that hangs on."""
        opened, load = self._load(strategy)
        warm_up(self.engine.dialect.driver, opened, load)
        return {"calls": python_calls(opened, load), "with": called_with(self.engine)}

    def call_profile(self, *, strategy: str, folder: str, stem: str, title: str) -> dict[str, Any]:
        """What a load calls and where its time goes, function by function; call tree and flame graph go to files."""
        load = self._load(strategy)
        return asdict(call_profile(self.engine, *load, folder=Path(folder), stem=stem, title=title))

    def rows_held(self, *, strategy: str) -> dict[str, Any]:
        """What the rows of a load hold, in bytes, and how much of it repeats an entity."""
        return asdict(rows_held(self.engine, *self._load(strategy)))

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
        return asdict(phase_times(self.engine, *self._load(strategy), loads=loads))

    @contextmanager
    def _one_moment(self) -> Iterator[Session]:
        """Yield a session as `_session` does; of existing data, to which others may write, in one snapshot."""
        if not self.existing:
            with self._session() as session:
                yield session
            return
        with snapshot(self.engine) as connection, self._session(connection) as session:
            yield session
