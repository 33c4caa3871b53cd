"""Prices: every case of a run of several scenarios on a line, each strategy where its ratio to the fastest is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.reduce.catalogue_summary import Won
from bench.report import units
from bench.report.catalogue import scenario_title
from bench.report.charts.canvas import (
    INK,
    MUTED,
    PAPER,
    SMALL,
    WIDTH_IN,
    Chart,
    finish,
    header,
    label,
    new_sheet,
    place,
    width_in,
)
from bench.report.charts.keys import Key, mark, put_keys
from bench.report.charts.palette import Hue
from bench.report.charts.rows import EDGE_IN, put_texts, set_rows
from bench.report.charts.scales import span

TITLE = "Price of each strategy, by scenario"

MOST_ROWS = 60
"""Lines of a chart; of more, the first."""

WIDEST_LINEAR = 3.0
"""The ratio from which on the axis is logarithmic: the dots that matter stand near 1."""

_ROW_IN = 0.25
_DOT, _RING = 5.5, 10.0
"""Diameters in points."""

_RULE, _OTHERS = "the rule of thumb's", "others"
_KEY_IN = 0.45
"""Inches that a key takes beside its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A strategy in a case. y: its line. ratio: to the fastest. named: whether the rule of thumb names it."""

    y: int
    ratio: float
    strategy: str
    named: bool


def draw_prices(wins: Sequence[Won], hues: Mapping[str, Hue], *, stem: str) -> Chart | None:
    """Draw a line for each case on each target, with a dot for each strategy that was timed; None where none was."""
    timed = [won for won in wins if won.leaders]
    shown = timed[:MOST_ROWS]
    dots = [dot for y, won in enumerate(shown) for dot in _dots(won, y)]
    if not dots:
        return None
    figure = new_sheet(1.6 + _ROW_IN * len(shown))
    titles = [label(scenario_title(won)) for won in shown]
    targets = _targets(shown)
    worst = [_worst(won) for won in shown]
    beside = width_in(figure, targets, size=SMALL) + 0.15 if any(targets) else 0.0
    left = EDGE_IN + width_in(figure, titles, size=SMALL) + beside + 0.12
    axes = place(figure, left=left, right=EDGE_IN + width_in(figure, worst, size=SMALL) + 0.12, top=0.98, bottom=0.57)
    far = max(dot.ratio for dot in dots) > WIDEST_LINEAR
    span(axes, [dot.ratio for dot in dots], far=far, from_zero=False)
    set_rows(axes, len(shown))
    axes.axvline(1.0, color=MUTED, linewidth=1.2, zorder=1)
    keyed = _keyed(figure, dots)
    _put_dots(axes, dots, keyed, hues)
    _put_names(axes, titles, targets, beside)
    put_texts(axes, [(y, text, INK) for y, text in enumerate(worst)], x=1, offset_pt=7, side="left", size=SMALL)
    axes.set_xlabel(f"ratio to the fastest{', logarithmic' if far else ''}", fontsize=SMALL, color=MUTED)
    some = f", the first {len(shown)} of {len(timed)} rows" if len(shown) < len(timed) else ""
    header(figure, TITLE, f"how many times as long as the fastest of its line; right: the worst choice{some}")
    put_keys(figure, _keys(dots, keyed, hues))
    lines = zip(titles, targets, worst, strict=True)
    alt = "; ".join(f"{title}{f' on {target}' if target else ''}: {text}" for title, target, text in lines)
    return finish(figure, stem=stem, title=TITLE, alt=f"{TITLE}, with the worst choice of each: {alt}.")


def _dots(won: Won, y: int) -> Iterator[Dot]:
    rule = won.summary.case.scenario.rule_strategy
    for row in won.summary.rows:
        ratio = 1.0 if row.arm.name == won.leaders[0] else row.to_best.value if row.to_best else None
        if ratio is not None:
            yield Dot(y=y, ratio=ratio, strategy=row.arm.strategy, named=row.arm.strategy == rule)


def _targets(shown: Sequence[Won]) -> list[str]:
    """The target of each line, where there are several."""
    names = [won.summary.case.targets[0].name for won in shown]
    return [label(name) for name in names] if len(set(names)) > 1 else [""] * len(names)


def _worst(won: Won) -> str:
    if won.worst is None or won.worst.to_best is None:
        return "all tie" if won.timed > 1 else ""
    return f"{label(won.worst.arm.name)} {units.short_ratio_text(won.worst.to_best)}"


def _keyed(figure: Figure, dots: Sequence[Dot]) -> tuple[str, ...]:
    """The kinds of strategies that the line of keys has room for, the commonest first; the others are all grey."""
    counts = Counter(_family(dot.strategy) for dot in dots)
    room = WIDTH_IN - 2 * EDGE_IN - sum(_key_in(figure, text) for text in (_RULE, _OTHERS))
    kept: list[str] = []
    for kind, _ in counts.most_common():
        room -= _key_in(figure, kind)
        if room < 0:
            break
        kept.append(kind)
    return tuple(kept)


def _family(strategy: str) -> str:
    return strategy.partition("[")[0]


def _key_in(figure: Figure, text: str) -> float:
    return width_in(figure, [text], size=SMALL) + _KEY_IN


def _put_dots(axes: Axes, dots: Sequence[Dot], keyed: Sequence[str], hues: Mapping[str, Hue]) -> None:
    ringed = [dot for dot in dots if dot.named]
    axes.plot(*_places(ringed), linestyle="none", marker="o", ms=_RING, mfc=PAPER, mec=INK, mew=1.2, zorder=2)
    for kind in (_OTHERS, *reversed(keyed)):  # the commonest on top
        own = [dot for dot in dots if (_family(dot.strategy) if _family(dot.strategy) in keyed else _OTHERS) == kind]
        colour, marker = _look(kind, hues)
        axes.plot(*_places(own), linestyle="none", marker=marker, ms=_DOT, mfc=colour, mec=PAPER, mew=0.5, zorder=3)


def _places(dots: Sequence[Dot]) -> tuple[list[float], list[int]]:
    return [dot.ratio for dot in dots], [dot.y for dot in dots]


def _look(kind: str, hues: Mapping[str, Hue]) -> tuple[str, str]:
    hue = next((hue for name, hue in hues.items() if _family(name) == kind), None)
    return (MUTED, "o") if kind == _OTHERS or hue is None else (hue.light, hue.marker)


def _put_names(axes: Axes, titles: Sequence[str], targets: Sequence[str], beside: float) -> None:
    """The scenario on the first of its lines, the target on each."""
    firsts = [(y, title, INK) for y, title in enumerate(titles) if not y or titles[y - 1] != title]
    put_texts(axes, firsts, x=0, offset_pt=-7 - 72 * beside, side="right", size=SMALL)
    put_texts(axes, [(y, name, MUTED) for y, name in enumerate(targets)], x=0, offset_pt=-7, side="right", size=SMALL)


def _keys(dots: Sequence[Dot], keyed: Sequence[str], hues: Mapping[str, Hue]) -> list[Key]:
    keys = [mark(_RULE, "o", size=_RING - 1, colour=INK, edge=1.2, inside=PAPER)]
    for kind in keyed:
        colour, marker = _look(kind, hues)
        keys.append(mark(kind, marker, size=_DOT + 1, colour=colour))
    if any(_family(dot.strategy) not in keyed for dot in dots):
        keys.append(mark(_OTHERS, "o", size=_DOT + 1, colour=MUTED))
    return keys
