"""Time by strategy: the fastest on top, its interval, what the collector adds, and the floor under it."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from bench.reduce.types import ArmSummary, CaseSummary, Estimate
from bench.report import units
from bench.report.charts.canvas import (
    INK,
    MUTED,
    NORMAL,
    PAPER,
    SMALL,
    Chart,
    finish,
    header,
    new_sheet,
    place,
    width_in,
)
from bench.report.charts.keys import Key, bar, mark, put_keys, stroke
from bench.report.charts.palette import Hue
from bench.report.charts.rows import EDGE_IN, measured, names_in, put_figures, put_names, row_in, sampled, set_rows
from bench.report.charts.scales import TimeUnit, far_apart, span, time_unit

TITLE = "Time of one load, by strategy"
NOT_TIMED = "not timed"

Rows = Sequence[ArmSummary]


def draw_times(summary: CaseSummary, hues: dict[str, Hue], *, stem: str) -> Chart:
    """Bars of the quiet time, from zero; marks instead of bars where the strategies lie too far apart for that.

    summary: at least one strategy of it was timed.
    """
    rows = summary.rows
    names = [row.arm.name for row in rows]
    floors = {floor.arm.strategy: floor.quiet for floor in summary.floors if floor.quiet}
    figures = [units.short_time_text(row.quiet) if row.quiet else NOT_TIMED for row in rows]
    figure = new_sheet(1.55 + row_in(len(rows)) * len(rows))
    right = EDGE_IN + width_in(figure, figures) + 0.12
    axes = place(figure, left=names_in(figure, names), right=right, top=0.98, bottom=0.57)
    drawn = [time for row in rows for time in (row.quiet, row.default, floors.get(row.arm.strategy)) if time]
    unit = time_unit(max(row.quiet.value for row in rows if row.quiet))
    far = far_apart(row.quiet.value for row in rows if row.quiet)
    span(axes, [end / unit.ns for time in drawn for end in _ends(time)], far=far, from_zero=True)
    _draw_default(axes, rows, hues, unit)
    _draw_quiet(axes, rows, hues, unit, bars=not far)
    _draw_floors(axes, [floors.get(row.arm.strategy) for row in rows], unit)
    set_rows(axes, len(rows))
    put_names(axes, names)
    put_figures(axes, figures, [INK if row.quiet else MUTED for row in rows], size=NORMAL)
    axes.set_xlabel(f"time of one load, {unit.name}{', logarithmic' if far else ''}", fontsize=SMALL, color=MUTED)
    noise = f", noise floor {units.share_text(summary.noise)}" if summary.noise is not None else ""
    header(figure, TITLE, f"{measured(summary.case)}; {sampled(summary)}{noise}")
    put_keys(figure, _keys(rows, bool(floors), bars=not far))
    return finish(figure, stem=stem, title=TITLE, alt=_alt(summary, figures))


def _draw_quiet(axes: Axes, rows: Rows, hues: dict[str, Hue], unit: TimeUnit, *, bars: bool) -> None:
    """The figure that strategies are compared by, with its interval."""
    timed = [(at, row.quiet, hues[row.arm.strategy].light) for at, row in enumerate(rows) if row.quiet]
    lines = [at for at, _, _ in timed]
    values = [time.value / unit.ns for _, time, _ in timed]
    colours = [colour for _, _, colour in timed]
    if bars:
        axes.barh(lines, values, height=0.56, color=colours, zorder=2)
    else:
        axes.scatter(values, lines, s=80, color=colours, linewidths=0, zorder=3)
    intervals = _intervals([(at, time) for at, time, _ in timed], unit)
    axes.hlines(*intervals, color=INK, linewidth=1.8, zorder=5)
    if bars:
        places, lows, highs = intervals
        axes.plot([*lows, *highs], [*places, *places], linestyle="none", marker="|", ms=7, mew=1.8, color=INK, zorder=5)


def _draw_default(axes: Axes, rows: Rows, hues: dict[str, Hue], unit: TimeUnit) -> None:
    """The same load with the interpreter's own collector: a ring, joined to the quiet time."""
    timed = [
        (at, row.quiet, row.default, hues[row.arm.strategy].light)
        for at, row in enumerate(rows)
        if row.quiet and row.default
    ]
    lines = [at for at, *_ in timed]
    values = [default.value / unit.ns for _, _, default, _ in timed]
    colours = [colour for *_, colour in timed]
    axes.hlines(lines, [quiet.value / unit.ns for _, quiet, _, _ in timed], values, colors=colours, linewidth=1.4)
    wide = [(at, default, colour) for at, _, default, colour in timed if default.low is not None]
    intervals = _intervals([(at, default) for at, default, _ in wide], unit)
    axes.hlines(*intervals, colors=[colour for *_, colour in wide], linewidth=4.0)
    axes.scatter(values, lines, s=56, facecolor=PAPER, edgecolor=colours, linewidths=1.8, zorder=3)


def _draw_floors(axes: Axes, floors: Sequence[Estimate | None], unit: TimeUnit) -> None:
    """A stroke across the bar, with a rim so that it is seen on any colour."""
    lines = [at for at, floor in enumerate(floors) if floor]
    values = [floor.value / unit.ns for floor in floors if floor]
    for width, colour in ((5.0, PAPER), (2.2, INK)):
        axes.plot(values, lines, linestyle="none", marker="|", ms=15, mew=width, color=colour, zorder=4)


def _intervals(times: Sequence[tuple[int, Estimate]], unit: TimeUnit) -> tuple[list[int], list[float], list[float]]:
    """Lines, lower and upper ends of the times that have an interval."""
    ends = [(at, time.low, time.high) for at, time in times if time.low is not None and time.high is not None]
    return (
        [at for at, _, _ in ends],
        [low / unit.ns for _, low, _ in ends],
        [high / unit.ns for _, _, high in ends],
    )


def _ends(time: Estimate) -> tuple[float, float]:
    return (time.low or time.value, time.high or time.value)


def _keys(rows: Rows, floors: bool, *, bars: bool) -> list[Key]:
    keys = [bar("collector off") if bars else mark("collector off", "o", size=9, colour=MUTED)]
    if any(row.quiet and row.quiet.low is not None for row in rows):
        keys.append(stroke("its interval", colour=INK, width=1.8))
    defaults = [row.default for row in rows if row.default]
    if defaults:
        without = [time for time in defaults if time.low is None]
        doubt = " (no band: no interval)" if len(without) < len(defaults) else ", no interval"
        keys.append(
            mark("default collector" + (doubt if without else ""), "o", size=7.5, colour=MUTED, edge=1.8, inside=PAPER)
        )
    if floors:
        keys.append(mark("floor: its SQL without the ORM", "|", size=13, colour=INK, edge=2.2))
    return keys


def _alt(summary: CaseSummary, figures: list[str]) -> str:
    listed = "; ".join(f"{row.arm.name} {figure}" for row, figure in zip(summary.rows, figures, strict=True))
    return f"Time of one load of {measured(summary.case)}, fastest first: {listed}."
