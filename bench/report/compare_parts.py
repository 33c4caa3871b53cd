"""What a comparison of runs says, as titles, tables and sentences that every form of it shows alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.reduce.compare import Cell, Comparison, Row
from bench.reduce.compare_counts import CountsDiffer
from bench.reduce.compare_points import letter
from bench.reduce.types import ArmSummary, Estimate
from bench.report.columns import NOT_TIMED, TIE, fault_text
from bench.report.facts import target_text
from bench.report.units import APPROXIMATE, count_text, counted, ratio_text, short_ratio_text, short_time_text

SAME = "same"
BUT = "but"
ABSENT = "-"
NOT_MEASURED = "not measured"
"""Stands for the counts of a strategy that a run planned and never came to: nothing is known of it."""

BASELINE = "baseline"

FIGURES = {
    "statements": "statements",
    "rows": "rows",
    "repeated_rows": "repeated rows",
    "entities": "distinct entities",
    "parameters": "bound parameters",
    "bytes": "bytes (approximate)",
}
"""The figures of counters as a sentence calls them."""

BESIDE_CHART, INDICATIVE_CHART, COUNTS_CHART = "comparison-times", "comparison-indicative", "comparison-counts"
"""Names of the charts' files, without an ending."""

MOST_FAULTS = 6
"""Measurements that are said to be wrong, each in a line; the table names them all."""

MOST_TEXTS = 3
"""Statements of a difference that are shown in full."""

