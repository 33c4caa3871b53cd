"""What the charts with one line a strategy share: the names down the left side, in the order of the table."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

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


def put_names(axes: Axes, names: Sequence[str]) -> None:
    """The first name on top, without ticks."""
    axes.set_yticks(range(len(names)), [label(name) for name in names], fontsize=NORMAL, color=INK)
    axes.tick_params(axis="y", length=0, pad=7)
    axes.set_ylim(len(names) - 0.45, -0.55)


def measured(case: Case) -> str:
    """What was measured, for a subtitle: scenario, size, database."""
    server = f"{case.target.name} {case.target.server_version}".strip()
    return f"{case.spec.scenario} {case.spec.size} on {server}"


def sampled(summary: CaseSummary) -> str:
    """What the intervals of a case rest on, for a subtitle."""
    best = next((row.quiet for row in summary.rows if row.quiet), None)
    if best is None:
        return "nothing was timed"
    workers = f"{best.workers} worker{'s' if best.workers != 1 else ''}"
    return f"{workers}, " + ("no interval from so few" if best.low is None else "95 % intervals")
