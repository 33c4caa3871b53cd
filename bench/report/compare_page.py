"""What the HTML of a comparison says, as plain values in the order of the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bench.reduce.compare import Comparison
from bench.report.charts.canvas import Chart
from bench.report.charts.comparison import comparison_hues
from bench.report.charts.inline import dark_colours, inline_svg
from bench.report.compare_parts import (
    BESIDE_CHART,
    COUNTS_CHART,
    INDICATIVE_CHART,
    Difference,
    Table,
    alone_text,
    beside_table,
    counts_table,
    differences,
    facts_table,
    indicative_table,
    legend,
    title,
)
from bench.report.page_parts import Cell, Row
from bench.report.page_parts import Table as PageTable
from bench.report.plan_changes import TITLE as PLANS
from bench.report.plan_changes import Profiled, plan_changes
from bench.report.profile_page import TREE_WIDTH, Differences, difference_of
from bench.report.sql_text import formatted


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page: its table, the lines under it and its chart.

    counted: what counts differ by. differences: between plans.
    """

    anchor: str
    title: str
    table: PageTable | None = None
    notes: tuple[str, ...] = ()
    charts: tuple[Markup, ...] = ()
    counted: tuple[Difference, ...] = ()
    differences: tuple[Differences, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPage:
    """The whole of compare.html. alone: what was not compared, empty where all was."""

    title: str
    runs: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    alone: str
    dark: Mapping[str, str]


def comparison_page(comparison: Comparison, charts: Mapping[str, Chart], profiled: Profiled = ()) -> ComparisonPage:
    """Lay a comparison out. charts: as `draw_comparison` gives them. profiled: what was profiled of the runs."""
    return ComparisonPage(
        title=title(comparison),
        runs=legend(comparison),
        sections=(*_sections(comparison, charts), *_plans(profiled)),
        alone=alone_text(comparison),
        dark=dark_colours(comparison_hues(comparison)),
    )


def _sections(comparison: Comparison, charts: Mapping[str, Chart]) -> Iterator[Section]:
    """What differs first: what is seen below may be due to it."""
    yield _section("facts", facts_table(comparison))
    found = tuple(
        Difference(says=each.says, statements=tuple((sent, formatted(sql)) for sent, sql in each.statements))
        for each in differences(comparison)
    )
    yield _section("counts", counts_table(comparison), charts.get(COUNTS_CHART), found)
    if beside := beside_table(comparison):
        yield _section("times", beside, charts.get(BESIDE_CHART))
    if indicative := indicative_table(comparison):
        yield _section("indicative", indicative, charts.get(INDICATIVE_CHART))


def _plans(profiled: Profiled) -> Iterator[Section]:
    """What differs between the plans of runs that were profiled."""
    if any(looks for _, looks in profiled):
        says, changes = plan_changes(profiled, TREE_WIDTH)
        yield Section(anchor="plans", title=PLANS, notes=(says,), differences=tuple(map(difference_of, changes)))


def _section(anchor: str, table: Table, chart: Chart | None = None, found: Sequence[Difference] = ()) -> Section:
    return Section(
        anchor=anchor,
        title=table.title,
        table=_table(table) if table.rows else None,
        notes=table.notes,
        charts=(Markup(inline_svg(chart)),) if chart else (),  # noqa: S704 - ElementTree has escaped it
        counted=tuple(found),
    )


def _table(table: Table) -> PageTable:
    """The table as the page has it: its first label names the row. Facts are words, and stand to the left."""
    words = table.labels == 1 and table.headers[0] == ""
    numeric = [not words and at >= table.labels for at in range(len(table.headers))]
    if not table.labels:  # one row that nothing has to name
        return PageTable(
            caption=table.title,
            headers=(("", False), *zip(table.headers, numeric, strict=True)),
            rows=tuple(_row(("all", *row), [False, *numeric]) for row in table.rows),
        )
    return PageTable(
        caption=table.title,
        headers=tuple(zip(table.headers, numeric, strict=True)),
        rows=tuple(_row(row, numeric) for row in table.rows),
    )


def _row(row: Sequence[str], numeric: Sequence[bool]) -> Row:
    name, *figures = row
    return Row(
        name=Cell(value=name, numeric=False),
        cells=tuple(_cell(text, right) for text, right in zip(figures, numeric[1:], strict=True)),
    )


def _cell(text: str, right: bool) -> Cell:
    """A figure with its interval apart, `1.42x (1.38-1.47)`: the figure is what is read first."""
    value, bracket, interval = text.partition(" (") if right else (text, "", "")
    return Cell(value=value, interval=f"{bracket.strip()}{interval}", numeric=right)
