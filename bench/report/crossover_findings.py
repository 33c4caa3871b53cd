"""What a series of sizes allows one to say: from which on another strategy is the fastest, and what is unsettled."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.reduce.crossover import is_clear, row_of
from bench.reduce.types import CaseSummary, Crossover, CrossoverPoint
from bench.report.units import listed

COUNTED = {"children": "children per parent", "grandchildren": "grandchildren per child"}
"""What a number of a size counts, as a sentence has it."""


def crossover_findings(crossover: Crossover) -> tuple[str, ...]:
    """Return a sentence for each change of the winner that is sure, then those that are not in one of their own.

    A change is sure where, somewhere before it, the old winner is clear of the new one, and somewhere after it the
    new one of the old: a tie on the way does not undo it.
    """
    cases = [case for case in crossover.cases if case.best]
    if len(cases) < 2:
        return ()
    if not crossover.points:
        return (_one_winner(cases),) if len({case.best for case in cases}) == 1 else ()
    sure: dict[tuple[str, str, int, int], list[CrossoverPoint]] = {}
    unsure: dict[frozenset[str], list[CrossoverPoint]] = {}
    for point in crossover.points:
        between = _between(point, cases)
        if between is None:
            unsure.setdefault(frozenset({point.winner_before, point.winner_after}), []).append(point)
        else:
            sure.setdefault((point.winner_before, point.winner_after, *between), []).append(point)
    settled = {frozenset(key[:2]) for key in sure}
    return (
        *(_change(crossover, cases, points, *key[2:]) for key, points in sure.items()),
        *(_unsettled(points) for pair, points in unsure.items() if pair not in settled),
    )


def _between(point: CrossoverPoint, cases: Sequence[CaseSummary]) -> tuple[int, int] | None:
    """The nearest cases on either side at which the two strategies are clear of one another, by their places."""
    split = next(at for at, case in enumerate(cases) if case.case.spec == point.after)
    before = [at for at in range(split) if is_clear(point.winner_before, point.winner_after, cases[at])]
    after = [at for at in range(split, len(cases)) if is_clear(point.winner_after, point.winner_before, cases[at])]
    return (before[-1], after[0]) if before and after else None


def _change(
    crossover: Crossover, cases: Sequence[CaseSummary], points: Sequence[CrossoverPoint], first: int, last: int
) -> str:
    old, new = points[0].winner_before, points[0].winner_after
    at = _about(math.exp(math.fsum(math.log(point.at) for point in points) / len(points)))
    what = COUNTED.get(crossover.axis, crossover.axis)
    sizes = f"between {cases[first].case.spec.size} and {cases[last].case.spec.size}"
    later = [case for case in cases[last + 1 :] if row_of(case, old) and row_of(case, new)]
    if any(is_clear(old, new, case) for case in later):
        return f"At about {at} {what} {new} overtakes {old} ({sizes}), but not for good."
    close = [str(case.case.spec.size) for case in later if not is_clear(new, old, case)]
    save = f", save at {listed(close)}, where neither is clear of the other" if close else ""
    return f"From about {at} {what} on, {new} beats {old} ({sizes}){save}."


def _unsettled(points: Sequence[CrossoverPoint]) -> str:
    first, last = points[0], points[-1]
    names = listed(sorted({first.winner_before, first.winner_after}))
    return (
        f"Between {first.before.size} and {last.after.size} the least time passes between {names}, "
        "but they are not clear of one another there: no crossover is claimed."
    )


def _one_winner(cases: Sequence[CaseSummary]) -> str:
    best, sizes = cases[0].best, f"from {cases[0].case.spec.size} to {cases[-1].case.spec.size}"
    if any(row.to_best and row.to_best.low is None for case in cases for row in case.rows):
        return f"{best} took the least time at every size {sizes}, but without intervals nothing is claimed."
    tied = [str(case.case.spec.size) for case in cases if any(row.tied for row in case.rows)]
    if len(tied) == len(cases):
        return f"{best} is the fastest, or ties for it, at every size {sizes}."
    return f"{best} is the fastest at every size {sizes}" + (f", in a tie at {listed(tied)}." if tied else ".")


def _about(count: float) -> str:
    """A count that was interpolated, to two significant digits: `3.6`, `12`, `1,200`."""
    return f"{float(f'{count:.2g}'):,.10g}"
