"""Stored runs side by side: a lane for each column of each row; ratios where there are times, and what was counted.

Two kinds of ratio never share a chart: to the first column, of samples that were taken side by side, and to a strategy
of the same run, which is indicative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.reduce.compare import Cell, Comparison, Row
from bench.reduce.types import Estimate
from bench.report import units
from bench.report.charts.canvas import (
    INK,
    LONGEST_LABEL,
    MUTED,
    NORMAL,
    PAPER,
    SMALL,
    WIDTH_IN,
    Chart,
    drawing,
    finish,
    header,
    label,
    new_sheet,
    place,
    printable,
    width_in,
)
from bench.report.charts.keys import Key, mark, put_keys, stroke
from bench.report.charts.palette import Hue, palette
from bench.report.charts.rows import EDGE_IN, put_texts
from bench.report.charts.scales import far_apart, linear, logarithmic, span
from bench.report.columns import TIE
from bench.report.compare_parts import (
    BASELINE,
    BESIDE_CHART,
    COUNTS_CHART,
    INDICATIVE_CHART,
    is_indicative,
    one_baseline,
    row_text,
    shared_labels,
)

MOST_LANES = 150
"""Lines of a chart; of more rows than they have room for, the first are drawn."""

_FIGURES = SMALL - 0.5
_LANE_IN = 0.2
_APART = 0.7
"""Between two rows, in lanes."""

_LONGEST_NAME = 44
"""Characters of a row's name."""

