"""The memory of loads as text: the peak by who holds it then, what stays at the end, and what Python does not see."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence

from tabulate import tabulate

from bench.model.memory_use import Held, MemoryUse
from bench.model.profile import Looked
from bench.report.units import bytes_text, count_text

NARROWEST_COLUMN = 12
"""Columns of a terminal that a strategy takes, at least."""

NAMES_COLUMN = 38
"""Columns that the names of the lines take."""

UNSAID = "-"
"""Stands where nothing can be said."""

_Told = Callable[[MemoryUse], str]


def _part(name: str) -> Callable[[Held], int]:
    return lambda held: int(getattr(held, name))


PARTS: tuple[tuple[str, Callable[[Held], int]], ...] = (
    ("entities, state and values", _part("entities_bytes")),
    ("rows, and lists", _part("rows_bytes")),
    ("driver", _part("driver_bytes")),
    ("SQLAlchemy, else", _part("sqlalchemy_bytes")),
    ("the load's own code", _part("own_bytes")),
    ("claimed by none", _part("unclaimed_bytes")),
)
"""Who holds memory, in the order in which it is told."""


def memory_text(looks: Sequence[Looked], *, width: int) -> str:
    """Return the memory of the strategies on one target, lines down, strategies across; empty where none was seen."""
    found = [(looked.strategy, looked.memory) for looked in looks if looked.memory is not None]
    if not found:
        return ""
    column = max(NARROWEST_COLUMN, *(len(strategy) for strategy, _ in found)) + 2
    fitting = max(1, (width - NAMES_COLUMN) // column)
    tables = [_table(found[start : start + fitting]) for start in range(0, len(found), fitting)]
    notes = [
        line
        for note in note_lines([memory for _, memory in found])
        for line in textwrap.wrap(note, width, subsequent_indent="  ", break_on_hyphens=False)
    ]
    graphs = [f"{strategy}: memory's flame graph is {one.flame_graph}" for strategy, one in found if one.flame_graph]
    return "\n\n".join([*tables, "\n".join([*notes, *graphs])])


def _table(found: Sequence[tuple[str, MemoryUse]]) -> str:
    return tabulate(
        [[name, *(told(memory) for _, memory in found)] for name, told in _lines()],
        headers=["memory of one load", *(strategy for strategy, _ in found)],
        colalign=["left", *["right"] * len(found)],
        tablefmt="simple",
        disable_numparse=True,
    )


def _lines() -> Iterator[tuple[str, _Told]]:
    yield "peak, Python's own", lambda one: bytes_text(one.peak_bytes)
    for name, part in PARTS:
        yield f"- {name}", lambda one, part=part: size_text(part(one.at_peak))  # type: ignore[misc]
    yield (
        "- beyond that moment",
        lambda one: size_text(one.peak_bytes - one.at_peak.total_bytes),
    )
    yield "held at the end", lambda one: bytes_text(one.retained.total_bytes)
    for name, part in PARTS:
        yield f"- {name}", lambda one, part=part: size_text(part(one.retained))  # type: ignore[misc]
    yield "entities then", lambda one: count_text(one.entities)
    yield "an entity holds", lambda one: bytes_text(one.entity_bytes) if one.entities else UNSAID
    yield "left when the session is closed", lambda one: size_text(one.kept_bytes)
    yield "driver or database, in C", lambda one: told_text(one.buffer_bytes)
    yield "process, its first load", lambda one: told_text(one.process_peak_bytes)


def size_text(count: int) -> str:
    """Bytes that may be less than none, where parts say more than their whole."""
    return f"-{bytes_text(-count)}" if count < 0 else bytes_text(count)


def told_text(count: int | None) -> str:
    """Bytes, or UNSAID."""
    return UNSAID if count is None else bytes_text(count)


def note_lines(found: Sequence[MemoryUse]) -> Iterator[str]:
    """Say what the figures mean, and what cannot be said here."""
    yield (
        "Memory that Python gives out, by tracemalloc, with the collector off; a block counts for the first that holds "
        "it. What the driver or the database takes of the C library in one call, and how far the memory of a fresh "
        "process rises with its first load, stand by themselves: neither is a part of the peak above."
    )
    if any(one.buffer_bytes is None for one in found):
        yield f"{UNSAID} in C: only glibc, from 2.33 on, says what is taken of it."
    if any(one.process_peak_bytes is None for one in found):
        yield f"{UNSAID} of the process: the kernel does not say how far its memory rose."
