"""A comparison of stored runs as text for a terminal, as Markdown and as data for a program."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from tabulate import tabulate

from bench.reduce.compare import Cell, Comparison, Row
from bench.reduce.compare_points import letter
from bench.reduce.types import Estimate
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
    sql_excerpt,
    title,
)
from bench.report.markup import bullets, escaped, fenced, folded, table

NARROWEST = 40
"""Columns below which text is not narrowed any further."""


def comparison_text(comparison: Comparison, *, width: int) -> str:
    """Return the comparison in lines of at most `width` columns: what differs, the counts, then the times."""
    width = max(width, NARROWEST)
    heading = title(comparison)
    runs = [_hanging(f"{name}  {said}", width, 3) for name, said in legend(comparison)]
    blocks = ["\n".join([heading, "=" * min(len(heading), width), *runs])]
    blocks += [_facts_text(comparison, width), _table_text(counts_table(comparison), width)]
    found = [_difference_text(each, width) for each in differences(comparison)]
    if found:
        blocks.append("\n".join(["What the counts differ by", *found]))
    blocks += [_table_text(each, width) for each in (beside_table(comparison), indicative_table(comparison)) if each]
    if alone := alone_text(comparison):
        blocks.append(_hanging(f"Not compared: {alone}.", width, 2))
    return _printable("\n\n".join(blocks))


def comparison_markdown(comparison: Comparison, *, images: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the comparison as GitHub-flavoured Markdown, each statement that differs in full.

    images: the path of each chart that there is, by its name.
    """
    blocks = [f"## {escaped(title(comparison))}", bullets(f"{name}: {said}" for name, said in legend(comparison))]
    for each, chart in ((facts_table(comparison), ""), (counts_table(comparison), COUNTS_CHART)):
        blocks += _table_markdown(each, images.get(chart))
    for difference in differences(comparison):
        blocks.append(f"- {escaped(difference.says)}")
        texts = [text for sent, sql in difference.statements for text in (escaped(sent), fenced(sql, "sql"))]
        if texts:
            blocks.append(folded("The statements", texts))
    for timed, chart in ((beside_table(comparison), BESIDE_CHART), (indicative_table(comparison), INDICATIVE_CHART)):
        blocks += _table_markdown(timed, images.get(chart)) if timed else []
    if alone := alone_text(comparison):
        blocks.append(escaped(f"Not compared: {alone}."))
    return "\n\n".join(blocks) + "\n"


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as plain data: what `--json` prints."""
    return {
        "by": comparison.by,
        "runs": {letter(at): run.id for at, run in enumerate(comparison.runs)},
        "columns": list(comparison.columns),
        "differing": {fact.name: list(fact.values) for fact in comparison.differing},
        "rows": [_row_data(row) for row in comparison.rows],
        "alone": [_row_data(row) for row in comparison.alone],
    }


def _row_data(row: Row) -> dict[str, Any]:
    first = next(cell for cell in row.cells if cell)
    cells = [_cell_data(cell, first) for cell in row.cells]
    return {"labels": dict(row.labels), "baseline": row.baseline, "cells": cells}


def _cell_data(cell: Cell | None, first: Cell) -> dict[str, Any] | None:
    """to_baseline: to that of its row, in its own run. indicative: not taken side by side with the first of its row."""
    if cell is None:
        return None
    arm = cell.point.row.arm
    counters = asdict(arm.counters) if arm.counters else None
    if counters:
        del counters["by_statement"]
    return {
        "run": letter(cell.point.run),
        "target": cell.point.target,
        "strategy": arm.strategy,
        "error": arm.error,
        "counters": counters,
        "differs": asdict(cell.differs) if cell.differs is not None else None,
        "time_ns": _estimate_data(cell.point.row.quiet),
        "to_baseline": _estimate_data(cell.to_baseline),
        "side_by_side": _estimate_data(cell.ratio),
        "tied": cell.tied if cell.ratio else None,
        "indicative": cell is not first and cell.ratio is None,
    }


def _estimate_data(estimate: Estimate | None) -> dict[str, Any] | None:
    return asdict(estimate) if estimate else None


def _facts_text(comparison: Comparison, width: int) -> str:
    """The facts that differ, a line each: their values may be longer than any table."""
    facts = facts_table(comparison)
    lines = [
        f"{name}: {'; '.join(f'{column} {value}' for column, value in zip(comparison.columns, values, strict=True))}"
        for name, *values in facts.rows
    ]
    return "\n".join([facts.title, *(_hanging(f"- {line}", width, 2) for line in lines), *facts.notes])


def _difference_text(difference: Difference, width: int) -> str:
    texts = [f"  {sent}: {sql_excerpt(sql)}" for sent, sql in difference.statements]
    return "\n".join([_hanging(f"- {difference.says}", width, 2), *(_hanging(text, width, 4) for text in texts)])


def _table_text(shown: Table, width: int) -> str:
    notes = [_hanging(note, width, 2) for note in shown.notes]
    return "\n".join([shown.title, *(_parts(shown, width) if shown.rows else []), *notes])


def _parts(shown: Table, width: int) -> Iterator[str]:
    """Yield the table; in parts that each name the rows where not all columns fit beside one another."""
    part = list(range(shown.labels))
    for at in range(shown.labels, len(shown.headers)):
        if len(part) > shown.labels and _width(_drawn(shown, [*part, at])) > width:
            yield _drawn(shown, part) + "\n"
            part = list(range(shown.labels))
        part.append(at)
    yield _drawn(shown, part)


def _drawn(shown: Table, columns: Sequence[int]) -> str:
    return tabulate(
        [[row[at] for at in columns] for row in shown.rows],
        headers=[shown.headers[at] for at in columns],
        colalign=["left" if at < shown.labels else "right" for at in columns],
        tablefmt="simple",
        disable_numparse=True,
    )


def _table_markdown(shown: Table, image: str | None = None) -> Iterator[str]:
    yield f"### {escaped(shown.title)}"
    if shown.rows:
        numeric = [at >= shown.labels for at in range(len(shown.headers))]
        yield table(shown.rows, headers=shown.headers, numeric=numeric)
    if shown.notes:
        yield bullets(shown.notes)
    if image:
        yield f"![{escaped(shown.title)}]({image})"


def _width(text: str) -> int:
    return max(map(len, text.splitlines()), default=0)


def _hanging(text: str, width: int, indent: int) -> str:
    return textwrap.fill(text, width, subsequent_indent=" " * indent, break_on_hyphens=False)


def _printable(text: str) -> str:
    """Without control characters: a name in a run file must not steer the terminal."""
    return "".join(character if character == "\n" or character.isprintable() else "?" for character in text)
