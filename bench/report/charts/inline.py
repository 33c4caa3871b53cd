"""A chart's SVG made part of an HTML page: no identifier clashes with another chart's, colours follow the page's mode.

It is parsed and written again, not edited as text: a strategy may be called anything, `id="x"` too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from bench.report.charts.canvas import GRID, INK, MUTED, PAPER, Chart
from bench.report.charts.palette import Hue
from bench.report.charts.rows import EDGE_IN

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_HREF = f"{{{_XLINK}}}href"
_INDENT_PT = 72 * EDGE_IN - 1
"""Cut off on the left, so that the chart begins where the page's text does."""

_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_FAMILY = re.compile(r"font-family:[^;]*;?\s*")
_LOCAL = re.compile(r"url\(#([^)]+)\)")
_NEEDED = ("clip-path", "fill", "mask", "style")

ET.register_namespace("", _SVG)
ET.register_namespace("xlink", _XLINK)

PAGE_DARK: Mapping[str, str] = {INK: "#e8eaed", MUTED: "#9ba4ae", GRID: "#2c333b", PAPER: "#14181d"}
"""What the colours that are not a strategy's become on a dark page; PAPER becomes the page's own background."""


def inline_svg(chart: Chart) -> str:
    """The chart as an `svg` element for HTML: scaled by the page, named by its text alternative, in the page's font."""
    root = ET.fromstring(chart.svg)  # noqa: S314 - we have just drawn it ourselves
    for drop in ("width", "height", "version"):
        root.attrib.pop(drop, None)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{_SVG}}}metadata" or child.tag == f"{{{_SVG}}}style":
                parent.remove(child)
    used = _references(root)
    for element in root.iter():
        _adapt(element, used, prefix=f"{chart.stem}-")
    left, top, width, height = (float(number) for number in root.get("viewBox", "0 0 1 1").split())
    root.set("viewBox", f"{left + _INDENT_PT:g} {top:g} {width - _INDENT_PT:g} {height:g}")
    root.set("role", "img")
    root.set("aria-label", chart.alt)
    return ET.tostring(root, encoding="unicode")


def dark_colours(hues: Mapping[str, Hue]) -> dict[str, str]:
    """The custom properties that a dark page has to set: `--c0072b2` for what is drawn in `#0072b2`."""
    pairs = {**PAGE_DARK, **{hue.light: hue.dark for hue in hues.values()}}
    return {_property(light): dark for light, dark in pairs.items()}


def colour(light: str) -> str:
    """A colour of a chart as CSS: itself, unless the page sets another."""
    return f"var({_property(light)},{light})"


def _property(light: str) -> str:
    return f"--c{light[1:]}"


def _references(root: ET.Element) -> set[str]:
    used = {element.get(_HREF, "#")[1:] for element in root.iter()}
    for element in root.iter():
        used |= {name for key in _NEEDED for name in _LOCAL.findall(element.get(key, ""))}
    return used


def _adapt(element: ET.Element, used: set[str], *, prefix: str) -> None:
    """Make one element fit for a page: its identifiers, its references, its colours and its font."""
    name = element.attrib.pop("id", None)
    if name in used:
        element.set("id", f"{prefix}{name}")
    if (target := element.get(_HREF, "")).startswith("#"):
        element.set(_HREF, f"#{prefix}{target[1:]}")
    for key in _NEEDED:
        if value := element.get(key):
            element.set(key, _LOCAL.sub(rf"url(#{prefix}\1)", value))
    _recolour(element)
    if element.tag != f"{{{_SVG}}}text":
        element.text = None
    element.tail = None


def _recolour(element: ET.Element) -> None:
    """Let every colour be one that the page can set; a custom property is understood in a style, not an attribute."""
    style = _FAMILY.sub("", element.attrib.pop("style", ""))
    for key in ("fill", "stroke"):
        if _COLOUR.fullmatch(element.get(key, "")):
            style = f"{key}: {element.attrib.pop(key)}; {style}"
    if style:
        element.set("style", _COLOUR.sub(lambda match: colour(match[0]), style))
