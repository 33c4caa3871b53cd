"""The columns of a case's table: what stands in each, in full and in short, for every kind of report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.model import Arm, Counters
from bench.model.run import Fault
from bench.reduce.types import ArmSummary, CaseSummary, Estimate
from bench.report.units import bytes_text, count_text, listed, ratio_text, short_ratio_text, short_time_text

NOTHING = ""
"""Stands where a figure was not taken."""

WRONG = "WRONG"
FAULTS: Mapping[Fault, str] = {"": WRONG, "unequal": WRONG, "failed": "FAILED", "died": "DIED"}
"""What stands in place of the time of an arm with an error; one from before there were kinds counts as unequal."""

NOT_TIMED = "not timed"
FASTEST = "fastest"
TIE = "tie"

Cell = Callable[[ArmSummary], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table. header: its title. title: what it is called in a sentence. numeric: aligned to the right.

    full: its text where there is room. short: where there is little.
    """

    header: str
    title: str
    full: Cell
    short: Cell
    numeric: bool = True


def fault_text(arm: Arm) -> str:
    """The word for why an arm was not timed: `WRONG`, `FAILED` or `DIED`."""
    return FAULTS[arm.fault]


def _counted(figure: Callable[[Counters], int]) -> Cell:
    return lambda row: count_text(figure(row.arm.counters)) if row.arm.counters else NOTHING


def _time(row: ArmSummary) -> str:
    if row.arm.error is not None:
        return fault_text(row.arm)
    return short_time_text(row.quiet) if row.quiet else NOT_TIMED


def _to_best(text: Callable[[Estimate], str]) -> Cell:
    def cell(row: ArmSummary) -> str:
        if row.to_best is None:
            return FASTEST if row.quiet else NOTHING
        return TIE if row.tied else text(row.to_best)

    return cell


def _ratio(of: Callable[[ArmSummary], Estimate | None], text: Callable[[Estimate], str]) -> Cell:
    def cell(row: ArmSummary) -> str:
        ratio = of(row)
        return text(ratio) if ratio else NOTHING

    return cell


def _in_full(ratio: Estimate) -> str:
    """A ratio with its interval; without one the mark is enough, which a note under the table explains."""
    return short_ratio_text(ratio) if ratio.low is None else ratio_text(ratio)


def _same(header: str, title: str, cell: Cell, *, numeric: bool = True) -> Column:
    return Column(header=header, title=title, full=cell, short=cell, numeric=numeric)


STRATEGY = _same("strategy", "strategy", lambda row: row.arm.name, numeric=False)
STATEMENTS = _same("statements", "statements", _counted(lambda counters: counters.statements))
ROWS = _same("rows", "rows", _counted(lambda counters: counters.rows))
REPEATED = _same("repeated", "repeated rows", _counted(lambda counters: counters.repeated_rows))
TIME = _same("time", "time", _time)
TO_BEST = Column(header="to best", title="ratio to the best", full=_to_best(_in_full), short=_to_best(short_ratio_text))
TO_FLOOR = Column(
    header="to floor",
    title="ratio to the floor",
    full=_ratio(lambda row: row.to_floor, _in_full),
    short=_ratio(lambda row: row.to_floor, short_ratio_text),
)
COLLECTOR_ON = _same(
    "collector on",
    "time with the collector on",
    lambda row: short_time_text(row.default) if row.default else NOTHING,
)
PEAK = _same("peak", "peak memory", lambda row: bytes_text(row.arm.peak_bytes) if row.arm.peak_bytes else NOTHING)

COLUMNS = (STRATEGY, STATEMENTS, ROWS, REPEATED, TIME, TO_BEST, TO_FLOOR, COLLECTOR_ON, PEAK)

SERIES_HEADERS = ("size", "fastest", "time")
SERIES_NUMERIC = (False, False, True)


def series_row(case: CaseSummary) -> tuple[str, str, str]:
    """A case as a row of its series: its size, who was fastest there or tied for it, and the fastest one's time."""
    size = str(case.case.spec.size)
    row = next((row for row in case.rows if row.arm.name == case.best), None)
    if row is None or row.quiet is None:
        return (size, "nothing was timed", NOTHING)
    tied = [other.arm.name for other in case.rows if other.tied]
    return (size, listed([row.arm.name, *tied]) + (" (tie)" if tied else ""), short_time_text(row.quiet))
