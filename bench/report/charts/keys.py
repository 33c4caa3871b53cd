"""The line of keys under a chart's header: what its bars, rings and strokes stand for.

matplotlib's own legend lays out any number of columns and takes a sixth of a chart's time for it; this is one line.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from bench.report.charts.canvas import MUTED, SMALL, width_in
from bench.report.charts.rows import EDGE_IN

Key = tuple[Rectangle | Line2D, str]
"""A sample of what is drawn, and the words for it."""

_HIGH_IN = 0.11
_WIDE_IN, _MARK_IN = 0.24, 0.13
_BEFORE_TEXT_IN, _APART_IN = 0.07, 0.24


def bar(text: str, *, colour: str = MUTED, hatch: str | None = None, hatched_in: str = MUTED) -> Key:
    """A key for bars."""
    sample = Rectangle((0, 0), _WIDE_IN, _HIGH_IN, facecolor=colour, edgecolor=hatched_in, hatch=hatch, linewidth=0)
    return sample, text


def mark(text: str, marker: str, *, size: float, colour: str, edge: float = 0, inside: str | None = None) -> Key:
    """A key for a single mark; inside: what fills it, if not its colour."""
    face = colour if inside is None else inside
    sample = Line2D([0], [0], linestyle="none", marker=marker, markersize=size, mec=colour, mfc=face, mew=edge)
    return sample, text


def stroke(text: str, *, colour: str, width: float) -> Key:
    """A key for a line with a cross-stroke."""
    sample = Line2D([0] * 3, [0] * 3, color=colour, linewidth=width, marker="|", markersize=7, mew=width)
    sample.set_markevery([1])
    return sample, text


def key_in(figure: Figure, key: Key) -> float:
    """Inches that a key for bars takes on its line, with what stands between it and the next."""
    return _WIDE_IN + _BEFORE_TEXT_IN + width_in(figure, [key[1]], size=SMALL) + _APART_IN


def put_keys(figure: Figure, keys: Sequence[Key], *, y: float = 0.74) -> None:
    """Place the keys on one line, its middle `y` inches below the top."""
    height = float(figure.get_size_inches()[1])
    x, middle = EDGE_IN, height - y
    for sample, text in keys:
        if isinstance(sample, Rectangle):
            wide = _WIDE_IN
            sample.set_xy((x, middle - _HIGH_IN / 2))
        else:
            points = len(sample.get_xdata(orig=True))  # type: ignore[arg-type]
            wide = _WIDE_IN if points > 1 else _MARK_IN
            places = [x + wide * at / 2 for at in range(3)] if points > 1 else [x + wide / 2]
            sample.set_data(places, [middle] * points)
        sample.set_transform(figure.dpi_scale_trans)
        figure.add_artist(sample)
        x += wide + _BEFORE_TEXT_IN
        figure.text(x, middle, text, transform=figure.dpi_scale_trans, size=SMALL, va="center_baseline")
        x += width_in(figure, [text], size=SMALL) + _APART_IN
