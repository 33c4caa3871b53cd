"""Stored runs compared: counts by equality, times by ratio only where they were taken side by side.

What is compared is an axis: the runs themselves, or what they differ in (a database, a driver, ...). Its values are
columns, held against the first; a row is all else that names a measurement. Arms of one case of one run were sampled
in the same rounds: their ratio has an interval and a verdict. Times of separate runs are indicative, and only their
ratios to one and the same strategy, each as its own run took it, are put beside each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.errors import BenchError
from bench.model import Run
from bench.reduce.compare_baseline import baselines, to_baseline
from bench.reduce.compare_counts import CountsDiffer, compare_counts
from bench.reduce.compare_facts import Differing, differing, facts_of
from bench.reduce.compare_points import Point, points_of
from bench.reduce.compare_refused import nothing_in_common
from bench.reduce.compare_rows import Axis, Labels, arranged, columns
from bench.reduce.pairing import grid, paired_ratio
from bench.reduce.summaries import is_tied
from bench.reduce.types import Estimate

MOST_RUNS = 26
"""Runs are named by letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A measurement beside the first of its row. differs: in what its counters are other than that one's.

    ratio: how many times as long it takes as the first, by samples of the same rounds; None where they were not taken
    side by side. tied: that ratio cannot be told from the noise floor. to_baseline: how many times as long it takes as
    the row's baseline does in the same case; None for that one itself, and where one of the two was not timed.
    """

    point: Point
    to_baseline: Estimate | None
    differs: CountsDiffer | None = None
    ratio: Estimate | None = None
    tied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is the same in a row, and its measurement in each column; None where a column has none.

    baseline: the strategy that each column has, to which `Cell.to_baseline` is the ratio; None where there is none.
    """

    labels: Labels
    baseline: str | None
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Runs compared by an axis. columns: its values. rows: those that two columns or more have; alone: the others.

    differing: facts that are not the same in all columns, and are not the axis itself.
    """

    by: Axis
    runs: tuple[Run, ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    alone: tuple[Row, ...]
    differing: tuple[Differing, ...]

    @property
    def same_load(self) -> bool:
        """Whether a row has one load in all of its columns, whose counts should be equal then."""
        return self.by not in {"strategy", "size"}


def compare(runs: Sequence[Run], by: Axis = "run") -> Comparison:
    """Compare runs, or the arms of one. Raises BenchError where they have nothing in common, or nothing to compare."""
    _check(runs, by)
    points = [point for at, run in enumerate(runs) for point in points_of(at, run)]
    column_of = columns(by, points)
    names = tuple(dict.fromkeys(map(column_of, points)))
    table = arranged(points, by, column_of)
    held = baselines(table)
    found = [_row(labels, held[labels], [of_row.get(name) for name in names]) for labels, of_row in table.items()]
    rows = tuple(row for row in found if sum(cell is not None for cell in row.cells) > 1)
    if not rows:
        raise nothing_in_common(by, names, runs, points)
    compared = [[cell.point for row in rows if (cell := row.cells[at])] for at in range(len(names))]
    facts = [[facts_of(point.stored, point.summary.case) for point in column] for column in compared]
    return Comparison(
        by=by,
        runs=tuple(runs),
        columns=names,
        rows=rows,
        alone=tuple(row for row in found if row not in rows),
        differing=differing(facts, by),
    )


def _check(runs: Sequence[Run], by: Axis) -> None:
    if len(runs) > MOST_RUNS:
        raise BenchError(f"{len(runs)} runs are more than can be compared.", remedy=f"Name up to {MOST_RUNS}.")
    if not runs or (len(runs) == 1 and by == "run"):
        raise BenchError(
            "One run alone has no other to be compared with.",
            remedy="Name another, or say what of its own to compare: --by strategy, database, driver, size, "
            "sqlalchemy, python or revision.",
        )
    empty = [run.id for run in runs if not run.cases]
    if empty:
        raise BenchError(f"Nothing was measured in {', '.join(empty)}.", remedy="Compare a run that has a case.")


def _row(labels: Labels, baseline: str | None, points: Sequence[Point | None]) -> Row:
    first = next(point for point in points if point is not None)
    return Row(
        labels=labels,
        baseline=baseline,
        cells=tuple(None if point is None else _cell(point, first, baseline) for point in points),
    )


def _cell(point: Point, first: Point, baseline: str | None) -> Cell:
    to_own = to_baseline(point, baseline)
    if point is first:
        return Cell(point=point, to_baseline=to_own)
    ratio = _ratio(point, first)
    same_target = point.summary.case.targets == first.summary.case.targets
    noise = point.summary.noise if same_target else point.noise_across
    return Cell(
        point=point,
        to_baseline=to_own,
        differs=_differs(point, first),
        ratio=ratio,
        tied=ratio is not None and is_tied(ratio, noise),
    )


def _differs(point: Point, first: Point) -> CountsDiffer | None:
    here, there = point.row.arm.counters, first.row.arm.counters
    if here is None or there is None or point.row.arm.error is not None or first.row.arm.error is not None:
        return None  # what loaded something else is wrong, whatever it counted
    dialects = {each.summary.case.targets[0].dialect for each in (point, first)}
    return compare_counts(there, here, same_dialect=len(dialects) == 1)


def _ratio(point: Point, first: Point) -> Estimate | None:
    """Return the ratio of two that were sampled in the same rounds of the same case."""
    if (point.run, point.case) != (first.run, first.case) or not (point.row.quiet and first.row.quiet):
        return None
    return paired_ratio(grid(point.row.arm, "quiet"), grid(first.row.arm, "quiet"))
