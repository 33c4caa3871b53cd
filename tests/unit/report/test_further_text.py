"""Bytes and calls of loads as text: in any width, with what was not counted said and not shown as 0."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.model.calls import CallProfile, FunctionCalls
from bench.model.profile import Looked
from bench.model.wire import WireBytes
from bench.report.calls_text import calls_text, hottest_functions
from bench.report.profile_text import target_text
from bench.report.wire_text import wire_text

WIRE = WireBytes(
    rows=10, values=40, content_bytes=1_770, framing_bytes=230, repeated_bytes=500, sent_bytes=90, received_bytes=2_100
)
CALLS = CallProfile(
    calls=12_345,
    versions="Python 3.11.7, SQLAlchemy 2.1.9 with compiled extensions",
    functions=(
        FunctionCalls(name="_instance", place="sqlalchemy/orm/loading.py:1077", calls=4_200, own_share=0.17, share=0.3),
        FunctionCalls(name="select", place="selectors.py:451", calls=None, own_share=0.1, share=0.1),
        FunctionCalls(name="l" * 60, place="a/very/long/path.py:7", calls=3, own_share=0.05, share=0.05),
        FunctionCalls(name="never_sampled", place="b.py:1", calls=9, own_share=0.0, share=0.0),
    ),
    loads=3,
    samples=1_001,
    html="flames/x.html",
    speedscope="flames/x.speedscope.json",
)


def looked(strategy: str, *, wire: WireBytes | None = None, calls: CallProfile | None = None) -> Looked:
    return Looked(
        scenario="s", size="3x1", target="pg:17", driver="psycopg", strategy=strategy, wire=wire, calls=calls
    )  # fmt: skip


def test_what_was_counted_stands_beside_what_rows_hold_and_how_much_of_it_repeats() -> None:
    text = " ".join(wire_text([looked("joined", wire=WIRE)], width=80).split())

    assert "joined 2.10 kB 90 bytes 2.00 kB 25 %" in text
    assert "encrypted" not in text
    assert "Not counted" not in text


def test_what_was_not_counted_has_no_figure_and_says_why_once() -> None:
    uncounted = replace(WIRE, sent_bytes=None, received_bytes=None, uncounted="SQLite works in the process.")

    text = wire_text([looked("lazy", wire=uncounted), looked("joined", wire=uncounted)], width=120)

    assert text.count("Not counted: SQLite works in the process.") == 1
    assert "0 bytes" not in text
    assert "received" not in text
    assert "counted on their way" not in text
    assert "2.00 kB" in text


def test_bytes_of_an_encrypted_connection_are_said_to_be_so() -> None:
    assert "encrypted" in wire_text([looked("lazy", wire=replace(WIRE, encrypted=True))], width=80)


@pytest.mark.parametrize("width", [80, 120])
def test_hot_functions_of_any_number_of_strategies_stand_side_by_side_in_the_width_there_is(width: int) -> None:
    names = [f"strategy_{number}" for number in range(9)]

    text = calls_text([looked(name, calls=CALLS) for name in names], width=width)

    assert all(name in text for name in names)
    assert max(map(len, text.splitlines())) <= width
    assert "17 %     4,200" in text
    assert "12,345" in text
    assert "never_sampled" not in text
    assert "flames/x.html" in text


def test_the_calls_of_a_function_that_waits_are_left_blank() -> None:
    (line,) = (line for line in calls_text([looked("lazy", calls=CALLS)], width=80).splitlines() if "select" in line)

    assert line.split() == ["select", "selectors.py:451", "10", "%"]


def test_the_hottest_of_any_strategy_comes_first() -> None:
    other = replace(CALLS, functions=(FunctionCalls(name="f", place="f.py:1", calls=1, own_share=0.5, share=0.5),))

    assert [name for name, _ in hottest_functions([CALLS, other], most=2)] == ["f", "_instance"]


def test_a_profile_has_neither_where_neither_was_looked_at() -> None:
    text = target_text([looked("lazy")], width=80)

    assert "bytes of one load" not in text
    assert "all Python calls" not in text
