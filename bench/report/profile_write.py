"""The report of a profile as files in its folder: profile.md, profile.html and charts/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.model.profile import Looked
from bench.report.charts.canvas import Chart
from bench.report.charts.draw import draw_profiles
from bench.report.charts.inline import dark_colours
from bench.report.charts.palette import palette
from bench.report.files import write_whole
from bench.report.html import profile_html
from bench.report.profile_page import PROFILE_HUES, Key, ProfilePage, profile_sections
from bench.report.profile_text import profile_markdown

CHARTS = "charts"


def profile_page(
    looks: Sequence[Looked], charts: Mapping[Key, Sequence[Chart]], *, title: str, facts: Sequence[tuple[str, str]]
) -> str:
    """Return profile.html, with the charts inside."""
    hues = palette(looked.strategy for looked in looks)
    page = ProfilePage(
        title=title,
        facts=tuple(facts),
        sections=tuple(profile_sections(looks, charts, hues).values()),
        dark=dark_colours({**hues, **PROFILE_HUES}),
    )
    return profile_html(page)


def write_profile(
    looks: Sequence[Looked], folder: Path, *, title: str, facts: Sequence[tuple[str, str]] = ()
) -> tuple[Path, ...]:
    """Write the report of a profile into its folder, each file whole or not at all. Raises OSError."""
    charts = draw_profiles(looks)
    (folder / CHARTS).mkdir(exist_ok=True)
    for chart in (chart for own in charts.values() for chart in own):
        write_whole(folder / CHARTS / f"{chart.stem}.svg", chart.svg)
        write_whole(folder / CHARTS / f"{chart.stem}.png", chart.png)
    page = profile_page(looks, charts, title=title, facts=facts)
    return (
        write_whole(folder / "profile.md", profile_markdown(looks).encode("utf-8", "replace")),
        write_whole(folder / "profile.html", page.encode("utf-8", "replace")),
    )
