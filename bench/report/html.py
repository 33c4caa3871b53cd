"""A run as one HTML file: nothing is loaded from elsewhere, nothing is executed, and it can be read on a phone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from bench.model import Run
from bench.model.profile import Looked
from bench.reduce.crossover import crossovers as find_crossovers
from bench.reduce.summaries import summarise_all
from bench.reduce.types import CaseSummary, Crossover
from bench.report.charts.draw import Charts
from bench.report.compare_page import ComparisonPage
from bench.report.page import make_page
from bench.report.profile_page import ProfilePage, profile_sections
from bench.report.units import RANGE

_INTERVAL = rf"\([\d.,]+{RANGE}[\d.,]+\)"
_FIGURE = re.compile(rf"\d[\d.,]*(?:x| (?:ns|µs|ms|s|kB|MB|GB|%)(?!\w))(?: {_INTERVAL})?|{_INTERVAL}")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def run_html(
    run: Run,
    charts: Charts,
    *,
    summaries: Sequence[CaseSummary] | None = None,
    crossovers: Sequence[Crossover] | None = None,
    looks: Sequence[Looked] = (),
) -> str:
    """Return report.html of the run, with the charts inside.

    charts: those of the run, as `draw_charts` gives them; a case that it does not hold is shown without its
    statements and samples. summaries, crossovers: the run's cases reduced, where the caller has them already.
    looks: what was profiled of the run's cases.
    """
    summaries = summarise_all(run) if summaries is None else summaries
    crossovers = find_crossovers(run, summaries=summaries) if crossovers is None else crossovers
    profiles = profile_sections(looks, charts.profiles, charts.hues)
    page = make_page(run, charts, summaries, crossovers, profiles)
    return _environment().get_template("report.html.j2").render(page=page)


def profile_html(page: ProfilePage) -> str:
    """Return profile.html."""
    return _environment().get_template("profile.html.j2").render(page=page)


def comparison_html(page: ComparisonPage) -> str:
    """Return compare.html."""
    return _environment().get_template("compare.html.j2").render(page=page)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.filters["prose"] = _prose
    return environment


def _prose(text: str) -> Markup:
    """A sentence in which no figure is parted from its unit or its interval by the end of a line."""
    return Markup(_FIGURE.sub(r'<span class="range">\g<0></span>', str(escape(_printable(text)))))  # noqa: S704 - escaped


def _printable(value: object) -> object:
    """Without the characters that HTML forbids; what is markup already holds none."""
    if type(value) is not str or value.isprintable():
        return value
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", value)
