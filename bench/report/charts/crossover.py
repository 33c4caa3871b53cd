"""Crossover: the time of every strategy as one number of the size grows, and where the winner changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bench.reduce.types import ArmSummary, Crossover, CrossoverPoint, Estimate
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
from bench.report.charts.palette import Hue
from bench.report.charts.rows import EDGE_IN
from bench.report.charts.scales import TimeUnit, logarithmic, plain, time_unit

AXES = {"children": "children of each parent", "grandchildren": "grandchildren of each child"}
"""What the growing number counts, in full."""

UNCERTAIN = "Not certain (broken line): at one of the two sizes these strategies tie."
UNCLAIMED = "Not certain (broken line): without intervals no crossover is claimed."

_PLOT_IN = 3.6
_LINE_IN = 0.21


def draw_crossover(crossover: Crossover, hues: dict[str, Hue], *, stem: str) -> Chart | None:
    """Lines on logarithmic axes, intervals as bands, the changes of the winner numbered and named below.

    None where no strategy was timed at two sizes or more.
    """
    lines = _lines(crossover)
    if not lines:
        return None
    case = crossover.cases[0].case
    title = f"Time of one load against {AXES.get(crossover.axis, crossover.axis)}"
    notes = [point_text(number, point, crossover.axis) for number, point in enumerate(crossover.points, start=1)]
    if not notes:
        notes = ["The winner does not change between these sizes."]
    elif not all(point.certain for point in crossover.points):
        notes.append(UNCERTAIN if _has_intervals(lines) else UNCLAIMED)
    below = 0.62 + 0.14 + _LINE_IN * len(notes)
    figure = new_sheet(0.85 + _PLOT_IN + below)
    right = EDGE_IN + width_in(figure, [label(name) for name in lines]) + 0.3
    times = [time.value for line in lines.values() for _, time in line]
    unit = time_unit(math.sqrt(min(times)) * math.sqrt(max(times)))
    axes = place(figure, left=0.95, right=right, top=0.85, bottom=below)
    axes.spines["left"].set_visible(True)
    _scale(axes, crossover, lines, unit)
    for name, line in lines.items():
        _draw_line(axes, line, hues[name], unit)
    _put_names(axes, lines, hues, unit, width_in=WIDTH_IN - 0.95 - right, height_in=_PLOT_IN)
    _put_points(axes, crossover, lines, unit)
    axes.set_xlabel(AXES.get(crossover.axis, crossover.axis), fontsize=SMALL, color=MUTED)
    axes.set_ylabel(f"time of one load, {unit.name}", fontsize=SMALL, color=MUTED)
    _put_notes(figure, notes)
    intervals = "bands are 95 % intervals" if _has_intervals(lines) else "no intervals: fewer than five workers"
    header(
        figure, title, f"{case.spec.scenario} {crossover.fixed} on {case.targets[0].name}; collector off, {intervals}"
    )
    return finish(figure, stem=stem, title=title, alt=f"{title}, {crossover.fixed}. {' '.join(notes)}")


def point_text(number: int, point: CrossoverPoint, axis: str) -> str:
    """A change of the winner, as the chart's key and its text alternative say it."""
    doubt = "" if point.certain else ", not certain"
    return (
        f"{number}: {label(point.winner_before)} up to about {plain(float(f'{point.at:.2g}'))} {axis}, then "
        f"{label(point.winner_after)} ({point.before.size} to {point.after.size}{doubt})"
    )


Line = list[tuple[int, Estimate]]


def _count(crossover: Crossover, at: int) -> int:
    level = crossover.fixed.split("x").index("n")
    return crossover.cases[at].case.spec.size.counts[level]


def _lines(crossover: Crossover) -> dict[str, Line]:
    """The quiet times of every strategy that was timed at two sizes or more, by the growing number."""
    lines: dict[str, Line] = {}
    for at, case in enumerate(crossover.cases):
        for row in case.rows:
            if row.quiet:
                lines.setdefault(_name(row), []).append((_count(crossover, at), row.quiet))
    return {name: line for name, line in lines.items() if len(line) > 1}


def _name(row: ArmSummary) -> str:
    return row.arm.strategy


def _has_intervals(lines: dict[str, Line]) -> bool:
    return any(time.low is not None for line in lines.values() for _, time in line)


def _scale(axes: Axes, crossover: Crossover, lines: dict[str, Line], unit: TimeUnit) -> None:
    counts = sorted({_count(crossover, at) for at in range(len(crossover.cases))})
    ends = [
        end / unit.ns
        for line in lines.values()
        for _, time in line
        for end in (time.low or time.value, time.high or time.value)
    ]
    low, high = min(ends) / 1.25, max(ends) * 1.25
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(counts[0] / 1.08, counts[-1] * 1.08)
    axes.set_ylim(low, high)
    logarithmic(axes.yaxis, low, high)
    axes.xaxis.set_major_locator(FixedLocator(_spread(counts)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: units.count_text(round(value))))
    axes.grid(color=GRID, linewidth=0.8)


