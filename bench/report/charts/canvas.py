"""A sheet to draw on: sizes in inches, one header, one legend, and the bytes of a finished chart.

Everything is drawn with matplotlib's objects (`Figure`), never through pyplot, which keeps state for a whole process.
In SVG text stays text: it can be searched, read aloud and recoloured, and the file is a third of the size. Widths are
measured in DejaVu Sans, which comes with matplotlib and is wider than the fonts that stand in for it elsewhere, so
nothing is clipped where it is missing. No date, no version and no random identifier is written: the same run gives
the same bytes.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from PIL import Image

WIDTH_IN = 8.0
"""At the 800 pixels that a README gives a picture, a point of type is 1.4 pixels."""

PNG_DPI = 160
"""1.6 dots a pixel at 800 pixels: sharp on a fine screen, and a third fewer dots than 200 would take."""

INK, MUTED, GRID, PAPER = "#1f2328", "#636a73", "#dfe3e8", "#ffffff"
"""The colours that are not a strategy's; a page with a dark mode of its own maps these to its own."""

SMALL, NORMAL, LARGE = 9.5, 10.5, 13.5
"""Type sizes in points."""

_COLOURS = 256
"""Of a PNG's palette. A chart's own colours keep exact; the shades at the edges of letters move by a few steps."""

_WHITE = 254
"""What the quantiser makes of white, being a step too dark."""

LONGEST_LABEL = 26
"""Characters of a strategy's name on an axis; the tables have room for all of it."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": NORMAL,
    "svg.fonttype": "none",
    "svg.hashsalt": "bench",
    "text.parse_math": False,
    "text.hinting": "none",  # it is slow, and made for far fewer dots an inch than ours
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A finished chart. stem: its file name without an ending. alt: what it shows, for those who cannot see it."""

    stem: str
    title: str
    alt: str
    svg: bytes
    png: bytes


@contextmanager
def drawing() -> Iterator[None]:
    """The settings that every chart is drawn under; matplotlib's own are as before afterwards."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in a script that the font lacks
        yield


def printable(text: str) -> str:
    """The text on one line, without characters that XML forbids or that no font can draw."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))


def label(name: str) -> str:
    """A strategy's name, cut in the middle where it is too long for an axis."""
    name = printable(name)
    if len(name) <= LONGEST_LABEL:
        return name
    half = (LONGEST_LABEL - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def new_sheet(height_in: float) -> Figure:
    """An empty white figure, WIDTH_IN inches wide."""
    figure = Figure(figsize=(WIDTH_IN, height_in), dpi=PNG_DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def place(figure: Figure, *, left: float, right: float, top: float, bottom: float) -> Axes:
    """Axes at these distances, in inches, from the edges of the figure."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes(
        (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    )
    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=3, width=0.8)
    return axes


def width_in(figure: Figure, texts: Sequence[str], *, size: float = NORMAL, bold: bool = False) -> float:
    """Inches that the widest of the texts takes."""
    assert isinstance(figure.canvas, FigureCanvasAgg)
    renderer: Any = figure.canvas.get_renderer()  # type: ignore[no-untyped-call]
    font = FontProperties(size=size, weight="bold" if bold else "normal")
    widths = [renderer.get_text_width_height_descent(text, font, ismath=False)[0] for text in texts]
    return float(max(widths, default=0)) / figure.dpi


def write(figure: Figure, text: str, *, x: float, y: float, size: float = NORMAL, **style: object) -> None:
    """Put text on the figure, its upper left corner `x` and `y` inches from the upper left."""
    width, height = figure.get_size_inches()
    figure.text(x / width, 1 - y / height, text, size=size, va="top", ha="left", **style)  # type: ignore[arg-type]


def header(figure: Figure, title: str, subtitle: str) -> None:
    """The title, which says what is shown, and below it what was measured."""
    write(figure, title, x=0.15, y=0.12, size=LARGE, weight="bold")
    write(figure, fitted(figure, printable(subtitle), WIDTH_IN - 0.3), x=0.15, y=0.42, size=SMALL, color=MUTED)


def fitted(figure: Figure, text: str, inches: float, *, size: float = SMALL) -> str:
    """The text, cut at its end where it is wider than `inches`."""
    while text and width_in(figure, [text], size=size) > inches:
        text = text[: int(len(text) * 0.9)].rstrip("… ") + "…" if len(text) > 2 else ""
    return text


def finish(figure: Figure, *, stem: str, title: str, alt: str) -> Chart:
    """The figure as SVG and PNG bytes."""
    svg = io.BytesIO()
    figure.savefig(svg, format="svg", facecolor=PAPER, metadata={"Date": None, "Creator": None})
    return Chart(stem=stem, title=title, alt=printable(alt), svg=svg.getvalue(), png=_png(figure))


def _png(figure: Figure) -> bytes:
    """The figure's pixels as drawn on its canvas, with a palette: a third of the size, in a third of the time."""
    canvas: Any = figure.canvas
    canvas.draw()
    png = io.BytesIO()
    drawn = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")
    pixels = drawn.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = pixels.getpalette() or []
    pixels.putpalette([255 if part >= _WHITE else part for part in palette])
    pixels.save(png, format="png", dpi=(PNG_DPI, PNG_DPI))
    return png.getvalue()
