"""Statements and rows by strategy: the exact counts that explain the times."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes

from bench.model import Counters
from bench.reduce.types import CaseSummary
from bench.report import units
from bench.report.charts.canvas import (
    GRID,
    INK,
    MUTED,
    PAPER,
    SMALL,
    WIDTH_IN,
    Chart,
    finish,
    header,
    new_sheet,
    place,
    width_in,
)
from bench.report.charts.keys import bar, put_keys
from bench.report.charts.palette import Hue
from bench.report.charts.rows import EDGE_IN, measured, names_in, put_figures, put_names, row_in, set_rows
from bench.report.charts.scales import far_apart, linear, logarithmic

TITLE = "Statements sent and rows fetched, by strategy"
_GAP_IN = 0.3
_HATCH = "/////"


def draw_counts(summary: CaseSummary, hues: dict[str, Hue], *, stem: str) -> Chart:
    """Two panels that share the strategies: statements, and rows with the repeated ones hatched.

    summary: at least one strategy of it was counted.
    """
    counted = [(row.arm, row.arm.counters) for row in summary.rows if row.arm.counters]
    names = [arm.name for arm, _ in counted]
    counters = [counts for _, counts in counted]
    colours = [hues[arm.strategy].light for arm, _ in counted]
    figure = new_sheet(1.55 + row_in(len(names)) * len(names))
    left = names_in(figure, names)
    statements = [units.count_text(counts.statements) for counts in counters]
    rows = [_rows_text(counts) for counts in counters]
    texts = width_in(figure, statements, size=SMALL) + 0.1, width_in(figure, rows, size=SMALL) + 0.1
    room = WIDTH_IN - left - sum(texts) - _GAP_IN - EDGE_IN
    first = room * 0.45
    one = place(figure, left=left, right=WIDTH_IN - left - first, top=0.98, bottom=0.57)
    two = place(figure, left=left + first + texts[0] + _GAP_IN, right=EDGE_IN + texts[1], top=0.98, bottom=0.57)
    _panel(one, counters, colours, statements, lambda counts: counts.statements, "statements")
    _panel(two, counters, colours, rows, lambda counts: counts.rows, "rows", lambda counts: counts.repeated_rows)
    put_names(one, names)
    header(figure, TITLE, f"{measured(summary.case)}; exact, the same on any machine")
    repeated = any(counts.repeated_rows for counts in counters)
    keys = [bar("statements, rows" if repeated else "statements, rows (none repeats a parent)")]
    if repeated:
        keys.append(bar("of these, rows that repeat a parent", hatch=_HATCH, hatched_in=PAPER))
    put_keys(figure, keys)
    return finish(figure, stem=stem, title=TITLE, alt=_alt(summary, names, counters))


def _panel(
    axes: Axes,
    counters: Sequence[Counters],
    colours: Sequence[str],
    texts: Sequence[str],
    count: Callable[[Counters], int],
    noun: str,
    part: Callable[[Counters], int] = lambda counts: 0,
) -> None:
    """Bars of counts; stems with a mark at their end on a logarithmic axis, where the length of a bar says nothing."""
    values = [count(counts) for counts in counters]
    far = far_apart(values)
    if far:
        _far_apart(axes, values, colours)
    else:
        axes.set_xlim(0, max(*values, 1) * 1.02)
        linear(axes.xaxis, steps=4)
        axes.barh(range(len(values)), values, height=0.56, color=colours, zorder=2)
        parts = [part(counts) for counts in counters]
        starts = [value - share for value, share in zip(values, parts, strict=True)]
        axes.barh(
            range(len(values)),
            parts,
            left=starts,
            height=0.56,
            color=colours,
            edgecolor=PAPER,
            hatch=_HATCH,
            linewidth=0,
            zorder=3,
        )
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_xlabel(f"{noun}{', logarithmic' if far else ''}", fontsize=SMALL, color=MUTED)
    set_rows(axes, len(texts))
    put_figures(axes, texts, [INK] * len(texts), size=SMALL)


def _far_apart(axes: Axes, values: Sequence[int], colours: Sequence[str]) -> None:
    low, high = 0.7 * min(value for value in values if value > 0), 1.4 * max(values)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    logarithmic(axes.xaxis, low, high, most=5)
    lines = [at for at, value in enumerate(values) if value > 0]
    shown = [values[at] for at in lines]
    shades = [colours[at] for at in lines]
    axes.hlines(lines, [low] * len(lines), shown, colors=shades, linewidth=2.5, zorder=2)
    axes.scatter(shown, lines, s=64, color=shades, linewidths=0, zorder=3)


def _rows_text(counts: Counters) -> str:
    rows = units.count_text(counts.rows)
    return f"{rows} ({units.count_text(counts.repeated_rows)} repeat)" if counts.repeated_rows else rows


def _alt(summary: CaseSummary, names: Sequence[str], counters: Sequence[Counters]) -> str:
    listed = "; ".join(
        f"{name}: {units.counted(counts.statements, 'statement')}, {units.counted(counts.rows, 'row')}"
        + (f" of which {units.count_text(counts.repeated_rows)} repeat a parent" if counts.repeated_rows else "")
        for name, counts in zip(names, counters, strict=True)
    )
    return f"Statements and rows of one load of {measured(summary.case)}: {listed}."
