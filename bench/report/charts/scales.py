"""Axes for times and counts: one unit an axis, plain numbers, logarithmic only where the values are far apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from bench.report.charts.canvas import GRID

FAR_APART = 20.0
"""Largest over smallest from which on a logarithmic axis is used: below it, lengths can be compared by eye."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeUnit:
    """What one step of an axis stands for: `ns` nanoseconds."""

    name: str
    ns: float


UNITS = (
    TimeUnit(name="s", ns=1e9),
    TimeUnit(name="ms", ns=1e6),
    TimeUnit(name="µs", ns=1e3),
    TimeUnit(name="ns", ns=1.0),
)


def time_unit(largest_ns: float) -> TimeUnit:
    """The largest unit that the largest time reaches."""
    return next((unit for unit in UNITS if largest_ns >= unit.ns), UNITS[-1])


def far_apart(values: Iterable[float]) -> bool:
    """Whether the positive values need a logarithmic axis."""
    positive = [value for value in values if value > 0]
    return bool(positive) and max(positive) > FAR_APART * min(positive)


def plain(value: float) -> str:
    """A tick's number: thousands separated, no exponent, no more digits than it has."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}"


def linear(axis: Axis, *, steps: int = 6) -> None:
    """Whole, round steps."""
    axis.set_major_locator(MaxNLocator(nbins=steps, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))


def logarithmic(axis: Axis, low: float, high: float, *, most: int = 7) -> None:
    """Ticks at powers of ten, with 2 and 5 between them where that leaves no more than `most`."""
    subs: tuple[float, ...]
    for subs in ((1, 2, 5), (1, 3), (1,)):
        ticks = [sub * 10.0**power for power in range(-12, 19) for sub in subs if low <= sub * 10.0**power <= high]
        if 2 <= len(ticks) <= most:
            axis.set_major_locator(FixedLocator(ticks))
            break
    else:
        axis.set_major_locator(LogLocator(numticks=most))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))


def span(axes: Axes, values: Iterable[float], *, far: bool, from_zero: bool, ticks: int = 7) -> None:
    """Scale the x axis to the values, with room at both ends; zero is shown on a linear axis where it is asked for."""
    positive = sorted(value for value in values if value > 0) or [1.0]
    low, high = positive[0], positive[-1]
    if far:
        low, high = low / 1.35, high * 1.35
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        logarithmic(axes.xaxis, low, high, most=ticks)
    else:
        room = (high - (0 if from_zero else low)) * 0.05 or high * 0.05
        axes.set_xlim(0 if from_zero else max(0.0, low - room), high + room)
        linear(axes.xaxis, steps=ticks - 1)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
