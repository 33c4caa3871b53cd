"""A run as plain text for a terminal; colour and where it goes are the command line's affair."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from tabulate import tabulate

from bench.model import Run, Sampling
from bench.reduce.catalogue_summary import Won, by_scenario, catalogue_summary
from bench.reduce.crossover import crossovers
from bench.reduce.summaries import summarise_all
from bench.reduce.types import AcrossTargets, ArmSummary, CaseSummary, Crossover
from bench.report.catalogue import TITLE, summary_findings, summary_notes, summary_title
from bench.report.catalogue_text import summary_table
from bench.report.columns import (
    COLLECTOR_ON,
    COLUMNS,
    PEAK,
    REPEATED,
    ROWS,
    SERIES_HEADERS,
    SERIES_NUMERIC,
    STATEMENTS,
    TO_FLOOR,
    Column,
    series_row,
)
from bench.report.counts import inflation_line
from bench.report.facts import case_title, crossover_title, dataset_text, run_facts, targets_title
from bench.report.findings import crossover_findings, findings
from bench.report.notes import notes
from bench.report.target_findings import target_findings
from bench.report.target_notes import origin_note, target_notes
from bench.report.targets import TargetTable, target_table
from bench.report.units import listed

DROPPED_FIRST = (PEAK, TO_FLOOR, COLLECTOR_ON, REPEATED, ROWS, STATEMENTS)
"""The order in which columns are left out of a table that is too wide, once ratios are short."""

NARROWEST = 40
"""Columns below which text is not narrowed any further."""


def run_text(run: Run, *, width: int, summaries: Sequence[CaseSummary] | None = None) -> str:
    """Return the whole run in lines of at most `width` columns: what and where, the crossovers, then every case.

    Of several scenarios the summary stands before all that, and the cases of each are together. summaries: the run's
    cases reduced, where the caller has them already.
    """
    width = max(width, NARROWEST)
    summaries = summarise_all(run) if summaries is None else summaries
    blocks = [_facts(run, width)]
    if not summaries:
        blocks.append("No case was measured.")
    parts = by_scenario(run, summaries)
    wins = catalogue_summary(parts)
    if wins:
        blocks.append(summary_text(run, wins, width=width))
    series = crossovers(run, summaries=summaries)
    blocks += [_crossover(crossover, crossover_title(crossover, series), width) for crossover in series]
    for case in (case for part in parts for case in part.cases):
        if case.compared:
            blocks.append(targets_text(case.compared, width=width))
        blocks += [
            case_text(summary, width=width, sampling=run.sampling, origin=origin_note(case.compared, at))
            for at, summary in enumerate(case.views.values())
        ]
    return _printable("\n\n".join(blocks))


def summary_text(run: Run, wins: Sequence[Won], *, width: int) -> str:
    """Return the summary of a run of several scenarios: the table with its notes, and the findings."""
    title = f"{TITLE}: {summary_title(run, wins)}"
    found = [line for finding in summary_findings(run, wins) for line in _item(finding, width)]
    notes_under = "\n".join(_wrapped(summary_notes(wins), width))
    table = summary_table(run, wins, width=width)
    return "\n\n".join([_ruled(title, width), table, notes_under, "\n".join(["Findings", *found])])


def targets_text(compared: AcrossTargets, *, width: int) -> str:
    """Return the comparison of a case's targets: its question, the table with its notes, and the findings."""
    case = compared.case
    head = [_ruled(targets_title(case), width), *_wrapped([case.scenario.question], width)]
    found = [line for finding in target_findings(compared) for line in _item(finding, width)]
    notes_under = "\n".join(_wrapped(target_notes(compared), width))
    return "\n\n".join(["\n".join(head), *_side_by_side(compared, width), notes_under, "\n".join(["Findings", *found])])


def _side_by_side(compared: AcrossTargets, width: int) -> Iterator[str]:
    """Yield the table of targets; in parts that each name the strategies where not all targets fit beside one another.

    A row is never wrapped. Ratios are shortened before the table is divided.
    """
    full = target_table(compared)
    columns = range(len(full.headers))
    if _width(_of_targets(full, columns)) <= width:
        yield _of_targets(full, columns)
        return
    short = target_table(compared, short=True)
    part = [0, 1]
    for at in columns[2:]:
        if len(part) > 1 and _width(_of_targets(short, [*part, at])) > width:
            yield _of_targets(short, part)
            part = [0]
        part.append(at)
    yield _of_targets(short, part)


