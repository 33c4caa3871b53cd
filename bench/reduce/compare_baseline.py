"""The strategy that times of separate measurements are held against: a ratio compares only with one to the same."""

from __future__ import annotations

from collections.abc import Mapping

from bench.reduce.compare_points import Point
from bench.reduce.compare_rows import Labels
from bench.reduce.pairing import grid, paired_ratio
from bench.reduce.types import CaseSummary, Estimate

Table = Mapping[Labels, Mapping[str, Point]]
"""Measurements by row and column."""


def baselines(table: Table) -> dict[Labels, str | None]:
    """Return a strategy for each row that was timed wherever the row was; None where there is none.

    What a run itself took for its baseline is no such strategy: it may be wrong in one run, or was not asked for. Rows
    that differ in their strategy alone go by one baseline if all of them have one: the scenario's if that is one of
    them, else the first that was asked for.
    """
    alike: dict[Labels, list[Labels]] = {}
    for labels in table:
        alike.setdefault(tuple(label for label in labels if label[0] != "strategy"), []).append(labels)
    return {labels: found for rows in alike.values() for labels, found in _of_rows(table, rows)}


def to_baseline(point: Point, baseline: str | None) -> Estimate | None:
    """Return how many times as long as the baseline a measurement took, by samples of the same rounds of its case.

    None for the baseline itself.
    """
    other = next((row for row in point.summary.rows if row.arm.name == baseline and row.quiet), None)
    if other is None or other is point.row or point.row.quiet is None:
        return None
    return paired_ratio(grid(point.row.arm, "quiet"), grid(other.arm, "quiet"))


def _of_rows(table: Table, rows: list[Labels]) -> list[tuple[Labels, str | None]]:
    cases = {id(point.summary): point.summary for labels in rows for point in table[labels].values()}
    timed = {at: _timed(summary) for at, summary in cases.items()}
    declared = [summary.case.scenario.baseline for summary in cases.values()]
    asked = [name for summary in cases.values() for name in summary.case.spec.strategies]
    # Those that most have come first, so that rows which cannot all have the same share it as far as they can.
    order = sorted(dict.fromkeys([*declared, *asked]), key=lambda name: -sum(name in names for names in timed.values()))
    return [(labels, _first(order, [timed[at] for at in _timed_in(table[labels])])) for labels in rows]


def _timed(summary: CaseSummary) -> set[str]:
    return {row.arm.name for row in summary.rows if row.quiet}


def _timed_in(row: Mapping[str, Point]) -> list[int]:
    """Return the cases in which a row was timed."""
    return [id(point.summary) for point in row.values() if point.row.quiet]


def _first(order: list[str], timed: list[set[str]]) -> str | None:
    return next((name for name in order if all(name in names for names in timed)), None) if timed else None
