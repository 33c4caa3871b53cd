"""A run as GitHub-flavoured Markdown: report.md, what the terminal shows, with charts, statements and settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from urllib.parse import quote

from bench.model import Arm, Run, Sampling
from bench.reduce.catalogue_summary import Reduced, Won, by_scenario, catalogue_summary
from bench.reduce.crossover import crossovers
from bench.reduce.summaries import summarise_all
from bench.reduce.types import AcrossTargets, ArmSummary, CaseSummary, Crossover
from bench.report.catalogue import (
    HEADERS,
    NUMERIC,
    TITLE,
    part_anchor,
    summary_findings,
    summary_notes,
    summary_rows,
    summary_title,
)
from bench.report.columns import COLUMNS, SERIES_HEADERS, SERIES_NUMERIC, Column, series_row
from bench.report.counts import COUNT_COLUMNS, counted_rows
from bench.report.facts import (
    case_title,
    crossover_title,
    dataset_text,
    run_facts,
    settings_facts,
    targets_title,
)
from bench.report.findings import crossover_findings, findings
from bench.report.markup import anchor, bullets, escaped, fenced, folded, linked, marked_up_table, table
from bench.report.notes import notes
from bench.report.profile_page import Key, case_key
from bench.report.target_findings import target_findings
from bench.report.target_notes import origin_note, target_notes
from bench.report.targets import target_table
from bench.report.units import counted

Charts = Mapping[str, str | PurePath]
"""Captions, and the images that they stand under, as paths from the report's own folder."""


def run_markdown(
    run: Run,
    *,
    charts: Charts,
    summaries: Sequence[CaseSummary] | None = None,
    remarks: Sequence[str] = (),
    profiles: Mapping[Key, str] = MappingProxyType({}),
) -> str:
    """Return report.md of the run.

    charts: a caption that begins with a case's title and a colon, `one_to_many 1000x50 on sqlite: every sample`,
    places its image in that case; any other stands before the cases. summaries: the run's cases reduced, where the
    caller has them already. remarks: what a reader has to know of this report before any number. profiles: of the
    run's cases, as Markdown, by scenario, size and target.
    """
    summaries = summarise_all(run) if summaries is None else summaries
    titles = {case_title(summary.case) for summary in summaries} | {targets_title(case) for case in run.cases}
    titles.add(TITLE)
    placed = {caption: path for caption, path in charts.items() if caption.partition(": ")[0] in titles}
    shared = {caption: path for caption, path in charts.items() if caption not in placed}
    facts = [f"{name}: {value}" for name, value in run_facts(run)]
    blocks = [f"# {escaped(run.label or run.id)}", bullets(facts)]
    if remarks:
        blocks.append("\n".join(f"> {escaped(remark)}  " for remark in remarks))
    if not summaries:
        blocks.append("No case was measured.")
    parts = by_scenario(run, summaries)
    wins = catalogue_summary(parts)
    if wins:
        blocks += _summary(run, wins, placed)
    series = crossovers(run, summaries=summaries)
    for crossover in series:
        blocks += _crossover(crossover, crossover_title(crossover, series))
    blocks += [_image(caption, path) for caption, path in shared.items()]
    for part in parts:
        if wins:
            blocks += [anchor(part_anchor(part.at)), f"## {escaped(part.name)}", escaped(part.question)]
        for case in part.cases:
            blocks += _reduced(case, run.sampling, placed, profiles, within=bool(wins))
    blocks.append(folded("Settings and environment", [_facts(settings_facts(run))]))
    return "\n\n".join(blocks) + "\n"


def _summary(run: Run, wins: Sequence[Won], charts: Charts) -> Iterator[str]:
    """The summary of a run of several scenarios; each row leads to its scenario."""
    yield f"## {escaped(f'{TITLE}: {summary_title(run, wins)}')}"
    yield bullets(summary_findings(run, wins))
    rows = [
        [linked(row.cells[0], part_anchor(row.won.part)), *map(escaped, row.cells[1:])]
        for row in summary_rows(run, wins)
    ]
    yield marked_up_table(rows, headers=HEADERS, numeric=NUMERIC)
    yield bullets(summary_notes(wins))
    yield from _images(TITLE, charts)


def _reduced(
    case: Reduced, sampling: Sampling, charts: Charts, profiles: Mapping[Key, str], *, within: bool
) -> Iterator[str]:
    """A case on all of its targets. within: a scenario's part, which has told the question."""
    heading = "###" if within else "##"
    question = [] if within else [escaped(case.case.scenario.question)]
    if case.compared:
        yield from (f"{heading} {escaped(targets_title(case.case))}", *question, *_targets(case.compared, charts))
    for at, summary in enumerate(case.views.values()):
        yield from (f"{heading} {escaped(case_title(summary.case))}", *question)
        yield from _case(summary, sampling, charts, origin_note(case.compared, at))
        if profile := profiles.get(case_key(summary.case)):
            yield profile


def _targets(compared: AcrossTargets, charts: Charts) -> Iterator[str]:
    yield bullets(target_findings(compared))
    shown = target_table(compared)
    yield table(shown.rows, headers=shown.headers, numeric=[bool(at) for at in range(len(shown.headers))])
    yield bullets(target_notes(compared))
    yield from _images(targets_title(compared.case), charts)


def _case(summary: CaseSummary, sampling: Sampling, charts: Charts, origin: str) -> Iterator[str]:
    case = summary.case
    yield bullets(findings(summary))
    yield _table(COLUMNS, summary.rows)
    yield bullets([*notes(summary, sampling), *([origin] if origin else []), f"Dataset: {dataset_text(case)}."])
    yield from _images(case_title(case), charts)
    counted_ones = counted_rows(summary.rows)
    if counted_ones:
        yield folded("Counts", [_table(COUNT_COLUMNS, counted_ones)])
    for row in counted_ones:
        yield _statements(row.arm)


def _table(columns: Sequence[Column], rows: Sequence[ArmSummary]) -> str:
    return table(
        [[column.full(row) for column in columns] for row in rows],
        headers=[column.header for column in columns],
        numeric=[column.numeric for column in columns],
    )


def _statements(arm: Arm) -> str:
    """The distinct SQL texts of a strategy, each with how often it went out and what that fetched."""
    assert arm.counters is not None
    blocks = [escaped(arm.summary)]
    for statement in arm.counters.by_statement:
        fetched = f"{counted(statement.rows, 'row')} fetched"
        sent = f"{counted(statement.parameters, 'bound parameter')} sent"
        blocks.append(f"Executed {counted(statement.executions, 'time')}: {fetched}, {sent}.")
        blocks.append(fenced(statement.sql, "sql"))
    return folded(f"What {arm.name} sends: {counted(arm.counters.statements, 'statement')}", blocks)


def _crossover(crossover: Crossover, title: str) -> Iterator[str]:
    yield f"## {escaped(title)}"
    found = crossover_findings(crossover)
    if found:
        yield bullets(found)
    yield table(
        [series_row(case) for case in crossover.cases],
        headers=SERIES_HEADERS,
        numeric=SERIES_NUMERIC,
    )


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    return table(facts, headers=["what", "value"], numeric=[False, False])


def _images(title: str, charts: Charts) -> Iterator[str]:
    for caption, path in charts.items():
        if caption.startswith(f"{title}: "):
            yield _image(caption, path)


def _image(caption: str, path: str | PurePath) -> str:
    return f"![{escaped(caption)}]({quote(PurePath(path).as_posix())})"
