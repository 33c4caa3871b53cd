"""Times by target: each strategy on every target, and beside it how far that is from the baseline target."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.reduce.summaries import is_tied
from bench.reduce.types import AcrossTargets, Estimate
from bench.report import units
from bench.report.charts.canvas import (
    GRID,
    INK,
    MUTED,
    NORMAL,
    PAPER,
    SMALL,
    WIDTH_IN,
    Chart,
    finish,
    fitted,
    header,
    label,
    new_sheet,
    place,
    printable,
    width_in,
    write,
)
from bench.report.charts.keys import Key, bar, mark, put_keys, stroke
from bench.report.charts.palette import Hue
from bench.report.charts.rows import EDGE_IN, put_texts
from bench.report.charts.scales import TimeUnit, far_apart, span, time_unit
from bench.report.targets import OVERALL, overall_cell, target_cell, target_headers, target_legend

TITLE = "Time of one load, by strategy and target"

MOST_LANES = 150
"""Lines of a chart; where strategies times targets are more, those that are slowest on the baseline are left out."""

_FIGURES = SMALL - 0.5
_LANE_IN = 0.2
_APART = 0.7
"""Between two strategies, in lanes."""

_TICKS_APART = 0.13
"""The share of an axis that two ticks have to keep apart."""

_LINE_IN = 0.19
_GAP_IN = 0.42
_TOP_IN, _BELOW_IN = 1.02, 0.57


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A strategy on one target. y: where. name: of the strategy, on its first lane only. text: its figure in words."""

    y: float
    name: str
    target: str
    colour: str
    time: Estimate | None
    ratio: Estimate | None
    tied: bool
    text: str


def draw_targets(compared: AcrossTargets, hues: dict[str, Hue], *, stem: str) -> Chart | None:
    """Draw two panels that share the strategies, in each of them a lane a target: times, and ratios to the baseline.

    None where nothing was timed on two targets.
    """
    if not any(on.to_baseline for row in compared.rows for on in row):
        return None
    lanes = list(_lanes(compared, hues))
    headers = target_headers(compared)
    legend = [printable(line) for line in target_legend(compared)]
    figure, top = _sheet(lanes, legend)
    targets_in = width_in(figure, [label(name) for name in headers], size=_FIGURES) + 0.12
    left = EDGE_IN + width_in(figure, [label(lane.name) for lane in lanes]) + 0.14 + targets_in
    right = EDGE_IN + width_in(figure, [lane.text for lane in lanes], size=_FIGURES) + 0.1
    room = WIDTH_IN - left - right - _GAP_IN
    times = place(figure, left=left, right=WIDTH_IN - left - room * 0.5, top=top, bottom=_BELOW_IN)
    ratios = place(figure, left=left + room * 0.5 + _GAP_IN, right=right, top=top, bottom=_BELOW_IN)
    for axes in (times, ratios):
        axes.yaxis.set_visible(False)
        axes.set_ylim(lanes[-1].y + 0.5, -0.5)
    _draw_times(times, lanes, width_in=room * 0.5)
    _draw_ratios(ratios, lanes, compared.noise, label(headers[0]), width_in=room * 0.5)
    where = [(lane.y, label(lane.target), MUTED) for lane in lanes]
    names = [(lane.y, label(lane.name), INK) for lane in lanes if lane.name]
    put_texts(times, where, x=0, offset_pt=-6, side="right", size=_FIGURES)
    put_texts(times, names, x=0, offset_pt=-6 - 72 * (targets_in + 0.02), side="right", size=NORMAL)
    put_texts(ratios, [_figure(lane) for lane in lanes], x=1, offset_pt=6, side="left", size=_FIGURES)
    _put_head(figure, compared, lanes, legend)
    return finish(figure, stem=stem, title=TITLE, alt=_alt(compared, lanes))


