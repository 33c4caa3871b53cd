"""Time by strategy: the fastest on top, its interval, what the collector adds, and the floor under it."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bench.reduce.types import ArmSummary, CaseSummary, Estimate
from bench.report import units
from bench.report.charts.canvas import (
    INK,
    MUTED,
    PAPER,
    SMALL,
    Chart,
    finish,
    header,
    legend,
    new_sheet,
    place,
    width_in,
)
from bench.report.charts.palette import Hue
from bench.report.charts.rows import EDGE_IN, measured, names_in, put_names, row_in, sampled
from bench.report.charts.scales import TimeUnit, far_apart, span, time_unit

TITLE = "Time of one load, by strategy"
NOT_TIMED = "not timed"


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
    for at, row in enumerate(rows):
        _draw_row(axes, at, row, floors.get(row.arm.strategy), hues[row.arm.strategy], unit, bar=not far)
        axes.annotate(
            figures[at],
            (1, at),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center_baseline",
            color=INK if row.quiet else MUTED,
            annotation_clip=False,
        )
    put_names(axes, names)
    axes.set_xlabel(f"time of one load, {unit.name}{', logarithmic' if far else ''}", fontsize=SMALL, color=MUTED)
    noise = f", noise floor {units.share_text(summary.noise)}" if summary.noise is not None else ""
    header(figure, TITLE, f"{measured(summary.case)}; {sampled(summary)}{noise}")
    legend(figure, _keys(rows, bool(floors), bar=not far), y=0.64)
    return finish(figure, stem=stem, title=TITLE, alt=_alt(summary, figures))


def _draw_row(
    axes: Axes, at: int, row: ArmSummary, floor: Estimate | None, hue: Hue, unit: TimeUnit, *, bar: bool
) -> None:
    if row.quiet is None:
        return
    quiet = row.quiet.value / unit.ns
    if row.default:
        default = row.default.value / unit.ns
        axes.plot([quiet, default], [at, at], color=hue.light, linewidth=1.4, zorder=2)
        _interval(axes, at, row.default, unit, colour=hue.light, width=4.0)
        axes.plot(default, at, marker="o", markersize=7.5, markerfacecolor=PAPER, markeredgecolor=hue.light, mew=1.8)
    if bar:
        axes.barh(at, quiet, height=0.56, color=hue.light, zorder=2)
    else:
        axes.plot(quiet, at, marker="o", markersize=9, color=hue.light, mew=0, zorder=3)
    _interval(axes, at, row.quiet, unit, colour=INK, width=1.8, caps=bar)
    if floor:
        for width, colour in ((5.0, PAPER), (2.2, INK)):
            axes.plot(floor.value / unit.ns, at, marker="|", markersize=15, mew=width, color=colour, zorder=4)


def _interval(
    axes: Axes, at: int, time: Estimate, unit: TimeUnit, *, colour: str, width: float, caps: bool = False
) -> None:
    if time.low is None or time.high is None:
        return
    ends = [time.low / unit.ns, time.high / unit.ns]
    marker = "|" if caps else "none"
    axes.plot(
        ends,
        [at, at],
        color=colour,
        linewidth=width,
        marker=marker,
        markersize=7,
        markeredgewidth=width,
        solid_capstyle="butt",
        zorder=5 if colour == INK else 2,
    )


def _ends(time: Estimate) -> tuple[float, float]:
    return (time.low or time.value, time.high or time.value)


def _keys(rows: tuple[ArmSummary, ...], floors: bool, *, bar: bool) -> list[Patch | Line2D]:
    quiet: Patch | Line2D
    if bar:
        quiet = Patch(color=MUTED, label="collector off")
    else:
        quiet = Line2D([], [], marker="o", markersize=8, color=MUTED, linewidth=0, label="collector off")
    keys = [quiet]
    if any(row.quiet and row.quiet.low is not None for row in rows):
        keys.append(Line2D([], [], color=INK, marker="|", markersize=7, mew=1.8, linewidth=1.8, label="its interval"))
    if any(row.default for row in rows):
        keys.append(
            Line2D(
                [],
                [],
                marker="o",
                mfc=PAPER,
                mec=MUTED,
                mew=1.8,
                markersize=7.5,
                linewidth=0,
                label="default collector",
            )
        )
    if floors:
        keys.append(
            Line2D(
                [],
                [],
                marker="|",
                markersize=13,
                mew=2.2,
                color=INK,
                linewidth=0,
                label="floor: its SQL without the ORM",
            )
        )
    return keys


def _alt(summary: CaseSummary, figures: list[str]) -> str:
    listed = "; ".join(f"{row.arm.name} {figure}" for row, figure in zip(summary.rows, figures, strict=True))
    return f"Time of one load of {measured(summary.case)}, fastest first: {listed}."
