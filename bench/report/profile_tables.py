"""What else was seen of loads than their time, as tables: memory, bytes on the wire, calls; none where nothing was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bench.model.calls import CallProfile, FunctionCalls
from bench.model.memory_use import Held, MemoryUse
from bench.model.profile import Looked
from bench.model.wire import WireBytes
from bench.report.calls_text import hottest_functions
from bench.report.charts.inline import colour
from bench.report.charts.palette import Hue
from bench.report.memory_text import UNSAID, note_lines, size_text, told_text
from bench.report.page_parts import Cell, Row, Table
from bench.report.units import bytes_text, count_text, share_text
from bench.report.wire_text import wire_notes

MOST_FUNCTIONS = 20
"""Functions of one strategy that the page lists; the call tree has all."""

MOST_SIDE_BY_SIDE = 15
"""Functions that stand side by side, the hottest of any strategy."""

Seen = TypeVar("Seen")

_HELD: Sequence[tuple[str, Callable[[Held], str]]] = (
    ("all", lambda held: size_text(held.total_bytes)),
    ("entities", lambda held: size_text(held.entities_bytes)),
    ("rows", lambda held: size_text(held.rows_bytes)),
    ("driver", lambda held: size_text(held.driver_bytes)),
    ("SQLAlchemy", lambda held: size_text(held.sqlalchemy_bytes)),
    ("the load's own code", lambda held: size_text(held.own_bytes)),
    ("claimed by none", lambda held: size_text(held.unclaimed_bytes)),
)

_MEMORY: Sequence[tuple[str, Callable[[MemoryUse], str]]] = (
    ("peak", lambda use: bytes_text(use.peak_bytes)),
    ("held at the end", lambda use: bytes_text(use.retained.total_bytes)),
    ("entities", lambda use: count_text(use.entities)),
    ("an entity holds", lambda use: bytes_text(use.entity_bytes)),
    ("left when the session is closed", lambda use: size_text(use.kept_bytes)),
    ("driver or database, in C", lambda use: told_text(use.buffer_bytes)),
    ("process, its first load", lambda use: told_text(use.process_peak_bytes)),
)

_ROWS: Sequence[tuple[str, Callable[[WireBytes], str]]] = (
    ("rows hold", lambda wire: bytes_text(wire.row_bytes)),
    ("their values", lambda wire: bytes_text(wire.content_bytes)),
    ("around them", lambda wire: bytes_text(wire.framing_bytes)),
    ("repeat an entity", lambda wire: share_text(wire.repeated_share)),
)

_WIRE: Sequence[tuple[str, Callable[[WireBytes], str]]] = (
    ("received", lambda wire: told_text(wire.received_bytes)),
    ("sent", lambda wire: told_text(wire.sent_bytes)),
    *_ROWS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Titled:
    """A table under its title, and what stands beside that."""

    title: str
    about: str
    table: Table


def further_tables(own: Sequence[Looked], hues: Mapping[str, Hue]) -> Iterator[Titled]:
    """Yield the tables that compare the strategies on a target: those of which anything was seen."""
    memory = {one.strategy: one.memory for one in own if one.memory}
    if memory:
        yield _titled("Memory", "of one load; of the process, of its first", _MEMORY, memory, hues)
        peaks = {name: use.at_peak for name, use in memory.items()}
        about = "who holds it at the highest moment that was looked at"
        yield _titled("Memory at its peak", about, _HELD, peaks, hues)
        ends = {name: use.retained for name, use in memory.items()}
        yield _titled("Memory retained", "who holds it at the end, the result in hand", _HELD, ends, hues)
    wire = {one.strategy: one.wire for one in own if one.wire}
    if wire:
        if any(one.received_bytes is not None for one in wire.values()):
            yield _titled("Bytes on the wire", "counted on their way, beside what the rows hold", _WIRE, wire, hues)
        else:
            yield _titled("Bytes of the rows", "what their values take, and how much comes again", _ROWS, wire, hues)
    calls = {one.strategy: one.calls for one in own if one.calls}
    if calls:
        yield _side_by_side(calls)


def further_notes(own: Sequence[Looked]) -> Iterator[str]:
    """Say what is meant by memory, bytes and calls, where they were looked at."""
    if memory := [one.memory for one in own if one.memory]:
        yield from note_lines(memory)
    if wires := [one.wire for one in own if one.wire]:
        yield from wire_notes(wires)
    versions = dict.fromkeys(one.calls.versions for one in own if one.calls)
    yield from (f"Calls are exact, for {each}; shares of the time are estimates." for each in versions)


def functions_table(calls: CallProfile, strategy: str) -> Table | None:
    """Return the functions of one strategy, the hottest first; None where none were sampled."""
    if not calls.functions:
        return None
    headers = (("function", False), ("where", False), ("calls", True), ("own time", True), ("with what it calls", True))
    return Table(
        caption=f"The hottest functions of {strategy}",
        headers=headers,
        rows=tuple(
            Row(
                name=Cell(value=one.name, numeric=False),
                cells=(
                    Cell(value=one.place, numeric=False),
                    Cell(value=_calls_text(one)),
                    Cell(value=share_text(one.own_share)),
                    Cell(value=share_text(one.share)),
                ),
            )
            for one in calls.functions[:MOST_FUNCTIONS]
        ),
    )


def _titled(
    title: str,
    about: str,
    columns: Sequence[tuple[str, Callable[[Seen], str]]],
    found: Mapping[str, Seen],
    hues: Mapping[str, Hue],
) -> Titled:
    """Return a table with a row for each strategy."""
    table = Table(
        caption=title,
        headers=(("strategy", False), *((name, True) for name, _ in columns)),
        rows=tuple(
            Row(
                name=Cell(value=strategy, numeric=False),
                cells=tuple(Cell(value=text(seen)) for _, text in columns),
                colour=colour(hues[strategy].light) if strategy in hues else "",
            )
            for strategy, seen in found.items()
        ),
    )
    return Titled(title=title, about=about, table=table)


def _side_by_side(calls: Mapping[str, CallProfile]) -> Titled:
    """Return the hottest functions of any strategy, strategies across: its own share of the time, and its calls."""
    by_place = {name: {(one.name, one.place): one for one in profile.functions} for name, profile in calls.items()}
    hottest = hottest_functions(list(calls.values()), MOST_SIDE_BY_SIDE)
    counts = Row(
        name=Cell(value="all Python calls", numeric=False),
        cells=(Cell(value="", numeric=False), *(Cell(value=count_text(profile.calls)) for profile in calls.values())),
    )
    rows = tuple(
        Row(
            name=Cell(value=name, numeric=False),
            cells=(Cell(value=place, numeric=False), *(_own(own.get((name, place))) for own in by_place.values())),
        )
        for name, place in hottest
    )
    table = Table(
        caption="Calls",
        headers=(("function", False), ("where", False), *((name, True) for name in calls)),
        rows=(counts, *rows),
    )
    return Titled(title="Calls", about="exact; of the hottest functions their own share of the time, too", table=table)


def _own(one: FunctionCalls | None) -> Cell:
    return Cell(value="") if one is None else Cell(value=_calls_text(one), interval=share_text(one.own_share))


def _calls_text(one: FunctionCalls) -> str:
    return UNSAID if one.calls is None else count_text(one.calls)
