"""The summary of a run of several scenarios as a table for a terminal, however narrow that is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from tabulate import tabulate

from bench.model import Run
from bench.reduce.catalogue_summary import Won
from bench.report.catalogue import HEADERS, NUMERIC, TARGET, SummaryRow, summary_rows

LEAST_WIDTH = 13
"""Characters below which no cell is narrowed: a row is a paragraph then."""

_INDENT = "  "
_BETWEEN, _BESIDE_HEADER = 2, 2
"""Characters between two columns, and those that tabulate leaves beside a header."""

_PARTED = {
    " \N{PLUS-MINUS SIGN}": "\N{NO-BREAK SPACE}\N{PLUS-MINUS SIGN}",
    " %": "\N{NO-BREAK SPACE}%",
    "+": "+ ",
    "[": " [",
}
"""Where a text may go on in the next line and where not: a name after its plus, a figure never before its unit."""


def summary_table(run: Run, wins: Sequence[Won], *, width: int) -> str:
    """Return the table in lines of at most `width` columns, with nothing left out.

    Where it is too wide, ratios are shortened, then long texts go on in the next line of their cell; where that does
    not help either, each row is a paragraph. In a run of several targets each scenario has a line to itself, its
    targets below; a run of one has no word of it.
    """
    full, short = summary_rows(run, wins), summary_rows(run, wins, short=True)
    headers, cells = _arranged(full)
    if _width(_table(headers, cells)) <= width:
        return _table(headers, cells)
    headers, cells = _arranged(short)
    widths = _narrowed(headers, cells, width)
    if widths is None:
        return "\n".join(_paragraphs(short, width))
    heads = [_filled(header, room - _BESIDE_HEADER) for header, room in zip(headers, widths, strict=True)]
    return _table(heads, [[_filled(*each) for each in zip(row, widths, strict=True)] for row in cells])


def _arranged(rows: Sequence[SummaryRow]) -> tuple[list[str], list[list[str]]]:
    """Return the headers and the cells without a column of targets: where there are several, they have lines."""
    headers = [header for at, header in enumerate(HEADERS) if at != TARGET]
    if len({row.cells[TARGET] for row in rows}) == 1:
        return headers, [_without_target(row) for row in rows]
    lines: list[list[str]] = []
    above = ""
    for row in rows:
        title, *figures = _without_target(row)
        if title != above:
            lines.append([title, *[""] * len(figures)])
        lines.append([f"{_INDENT}{row.cells[TARGET]}", *figures])
        above = title
    return [f"{headers[0]}, {HEADERS[TARGET]}", *headers[1:]], lines


def _without_target(row: SummaryRow) -> list[str]:
    return [cell for at, cell in enumerate(row.cells) if at != TARGET]


def _narrowed(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Return the width of each column, the widest texts narrowed until all fit; None where that is too narrow."""
    figures = [numeric for at, numeric in enumerate(NUMERIC) if at != TARGET]
    padded = [header + " " * _BESIDE_HEADER for header in headers]
    widths = [max(map(len, column)) for column in zip(padded, *rows, strict=True)]
    while sum(widths) + _BETWEEN * (len(widths) - 1) > width:
        widest = max((at for at in range(len(widths)) if not figures[at]), key=lambda at: widths[at])
        if widths[widest] <= LEAST_WIDTH:
            return None
        widths[widest] -= 1
    return widths


def _filled(cell: str, width: int) -> str:
    """The cell in lines of at most `width` characters; a figure is not parted from what belongs to it."""
    if len(cell) <= width:
        return cell
    indent = _INDENT if cell.startswith(_INDENT) else ""
    text = cell.strip()
    for whole, parted in _PARTED.items():
        text = text.replace(whole, parted)
    lines = textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    text = "\n".join(lines)
    for whole, parted in _PARTED.items():
        text = text.replace(parted, whole)
    return text


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return tabulate(
        rows,
        headers=headers,
        colalign=["right" if numeric else "left" for at, numeric in enumerate(NUMERIC) if at != TARGET],
        tablefmt="simple",
        disable_numparse=True,
        preserve_whitespace=True,
    )


def _width(table: str) -> int:
    return max(map(len, table.splitlines()))


def _paragraphs(rows: Sequence[SummaryRow], width: int) -> Iterator[str]:
    for row in rows:
        told = [row.cells[0], *(f"{header} {cell}" for header, cell in zip(HEADERS, row.cells, strict=True) if cell)]
        del told[1]
        yield textwrap.fill("; ".join(told), width, subsequent_indent=_INDENT, break_on_hyphens=False)
