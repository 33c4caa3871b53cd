"""What the charts with one line a strategy share: the names down the left side, in the order of the table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from bench.model import Case
from bench.reduce.types import CaseSummary
from bench.report.charts.canvas import INK, NORMAL, label, width_in

EDGE_IN = 0.15
"""Left free at both sides of a sheet."""


def row_in(count: int) -> float:
    """Inches that one of `count` lines gets."""
    return 0.4 if count <= 8 else 0.33 if count <= 14 else 0.28


def names_in(figure: Figure, names: Sequence[str]) -> float:
    """Inches from the left edge of the sheet to where the axes begin."""
    return EDGE_IN + width_in(figure, [label(name) for name in names], size=NORMAL) + 0.12


def set_rows(axes: Axes, count: int) -> None:
    """Give the axes `count` lines, the first on top; what stands beside them is text, since ticks are slow to make."""
    axes.yaxis.set_visible(False)
    axes.set_ylim(count - 0.45, -0.55)


def put_names(axes: Axes, names: Sequence[str]) -> None:
    """Write the names to the left of the lines."""
    texts = [(at, label(name), INK) for at, name in enumerate(names)]
    put_texts(axes, texts, x=0, offset_pt=-7, side="right", size=NORMAL)


def put_figures(axes: Axes, figures: Sequence[str], colours: Sequence[str], *, size: float) -> None:
    """Write a figure to the right of each line."""
    texts = [(at, *each) for at, each in enumerate(zip(figures, colours, strict=True))]
    put_texts(axes, texts, x=1, offset_pt=7, side="left", size=size)


def put_texts(
    axes: Axes,
    texts: Iterable[tuple[float, str, str]],
    *,
    x: float,
    offset_pt: float,
    side: str,
    size: float,
    weight: str = "normal",
) -> None:
    """Write texts beside the axes, each given with its line and its colour. x: 0 at the left end, 1 at the right."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    place = axes.get_yaxis_transform() + ScaledTranslation(offset_pt / 72, 0, figure.dpi_scale_trans)
    style: dict[str, Any] = {"ha": side, "va": "center_baseline", "size": size, "weight": weight}
    for at, text, colour in texts:
        axes.text(x, at, text, transform=place, color=colour, **style)


def measured(case: Case) -> str:
    """What was measured, for a subtitle: scenario, size, database."""
    target = case.targets[0]
    server = f"{target.name} {target.server_version}".strip()
    return f"{case.spec.scenario} {case.spec.size} on {server}"


def sampled(summary: CaseSummary) -> str:
    """What the intervals of a case rest on, for a subtitle."""
    best = next((row.quiet for row in summary.rows if row.quiet), None)
    if best is None:
        return "nothing was timed"
    workers = f"{best.workers} worker{'s' if best.workers != 1 else ''}"
    return f"{workers}, " + ("no interval from so few" if best.low is None else "95 % intervals")
