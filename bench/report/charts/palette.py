"""Which colour and mark a strategy has: the same in every chart of a run, and for the known names in every run.

The known names take colours near those of Okabe and Ito, which stay apart for the common kinds of colour blindness
and stand out from a white page and from a dark one. A mark of its own says the same again without colour.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hue:
    """How one strategy is drawn: hex colours for a white page and for a dark one, and a matplotlib marker."""

    light: str
    dark: str
    marker: str


KNOWN: Mapping[str, Hue] = {
    "selectin": Hue(light="#0072b2", dark="#4aa8e0", marker="o"),
    "joined": Hue(light="#d55e00", dark="#f0853a", marker="s"),
    "lazy": Hue(light="#c66a9b", dark="#e39cc4", marker="^"),
    "subquery": Hue(light="#009e73", dark="#2fc598", marker="D"),
    "immediate": Hue(light="#7a1f4f", dark="#c2639a", marker="v"),
    "contains_eager": Hue(light="#4b3fc4", dark="#8a84f7", marker="P"),
    "joined_inner": Hue(light="#d99000", dark="#f5c04d", marker="X"),
}
"""The strategies that ship with SQLAlchemy, under the names that scenarios give them."""

OTHERS: tuple[Hue, ...] = (
    Hue(light="#8a7a1c", dark="#cfbd58", marker="<"),
    Hue(light="#2f8f9d", dark="#62c3d0", marker=">"),
    Hue(light="#6b6f76", dark="#a9aeb6", marker="h"),
    Hue(light="#5f8f1e", dark="#a0cf5c", marker="p"),
    Hue(light="#b0413e", dark="#ec8a86", marker="*"),
    Hue(light="#7d5ba6", dark="#bb9ce0", marker="d"),
)
"""For every other name, in the order of the names of a run; with more names than these they come round again."""


def palette(strategies: Iterable[str]) -> dict[str, Hue]:
    """The hue of every strategy of a run.

    A strategy with an argument (`selectin[100]`) takes a shade of its family's colour, the shades in the order of
    the arguments; a family that the palette does not know is given a colour as one name.
    """
    names = sorted(set(strategies), key=_in_order)
    families = {name: name.partition("[")[0] for name in names}
    strangers = list(dict.fromkeys(family for family in families.values() if family not in KNOWN))
    base = {**KNOWN, **{family: OTHERS[at % len(OTHERS)] for at, family in enumerate(strangers)}}
    hues: dict[str, Hue] = {}
    for family in dict.fromkeys(families.values()):
        shaded = [name for name in names if families[name] == family and name != family]
        if family in families:
            hues[family] = base[family]
        hues |= {name: _shade(base[family], at, len(shaded)) for at, name in enumerate(shaded)}
    return hues


def _in_order(name: str) -> tuple[str, int, str]:
    family, _, argument = name.partition("[")
    digits = argument.rstrip("]")
    return family, int(digits) if digits.isdecimal() and len(digits) < 19 else 0, name


def _shade(hue: Hue, at: int, of: int) -> Hue:
    """Shade `at` of `of`: lighter than the family's colour by a third at least, the last one the lightest."""
    share = 0.25 + 0.35 * (at + 1) / of
    markers = "oP^sDv*"
    return Hue(light=_towards(hue.light, 0.86, share), dark=_towards(hue.dark, 0.92, share), marker=markers[at % 7])


def _towards(colour: str, lightness: float, share: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    mixed = colorsys.hls_to_rgb(hue, light + (lightness - light) * share, saturation * (1 - share / 2))
    return "#" + "".join(f"{round(part * 255):02x}" for part in mixed)