def _of_targets(table: TargetTable, columns: Sequence[int]) -> str:
    return tabulate(
        [[row[at] for at in columns] for row in table.rows],
        headers=[table.headers[at] for at in columns],
        colalign=["right" if at else "left" for at in columns] if table.rows else None,
        tablefmt="simple",
        disable_numparse=True,
    )


def case_text(summary: CaseSummary, *, width: int, sampling: Sampling | None = None, origin: str = "") -> str:
    """Return a case: its question and dataset, the table with its notes, and the findings.

    origin: a line on whose build the server is, where that has to be said.
    """
    case = summary.case
    head = [_ruled(case_title(case), width), *_wrapped([case.scenario.question, f"{dataset_text(case)}."], width)]
    found = [line for finding in findings(summary) for line in _item(finding, width)]
    table = "\n".join([case_table(summary, width=width, sampling=sampling), *_wrapped([origin], width)])
    blocks = ["\n".join(head), table, "\n".join(["Findings", *found])]
    return "\n\n".join(blocks)


def case_table(summary: CaseSummary, *, width: int, sampling: Sampling | None = None) -> str:
    """Return a case's table, its inflation and the notes under it, in lines of at most `width` columns.

    A row is never wrapped. Where the table is too wide, ratios are shortened, then columns left out in the order of
    DROPPED_FIRST; a line says which.
    """
    table, dropped, needed = _fitting(summary.rows, width)
    left_out = [f"At {needed} columns also: {listed([column.title for column in dropped])}."] if dropped else []
    lines = [*left_out, inflation_line(summary.rows), *notes(summary, sampling)]
    return "\n".join([table, "", *_wrapped(lines, width)])


def _fitting(rows: Sequence[ArmSummary], width: int) -> tuple[str, list[Column], int]:
    """Return the most complete table that fits, the columns that it lacks, and the width that would show them all."""
    shown = [column for column in COLUMNS if _has_content(column, rows)]
    table = _table(rows, shown, short=False)
    if _width(table) <= width:
        return table, [], width
    whole = table = _table(rows, shown, short=True)
    droppable = [column for column in DROPPED_FIRST if column in shown]
    dropped: list[Column] = []
    while _width(table) > width and droppable:
        dropped.append(droppable.pop(0))
        table = _table(rows, [column for column in shown if column not in dropped], short=True)
    return table, [column for column in COLUMNS if column in dropped], _width(whole)


def _has_content(column: Column, rows: Sequence[ArmSummary]) -> bool:
    return any(column.full(row) for row in rows)


def _table(rows: Sequence[ArmSummary], columns: Sequence[Column], *, short: bool) -> str:
    return tabulate(
        [[(column.short if short else column.full)(row) for column in columns] for row in rows],
        headers=[column.header for column in columns],
        colalign=["right" if column.numeric else "left" for column in columns] if rows else None,
        tablefmt="simple",
        disable_numparse=True,
    )


def _width(table: str) -> int:
    return max(map(len, table.splitlines()), default=0)


def _crossover(crossover: Crossover, title: str, width: int) -> str:
    """The series as a small table, the fastest at each size, and what it amounts to."""
    table = tabulate(
        [series_row(case) for case in crossover.cases],
        headers=SERIES_HEADERS,
        colalign=["right" if numeric else "left" for numeric in SERIES_NUMERIC],
        tablefmt="simple",
        disable_numparse=True,
    )
    found = [line for finding in crossover_findings(crossover) for line in _item(finding, width)]
    return "\n".join([_ruled(title, width), table, *([""] if found else []), *found])


def _facts(run: Run, width: int) -> str:
    return "\n".join(
        textwrap.fill(f"{name + ':':<10}{value}", width, subsequent_indent=" " * 10) for name, value in run_facts(run)
    )


def _ruled(title: str, width: int) -> str:
    lines = list(_wrapped([title], width))  # a URL in it may be longer than a line
    return "\n".join([*lines, "=" * max(map(len, lines), default=0)])


def _wrapped(lines: Iterable[str], width: int) -> Iterator[str]:
    for line in lines:
        yield from textwrap.wrap(line, width, subsequent_indent="  ", break_on_hyphens=False)


def _item(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def _printable(text: str) -> str:
    """Without control characters: a name in a run file must not steer the terminal."""
    return "".join(character if character == "\n" or character.isprintable() else "?" for character in text)