def _spread(counts: Sequence[int], most: int = 12) -> list[int]:
    """The sizes to write on the axis: all of them, or as many as keep apart on a logarithmic scale."""
    least = math.log(counts[-1] / counts[0]) / most
    kept = [counts[0]]
    for count in counts[1:]:
        if math.log(count / kept[-1]) >= least:
            kept.append(count)
    return kept


def _draw_line(axes: Axes, line: Line, hue: Hue, unit: TimeUnit) -> None:
    counts = [count for count, _ in line]
    axes.plot(
        counts,
        [time.value / unit.ns for _, time in line],
        color=hue.light,
        linewidth=1.8,
        marker=hue.marker,
        markersize=5.5,
        mew=0,
        zorder=3,
    )
    axes.fill_between(
        counts,
        [(time.low or time.value) / unit.ns for _, time in line],
        [(time.high or time.value) / unit.ns for _, time in line],
        color=hue.light,
        alpha=0.22,
        linewidth=0,
        zorder=2,
    )


def _put_names(
    axes: Axes, lines: dict[str, Line], hues: dict[str, Hue], unit: TimeUnit, *, width_in: float, height_in: float
) -> None:
    """Each line's name at its right end, moved apart where ends lie close, with a thread back to the end."""
    low, high = (math.log(end) for end in axes.get_ylim())
    ends = sorted((math.log(line[-1][1].value / unit.ns), name) for name, line in lines.items())
    wanted = [(end - low) / (high - low) * height_in for end, _ in ends]
    apart = min(0.2, height_in / max(1, len(ends)))
    for (end, name), inches in zip(ends, _apart(wanted, apart, height_in), strict=True):
        last = lines[name][-1][0]
        axes.annotate(
            label(name),
            xy=(last, math.exp(end)),
            xytext=(1 + 0.22 / width_in, inches / height_in),
            textcoords="axes fraction",
            va="center",
            fontsize=NORMAL if apart >= 0.19 else SMALL - 1,
            color=INK,
            arrowprops={
                "arrowstyle": "-",
                "color": hues[name].light,
                "linewidth": 1.0,
                "shrinkA": 1,
                "shrinkB": 4,
                "relpos": (0, 0.5),
            },
            annotation_clip=False,
        )


def _apart(wanted: Sequence[float], least: float, height: float) -> list[float]:
    """Ascending places as near to the wanted ones as may be, at least `least` from one another and inside `height`.

    Neighbours that are too close become a block about their middle; blocks that touch are joined (the pooling of
    isotonic regression), which is the least-squares answer.
    """
    blocks: list[tuple[float, int]] = []
    for at, place_ in enumerate(wanted):
        blocks.append((place_ - at * least, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (mean, size), (other, count) = blocks.pop(), blocks.pop()
            blocks.append(((mean * size + other * count) / (size + count), size + count))
    most = height - least * (len(wanted) - 1)
    free = [min(max(0.0, mean), max(0.0, most)) for mean, size in blocks for _ in range(size)]
    return [place_ + at * least for at, place_ in enumerate(free)]


def _put_points(axes: Axes, crossover: Crossover, lines: dict[str, Line], unit: TimeUnit) -> None:
    """A numbered mark where two lines cross, and a line down to the axis; broken where the change is not certain."""
    for number, point in enumerate(crossover.points, start=1):
        height = _height(lines.get(point.winner_before, []), point.at)
        if height is None:
            continue
        axes.axvline(point.at, color=INK, linewidth=1.0, linestyle="-" if point.certain else (0, (4, 3)), zorder=1)
        axes.plot(point.at, height / unit.ns, marker="o", markersize=9, mfc="none", mec=INK, mew=1.4, zorder=5)
        axes.annotate(
            str(number),
            (point.at, 1 - 0.06 * ((number - 1) % 2)),
            xycoords=("data", "axes fraction"),
            xytext=(0, -9),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=SMALL,
            weight="bold",
            color=INK,
            bbox={"boxstyle": "circle,pad=0.25", "facecolor": PAPER, "edgecolor": INK, "linewidth": 1.0},
            zorder=6,
        )


def _height(line: Line, at: float) -> float | None:
    """The time on a strategy's line at a count, straight between its neighbours on logarithmic scales."""
    for (before, first), (after, last) in pairwise(line):
        if before <= at <= after:
            share = math.log(at / before) / math.log(after / before)
            return math.exp(math.log(first.value) + share * math.log(last.value / first.value))
    return None


def _put_notes(figure: Figure, notes: Sequence[str]) -> None:
    height = float(figure.get_size_inches()[1])
    for at, note in enumerate(reversed(notes)):
        write(
            figure,
            fitted(figure, printable(note), WIDTH_IN - 2 * EDGE_IN),
            x=EDGE_IN,
            y=height - 0.1 - _LINE_IN * (at + 1) + 0.04,
            size=SMALL,
            color=INK,
        )
