"""Colours and marks of strategies."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.charts.canvas import PAPER
from bench.report.charts.inline import PAGE_DARK
from bench.report.charts.palette import KNOWN, OTHERS, palette

# Machado, Oliveira and Fernandes (2009), full severity, for linear RGB.
SIGHT = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(colour: str, sight: str) -> np.ndarray:
    """CIE L*a*b* (D65) of a colour as it is seen."""
    xyz = TO_XYZ @ np.clip(SIGHT[sight] @ linear(colour), 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio."""
    dark, light = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_known_strategies_can_be_told_apart_by_colour_with_and_without_colour_blindness(
    sight: str, mode: str
) -> None:
    seen = {name: lab(getattr(hue, mode), sight) for name, hue in KNOWN.items()}
    near = {
        (one, other): round(float(np.linalg.norm(seen[one] - seen[other])), 1)
        for one, other in itertools.combinations(seen, 2)
    }
    assert {pair: distance for pair, distance in near.items() if distance < 10} == {}


@pytest.mark.parametrize("hue", [*KNOWN.values(), *OTHERS], ids=lambda hue: hue.light)
def test_every_colour_stands_out_from_its_page(hue: object) -> None:
    assert contrast(hue.light, PAPER) >= 2.5  # type: ignore[attr-defined]
    assert contrast(hue.dark, PAGE_DARK[PAPER]) >= 4.5  # type: ignore[attr-defined]


def test_each_known_strategy_has_a_mark_of_its_own() -> None:
    assert len({hue.marker for hue in KNOWN.values()}) == len(KNOWN)


def test_a_known_strategy_looks_the_same_whatever_else_is_in_the_run() -> None:
    assert palette(["lazy"])["lazy"] == palette(["zebra", "lazy", "selectin[5]", "aardvark"])["lazy"] == KNOWN["lazy"]


def test_a_strategy_with_an_argument_takes_shades_of_its_family_in_the_order_of_the_arguments() -> None:
    hues = palette(["selectin[1000]", "selectin[50]", "selectin"])
    brightness = [sum(linear(hues[name].light)) for name in ("selectin", "selectin[50]", "selectin[1000]")]
    assert brightness == sorted(brightness)
    assert len(set(brightness)) == 3


NAMES = st.lists(st.one_of(st.text(), st.from_regex(r"[a-c]{1,2}(\[[0-9]{1,30}\]?)?", fullmatch=True)), max_size=30)


@given(NAMES, st.randoms())
def test_every_name_gets_a_colour_that_does_not_depend_on_the_order(names: list[str], random: object) -> None:
    hues = palette(names)
    shuffled = sorted(names, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert palette(shuffled) == hues
    assert set(names) <= set(hues)
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for hue in hues.values() for colour in (hue.light, hue.dark))
