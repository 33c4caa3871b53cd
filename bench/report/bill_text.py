"""The bill as text: parts down, strategies across, as many as fit; then what seeing it costs, and the statements."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from tabulate import tabulate

from bench.model.profile import Looked
from bench.reduce.bill import MOST_RESIDUAL, Bill, Line, bill
from bench.report.sent_statements import what
from bench.report.units import counted, listed, share_text, shortened

NARROWEST_COLUMN = 16
"""Columns of a terminal that a strategy takes, at least."""

IN_PROCESS = ("pysqlite", "aiosqlite")
"""Drivers of a database that has no server."""

PARTS_COLUMN = 36
"""Columns that the names of the parts take."""


def bills_text(looks: Sequence[Looked], *, width: int) -> str:
    """Return the bills of the strategies on one target, with their statements; those that failed say why."""
    timed = [(looked, bill(looked)) for looked in looks if looked.times is not None and not looked.error]
    blocks = [
        _table(timed[start : start + fitting]) for fitting in (_fitting(timed, width),)
        for start in range(0, len(timed), fitting)
    ]  # fmt: skip
    blocks += ["\n".join(_notes(timed, width))] if timed else []
    blocks += [_statements(looked, found, width) for looked, found in timed]
    reasons = ((one.strategy, reason) for one in looks for reason in filter(None, (one.error, *one.unseen)))
    blocks += ["\n".join(textwrap.wrap(f"{strategy}: {reason}", width)) for strategy, reason in reasons]
    return "\n\n".join(blocks)


def _fitting(timed: Sequence[tuple[Looked, Bill]], width: int) -> int:
    widest = max((len(looked.strategy) for looked, _ in timed), default=0)
    return max(1, (width - PARTS_COLUMN) // (max(NARROWEST_COLUMN, widest) + 2))


def _table(timed: Sequence[tuple[Looked, Bill]]) -> str:
    names = dict.fromkeys(part.name for _, found in timed for part in found.parts)
    rows = [[name, *(_cell_of(found, name) for _, found in timed)] for name in names]
    rows += [["claimed by no part", *(_cell(found.residual) for _, found in timed)]]
    rows += [["in all", *(f"{ms_text(found.wall_ns)}  100 %" for _, found in timed)]]
    return tabulate(
        rows,
        headers=["ms, share", *(looked.strategy for looked, _ in timed)],
        colalign=["left", *["right"] * len(timed)],
        tablefmt="simple",
        disable_numparse=True,
    )


def _cell_of(found: Bill, name: str) -> str:
    return next((_cell(part) for part in found.parts if part.name == name), "")


def _cell(line: Line) -> str:
    return f"{ms_text(line.ns)} {share_text(max(0.0, line.share)):>6}"


def ms_text(ns: float) -> str:
    """Nanoseconds as milliseconds, without the unit."""
    return f"{ns / 1e6:,.1f}" if abs(ns) < 1e8 else f"{ns / 1e6:,.0f}"


def _notes(timed: Sequence[tuple[Looked, Bill]], width: int) -> Iterator[str]:
    price = listed([f"{price_text(found)} ({looked.strategy})" for looked, found in timed])
    taken, shown, *rulings = note_lines(timed)
    for line in (taken, shown, f"Observing costs, by the median pair and the quartiles, {price}.", *rulings):
        yield from textwrap.wrap(line, width, subsequent_indent="  ", break_on_hyphens=False)


def note_lines(timed: Sequence[tuple[Looked, Bill]]) -> Iterator[str]:
    """Say how the parts came about, once where it is so for all; the price of observing is left to the caller.

    The first two lines are of how they were taken.
    """
    low, high = min(found.loads for _, found in timed), max(found.loads for _, found in timed)
    loads = counted(high, "load") if low == high else f"{low:,} to {counted(high, 'load')}"
    yield f"{loads} of each strategy under observation, and as many without, in turn."
    yield "Shown is the middle half by time of those observed; the collector is on. The order is no ranking."
    for ruling in dict.fromkeys(found.ruling for _, found in timed):
        yield f"{ruling}: {listed([one.strategy for one, found in timed if found.ruling == ruling])}."
    for reason in dict.fromkeys(found.silent for one, found in timed if found.silent and one.driver not in IN_PROCESS):
        yield f"The server's part is not told apart: {reason}."
    for looked, found in timed:
        if not found.adds_up:
            share, most = share_text(abs(found.residual.share)), share_text(MOST_RESIDUAL)
            yield f"{looked.strategy} does not add up: {share} is claimed by no part, more than {most}."


def price_text(found: Bill) -> str:
    """Say what observing costs a load, and the quartiles of that."""
    low, high = (f"{100 * (end - 1):+.1f}" for end in found.price_quartiles)
    return f"{100 * (found.price - 1):+.1f} %, {low} to {high} %"


def _statements(looked: Looked, found: Bill, width: int) -> str:
    """Return the statements of a strategy with the time of each, from its building to its last object."""
    rows = []
    for sending in looked.sendings:
        spent = next((line for line in found.statements if line.sql == sending.sql), None)
        n_plus_one = "N+1" if sending.is_n_plus_one else ""
        rows.append(
            [
                f"  {what(sending)}",
                f"{sending.executions:,} x",
                counted(sending.rows, "row"),
                f"{ms_text(spent.ns)} ms {share_text(spent.share)}" if spent else "",
                n_plus_one,
            ]
        )
    if not rows:
        return f"{looked.strategy}:\n    nothing was sent"
    table = tabulate(
        rows, tablefmt="plain", colalign=["left", "right", "right", "right", "left"], disable_numparse=True
    ).splitlines()
    longest = max(map(len, table))
    lines = (
        f"  {spent:<{longest}}  {_ending(sending.line, width - longest - 4)}"
        for spent, sending in zip(table, looked.sendings, strict=True)
    )
    return "\n".join([f"{looked.strategy}:", *(shortened(line.rstrip(), width) for line in lines)])


def _ending(line: str, room: int) -> str:
    """Return as much of a place's end, with its line number, as there is room for."""
    return line if len(line) <= room else f"…{line[1 - room :]}" if room > 1 else ""