_GAP_IN = 0.3
_TOP_IN, _TOP_WITHOUT_KEYS_IN, _BELOW_IN = 1.02, 0.78, 0.57


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A measurement. y: where. name: of its row, on the first lane only. values: a figure for each panel.

    ratio: with its interval; hollow: it stands for no difference, or for 1 by definition. texts: in words, for each
    panel.
    """

    y: float
    name: str
    column: str
    colour: str
    texts: tuple[str, ...]
    ratio: Estimate | None = None
    values: tuple[int, ...] = ()
    hollow: bool = False


Drawn = Callable[[Row, Cell], Lane | None]


def draw_comparison(comparison: Comparison) -> dict[str, Chart]:
    """Return the charts that there is something for, by the names of their files."""
    hues = comparison_hues(comparison)
    with drawing():
        drawn = (_beside(comparison, hues), _indicative(comparison, hues), _counts(comparison, hues))
        return {chart.stem: chart for chart in drawn if chart}


def comparison_hues(comparison: Comparison) -> dict[str, Hue]:
    """The colours of the strategies that are compared."""
    return palette(cell.point.row.arm.strategy for row in comparison.rows for cell in row.cells if cell)


def _beside(comparison: Comparison, hues: dict[str, Hue]) -> Chart | None:
    def lane(row: Row, cell: Cell) -> Lane | None:
        first = next(each for each in row.cells if each)
        if cell is first and cell.point.row.quiet:
            one = Estimate(value=1.0, low=None, high=None, workers=0, samples=0)
            return _lane(cell, hues, units.short_time_text(cell.point.row.quiet), ratio=one)
        if not cell.ratio:
            return None
        text = TIE if cell.tied else units.short_ratio_text(cell.ratio)
        return _lane(cell, hues, text, ratio=cell.ratio, hollow=cell.tied)

    lanes = list(_lanes(comparison, lane, lambda row: any(cell and cell.ratio for cell in row.cells)))
    if not lanes:
        return None
    return _ratios(
        comparison,
        lanes,
        stem=BESIDE_CHART,
        title="Times, sampled side by side",
        axis="ratio to the first of each row",
        says="collector off; first the time of one load, then the ratio to it",
    )


def _indicative(comparison: Comparison, hues: dict[str, Hue]) -> Chart | None:
    def lane(row: Row, cell: Cell) -> Lane | None:
        if cell.to_baseline:
            return _lane(cell, hues, units.short_ratio_text(cell.to_baseline), ratio=cell.to_baseline)
        if cell.point.row.quiet is None or cell.point.row.arm.name != row.baseline:
            return None
        one = Estimate(value=1.0, low=None, high=None, workers=0, samples=0)
        return _lane(cell, hues, BASELINE, ratio=one, hollow=True)

    lanes = list(_lanes(comparison, lane, is_indicative))
    if not lanes:
        return None
    return _ratios(
        comparison,
        lanes,
        stem=INDICATIVE_CHART,
        title="Times of separate measurements, indicative",
        axis=f"ratio to {label(one_baseline(comparison)) or 'the baseline of the row'}, in the same run and case",
        says="collector off; each beside the same strategy of its own run, and no verdict",
    )


def _counts(comparison: Comparison, hues: dict[str, Hue]) -> Chart | None:
    """Statements and rows, where any of them are not the same in a row."""

    def lane(_row: Row, cell: Cell) -> Lane | None:
        counters = cell.point.row.arm.counters
        if counters is None:
            return None
        values = (counters.statements, counters.rows)
        return _lane(cell, hues, *map(units.count_text, values), values=values)

    def differ(row: Row) -> bool:
        seen = {(each.statements, each.rows) for cell in row.cells if cell and (each := cell.point.row.arm.counters)}
        return len(seen) > 1

    lanes = list(_lanes(comparison, lane, differ))
    if not lanes:
        return None
    title = "Statements and rows of one load, where they differ"
    figure = _sheet(lanes, _TOP_WITHOUT_KEYS_IN)
    left = _left_in(figure, lanes)
    beside = [width_in(figure, [lane.texts[at] for lane in lanes], size=_FIGURES) + 0.1 for at in (0, 1)]
    room = (WIDTH_IN - left - EDGE_IN - sum(beside) - _GAP_IN) / 2
    starts = (left, left + room + beside[0] + _GAP_IN)
    panels = [
        place(figure, left=start, right=WIDTH_IN - start - room, top=_TOP_WITHOUT_KEYS_IN, bottom=_BELOW_IN)
        for start in starts
    ]
    for at, (axes, what) in enumerate(zip(panels, ("statements", "rows"), strict=True)):
        _draw_counts(axes, lanes, at, what)
    _put_names(figure, panels[0], lanes)
    header(figure, title, _measured(comparison, "exact, on any machine"))
    return finish(figure, stem=COUNTS_CHART, title=title, alt=_alt(title, lanes))


def _lane(
    cell: Cell,
    hues: dict[str, Hue],
    *texts: str,
    ratio: Estimate | None = None,
    values: tuple[int, ...] = (),
    hollow: bool = False,
) -> Lane:
    colour = hues[cell.point.row.arm.strategy].light
    return Lane(y=0, name="", column="", colour=colour, texts=texts, ratio=ratio, values=values, hollow=hollow)


def _lanes(comparison: Comparison, lane: Drawn, wanted: Callable[[Row], bool]) -> Iterator[Lane]:
    """Yield the lanes of the rows that are wanted, each in its place, as far as a chart has room for whole rows."""
    y, count = 0.0, 0
    for row in filter(wanted, comparison.rows):
        found = [
            (column, made)
            for column, cell in zip(comparison.columns, row.cells, strict=True)
            if cell and (made := lane(row, cell))
        ]
        count += len(found)
        if count > MOST_LANES and y:
            return
        for at, (column, made) in enumerate(found):
            yield replace(made, y=y + at, name=row_text(comparison, row) if not at else "", column=column)
        y += len(found) + _APART


def _ratios(comparison: Comparison, lanes: Sequence[Lane], *, stem: str, title: str, axis: str, says: str) -> Chart:
    figure = _sheet(lanes)
    left = _left_in(figure, lanes)
    right = EDGE_IN + width_in(figure, [lane.texts[0] for lane in lanes], size=_FIGURES) + 0.1
    axes = place(figure, left=left, right=right, top=_TOP_IN, bottom=_BELOW_IN)
    _prepared(axes, lanes)
    found = [(lane, lane.ratio) for lane in lanes if lane.ratio]
    ends = [end for _, ratio in found for end in (ratio.low or ratio.value, ratio.high or ratio.value)]
    far = far_apart([*ends, 1.0])
    span(axes, [*ends, 1.0], far=far, from_zero=False)
    axes.axvline(1.0, color=MUTED, linewidth=1.2, zorder=1)
    axes.set_xlabel(f"{axis}, logarithmic" if far else axis, fontsize=SMALL, color=MUTED)
    _put_marks(axes, found)
    _put_names(figure, axes, lanes)
    put_texts(
        axes,
        [(lane.y, lane.texts[0], MUTED if lane.hollow else INK) for lane in lanes],
        x=1,
        offset_pt=6,
        side="left",
        size=_FIGURES,
    )
    header(figure, title, _measured(comparison, says))
    put_keys(figure, _keys(found, stem))
    return finish(figure, stem=stem, title=title, alt=_alt(title, lanes))


def _put_marks(axes: Axes, found: Sequence[tuple[Lane, Estimate]]) -> None:
    """A mark for each ratio with its interval, hollow where it says no difference."""
    lines = [(lane, ratio.low, ratio.high) for lane, ratio in found if ratio.low and ratio.high]
    axes.hlines(
        [lane.y for lane, _, _ in lines],
        [low for _, low, _ in lines],
        [high for _, _, high in lines],
        colors=[lane.colour for lane, _, _ in lines],
        linewidth=2.4,
        zorder=2,
    )
    axes.scatter(
        [ratio.value for _, ratio in found],
        [lane.y for lane, _ in found],
        s=28,
        facecolor=[PAPER if lane.hollow else lane.colour for lane, _ in found],
        edgecolor=[lane.colour for lane, _ in found],
        linewidths=1.5,
        zorder=3,
    )


def _draw_counts(axes: Axes, lanes: Sequence[Lane], at: int, what: str) -> None:
    """Bars from nought, or from 1 on a logarithmic axis, where a bar's length compares nothing but its end does."""
    _prepared(axes, lanes)
    values = [lane.values[at] for lane in lanes]
    far = far_apart(values)
    highest = max([*values, 1])
    if far:
        axes.set_xscale("log")
        axes.set_xlim(0.8, highest * 1.35)
        logarithmic(axes.xaxis, 0.8, highest * 1.35, most=4)
    else:
        axes.set_xlim(0, highest * 1.05)
        linear(axes.xaxis, steps=3)
    axes.barh([lane.y for lane in lanes], values, height=0.62, color=[lane.colour for lane in lanes], linewidth=0)
    texts = [(lane.y, lane.texts[at], INK) for lane in lanes]
    put_texts(axes, texts, x=1, offset_pt=6, side="left", size=_FIGURES)
    axes.set_xlabel(f"{what}, logarithmic" if far else what, fontsize=SMALL, color=MUTED)


