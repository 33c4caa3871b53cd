"""The memory of one load: how much, when the most, who holds it then and at the end; in passes apart from any timing.

Each pass runs the load once, with the collector off, so that what is found is the load's and not the collector's luck.

1. In a process that has done nothing but connect: how far its resident memory rises.
2. Without tracing: at which call of the driver the C library's allocator gives out the most.
3. Traced: how much of that was Python's, and at how many bytes the load is at its highest between two functions.
4. Traced: who holds what at that moment, and at the end.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import configure_mappers

from bench.measure.cursors import WatchedCursor
from bench.measure.holders import held
from bench.measure.process_memory import c_allocation, c_block, resident_rise
from bench.measure.timing import Load, Opened
from bench.measure.warming import warm_loads
from bench.model.memory_use import Held, MemoryUse

NEARLY = 0.995
"""The part of the highest moment that has to be reached again to be looked at: repetitions differ by some bytes."""


def memory_use(engine: Engine, opened: Opened, load: Load) -> MemoryUse:
    """Return the memory of a load. The process has to be a fresh one: its first load is a part of what is told."""
    configure_mappers()
    with engine.connect():  # what a connection takes is not the load's
        pass
    process_peak_bytes = resident_rise(lambda: _run(opened, load))
    for _ in range(warm_loads(engine.dialect.driver)):
        _run(opened, load)
    buffer_bytes = _buffer(engine, opened, load)
    _highest(opened, load)  # the first load under a profiling function leaves things behind, once
    peak_bytes, between_functions = _highest(opened, load)
    found = _held(opened, load, between_functions)
    return MemoryUse(
        entities=found.entities,
        most_entities=found.most_entities,
        peak_bytes=peak_bytes,
        at_peak=found.at_peak,
        retained=found.retained,
        kept_bytes=found.kept,
        buffer_bytes=buffer_bytes,
        process_peak_bytes=process_peak_bytes,
    )


def _run(opened: Opened, load: Load) -> None:
    with opened() as source, _collector_off():
        load(source)


@contextmanager
def _collector_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _traced() -> Iterator[int]:
    """Trace what Python gives out while the block runs, the collector off; yield what is in use at its beginning."""
    with _collector_off():
        gc.freeze()
        tracemalloc.start(1)
        try:
            yield tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
            gc.unfreeze()


@dataclass(slots=True)
class _Calls:
    """Numbers the calls of a driver in a load, and has something done before and after each."""

    before: Callable[[int, str], None]
    after: Callable[[int, str], None]
    count: int = 0

    def begins(self, kind: str) -> None:
        self.before(self.count, kind)

    def ended(self, kind: str) -> None:
        self.after(self.count, kind)
        self.count += 1


@contextmanager
def _calling(engine: Engine, calls: _Calls) -> Iterator[None]:
    """Tell of each call of the driver's cursors, to execute or to fetch, while the block runs."""

    def before_cursor_execute(*_: Any) -> None:
        calls.begins("execute")

    def after_cursor_execute(_connection: Any, cursor: Any, _sql: str, _values: Any, context: Any, _many: bool) -> None:
        calls.ended("execute")
        if context is not None and context.cursor is cursor:
            context.cursor = WatchedCursor(cursor, lambda: calls.begins("fetch"), lambda _rows: calls.ended("fetch"))

    with ExitStack() as stack:
        for listener in (before_cursor_execute, after_cursor_execute):
            event.listen(engine, listener.__name__, listener)
            stack.callback(event.remove, engine, listener.__name__, listener)
        yield


def _buffer(engine: Engine, opened: Opened, load: Load) -> int | None:
    """Return the most that a call of the driver took of the C library, beside Python; None where it cannot be asked."""
    in_use = c_allocation()
    if in_use is None:
        return None
    most = _calls_that_took_most(engine, opened, load, in_use)
    looked_at = {call for call, _ in most.values()}
    large: dict[int, int] = {}

    def before(call: int, _kind: str) -> None:
        if call in looked_at:
            large[call] = -_large()

    def after(call: int, _kind: str) -> None:
        if call in looked_at:
            large[call] += _large()

    with opened() as source, _calling(engine, _Calls(before, after)), _traced():
        load(source)
    return max([0, *(taken - large.get(call, 0) for call, taken in most.values())])


def _calls_that_took_most(
    engine: Engine, opened: Opened, load: Load, in_use: Callable[[], int]
) -> dict[str, tuple[int, int]]:
    """Return the execution and the fetch in which the C library gave out the most, by number, and those bytes."""
    most: dict[str, tuple[int, int]] = {}
    at_beginning = 0

    def before(_call: int, _kind: str) -> None:
        nonlocal at_beginning
        at_beginning = in_use()

    def after(call: int, kind: str) -> None:
        taken = in_use() - at_beginning
        if kind not in most or taken > most[kind][1]:
            most[kind] = (call, taken)

    with opened() as source, _collector_off(), _calling(engine, _Calls(before, after)):
        load(source)
    return most


def _highest(opened: Opened, load: Load) -> tuple[int, int]:
    """Return the most that is in use at once beyond what was before, and the most, with that, between two functions."""
    between_functions = 0
    with opened() as source, _traced() as before_load:
        get = tracemalloc.get_traced_memory

        def between(_frame: Any, _event: str, _argument: Any) -> None:
            nonlocal between_functions
            if (now := get()[0]) > between_functions:
                between_functions = now

        tracemalloc.reset_peak()
        sys.setprofile(between)
        try:
            result = load(source)
        finally:
            sys.setprofile(None)
        peak = get()[1] - before_load
        del result
    return peak, between_functions


def _large() -> int:
    """Return what Python has of the C library, as that counts it."""
    return sum(c_block(trace.size) for trace in tracemalloc.take_snapshot().traces)


@dataclass(slots=True)
class _Found:
    """Who held what, and how many entities there were; kept: what is left when the session is closed."""

    at_peak: Held
    most_entities: int
    retained: Held
    entities: int
    kept: int = 0


def _held(opened: Opened, load: Load, highest: int) -> _Found:
    with _traced() as before_load:
        with opened() as source:
            found = _held_by(source, load, highest)
        gc.collect()
        found.kept = tracemalloc.get_traced_memory()[0] - before_load
    return found


def _held_by(source: Any, load: Load, highest: int) -> _Found:
    """Return who holds what when so many bytes are nearly in use (else at the end), and at the end."""
    at_peak: tuple[Held, int] | None = None
    get = tracemalloc.get_traced_memory
    grown = _growing(source)

    def between(_frame: Any, _event: str, _argument: Any) -> None:
        nonlocal at_peak
        if get()[0] >= NEARLY * highest:
            sys.setprofile(None)
            at_peak = held(grown())

    sys.setprofile(between)
    try:
        result = load(source)
    finally:
        sys.setprofile(None)
    retained, entities = held(grown())
    del result
    highest_held, most_entities = at_peak or (retained, entities)
    return _Found(highest_held, most_entities, retained, entities)


def _growing(session: Any) -> Callable[[], list[dict[Any, Any]]]:
    """Return what tells the session's table of entities, once it has grown."""
    table: dict[Any, Any] = session.identity_map._dict
    size = sys.getsizeof(table)
    return lambda: [table] if sys.getsizeof(table) > size else []