def _sheet(lanes: Sequence[Lane], legend: Sequence[str]) -> tuple[Figure, float]:
    """A sheet that is high enough, and the inches of it above the axes."""
    figure = new_sheet(1.0)
    rows = math.ceil(len(legend) / _legend_columns(figure, legend)) if legend else 0
    top = _TOP_IN + rows * _LINE_IN
    figure.set_size_inches(WIDTH_IN, top + _BELOW_IN + _LANE_IN * (lanes[-1].y + 1))
    return figure, top


def _lanes(compared: AcrossTargets, hues: dict[str, Hue]) -> Iterator[Lane]:
    """Yield a lane for each strategy and target, then those of all strategies together."""
    headers = target_headers(compared)
    y = 0.0
    for row in compared.rows[: max(1, MOST_LANES // len(headers))]:
        for at, on in enumerate(row):
            yield Lane(
                y=y + at,
                name=row[0].arm.name if row[0].arm and not at else "",
                target=headers[at],
                colour=hues[row[0].arm.strategy].light if row[0].arm else INK,
                time=on.time,
                ratio=on.to_baseline,
                tied=on.tied,
                text=target_cell(on, at, units.short_ratio_text),
            )
        y += len(headers) + _APART
    name = OVERALL
    for at, ratio in enumerate(compared.overall):
        if ratio is not None:
            yield Lane(
                y=y,
                name=name,
                target=headers[at],
                colour=INK,
                time=None,
                ratio=ratio,
                tied=is_tied(ratio, compared.noise),
                text=overall_cell(compared, at, units.short_ratio_text),
            )
            y, name = y + 1, ""


def _draw_times(axes: Axes, lanes: Sequence[Lane], *, width_in: float) -> None:
    timed = [(lane, lane.time) for lane in lanes if lane.time]
    unit = time_unit(max(time.value for _, time in timed))
    far = far_apart(time.value for _, time in timed)
    span(
        axes,
        [end / unit.ns for _, time in timed for end in (time.low or time.value, time.high or time.value)],
        far=far,
        from_zero=not far,
        ticks=max(4, round(2.4 * width_in)),
    )
    _put_marks(axes, [(lane, time) for lane, time in timed], unit)
    _put_label(axes, [f"time of one load, {unit.name}", f"time, {unit.name}"], far=far, inches=width_in)


def _draw_ratios(axes: Axes, lanes: Sequence[Lane], noise: float | None, first: str, *, width_in: float) -> None:
    """Ratios around a line at 1; what lies within the noise floor lies on a band."""
    found = [(lane, lane.ratio) for lane in lanes if lane.ratio]
    edges = [1 / (1 + noise), 1 + noise] if noise is not None else [1.0]
    ends = [end for _, ratio in found for end in (ratio.low or ratio.value, ratio.high or ratio.value)]
    far = far_apart([*ends, 1.0])
    span(axes, [*ends, *edges], far=far, from_zero=False, ticks=max(3, round(2.2 * width_in)))
    if noise is not None:
        axes.axvspan(*edges, color=GRID, linewidth=0, zorder=0)
    if not far:
        _name_one(axes)
    axes.axvline(1.0, color=MUTED, linewidth=1.2, zorder=1)
    _put_marks(axes, found, TimeUnit(name="", ns=1.0))
    _put_label(axes, [f"ratio to {first}", "ratio"], far=far, inches=width_in)


def _put_label(axes: Axes, texts: Sequence[str], *, far: bool, inches: float) -> None:
    """Name the axis by the first of the texts that its panel has room for, or by the last."""
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    named = [f"{text}, logarithmic" if far else text for text in texts]
    text = next((text for text in named if width_in(figure, [text], size=SMALL) <= inches), named[-1])
    axes.set_xlabel(text, fontsize=SMALL, color=MUTED)


def _name_one(axes: Axes) -> None:
    """Have the line at 1 named on the axis, unless another tick would be too near to be read beside it."""
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    if low <= 1 <= high and all(abs(tick - 1) > _TICKS_APART * (high - low) for tick in ticks):
        axes.set_xticks([*ticks, 1.0])


def _put_marks(axes: Axes, marks: Sequence[tuple[Lane, Estimate]], unit: TimeUnit) -> None:
    """A mark with its interval for each figure, hollow where it is a tie with the baseline's."""
    lines = [(lane, figure.low, figure.high) for lane, figure in marks if figure.low and figure.high]
    axes.hlines(
        [lane.y for lane, _, _ in lines],
        [low / unit.ns for _, low, _ in lines],
        [high / unit.ns for _, _, high in lines],
        colors=[lane.colour for lane, _, _ in lines],
        linewidth=2.4,
        zorder=2,
    )
    axes.scatter(
        [figure.value / unit.ns for _, figure in marks],
        [lane.y for lane, _ in marks],
        s=28,
        facecolor=[PAPER if lane.tied else lane.colour for lane, _ in marks],
        edgecolor=[lane.colour for lane, _ in marks],
        linewidths=1.5,
        zorder=3,
    )


def _figure(lane: Lane) -> tuple[float, str, str]:
    return (lane.y, lane.text, MUTED if lane.tied or not (lane.time or lane.ratio) else INK)


def _put_head(figure: Figure, compared: AcrossTargets, lanes: Sequence[Lane], legend: Sequence[str]) -> None:
    shown, there = sum(bool(lane.name) and lane.name != OVERALL for lane in lanes), len(compared.rows)
    some = f", the first {shown} of {there} strategies" if shown < there else ""
    header(figure, TITLE, f"{_measured(compared)}{some}; collector off, {_sampled(lanes)}")
    put_keys(figure, _keys(compared, lanes))
    if not legend:
        return
    columns = _legend_columns(figure, legend)
    lines, room = math.ceil(len(legend) / columns), (WIDTH_IN - 2 * EDGE_IN) / columns
    for at, line in enumerate(legend):
        column, below = divmod(at, lines)
        text = fitted(figure, line, room)
        write(figure, text, x=EDGE_IN + column * room, y=0.9 + below * _LINE_IN, size=SMALL, color=MUTED)


def _legend_columns(figure: Figure, legend: Sequence[str]) -> int:
    """How many of the legend's lines stand beside one another: as many as have room to, up to three."""
    widest = width_in(figure, legend, size=SMALL) + _GAP_IN
    return max(1, min(3, int((WIDTH_IN - 2 * EDGE_IN) / widest)))


def _measured(compared: AcrossTargets) -> str:
    return f"{compared.case.spec.scenario} {compared.case.spec.size} on {len(compared.views)} targets"


def _sampled(lanes: Sequence[Lane]) -> str:
    ratio = next(lane.ratio for lane in lanes if lane.ratio)
    replicates = units.counted(ratio.workers, "replicate")
    return f"{replicates}, {'no interval from so few' if ratio.low is None else '95 % intervals'}"


def _keys(compared: AcrossTargets, lanes: Sequence[Lane]) -> list[Key]:
    keys = [mark("one load", "o", size=6.5, colour=MUTED)]
    if any(lane.ratio and lane.ratio.low is not None for lane in lanes):
        keys.append(stroke("its interval", colour=MUTED, width=1.8))
    if any(lane.tied for lane in lanes):
        keys.append(mark("tie: no difference can be told", "o", size=6.5, colour=MUTED, edge=1.5, inside=PAPER))
    if compared.noise is not None:
        keys.append(bar(f"noise floor, {units.share_text(compared.noise)}", colour=GRID))
    return keys


def _alt(compared: AcrossTargets, lanes: Sequence[Lane]) -> str:
    figures = "; ".join(f"{f'{lane.name} on ' if lane.name else ''}{lane.target} {lane.text}" for lane in lanes)
    return f"Time of one load of {_measured(compared)}, and ratios to the first of these: {figures}."
