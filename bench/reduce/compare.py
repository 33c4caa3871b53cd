"""Stored runs compared: counts by equality, times by ratio only where they were taken side by side.

What is compared is an axis: the runs themselves, or what they differ in (a database, a driver, ...). Its values are
columns, held against the first; a row is all else that names a measurement. Arms of one case of one run were sampled
in the same rounds: their ratio has an interval and a verdict. Times of separate runs are indicative, and only their
ratios to their own run's baseline strategy are put beside each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bench.errors import BenchError
from bench.model import Run, TargetFacts
from bench.model.asked import DRIVERS, rtt_text
from bench.reduce.across import across
from bench.reduce.compare_counts import CountsDiffer, compare_counts
from bench.reduce.compare_facts import (
    Differing,
    database_of,
    differing,
    driver_of,
    facts_of,
    python_of,
    revision_of,
    sqlalchemy_of,
)
from bench.reduce.pairing import grid, paired_ratio
from bench.reduce.summaries import is_tied, summarise
from bench.reduce.types import ArmSummary, CaseSummary, Estimate
from bench.reduce.views import views

Axis = Literal["run", "database", "driver", "strategy", "sqlalchemy", "python", "size", "revision"]

MOST_RUNS = 26
"""Runs are named by letters."""

APART = (
    (),
    ("SQLAlchemy",),
    ("revision",),
    ("Python",),
    ("SQLAlchemy", "revision"),
    ("SQLAlchemy", "revision", "Python"),
    ("on",),
    ("run",),
    ("run", "case", "on"),
)
"""What tells measurements apart that would share a cell, tried in this order."""

Labels = tuple[tuple[str, str], ...]
"""What names a row: pairs such as `("strategy", "selectin")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A strategy at a size on a target, as one run measured it. run, case: places, counted from 0.

    summary: the case on that target; row: the strategy's own figures in it.
    """

    run: int
    case: int
    stored: Run
    summary: CaseSummary
    row: ArmSummary
    noise_across: float | None

    @property
    def target(self) -> str:
        """The name of the target, as it was asked for."""
        return self.facts.name

    @property
    def facts(self) -> TargetFacts:
        """What the target was."""
        return self.summary.case.targets[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A measurement beside the first of its row. differs: in what its counters are other than that one's.

    ratio: how many times as long it takes as the first, by samples of the same rounds; None where they were not taken
    side by side. tied: that ratio cannot be told from the noise floor.
    """

    point: Point
    differs: CountsDiffer | None = None
    ratio: Estimate | None = None
    tied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is the same in a row, and its measurement in each column; None where a column has none."""

    labels: Labels
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
    points = [point for at, run in enumerate(runs) for point in _points(at, run)]
    column_of = _columns(by, points)
    columns = tuple(dict.fromkeys(map(column_of, points)))
    found = _rows(points, by, column_of, columns)
    rows = tuple(row for row in found if sum(cell is not None for cell in row.cells) > 1)
    if not rows:
        raise _nothing_in_common(by, columns, runs)
    compared = [[cell.point for row in rows if (cell := row.cells[at])] for at in range(len(columns))]
    facts = [[facts_of(point.stored, point.summary.case) for point in column] for column in compared]
    return Comparison(
        by=by,
        runs=tuple(runs),
        columns=columns,
        rows=rows,
        alone=tuple(row for row in found if row not in rows),
        differing=differing(facts, by),
    )


def letter(run: int) -> str:
    """The letter that a run goes by in tables."""
    return chr(ord("A") + run)


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


def _points(at: int, run: Run) -> Iterator[Point]:
    for place, case in enumerate(run.cases):
        seen = tuple(summarise(view) for view in views(case))
        beside = across(case, seen)
        for summary in seen:
            for row in summary.rows:
                yield Point(
                    run=at,
                    case=place,
                    stored=run,
                    summary=summary,
                    row=row,
                    noise_across=beside.noise if beside else None,
                )


def _columns(by: Axis, points: Sequence[Point]) -> Callable[[Point], str]:
    """Return what gives a measurement its column."""
    if by == "run":
        return lambda point: letter(point.run)
    if by == "database":
        builds = {
            (database_of(point.summary.case.targets[0]), point.summary.case.targets[0].origin) for point in points
        }
        several = {name for name, _ in builds if sum(name == other for other, _ in builds) > 1}
        return lambda point: _database(point, several)
    if by == "driver":
        drivers = {(point.facts.driver, driver_of(point.facts)) for point in points}
        versions = {name for name, _ in drivers if sum(name == other for other, _ in drivers) > 1}
        return lambda point: driver_of(point.facts) if point.facts.driver in versions else point.facts.driver
    return {
        "strategy": lambda point: point.row.arm.name,
        "sqlalchemy": lambda point: sqlalchemy_of(point.stored, point.facts),
        "python": lambda point: python_of(point.stored, point.facts),
        "size": lambda point: str(point.summary.case.spec.size),
        "revision": lambda point: revision_of(point.stored, point.facts),
    }[by]


def _database(point: Point, several: set[str]) -> str:
    target = point.summary.case.targets[0]
    name = database_of(target)
    return f"{name} ({target.origin or target.provider})" if name in several else name


def _rows(points: Sequence[Point], by: Axis, column_of: Callable[[Point], str], columns: Sequence[str]) -> list[Row]:
    """Return the measurements in rows; where two would share a cell, by what of their runs tells them apart.

    Of what does, the first that leaves a row with two of them.
    """
    named = _labeller(by, points)
    whole = (cells for apart in APART if _holds(cells := _cells(points, named, column_of, apart), points))
    first = next(whole, None) or _cells(points, named, column_of, APART[-1])
    chosen = next((cells for cells in (first, *whole) if any(len(of_row) > 1 for of_row in cells.values())), first)
    return [_row(labels, [of_row.get(column) for column in columns]) for labels, of_row in chosen.items()]


def _cells(
    points: Sequence[Point],
    named: Callable[[Point], Labels],
    column_of: Callable[[Point], str],
    apart: Sequence[str],
) -> dict[Labels, dict[str, Point]]:
    cells: dict[Labels, dict[str, Point]] = {}
    for point in points:
        labels = (*named(point), *((name, _told_apart(point)[name]) for name in apart))
        cells.setdefault(labels, {}).setdefault(column_of(point), point)
    return cells


def _holds(cells: Mapping[Labels, Mapping[str, Point]], points: Sequence[Point]) -> bool:
    """Whether each measurement has a cell of its own."""
    return sum(map(len, cells.values())) == len(points)


def _told_apart(point: Point) -> dict[str, str]:
    return {
        "SQLAlchemy": sqlalchemy_of(point.stored, point.facts),
        "revision": revision_of(point.stored, point.facts),
        "Python": python_of(point.stored, point.facts),
        "run": letter(point.run),
        "case": str(point.case + 1),
        "on": point.target,
    }


def _labeller(by: Axis, points: Sequence[Point]) -> Callable[[Point], Labels]:
    """Return what names the row of a measurement: scenario, size, strategy and target, less what is compared."""
    targets: dict[int, set[str]] = {}
    for point in points:
        targets.setdefault(point.run, set()).add(point.target)
    several = any(len(names) > 1 for names in targets.values())
    scenarios = _scenario_names(points)

    def labels(point: Point) -> Labels:
        spec = point.summary.case.spec
        named = {
            "scenario": scenarios[spec.scenario],
            "size": "" if by == "size" else str(spec.size),
            "strategy": "" if by == "strategy" else point.row.arm.name,
            "target": _rest_of_target(point, by, several),
        }
        return tuple((name, value) for name, value in named.items() if value)

    return labels


def _scenario_names(points: Sequence[Point]) -> dict[str, str]:
    """Return how each scenario is named: a file by the end of its path, for it lies elsewhere on another machine.

    Of the path as much as tells the files of each run apart.
    """
    of_runs: dict[int, set[str]] = {}
    for point in points:
        of_runs.setdefault(point.run, set()).add(point.summary.case.spec.scenario)
    parts = 0
    while True:
        parts += 1
        names = {one: _end_of(one, parts) for of_run in of_runs.values() for one in of_run}
        if all(len({names[one] for one in of_run}) == len(of_run) for of_run in of_runs.values()):
            return names


def _end_of(scenario: str, parts: int) -> str:
    path, ending, name = scenario.rpartition(".py:")
    return f"{'/'.join(path.split('/')[-parts:])}{ending}{name}"


def _rest_of_target(point: Point, by: Axis, several: bool) -> str:
    """What of a target is no matter of the axis. Runs of one target each are compared whatever their targets are."""
    asked, target = point.summary.case.spec.targets[0], point.summary.case.targets[0]
    driver = "" if asked.driver == DRIVERS[asked.database][0] else asked.driver
    rtt = "" if asked.rtt_us is None else f"rtt={rtt_text(asked.rtt_us)}"
    environment = str(asked.environment)
    if by == "database":
        return " ".join(part for part in (driver, rtt, environment) if part)
    if by == "driver":
        environment = str(replace(asked.environment, driver_version=""))
        return " ".join(part for part in (database_of(target), rtt, environment) if part)
    if by in {"sqlalchemy", "python", "revision"} and several:
        return str(replace(asked, environment=replace(asked.environment, **{by: ""})))
    return target.name if several or by in {"strategy", "size"} else ""


def _row(labels: Labels, points: Sequence[Point | None]) -> Row:
    first = next(point for point in points if point is not None)
    return Row(
        labels=labels,
        cells=tuple(None if point is None else _cell(point, first) for point in points),
    )


def _cell(point: Point, first: Point) -> Cell:
    if point is first:
        return Cell(point=point)
    ratio = _ratio(point, first)
    same_target = point.summary.case.targets == first.summary.case.targets
    noise = point.summary.noise if same_target else point.noise_across
    return Cell(
        point=point,
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


def _nothing_in_common(by: Axis, columns: Sequence[str], runs: Sequence[Run]) -> BenchError:
    if len(columns) == 1:
        return BenchError(
            f"There is nothing to compare by {by}: all that was measured has {columns[0]}.",
            remedy="Name a run that differs in it, or compare by something else.",
        )
    specs = [case.spec for run in runs for case in run.cases]
    one_scenario = len({spec.scenario for spec in specs}) == 1
    sizes = " Sizes are compared with --by size." if one_scenario and by != "size" else ""
    return BenchError(
        f"There is no arm that two of them have in common: {'; '.join(_has(at, run) for at, run in enumerate(runs))}.",
        remedy=f"Compare runs of one scenario at one size, with a strategy that both measured.{sizes}",
    )


def _has(at: int, run: Run) -> str:
    cases = [f"{case.spec.scenario} {case.spec.size}" for case in run.cases]
    strategies = dict.fromkeys(name for case in run.cases for name in case.spec.strategies)
    return f"{letter(at)} has {', '.join(cases)} by {', '.join(strategies)}"