BESIDE = (
    "First the time of one load, then how many times as long it takes, with the 95 % interval; "
    f"{TIE}: no difference can be told."
)
INDICATIVE = (
    "Times of separate runs are indicative: what stands here is the ratio to {baseline}, in the same run and case. The "
    "machine may have been another one from run to run, so no verdict is drawn from them."
)
NO_BASELINE = (
    f"{ABSENT} in place of a ratio: the runs have no strategy in common that it could be taken to, or no round with it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its title and the lines under it; the first `labels` columns name the row."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    labels: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a measurement's counts are, other than the first one's: a sentence, and the statements that it is about.

    statements: `+ 1,000 times` or `- 1 time`, as only this one or only the first sends it, or `1 -> 2 times`; its text.
    """

    says: str
    statements: tuple[tuple[str, str], ...]


def title(comparison: Comparison) -> str:
    """The comparison in a line: what by, and what all of its rows have in common."""
    what = "Runs compared" if comparison.by == "run" else f"Compared by {comparison.by}"
    shared = [value for _, value in shared_labels(comparison)]
    return f"{what}: {' '.join(shared)}" if shared else what


def legend(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """The letter of each run, with its name, date and where it was measured."""
    return tuple(
        (
            letter(at),
            f"{run.id}, {run.created[:16].replace('T', ' ')} UTC, SQLAlchemy {run.environment.sqlalchemy}, "
            + "; ".join(dict.fromkeys(target_text(target) for case in run.cases for target in case.targets)),
        )
        for at, run in enumerate(comparison.runs)
    )


def facts_table(comparison: Comparison) -> Table:
    """The facts that differ, a column for each value that is compared."""
    rows = tuple((fact.name, *(value or ABSENT for value in fact.values)) for fact in comparison.differing)
    besides = "" if comparison.by == "run" else f"Besides the {_axis(comparison)} itself, "
    notes = () if rows else (f"{besides}{'no' if besides else 'No'} fact of what was compared differs.",)
    return Table(title="What differs", headers=("", *comparison.columns), rows=rows, labels=1, notes=notes)


def counts_table(comparison: Comparison) -> Table:
    """Statements and rows, exact; `same` where every count and every text is that of the first."""
    names = varying(comparison)
    cells = _counts if comparison.same_load else _plain_counts
    rows = tuple((*_labels(row, names), *map(cells, row.cells)) for row in comparison.rows)
    legend = (
        (SAME, f"{SAME}: every count and every SQL text is as in the first column of the row."),
        (BUT, f"{BUT}: so are statements and rows, but something else is not."),
    )
    return Table(
        title="Counts, exact on any machine: statements / rows",
        headers=(*names, *comparison.columns),
        rows=rows,
        labels=len(names),
        notes=(
            *(says for word, says in legend if any(cell.endswith(word) for row in rows for cell in row)),
            *list(_faults(comparison))[:MOST_FAULTS],
        ),
    )


def _faults(comparison: Comparison) -> Iterator[str]:
    """Yield what is wrong with each measurement that has no counts to compare."""
    names = varying(comparison)
    for row in comparison.rows:
        for column, cell in zip(comparison.columns, row.cells, strict=True):
            if cell and (error := cell.point.row.arm.error) is not None:
                where = " ".join((*_labels(row, names), column))
                yield f"{where}, {fault_text(cell.point.row.arm)}: {' '.join(error.split())}"


def differences(comparison: Comparison) -> Iterator[Difference]:
    """Yield what the counts of each measurement are, other than the first one's of its row, whose load it is too."""
    if not comparison.same_load:
        return
    names = varying(comparison)
    for row in comparison.rows:
        for column, cell in zip(comparison.columns, row.cells, strict=True):
            if cell and cell.differs:
                where = " ".join((*_labels(row, names), f"on {column}" if comparison.by == "database" else column))
                yield _difference(where, cell.differs)


def beside_table(comparison: Comparison) -> Table | None:
    """Times that were sampled side by side, as ratios to the first; None where none were."""
    rows = [row for row in comparison.rows if any(cell and cell.ratio for cell in row.cells)]
    if not rows:
        return None
    names = varying(comparison)
    return Table(
        title="Times, sampled side by side",
        headers=(*names, *comparison.columns),
        rows=tuple((*_labels(row, names), *_beside(row)) for row in rows),
        labels=len(names),
        notes=(
            BESIDE,
            *_approximate(comparison, lambda cell: cell.ratio or cell.point.row.quiet),
        ),
    )


def indicative_table(comparison: Comparison) -> Table | None:
    """Ratios to a strategy that all columns have, where times of separate cases stand in one row; None elsewhere.

    Rows that go by one baseline name it below the table, others each in a column of its own.
    """
    rows = [row for row in comparison.rows if is_indicative(row)]
    if not rows:
        return None
    names = varying(comparison)
    one = one_baseline(comparison)
    texts = [tuple(_to_baseline(cell, row) for cell in row.cells) for row in rows]
    timed = [
        text
        for row, cells in zip(rows, texts, strict=True)
        for cell, text in zip(row.cells, cells, strict=True)
        if cell
    ]
    return Table(
        title="Times of separate measurements, indicative",
        headers=(*names, *(() if one else ("ratio to",)), *comparison.columns),
        rows=tuple(
            (*_labels(row, names), *(() if one else (row.baseline or ABSENT,)), *cells)
            for row, cells in zip(rows, texts, strict=True)
        ),
        labels=len(names) + (0 if one else 1),
        notes=(
            INDICATIVE.format(baseline=one or "the strategy that its row names"),
            *([NO_BASELINE] if ABSENT in timed else []),
            *_approximate(comparison, lambda cell: cell.to_baseline),
        ),
    )


def one_baseline(comparison: Comparison) -> str:
    """The strategy that all indicative ratios are to; empty where their rows go by several, or one by none."""
    (first, *others) = {row.baseline for row in comparison.rows if is_indicative(row)}
    return "" if others else first or ""


def is_indicative(row: Row) -> bool:
    """Whether times stand in a row that were not all sampled side by side with the first one's."""
    timed = [cell for cell in row.cells if cell and cell.point.row.quiet]
    return any(not cell.ratio for cell in timed[1:])


def alone_text(comparison: Comparison) -> str:
    """What only one column has, and so was not compared; empty where there is nothing."""
    names = varying(comparison)
    found: dict[str, list[str]] = {}
    for row in comparison.alone:
        for column, cell in zip(comparison.columns, row.cells, strict=True):
            if cell:
                found.setdefault(column, []).append(" ".join(_labels(row, names)) or cell.point.row.arm.name)
    return "; ".join(f"only {column} has {', '.join(dict.fromkeys(rows))}" for column, rows in found.items())


def shared_labels(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """The labels that all rows have alike."""
    rows = [*comparison.rows, *comparison.alone]
    return tuple(label for label in rows[0].labels if all(label in row.labels for row in rows))


def varying(comparison: Comparison) -> tuple[str, ...]:
    """The names of the labels that are not the same in all rows."""
    shared = {name for name, _ in shared_labels(comparison)}
    names = dict.fromkeys(name for row in (*comparison.rows, *comparison.alone) for name, _ in row.labels)
    return tuple(name for name in names if name not in shared)


def row_text(comparison: Comparison, row: Row) -> str:
    """What names a row among the others; empty where it is the only one."""
    return " ".join(filter(None, _labels(row, varying(comparison))))


def sql_excerpt(sql: str, limit: int = 160) -> str:
    """A statement as far as a line of text takes it."""
    return sql if len(sql) <= limit else f"{sql[: limit - 3]}..."


def _axis(comparison: Comparison) -> str:
    return {"sqlalchemy": "version of SQLAlchemy", "python": "version of Python"}.get(comparison.by, comparison.by)


def _labels(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    labels = dict(row.labels)
    return tuple(labels.get(name, "") for name in names)


def _plain_counts(cell: Cell | None) -> str:
    if cell is None:
        return ABSENT
    arm = cell.point.row.arm
    counters = arm.counters
    if arm.error is not None:
        return fault_text(arm)
    if counters is None:
        return NOT_MEASURED
    return f"{count_text(counters.statements)} / {count_text(counters.rows)}"


def _counts(cell: Cell | None) -> str:
    if cell is None or cell.differs is None:
        return _plain_counts(cell)
    if not cell.differs:
        return SAME
    others = not {"statements", "rows"} & {each.name for each in cell.differs.figures}
    return f"{_plain_counts(cell)}, {BUT}" if others else _plain_counts(cell)


def _difference(where: str, differs: CountsDiffer) -> Difference:
    figures = [
        f"{FIGURES[each.name]} {count_text(each.before)} -> {count_text(each.after)}" for each in differs.figures
    ]
    texts = [
        counted(len(found), f"text {word}", f"texts {word}")
        for found, word in ((differs.added, "more"), (differs.gone, "gone"), (differs.resent, "not as often"))
        if found
    ]
    statements = [
        *((f"+ {counted(sent, 'time')}", sql, sent) for sql, sent in differs.added),
        *((f"- {counted(sent, 'time')}", sql, sent) for sql, sent in differs.gone),
        *((f"{count_text(was)} -> {counted(now, 'time')}", sql, max(was, now)) for sql, (was, now) in differs.resent),
    ]
    shown = sorted(statements, key=lambda each: -each[2])[:MOST_TEXTS]
    more = f" ({count_text(len(shown))} of them below)" if len(statements) > len(shown) else ""
    return Difference(
        says=f"{where}: {', '.join((*figures, *texts))}{more}",
        statements=tuple((sent, sql) for sent, sql, _ in shown),
    )


def _beside(row: Row) -> Iterator[str]:
    first = True
    for cell in row.cells:
        if cell is None:
            yield ABSENT
        elif cell.ratio:
            yield TIE if cell.tied else ratio_text(cell.ratio) if cell.ratio.low else short_ratio_text(cell.ratio)
        else:
            yield _time(cell.point.row) if first else ABSENT
        first = first and cell is None


def _time(row: ArmSummary) -> str:
    if row.arm.error is not None:
        return fault_text(row.arm)
    return short_time_text(row.quiet) if row.quiet else NOT_TIMED


def _to_baseline(cell: Cell | None, row: Row) -> str:
    if cell is None:
        return ABSENT
    if cell.point.row.quiet is None:
        return _time(cell.point.row)
    if cell.to_baseline:
        return short_ratio_text(cell.to_baseline)
    return BASELINE if cell.point.row.arm.name == row.baseline else ABSENT


def _approximate(comparison: Comparison, figure: Callable[[Cell], Estimate | None]) -> tuple[str, ...]:
    shown = [figure(cell) for row in comparison.rows for cell in row.cells if cell]
    if any(each is not None and each.low is None for each in shown):
        return (f"{APPROXIMATE} no interval: sampled in fewer than five workers.",)
    return ()
