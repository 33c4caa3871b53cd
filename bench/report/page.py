"""What the HTML report says, as plain values in the order of the page; `templates/` says how it looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from types import MappingProxyType

from markupsafe import Markup

from bench.model import Arm, Run, Sampling, StatementCount
from bench.reduce.catalogue_summary import Reduced, ScenarioPart, Won, by_scenario, catalogue_summary
from bench.reduce.types import AcrossTargets, ArmSummary, CaseSummary, Crossover
from bench.report.catalogue import (
    HEADERS,
    NUMERIC,
    RULE,
    TARGET,
    TITLE,
    SummaryRow,
    part_anchor,
    summary_findings,
    summary_notes,
    summary_rows,
    summary_title,
)
from bench.report.charts.canvas import Chart
from bench.report.charts.draw import Charts
from bench.report.charts.inline import colour, dark_colours, inline_svg
from bench.report.charts.palette import Hue
from bench.report.charts.scales import time_unit
from bench.report.columns import COLUMNS, NOTHING, SERIES_HEADERS, SERIES_NUMERIC, Column, series_row
from bench.report.counts import COUNT_COLUMNS, counted_rows
from bench.report.facts import (
    Facts,
    case_title,
    crossover_title,
    dataset_text,
    run_facts,
    settings_facts,
    targets_title,
)
from bench.report.findings import crossover_findings, findings
from bench.report.notes import notes
from bench.report.page_parts import Cell, Row, Table
from bench.report.profile_page import PROFILE_HUES, Key, ProfileSection, case_key
from bench.report.remarks import remarks
from bench.report.target_findings import target_findings
from bench.report.target_notes import origin_note, target_notes
from bench.report.targets import target_headers, target_table
from bench.report.units import counted

MOST_SAMPLES_LISTED = 40
"""Samples of one worker that the page writes out; all of them are in run.json, and in the chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """What one strategy sends. executed: one line for each of the texts."""

    arm: str
    summary: str
    total: str
    colour: str
    texts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page with a heading: a case or a crossover."""

    anchor: str
    title: str
    question: str = ""
    dataset: str = ""
    findings: tuple[str, ...] = ()
    table: Table | None = None
    notes: tuple[str, ...] = ()
    charts: tuple[Markup, ...] = ()
    counts: Table | None = None
    statements: tuple[Statements, ...] = ()
    samples: Table | None = None
    profile: ProfileSection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The cases of one scenario. Of a run that has no other, a part has nothing but its cases."""

    cases: tuple[Section, ...]
    anchor: str = ""
    title: str = ""
    question: str = ""
    table: Table | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole report. contents: a list of the cases, where they are several and the summary does not list them."""

    title: str
    facts: Facts
    settings: Facts
    remarks: tuple[str, ...]
    crossovers: tuple[Section, ...]
    summary: Section | None
    contents: Table | None
    parts: tuple[Part, ...]
    dark: Mapping[str, str]


def make_page(
    run: Run,
    charts: Charts,
    summaries: Sequence[CaseSummary],
    crossovers: Sequence[Crossover],
    profiles: Mapping[Key, ProfileSection] = MappingProxyType({}),
) -> Page:
    """Lay a run out. A case that is not among those that were drawn has its tables and findings only.

    profiles: of the run's cases, each with its own case.
    """
    hues = charts.hues
    scenarios = by_scenario(run, summaries)
    wins = catalogue_summary(scenarios)
    return Page(
        title=run.label or run.id,
        facts=run_facts(run),
        settings=settings_facts(run),
        remarks=remarks(run, charts, crossovers) + (() if summaries else ("No case was measured.",)),
        crossovers=tuple(
            _crossover_section(at, crossover, crossover_title(crossover, crossovers), charts.crossovers.get(at))
            for at, crossover in enumerate(crossovers)
        ),
        summary=_summary_section(run, wins, charts.summary) if wins else None,
        contents=_contents(scenarios) if len(summaries) > 1 and not wins else None,
        parts=tuple(_part(run, scenario, wins, charts, profiles) for scenario in scenarios),
        dark=dark_colours({**hues, **(PROFILE_HUES if profiles else {})}),
    )


def _part(
    run: Run,
    scenario: ScenarioPart,
    wins: Sequence[Won],
    charts: Charts,
    profiles: Mapping[Key, ProfileSection],
) -> Part:
    """A scenario with its cases; among others, with its rows of the summary, which lead to them."""
    cases = tuple(section for case in scenario.cases for section in _sections(case, run.sampling, charts, profiles))
    if not wins:
        return Part(cases=cases)
    own = [won for won in wins if won.part == scenario.at]
    return Part(
        cases=tuple(replace(section, question="") for section in cases),
        anchor=part_anchor(scenario.at),
        title=scenario.name,
        question=scenario.question,
        table=_summary_table(run, own, f"The fastest strategy of {scenario.name}", within=True),
    )


def _sections(
    case: Reduced, sampling: Sampling, charts: Charts, profiles: Mapping[Key, ProfileSection]
) -> Iterator[Section]:
    """A case: what its targets change, where it has several, then every one of its views."""
    if case.compared:
        yield _targets_section(case.at, case.compared, charts.targets.get(case.at), charts.hues)
    for place, (number, summary) in enumerate(case.views.items()):
        section = _case_section(number, summary, sampling, charts.cases.get(number), charts.hues)
        origin = origin_note(case.compared, place)
        profile = profiles.get(case_key(summary.case))
        yield replace(section, notes=(*section.notes, *([origin] if origin else [])), profile=profile)


def _summary_section(run: Run, wins: Sequence[Won], chart: Chart | None) -> Section:
    title = f"{TITLE}: {summary_title(run, wins)}"
    return Section(
        anchor="summary",
        title=title,
        findings=summary_findings(run, wins),
        table=_summary_table(run, wins, title, within=False),
        notes=summary_notes(wins),
        charts=(Markup(inline_svg(chart)),) if chart else (),  # noqa: S704 - ElementTree has escaped it
    )


def _summary_table(run: Run, wins: Sequence[Won], caption: str, *, within: bool) -> Table:
    """Rows of the summary. They lead to their scenario and to their case; within its part, to the case only."""
    return Table(
        caption=caption,
        headers=tuple(zip(HEADERS, NUMERIC, strict=True)),
        rows=tuple(
            Row(
                name=Cell(value=row.cells[0], numeric=False),
                cells=tuple(_summary_cells(row)),
                link=f"#{_anchor(row.won.at) if within else part_anchor(row.won.part)}",
            )
            for row in summary_rows(run, wins)
        ),
    )


def _summary_cells(row: SummaryRow) -> Iterator[Cell]:
    for at, cell in enumerate(_cells(row.cells[1:], [True] * len(NUMERIC[1:])), start=1):
        yield replace(
            cell,
            numeric=NUMERIC[at],
            link=f"#{_anchor(row.won.at)}" if at == TARGET else "",
            mark="loses" if at == RULE and row.contradicted else "",
        )


def _targets_section(at: int, compared: AcrossTargets, chart: Chart | None, hues: Mapping[str, Hue]) -> Section:
    shown = target_table(compared)
    title = targets_title(compared.case)
    return Section(
        anchor=_targets_anchor(at),
        title=title,
        question=compared.case.scenario.question,
        findings=target_findings(compared),
        table=Table(
            caption=f"{title}, each against {target_headers(compared)[0]}",
            headers=tuple((header, bool(at)) for at, header in enumerate(shown.headers)),
            rows=tuple(
                Row(
                    name=Cell(value=name, numeric=False),
                    cells=_cells(cells, [True] * len(cells)),
                    colour=colour(hues[strategy].light) if strategy in hues else "",
                )
                for strategy, (name, *cells) in zip(shown.strategies, shown.rows, strict=True)
            ),
        ),
        notes=target_notes(compared),
        charts=(Markup(inline_svg(chart)),) if chart else (),  # noqa: S704 - ElementTree has escaped it
    )


def _case_section(
    at: int, summary: CaseSummary, sampling: Sampling, charts: Sequence[Chart] | None, hues: Mapping[str, Hue]
) -> Section:
    case = summary.case
    detailed = charts is not None
    return Section(
        anchor=_anchor(at),
        title=case_title(case),
        question=case.scenario.question,
        dataset=dataset_text(case),
        findings=findings(summary),
        table=_case_table(summary, hues),
        notes=notes(summary, sampling),
        charts=tuple(Markup(inline_svg(chart)) for chart in charts or ()),  # noqa: S704 - ElementTree has escaped it
        counts=_counts_table(summary, hues),
        statements=tuple(_statements(row.arm, hues) for row in summary.rows if row.arm.counters) if detailed else (),
        samples=_samples_table(summary) if detailed else None,
    )


def _crossover_section(at: int, crossover: Crossover, title: str, chart: Chart | None) -> Section:
    rows = [series_row(case) for case in crossover.cases]
    return Section(
        anchor=f"crossover-{at + 1}",
        title=title,
        findings=crossover_findings(crossover),
        table=Table(
            caption=f"The fastest strategy at each size of {crossover.fixed}",
            headers=tuple(zip(SERIES_HEADERS, SERIES_NUMERIC, strict=True)),
            rows=tuple(
                Row(name=Cell(value=name, numeric=False), cells=_cells(cells, SERIES_NUMERIC[1:]))
                for name, *cells in rows
            ),
        ),
        charts=(Markup(inline_svg(chart)),) if chart else (),  # noqa: S704 - ElementTree has escaped it
    )


def _contents(scenarios: Sequence[ScenarioPart]) -> Table:
    """The cases of a run, each with its winner; what compares the targets of a case stands above them."""
    cases = [case for scenario in scenarios for case in scenario.cases]
    comparisons = [
        Row(
            name=Cell(value=targets_title(case.case), numeric=False),
            cells=_cells([f"{len(case.views)} targets compared", NOTHING], SERIES_NUMERIC[1:]),
            link=f"#{_targets_anchor(case.at)}",
        )
        for case in cases
        if case.compared
    ]
    views = [
        Row(
            name=Cell(value=case_title(summary.case), numeric=False),
            cells=_cells(series_row(summary)[1:], SERIES_NUMERIC[1:]),
            link=f"#{_anchor(at)}",
        )
        for case in cases
        for at, summary in case.views.items()
    ]
    return Table(
        caption="The cases of this run and the fastest strategy of each",
        headers=(("case", False), *zip(SERIES_HEADERS[1:], SERIES_NUMERIC[1:], strict=True)),
        rows=(*comparisons, *views),
    )


def _case_table(summary: CaseSummary, hues: Mapping[str, Hue]) -> Table:
    """The columns that hold anything, strategies as rows."""
    filled = [column for column in COLUMNS if any(column.full(row) != NOTHING for row in summary.rows)]
    caption = f"Strategies of {case_title(summary.case)}, fastest first"
    rows = [(row, _mark(row, summary)) for row in summary.rows]
    return _strategies(caption, filled or COLUMNS, rows, hues)


def _counts_table(summary: CaseSummary, hues: Mapping[str, Hue]) -> Table | None:
    rows = [(row, "") for row in counted_rows(summary.rows)]
    return _strategies(f"Counts of {case_title(summary.case)}", COUNT_COLUMNS, rows, hues) if rows else None


def _strategies(
    caption: str, columns: Sequence[Column], rows: Sequence[tuple[ArmSummary, str]], hues: Mapping[str, Hue]
) -> Table:
    """A table of strategies, each with its mark; the first of the columns names them."""
    first, *figures = columns
    numeric = [column.numeric for column in figures]
    return Table(
        caption=caption,
        headers=tuple((column.header, column.numeric) for column in columns),
        rows=tuple(
            Row(
                name=Cell(value=first.full(row), numeric=False),
                cells=_cells([column.full(row) for column in figures], numeric),
                colour=_colour(row.arm, hues),
                mark=mark,
            )
            for row, mark in rows
        ),
    )


def _mark(row: ArmSummary, summary: CaseSummary) -> str:
    if row.arm.error is not None:
        return "wrong"
    claimed = row.quiet is not None and row.quiet.low is not None
    return "best" if claimed and (row.arm.name == summary.best or row.tied) else ""


def _colour(arm: Arm, hues: Mapping[str, Hue]) -> str:
    return colour(hues[arm.strategy].light) if arm.strategy in hues else ""


def _statements(arm: Arm, hues: Mapping[str, Hue]) -> Statements:
    assert arm.counters is not None
    return Statements(
        arm=arm.name,
        summary=arm.summary,
        total=counted(arm.counters.statements, "statement"),
        colour=_colour(arm, hues),
        texts=tuple((_executed(statement), statement.sql.strip()) for statement in arm.counters.by_statement),
    )


def _executed(statement: StatementCount) -> str:
    return (
        f"Executed {counted(statement.executions, 'time')}: {counted(statement.rows, 'row')} fetched, "
        f"{counted(statement.parameters, 'bound parameter')} sent."
    )


def _samples_table(summary: CaseSummary) -> Table | None:
    """Every sample in the order taken: a row for each arm, collector policy and worker."""
    rows = tuple(row for arm in summary.case.arms for row in _sample_rows(arm))
    headers = (("arm", False), ("collector", False), ("worker", True), ("unit", False), ("samples", False))
    return Table(caption="Samples in the order taken", headers=headers, rows=rows) if rows else None


def _sample_rows(arm: Arm) -> Iterator[Row]:
    for samples in arm.samples:
        if not samples.wall_ns:
            continue
        unit = time_unit(max(samples.wall_ns))
        taken = sorted(zip(samples.worker, samples.round, samples.wall_ns, strict=True))
        for worker, group in groupby(taken, key=lambda sample: sample[0]):
            times = [
                f"{wall / unit.ns:,.4g}" if wall < 1e4 * unit.ns else f"{wall / unit.ns:,.0f}" for *_, wall in group
            ]
            more = len(times) - MOST_SAMPLES_LISTED
            listed = "  ".join(times[:MOST_SAMPLES_LISTED]) + (f"  and {more:,} more in run.json" if more > 0 else "")
            yield Row(
                name=Cell(value=arm.name, numeric=False),
                cells=_cells([samples.collector, str(worker + 1), unit.name, listed], [False, True, False, False]),
            )


def _cells(texts: Sequence[str], numeric: Sequence[bool]) -> tuple[Cell, ...]:
    return tuple(_cell(text, right) for text, right in zip(texts, numeric, strict=True))


def _cell(text: str, numeric: bool) -> Cell:
    """A text of a table, its interval apart: the figure is what is read first."""
    value, bracket, interval = text.partition(" (") if numeric else (text, "", "")
    return Cell(value=value, interval=f"{bracket.strip()}{interval}", numeric=numeric)


def _anchor(at: int) -> str:
    return f"case-{at + 1}"


def _targets_anchor(at: int) -> str:
    return f"targets-{at + 1}"
