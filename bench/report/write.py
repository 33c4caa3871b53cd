"""The report of a run as files in its folder: report.md, report.html and charts/, each written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import gc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bench.errors import BenchError
from bench.model import Run
from bench.model.profile import Looked
from bench.reduce.catalogue_summary import by_scenario, catalogue_summary
from bench.reduce.crossover import crossovers
from bench.reduce.summaries import summarise_all
from bench.reduce.types import CaseSummary, Crossover
from bench.report.catalogue import TITLE
from bench.report.charts.canvas import Chart
from bench.report.charts.draw import Amount, Charts, draw_charts, is_ours
from bench.report.facts import case_title, targets_title
from bench.report.files import write_whole
from bench.report.html import run_html
from bench.report.markdown import run_markdown
from bench.report.profile_page import key_of
from bench.report.profile_text import by_target, profile_block
from bench.report.remarks import remarks

CHARTS = "charts"
"""The folder of the charts, inside that of the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPaths:
    """The files of a report, as they were written. charts: an SVG and a PNG of each."""

    markdown: Path
    html: Path
    charts: tuple[Path, ...]


def write_report(run: Run, folder: Path, *, charts: Amount = "few", looks: Sequence[Looked] = ()) -> ReportPaths:
    """Draw the run and write its report into `folder`, which is made if it is not there.

    charts: `few` draws the first cases and crossovers of a run that has many, `all` every one. Files that are there
    already are replaced one by one, so that a reader never meets half a file; the pages come when the charts that they
    link to are in place, and what only an earlier drawing had is removed after them. Raises BenchError where a file
    cannot be written.
    """
    with collector_paused():
        summaries = summarise_all(run)
        series = crossovers(run, summaries=summaries)
        parts = by_scenario(run, summaries)
        comparisons = {case.at: case.compared for part in parts for case in part.cases if case.compared}
    drawn = draw_charts(summaries, series, comparisons, wins=catalogue_summary(parts), looks=looks, amount=charts)
    with collector_paused():
        pages = {
            "report.md": markdown_page(run, drawn, summaries, series, looks),
            "report.html": run_html(run, drawn, summaries=summaries, crossovers=series, looks=looks),
        }
    try:
        paths = tuple(_write_charts(drawn, folder / CHARTS))
        markdown, html = (write_whole(folder / name, text.encode("utf-8", "replace")) for name, text in pages.items())
        _remove_stale(run, folder / CHARTS, paths)
    except OSError as error:
        raise _unwritable(error, folder) from error
    return ReportPaths(markdown=markdown, html=html, charts=paths)


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking a large run again and again while values without cycles are made of it.

    It takes a quarter of the time off. Figures do hold cycles, so charts are drawn with the collector on.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def markdown_page(
    run: Run,
    charts: Charts,
    summaries: Sequence[CaseSummary],
    series: Sequence[Crossover],
    looks: Sequence[Looked] = (),
) -> str:
    """Return report.md with the charts where they will be, as paths from the folder that it stands in."""
    images = dict(_images(run, charts, summaries, series))
    profiles = {
        key_of(own[0]): profile_block(own, looks, [_image(chart) for chart in charts.profiles.get(key_of(own[0]), ())])
        for own in by_target(looks)
    }
    return run_markdown(
        run, charts=images, summaries=summaries, remarks=remarks(run, charts, series), profiles=profiles
    )


def _images(
    run: Run, charts: Charts, summaries: Sequence[CaseSummary], series: Sequence[Crossover]
) -> Iterator[tuple[str, PurePosixPath]]:
    """Captions as Markdown takes them, with the image that each stands under, from the report's folder."""
    if charts.summary:
        yield f"{TITLE}: {charts.summary.title[:1].lower()}{charts.summary.title[1:]}", _image(charts.summary)
    for at, chart in charts.crossovers.items():
        case = series[at].cases[0].case
        yield f"{chart.title} ({case.spec.scenario} {series[at].fixed} on {case.targets[0].name})", _image(chart)
    for at, chart in charts.targets.items():
        yield f"{targets_title(run.cases[at])}: {chart.title[:1].lower()}{chart.title[1:]}", _image(chart)
    for at, drawn in charts.cases.items():
        for chart in drawn:
            yield f"{case_title(summaries[at].case)}: {chart.title[:1].lower()}{chart.title[1:]}", _image(chart)


def _image(chart: Chart) -> PurePosixPath:
    # The PNG: whatever shows Markdown shows it alike, and needs no font of ours.
    return PurePosixPath(CHARTS, f"{chart.stem}.png")


def _write_charts(charts: Charts, folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for chart in charts:
        files: Mapping[str, bytes] = {"svg": chart.svg, "png": chart.png}
        for ending, content in files.items():
            yield write_whole(folder / f"{chart.stem}.{ending}", content)


def _remove_stale(run: Run, folder: Path, written: Sequence[Path]) -> None:
    """Remove the charts that an earlier drawing of the run left and this one lacks; nothing that is not one of ours."""
    scenarios = {spec.scenario for spec in run.planned} | {case.spec.scenario for case in run.cases}
    for path in folder.iterdir():
        if path not in written and is_ours(path.name, scenarios) and path.is_file():
            path.unlink(missing_ok=True)


def _unwritable(error: OSError, folder: Path) -> BenchError:
    where = error.filename2 or error.filename or folder
    what = f"The report cannot be written to {str(where)!r}: {error.strerror or error}."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = "Free some space, then draw it again from the stored run with `bench report`."
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        remedy = "Make the folder writable, or copy the run elsewhere and draw it there with `bench report`."
    else:
        remedy = f"Check that {str(folder)!r} is a folder that can be written to, then draw it with `bench report`."
    return BenchError(what, remedy=remedy)
