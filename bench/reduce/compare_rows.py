"""Which measurements stand in one row of a comparison, and in which column: by all that names them but the axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from bench.model import Asked
from bench.model.asked import DRIVERS, rtt_text
from bench.model.environment import INSTALLED
from bench.reduce.compare_facts import database_of, driver_of, python_of, revision_of, sqlalchemy_of
from bench.reduce.compare_points import Point, letter

Axis = Literal["run", "database", "driver", "strategy", "sqlalchemy", "python", "size", "revision"]

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


def columns(by: Axis, points: Sequence[Point]) -> Callable[[Point], str]:
    """Return what gives a measurement its column.

    Where two targets of one case would share one, each is a column of its own, named by what was asked for.
    """
    named = _named(by, points)
    asked: dict[tuple[int, int, str, str], set[str]] = {}
    for point in points:
        asked.setdefault((point.run, point.case, _place(point, by), named(point)), set()).add(_asked(point, by))
    shared = {name for (*_, name), texts in asked.items() if len(texts) > 1}

    def column(point: Point) -> str:
        name = named(point)
        return f"{name} ({_asked(point, by) or INSTALLED})" if name in shared else name

    return column


def arranged(
    points: Sequence[Point], by: Axis, column_of: Callable[[Point], str]
) -> Mapping[Labels, Mapping[str, Point]]:
    """Return the measurements by row and column; where two would share a cell, by what of their runs tells them apart.

    Of what does, the first that leaves a row with two of them.
    """
    named = _labeller(by, points)
    whole = (cells for apart in APART if _holds(cells := _cells(points, named, column_of, by, apart), points))
    first = next(whole, None) or _cells(points, named, column_of, by, APART[-1])
    return next((cells for cells in (first, *whole) if any(len(of_row) > 1 for of_row in cells.values())), first)


def load_of(by: Axis, points: Sequence[Point]) -> Callable[[Point], Labels]:
    """Return what names the load of a measurement, wherever it ran: scenario, size and strategy, less the axis."""
    scenarios = _scenario_names(points)

    def labels(point: Point) -> Labels:
        spec = point.summary.case.spec
        return _given(
            {
                "scenario": scenarios[spec.scenario],
                "size": "" if by == "size" else str(spec.size),
                "strategy": "" if by == "strategy" else point.row.arm.name,
            }
        )

    return labels


def _named(by: Axis, points: Sequence[Point]) -> Callable[[Point], str]:
    """Return what names the axis's value at a measurement, as it was found."""
    if by == "run":
        return lambda point: letter(point.run)
    if by == "database":
        builds = {(database_of(point.summary.case), point.facts.origin) for point in points}
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
    name = database_of(point.summary.case)
    return f"{name} ({point.facts.origin or point.facts.provider})" if name in several else name


def _cells(
    points: Sequence[Point],
    named: Callable[[Point], Labels],
    column_of: Callable[[Point], str],
    by: Axis,
    apart: Sequence[str],
) -> dict[Labels, dict[str, Point]]:
    cells: dict[Labels, dict[str, Point]] = {}
    for point in points:
        labels = (*named(point), *((name, _told_apart(point, by)[name]) for name in apart))
        cells.setdefault(labels, {}).setdefault(column_of(point), point)
    return cells


def _holds(cells: Mapping[Labels, Mapping[str, Point]], points: Sequence[Point]) -> bool:
    """Whether each measurement has a cell of its own."""
    return sum(map(len, cells.values())) == len(points)


def _told_apart(point: Point, by: Axis) -> dict[str, str]:
    return {
        "SQLAlchemy": sqlalchemy_of(point.stored, point.facts),
        "revision": revision_of(point.stored, point.facts),
        "Python": python_of(point.stored, point.facts),
        "run": letter(point.run),
        "case": str(point.case + 1),
        "on": _place(point, by),
    }


def _labeller(by: Axis, points: Sequence[Point]) -> Callable[[Point], Labels]:
    """Return what names the row of a measurement: its load and its target, less what is compared."""
    targets: dict[int, set[str]] = {}
    for point in points:
        targets.setdefault(point.run, set()).add(point.target)
    several = any(len(names) > 1 for names in targets.values())
    load = load_of(by, points)
    return lambda point: (*load(point), *_given({"target": _rest_of_target(point, by, several)}))


def _given(named: Mapping[str, str]) -> Labels:
    return tuple((name, value) for name, value in named.items() if value)


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
    if by == "driver":  # one database is known by its version, however each run has asked for it
        asked = point.asked
        environment = str(replace(asked.environment, driver_version=""))
        return " ".join(part for part in (database_of(point.summary.case), _rtt(asked), environment) if part)
    return _place(point, by) if several or by in {"strategy", "size", "database"} else ""


def _place(point: Point, by: Axis) -> str:
    """What was asked for as the target, less the axis: two measurements of a case at one place differ in that alone."""
    asked = point.asked
    usual = DRIVERS[asked.database][0]
    if by == "database":
        driver = "" if asked.driver == usual else asked.driver
        return " ".join(part for part in (driver, _rtt(asked), str(asked.environment)) if part)
    if by == "driver":
        return str(replace(asked, driver=usual, environment=replace(asked.environment, driver_version="")))
    if by in {"sqlalchemy", "python", "revision"}:
        return str(replace(asked, environment=replace(asked.environment, **{by: ""})))
    return point.target


def _asked(point: Point, by: Axis) -> str:
    """What was asked for as the axis's value; empty where that is as the harness has it."""
    if by == "database":
        return str(point.asked.server)
    environment = {"driver": "driver_version", "sqlalchemy": "sqlalchemy", "python": "python", "revision": "revision"}
    return str(getattr(point.asked.environment, environment[by])) if by in environment else ""


def _rtt(asked: Asked) -> str:
    return "" if asked.rtt_us is None else f"rtt={rtt_text(asked.rtt_us)}"
