"""The counts of a case in full: what stands in the folded table of the written reports, and inflation in a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.model import Counters
from bench.reduce.types import ArmSummary
from bench.report.columns import NOTHING, REPEATED, ROWS, STATEMENTS, STRATEGY, Column
from bench.report.units import bytes_text, count_text

NO_INFLATION = "1.00"


def inflation_text(counters: Counters) -> str:
    """Entities in rows over distinct entities, as `1.96`."""
    return f"{counters.inflation:,.2f}"


def _column(header: str, text: Callable[[Counters], str]) -> Column:
    def cell(row: ArmSummary) -> str:
        return text(row.arm.counters) if row.arm.counters else NOTHING

    return Column(header=header, title=header, full=cell, short=cell)


COUNT_COLUMNS = (
    STRATEGY,
    STATEMENTS,
    ROWS,
    REPEATED,
    _column("distinct entities", lambda counters: count_text(counters.entities)),
    _column("inflation", inflation_text),
    _column("bound parameters", lambda counters: count_text(counters.parameters)),
    _column("bytes (approximate)", lambda counters: bytes_text(counters.bytes)),
)


def counted_rows(rows: Sequence[ArmSummary]) -> list[ArmSummary]:
    """The rows of a case of which anything was counted."""
    return [row for row in rows if row.arm.counters is not None]


def inflation_line(rows: Sequence[ArmSummary]) -> str:
    """Inflation of the strategies that did equal work, in one line; empty where nothing was counted.

    `Inflation (entities in rows / distinct entities): joined 1.96; all others 1.00.`
    """
    inflations = [
        (row.arm.name, inflation_text(row.arm.counters))
        for row in rows
        if row.arm.counters is not None and row.arm.error is None
    ]
    if not inflations:
        return ""
    inflated = [f"{name} {inflation}" for name, inflation in inflations if inflation != NO_INFLATION]
    others = [name for name, inflation in inflations if inflation == NO_INFLATION]
    rest = f"{others[0]} {NO_INFLATION}" if len(others) == 1 else f"all{' others' * bool(inflated)} {NO_INFLATION}"
    parts = [part for part in (", ".join(inflated), rest if others else "") if part]
    return f"Inflation (entities in rows / distinct entities): {'; '.join(parts)}."
