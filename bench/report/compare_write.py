"""A comparison as the files of a folder: compare.html, compare.md, compare.json, and the charts that they show."""

from __future__ import annotations

import json

from bench.reduce.compare import Comparison
from bench.report.charts.comparison import draw_comparison
from bench.report.compare import comparison_data, comparison_markdown
from bench.report.compare_page import comparison_page
from bench.report.html import comparison_html
from bench.report.plan_changes import Profiled, with_plans

CHARTS = "charts"


def comparison_files(comparison: Comparison, profiled: Profiled = ()) -> dict[str, bytes]:
    """Return the files by their paths from the folder, pages after the charts that they show.

    profiled: what was profiled of the runs, whose plans are compared too.
    """
    charts = draw_comparison(comparison)
    drawn = {
        f"{CHARTS}/{stem}.{ending}": content
        for stem, chart in charts.items()
        for ending, content in (("svg", chart.svg), ("png", chart.png))
    }
    images = {stem: f"{CHARTS}/{stem}.png" for stem in charts}
    pages = {
        "compare.md": with_plans(comparison_markdown(comparison, images=images), profiled),
        "compare.html": comparison_html(comparison_page(comparison, charts, profiled)),
        "compare.json": json.dumps(comparison_data(comparison), indent=2) + "\n",
    }
    return drawn | {name: text.encode("utf-8", "replace") for name, text in pages.items()}
