"""Memory of loads as text: parts below their whole, in any width, and what cannot be told is not shown as 0."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.model.memory_use import Held, MemoryUse
from bench.model.profile import Looked
from bench.report.memory_text import UNSAID, memory_text
from bench.report.profile_text import target_text

PEAK = Held(
    total_bytes=1_990_000,
    entities_bytes=1_000_000,
    rows_bytes=700_000,
    driver_bytes=200_000,
    sqlalchemy_bytes=50_000,
    own_bytes=30_000,
)
USE = MemoryUse(
    entities=500,
    most_entities=500,
    peak_bytes=2_000_000,
    at_peak=PEAK,
    retained=replace(PEAK, total_bytes=1_090_000, rows_bytes=0, driver_bytes=0, sqlalchemy_bytes=60_001),
    kept_bytes=-40,
    buffer_bytes=97_000_000,
    process_peak_bytes=5_000_000,
)


def looked(strategy: str, memory: MemoryUse | None) -> Looked:
    return Looked(scenario="s", size="3x1", target="pg:17", driver="psycopg", strategy=strategy, memory=memory)


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_parts_stand_below_the_peak_and_below_what_is_held_at_the_end() -> None:
    told = lines(memory_text([looked("joined", USE)], width=80))

    for line in (
        "peak, Python's own 2.00 MB",
        "- rows, and lists 700 kB",
        "- claimed by none 10.0 kB",
        "- beyond that moment 10.0 kB",
        "held at the end 1.09 MB",
        "- claimed by none -1 byte",
        "an entity holds 2.00 kB",
        "left when the session is closed -40 bytes",
        "driver or database, in C 97.0 MB",
        "process, its first load 5.00 MB",
    ):
        assert line in told


def test_what_cannot_be_told_is_a_mark_that_is_explained_and_no_nought() -> None:
    untold = replace(USE, buffer_bytes=None, process_peak_bytes=None, entities=0)

    told = memory_text([looked("joined", untold)], width=120)

    assert f"driver or database, in C {UNSAID}" in lines(told)
    assert f"an entity holds {UNSAID}" in lines(told)
    assert "only glibc" in told
    assert "the kernel does not say" in told
    assert "only glibc" not in memory_text([looked("joined", USE)], width=120)


def test_nothing_is_said_where_no_memory_was_looked_at() -> None:
    assert memory_text([looked("lazy", None)], width=80) == ""


@pytest.mark.parametrize("width", [40, 80, 120])
def test_twenty_strategies_keep_within_the_width(width: int) -> None:
    told = target_text([looked(f"strategy{number}", USE) for number in range(20)], width=width)

    assert max(map(len, told.splitlines())) <= max(width, 54)
    assert all(f"strategy{number}" in told for number in range(20))


def test_the_flame_graphs_are_named() -> None:
    told = memory_text([looked("joined", replace(USE, flame_graph="flames/x-memory.html"))], width=120)

    assert "flames/x-memory.html" in told
