"""Tracing a load: every statement that it sends, with its rows, who asked for it and the line that had it sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from bench.measure.cursors import WatchedCursor
from bench.measure.origins import Origin, loaded_paths, origin_of, users_line
from bench.measure.timing import Load, Opened
from bench.model.profile import Sending

ORIGIN = "bench_origin"
"""The execution option by which a statement of the ORM carries its origin."""

SHOWN_PARAMETERS = 6
"""Parameters of a statement that are shown, of however many."""

SHOWN_CHARACTERS = 40
"""Characters that are shown of a parameter."""


@dataclass(slots=True)
class Execution:
    """What has been seen of one text, sent for one purpose from one line.

    parameters: of the first execution, as the driver got them; of an `executemany` its first set.
    """

    sql: str
    origin: Origin
    paths: tuple[str, ...]
    line: str
    code: str
    parameters: Any
    executions: int = 0
    rows: int = 0

    def fetched(self, rows: int) -> None:
        """Count rows that the driver handed over."""
        self.rows += rows

    def sending(self) -> Sending:
        """Freeze it."""
        shown, more = abbreviated(self.parameters)
        return Sending(
            sql=self.sql,
            executions=self.executions,
            rows=self.rows,
            asking=self.origin.asking,
            paths=self.paths,
            line=self.line,
            code=self.code,
            parameters=shown,
            more_parameters=more,
        )


@dataclass(slots=True)
class Trace:
    """What has been seen so far, in the order of each statement's first execution."""

    seen: dict[tuple[str, Origin, str], Execution] = field(default_factory=dict)

    def sendings(self) -> tuple[Sending, ...]:
        """Freeze what was sent."""
        return tuple(each.sending() for each in self.seen.values())

    def distinct(self) -> list[tuple[str, Any]]:
        """Return each text once, with the parameters of its first execution."""
        return list({each.sql: each.parameters for each in reversed(self.seen.values())}.items())[::-1]

    def executed(self, sql: str, parameters: Any, context: Any) -> Execution:
        """Take note of an execution, and return where its rows are counted."""
        origin = getattr(context, "execution_options", {}).get(ORIGIN, Origin())
        line, code = users_line()
        key = (sql, origin, line)
        if key not in self.seen:
            self.seen[key] = Execution(
                sql=sql,
                origin=origin,
                paths=loaded_paths(origin, getattr(context, "compiled", None)),
                line=line,
                code=code,
                parameters=parameters,
            )
        self.seen[key].executions += 1
        return self.seen[key]


def traced_load(engine: Engine, opened: Opened, load: Load) -> Trace:
    """Run the load once, and return what it sent."""
    with opened() as session, tracing(engine, session) as trace:
        load(session)
    return trace


@contextmanager
def tracing(engine: Engine, session: Session) -> Iterator[Trace]:
    """Record every statement that the session sends over the engine while the block runs."""
    trace = Trace()

    def after_cursor_execute(
        _connection: Any, cursor: Any, sql: str, parameters: Any, context: Any, executemany: bool
    ) -> None:
        first = parameters[0] if executemany and parameters else parameters
        execution = trace.executed(sql, first, context)
        if context is not None and context.cursor is cursor:
            context.cursor = WatchedCursor(cursor, lambda: None, execution.fetched)

    event.listen(session, "do_orm_execute", note_origin)
    event.listen(engine, "after_cursor_execute", after_cursor_execute)
    try:
        yield trace
    finally:
        event.remove(engine, "after_cursor_execute", after_cursor_execute)
        event.remove(session, "do_orm_execute", note_origin)


def note_origin(state: Any) -> None:
    """Send who asks for a statement along with it: what is flushed before it, or by other threads, is not its own."""
    state.update_execution_options(**{ORIGIN: origin_of(state)})


def abbreviated(parameters: Any) -> tuple[tuple[str, ...], int]:
    """Return the first parameters as text, each shortened, and how many are left out."""
    named = isinstance(parameters, Mapping)
    values = parameters.items() if named else parameters or ()
    shown = tuple(
        f"{each[0]}={_shortened(each[1])}" if named else _shortened(each) for each in islice(values, SHOWN_PARAMETERS)
    )
    return shown, len(values) - len(shown)


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}\N{HORIZONTAL ELLIPSIS}"
