"""The bill as text: parts down, strategies across, as many as fit; then what seeing it costs, and the statements."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from tabulate import tabulate

from bench.model.profile import Looked
from bench.reduce.bill import MOST_RESIDUAL, Bill, Line, bill
from bench.report.sent_statements import what
from bench.report.units import counted, listed, share_text

NARROWEST_COLUMN = 16
"""Columns of a terminal that a strategy takes, at least."""

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
    blocks += ["\n".join(textwrap.wrap(f"{one.strategy}: {one.error}", width)) for one in looks if one.error]
    return "\n\n".join(blocks)


def _fitting(timed: Sequence[tuple[Looked, Bill]], width: int) -> int:
    widest = max((len(looked.strategy) for looked, _ in timed), default=0)
    return max(1, (width - PARTS_COLUMN) // (max(NARROWEST_COLUMN, widest) + 2))


def _table(timed: Sequence[tuple[Looked, Bill]]) -> str:
    names = dict.fromkeys(part.name for _, found in timed for part in found.parts)
    rows = [[name, *(_cell_of(found, name) for _, found in timed)] for name in names]
    rows += [["claimed by no part", *(_cell(found.residual) for _, found in timed)]]
    rows += [["in all", *(f"{_ms(found.wall_ns)}  100 %" for _, found in timed)]]
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
    return f"{_ms(line.ns)} {share_text(max(0.0, line.share)):>6}"


def _ms(ns: float) -> str:
    return f"{ns / 1e6:,.1f}" if abs(ns) < 1e8 else f"{ns / 1e6:,.0f}"


def _notes(timed: Sequence[tuple[Looked, Bill]], width: int) -> Iterator[str]:
    """Say how the parts came about, once where it is so for all."""
    price = listed([f"{_price(found)} ({looked.strategy})" for looked, found in timed])
    lines = [
        f"{counted(timed[0][1].loads, 'load')} of each strategy under observation, and as many without, in turn.",
        "Shown is the middle half by time of those observed; the collector is on. The order is no ranking.",
        f"Observing costs, by the median pair and the quartiles, {price}.",
    ]
    rulings = dict.fromkeys(found.ruling for _, found in timed)
    lines += [f"{each}: {listed([one.strategy for one, found in timed if found.ruling == each])}." for each in rulings]
    silent = dict.fromkeys(found.silent for looked, found in timed if found.silent and "sqlite" not in looked.driver)
    lines += [f"The server's part is not told apart: {reason}." for reason in silent]
    lines += [
        f"{looked.strategy} does not add up: {share_text(abs(found.residual.share))} is claimed by no part, more than "
        f"{share_text(MOST_RESIDUAL)}."
        for looked, found in timed
        if not found.adds_up
    ]
    for line in lines:
        yield from textwrap.wrap(line, width, subsequent_indent="  ", break_on_hyphens=False)


def _price(found: Bill) -> str:
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
                f"{_ms(spent.ns)} ms {share_text(spent.share)}" if spent else "",
                n_plus_one,
                sending.line,
            ]
        )
    table = tabulate(
        rows, tablefmt="plain", colalign=["left", "right", "right", "right", "left", "left"], disable_numparse=True
    ) if rows else "  nothing was sent"  # fmt: skip
    return "\n".join([f"{looked.strategy}:", *(f"  {line}"[:width] for line in table.splitlines())])
