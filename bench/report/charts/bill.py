"""Bills as stacked bars, a line for each strategy: how long each part takes, and what share of the load it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.reduce.bill import (
    ALL_BUT_CLIENT,
    COLLECTOR,
    DATABASE,
    DECODING,
    OBJECTS,
    ROWS,
    SERVER,
    SERVER_AND_WIRE,
    STATEMENT,
    WALK,
    WIRE,
    WIRE_AND_DRIVER,
    Bill,
)
from bench.report.charts.canvas import (
    GRID,
    INK,
    MUTED,
    PAPER,
    SMALL,
    WIDTH_IN,
    Chart,
    finish,
    header,
    new_sheet,
    place,
    width_in,
)
from bench.report.charts.keys import Key, bar, key_in, put_keys
from bench.report.charts.palette import Hue
from bench.report.charts.rows import EDGE_IN, names_in, put_figures, put_names, row_in, set_rows
from bench.report.charts.scales import linear, time_unit
from bench.report.units import share_text

ABSOLUTE, RELATIVE = "Where the time of a load goes", "Where the time of a load goes, in shares"

_OF_THE_DATABASE = Hue(light="#0072b2", dark="#4aa8e0", marker="o")
_OF_THE_WIRE = Hue(light="#2b7f8c", dark="#62c3d0", marker="o")

PART_HUES: Mapping[str, Hue] = {
    STATEMENT: Hue(light="#6b6f76", dark="#a9aeb6", marker="o"),
    SERVER: _OF_THE_DATABASE,
    SERVER_AND_WIRE: _OF_THE_DATABASE,
    ALL_BUT_CLIENT: _OF_THE_DATABASE,
    DATABASE: _OF_THE_DATABASE,
    WIRE: _OF_THE_WIRE,
    WIRE_AND_DRIVER: _OF_THE_WIRE,
    DECODING: Hue(light="#4b3fc4", dark="#8a84f7", marker="o"),
    ROWS: Hue(light="#946200", dark="#e0b04a", marker="o"),
    OBJECTS: Hue(light="#c04f00", dark="#f0853a", marker="o"),
    WALK: Hue(light="#a8437f", dark="#e39cc4", marker="o"),
    COLLECTOR: Hue(light="#7a1f4f", dark="#c2639a", marker="o"),
}
"""A colour for each part, dark enough for white figures on it; parts that no driver has both of share one."""

UNCLAIMED = "claimed by no part"

_LEAST_SHARE_TOLD = 0.065
"""Of the widest bar, from which on a segment has room for its share."""

_KEYS_IN, _KEY_LINE_IN = 0.74, 0.25


def draw_bills(bills: Sequence[tuple[str, Bill]], *, measured: str, relative: bool, stem: str) -> Chart:
    """Draw the bills of strategies, each given with its name; at least one. measured: what was loaded, and where.

    relative: in shares of each load; else in time, all on one axis.
    """
    title = RELATIVE if relative else ABSOLUTE
    names = [name for name, _ in bills]
    figure = new_sheet(0)
    keys = list(_lines(figure, _keys([bill for _, bill in bills]), WIDTH_IN - 2 * EDGE_IN))
    top = 0.98 + _KEY_LINE_IN * (len(keys) - 1)
    figure.set_size_inches(WIDTH_IN, top + 0.57 + row_in(len(names)) * len(names))
    unit = time_unit(max(bill.wall_ns for _, bill in bills))
    texts = [f"{_three_digits(bill.wall_ns / unit.ns)} {unit.name}" for _, bill in bills]
    axes = place(
        figure,
        left=names_in(figure, names),
        right=EDGE_IN + width_in(figure, texts, size=SMALL) + 0.12,
        top=top,
        bottom=0.57,
    )
    longest = 1.0 if relative else max(bill.wall_ns for _, bill in bills) / unit.ns
    for at, (_, bill) in enumerate(bills):
        _bar(axes, at, bill, whole=1.0 if relative else bill.wall_ns / unit.ns, longest=longest)
    axes.set_xlim(0, longest * 1.001)
    linear(axes.xaxis)
    if relative:
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_xlabel("share of each load" if relative else unit.name, fontsize=SMALL, color=MUTED)
    set_rows(axes, len(names))
    put_names(axes, names)
    put_figures(axes, texts, [INK] * len(texts), size=SMALL)
    header(figure, title, f"{measured}; one after another, so no ranking; collector on; right: the whole load")
    for at, line in enumerate(keys):
        put_keys(figure, line, y=_KEYS_IN + _KEY_LINE_IN * at)
    return finish(figure, stem=stem, title=title, alt=_alt(title, measured, bills, texts))


def _three_digits(value: float) -> str:
    return f"{value:,.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f}"


def _bar(axes: Axes, at: int, bill: Bill, *, whole: float, longest: float) -> None:
    begin = 0.0
    for name, share, colour in _segments(bill):
        wide = whole * share
        axes.barh(at, wide, left=begin, height=0.66, color=colour, edgecolor=PAPER, linewidth=0.6, zorder=2)
        if name != UNCLAIMED and wide >= _LEAST_SHARE_TOLD * longest:
            middle = begin + wide / 2
            axes.text(middle, at, share_text(share), color=PAPER, size=SMALL - 1, ha="center", va="center_baseline")
        begin += wide


def _segments(bill: Bill) -> Iterator[tuple[str, float, str]]:
    yield from ((part.name, part.share, PART_HUES[part.name].light) for part in bill.parts if part.share > 0)
    if bill.residual.share > 0:
        yield UNCLAIMED, bill.residual.share, GRID


def _keys(bills: Sequence[Bill]) -> list[Key]:
    """A key for each part that any bill has, in the order of a load."""
    found = {name: colour for bill in bills for name, _, colour in _segments(bill)}
    order = {name: at for at, name in enumerate(PART_HUES)}
    return [bar(name, colour=found[name]) for name in sorted(found, key=lambda name: order.get(name, len(order)))]


def _lines(figure: Figure, keys: Sequence[Key], room_in: float) -> Iterator[list[Key]]:
    """The keys on as many lines as they need."""
    line: list[Key] = []
    used = 0.0
    for key in keys:
        wide = key_in(figure, key)
        if line and used + wide > room_in:
            yield line
            line, used = [], 0.0
        line.append(key)
        used += wide
    yield line


def _alt(title: str, measured: str, bills: Sequence[tuple[str, Bill]], texts: Sequence[str]) -> str:
    told = "; ".join(
        f"{name} {text}: {', '.join(f'{part} {share_text(share)}' for part, share, _ in _segments(bill))}"
        for (name, bill), text in zip(bills, texts, strict=True)
    )
    return f"{title}, {measured}. {told}."
