"""Why runs cannot be compared as was asked, with a remedy that was tried on them before it is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.errors import BenchError
from bench.model import Run
from bench.reduce.compare_points import Point, letter
from bench.reduce.compare_rows import Axis, arranged, columns, load_of

AXES: tuple[Axis, ...] = ("size", "database", "driver", "sqlalchemy", "python", "revision", "strategy")
"""What runs may be compared by instead."""


def nothing_in_common(by: Axis, names: Sequence[str], runs: Sequence[Run], points: Sequence[Point]) -> BenchError:
    """Return the error for measurements of which no two columns have one in a row. names: of the columns."""
    if len(names) == 1:
        return BenchError(
            f"There is nothing to compare by {by}: all that was measured has {names[0]}.",
            remedy="Name a run that differs in it, or compare by something else.",
        )
    has = "; ".join(_has(at, run) for at, run in enumerate(runs))
    loads = _shared_loads(by, points)
    why = f", though they share {loads[0]}: their targets differ" if loads else ""
    whose = "them" if by == "run" else " and ".join([", ".join(names[:-1]), names[-1]])
    return BenchError(
        f"There is no arm that two of {whose} have in common{why}. {has}.",
        remedy=_remedy(by, points, same_load=bool(loads)),
    )


def _remedy(by: Axis, points: Sequence[Point], *, same_load: bool) -> str:
    elsewhere = {by, "size", "strategy"} if same_load else {by}
    others = [axis for axis in AXES if axis not in elsewhere]
    found = [axis for axis in others if _compares(axis, points, runs=len({point.run for point in points}))]
    if same_load:  # then what one run has of its own is better than nothing: its targets are what is of interest
        found = found or [axis for axis in others if _compares(axis, points)]
        return f"Compare them {_by(found)}." if found else "Compare runs of one target each, or of the same targets."
    condition = "Compare runs of one scenario at one size, with a strategy that both measured"
    return f"{condition}, or these {_by(found)}." if found else f"{condition}."


def _by(axes: Sequence[Axis]) -> str:
    return "with " + " or ".join(f"--by {axis}" for axis in axes)


def _compares(by: Axis, points: Sequence[Point], *, runs: int = 1) -> bool:
    """Whether an axis leaves a row with two columns, of at least two runs where there are several."""
    rows = arranged(points, by, columns(by, points)).values()
    return any(len(row) > 1 and len({point.run for point in row.values()}) >= min(runs, 2) for row in rows)


def _shared_loads(by: Axis, points: Sequence[Point]) -> list[str]:
    """Return what two columns have both loaded, wherever that was: scenario, size and strategy."""
    column_of, load = columns(by, points), load_of(by, points)
    where: dict[str, set[str]] = {}
    for point in points:
        where.setdefault(" ".join(value for _, value in load(point)), set()).add(column_of(point))
    return [says for says, found in where.items() if len(found) > 1]


def _has(at: int, run: Run) -> str:
    """What a run has, for each set of strategies and targets that its cases have."""
    return f"{letter(at)} has {'; '.join(dict.fromkeys(_cases(run)))}"


def _cases(run: Run) -> Iterator[str]:
    asked: dict[tuple[str, str], list[str]] = {}
    for case in run.cases:
        on = (", ".join(case.spec.strategies), ", ".join(target.name for target in case.targets))
        asked.setdefault(on, []).append(f"{case.spec.scenario} {case.spec.size}")
    for (strategies, targets), cases in asked.items():
        yield f"{', '.join(cases)} by {strategies} on {targets}"