def _prepared(axes: Axes, lanes: Sequence[Lane]) -> None:
    axes.yaxis.set_visible(False)
    axes.set_ylim(lanes[-1].y + 0.5, -0.5)


def _sheet(lanes: Sequence[Lane], top: float = _TOP_IN) -> Figure:
    return new_sheet(top + _BELOW_IN + _LANE_IN * (lanes[-1].y + 1))


def _columns_in(figure: Figure, lanes: Sequence[Lane]) -> float:
    return width_in(figure, [label(lane.column) for lane in lanes], size=_FIGURES) + 0.12


def _left_in(figure: Figure, lanes: Sequence[Lane]) -> float:
    """Inches from the edge to the axes: the names of the rows, then those of the columns."""
    names = width_in(figure, [_short(lane.name) for lane in lanes], size=_names_size(lanes))
    return EDGE_IN + names + (0.14 if names else 0.0) + _columns_in(figure, lanes)


def _put_names(figure: Figure, axes: Axes, lanes: Sequence[Lane]) -> None:
    columns = [(lane.y, label(lane.column), MUTED) for lane in lanes]
    names = [(lane.y, _short(lane.name), INK) for lane in lanes if lane.name]
    put_texts(axes, columns, x=0, offset_pt=-6, side="right", size=_FIGURES)
    offset_pt = -6 - 72 * (_columns_in(figure, lanes) + 0.02)
    put_texts(axes, names, x=0, offset_pt=offset_pt, side="right", size=_names_size(lanes))


def _short(name: str) -> str:
    """The name of a row, cut in the middle where it has no room: it may be that of a scenario, a size and a target."""
    name = printable(name)
    half = (_LONGEST_NAME - 1) // 2
    return name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[-half:]}"


def _names_size(lanes: Sequence[Lane]) -> float:
    return SMALL if any(len(lane.name) > LONGEST_LABEL for lane in lanes) else NORMAL


def _measured(comparison: Comparison, says: str) -> str:
    shared = " ".join(value for _, value in shared_labels(comparison))
    return f"{shared}; {says}" if shared else says


def _keys(found: Sequence[tuple[Lane, Estimate]], stem: str) -> list[Key]:
    keys = [mark("one load", "o", size=6.5, colour=MUTED)]
    if any(ratio.low is not None for _, ratio in found):
        keys.append(stroke("its 95 % interval", colour=MUTED, width=1.8))
    if any(lane.hollow for lane, _ in found):
        hollow = "the baseline itself" if stem == INDICATIVE_CHART else "tie: no difference can be told"
        keys.append(mark(hollow, "o", size=6.5, colour=MUTED, edge=1.5, inside=PAPER))
    return keys


def _alt(title: str, lanes: Sequence[Lane]) -> str:
    figures = "; ".join(
        f"{f'{lane.name} on ' if lane.name else ''}{lane.column} {' / '.join(lane.texts)}" for lane in lanes
    )
    return printable(f"{title}: {figures}.")
