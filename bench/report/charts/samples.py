"""Every sample that was taken, so that noise can be seen: a line a strategy, in it a lane a worker, twins included."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from statistics import median

from matplotlib.axes import Axes

from bench.model import Arm, Samples
from bench.model.run import Collector
from bench.reduce.types import CaseSummary
from bench.report import units
from bench.report.charts.canvas import (
    GRID,
    INK,
    MUTED,
    SMALL,
    WIDTH_IN,
    Chart,
    finish,
    header,
    new_sheet,
    place,
    write,
)
from bench.report.charts.keys import mark, put_keys
from bench.report.charts.palette import Hue
from bench.report.charts.rows import EDGE_IN, measured, names_in, put_names, row_in, set_rows
from bench.report.charts.scales import TimeUnit, far_apart, span, time_unit

TITLE = "Every sample, by strategy and worker"
CROWDED_LANE = 40
"""Samples of one worker from which on the marks are small and let one another show through."""

MOST_MARKS = 3_000
"""Samples of a panel from which on its SVG holds them as a picture: each mark of its own takes a hundred bytes."""

_LANES = 0.7
"""Share of a line's height that its workers' lanes take."""

_GAP_IN = 0.35
_TOP_IN = 1.15


def draw_samples(summary: CaseSummary, hues: dict[str, Hue], *, stem: str) -> Chart:
    """One panel a collector policy that was sampled: off, and the interpreter's own.

    summary: at least one strategy of it was timed.
    """
    arms = _arms(summary)
    names = [arm.name for arm in arms]
    panels = [(collector, text) for collector, text in _POLICIES if any(_of(arm, collector) for arm in arms)]
    marks = sum(len(_of(arm, collector) or ()) for arm in arms for collector, _ in panels)
    height = row_in(len(arms)) * 1.15
    figure = new_sheet(_TOP_IN + 0.6 + height * len(arms))
    left = names_in(figure, names)
    room = WIDTH_IN - left - EDGE_IN - _GAP_IN * (len(panels) - 1)
    unit = time_unit(max(wall for arm in arms for _, wall in _of(arm, "quiet")))
    widths = [room] if len(panels) == 1 else [room * 0.62, room * 0.38]
    start = left
    for at, ((collector, text), width) in enumerate(zip(panels, widths, strict=True)):
        axes = place(figure, left=start, right=WIDTH_IN - start - width, top=_TOP_IN, bottom=0.6)
        _panel(axes, [(arm, _of(arm, collector)) for arm in arms], hues, unit, width_in=width)
        set_rows(axes, len(names))
        if not at:
            put_names(axes, names)
        write(figure, text, x=start, y=_TOP_IN - 0.22, size=SMALL, color=INK, weight="bold")
        start += width + _GAP_IN
    header(
        figure, TITLE, f"{measured(summary.case)}; {units.counted(marks, 'sample')}, the scales do not begin at zero"
    )
    put_keys(
        figure,
        [
            mark("one load; a lane is a worker", "o", size=4.5, colour=MUTED),
            mark("median of the worker", "|", size=9, colour=INK, edge=1.4),
        ],
    )
    return finish(figure, stem=stem, title=TITLE, alt=_alt(summary, arms, marks))


_POLICIES: tuple[tuple[Collector, str], ...] = (("quiet", "collector off"), ("default", "default collector"))


def _arms(summary: CaseSummary) -> list[Arm]:
    """The strategies that were timed, fastest first, each with its twin below it."""
    twins = [arm for arm in summary.case.arms if arm.kind == "twin" and _of(arm, "quiet")]
    return [
        arm
        for row in summary.rows
        if row.quiet
        for arm in (row.arm, *(twin for twin in twins if twin.strategy == row.arm.strategy))
    ]


def _of(arm: Arm, collector: Collector) -> list[tuple[int, int]]:
    """The samples of an arm under a policy, as (worker, wall ns), by worker."""
    return sorted(pair for samples in arm.samples if samples.collector == collector for pair in _pairs(samples))


def _pairs(samples: Samples) -> zip[tuple[int, int]]:
    return zip(samples.worker, samples.wall_ns, strict=True)


def _panel(
    axes: Axes,
    taken: Sequence[tuple[Arm, list[tuple[int, int]]]],
    hues: dict[str, Hue],
    unit: TimeUnit,
    *,
    width_in: float,
) -> None:
    walls = [wall for _, pairs in taken for _, wall in pairs]
    lanes = 1 + max(worker for _, pairs in taken for worker, _ in pairs)
    crowded = len(walls) > CROWDED_LANE * lanes * len(taken)
    rasterised = len(walls) > MOST_MARKS
    medians: list[tuple[float, float]] = []
    for at, (arm, pairs) in enumerate(taken):
        places = [(wall / unit.ns, at + _lane(worker, lanes)) for worker, wall in pairs]
        axes.plot(
            [x for x, _ in places],
            [y for _, y in places],
            linestyle="none",
            marker="o",
            markersize=2.4 if crowded else 3.6,
            markeredgewidth=0,
            color=hues[arm.strategy].light,
            alpha=0.4 if crowded else 0.75,
            rasterized=rasterised,
        )
        for worker, group in groupby(pairs, key=lambda pair: pair[0]):
            medians.append((median(wall for _, wall in group) / unit.ns, at + _lane(worker, lanes)))
    axes.plot(
        [x for x, _ in medians],
        [y for _, y in medians],
        linestyle="none",
        marker="|",
        markersize=max(3.0, 40 * _LANES * row_in(len(taken)) / lanes),
        mew=1.4,
        color=INK,
        rasterized=rasterised,
    )
    far = far_apart(walls)
    span(axes, [wall / unit.ns for wall in walls], far=far, from_zero=False, ticks=round(1.5 * width_in))
    axes.hlines([at - 0.5 for at in range(1, len(taken))], *axes.get_xlim(), color=GRID, linewidth=0.8, zorder=1)
    axes.set_xlabel(f"time of one load, {unit.name}{', logarithmic' if far else ''}", fontsize=SMALL, color=MUTED)


def _lane(worker: int, lanes: int) -> float:
    """How far from the middle of its line a worker's lane is; the first one on top."""
    return ((worker + 0.5) / lanes - 0.5) * _LANES


def _alt(summary: CaseSummary, arms: Sequence[Arm], marks: int) -> str:
    ranges = []
    for arm in arms:
        walls = [wall for _, wall in _of(arm, "quiet")]
        unit = time_unit(max(walls))
        ranges.append(f"{arm.name} {min(walls) / unit.ns:,.3g} to {max(walls) / unit.ns:,.3g} {unit.name}")
    return f"All {marks:,} samples of {measured(summary.case)}, one dot each. Collector off: {'; '.join(ranges)}."
