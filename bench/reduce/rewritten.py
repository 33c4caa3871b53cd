"""A baseline with loads that were measured again, where that says nothing of loads that were not. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bench.errors import BenchError, GateFailed
from bench.model.baseline import Baseline, Place
from bench.reduce.gate import Now, compare_schemas, made_otherwise, name_of

MOST_NAMED = 3
"""Loads that a sentence names; of the others it says how many."""


def rewritten(baseline: Baseline, now: Mapping[Place, Now], *, whole: bool) -> Baseline:
    """Return the baseline with what was measured in the place of what it had there.

    whole: whether strategies of a place that were not measured are to go. Raises GateFailed where a load is not one
    that may be agreed to, and BenchError where loads that stay as they were would stand under other versions or
    another schema: the next check would hold the same code against what it never did, or miss what was lost.
    """
    faults = [
        f"{name_of(place)}: {strategy} {fault}"
        for place, here in now.items()
        for strategy, fault in here.faults.items()
    ]
    if faults:
        raise GateFailed(f"Nothing was written. {faults[0]}", remedy="A baseline is of loads that are right.")
    after = dict(baseline)
    for place, here in now.items():
        before = after[place].loads if place in after and not whole else {}
        after[place] = replace(here.found, loads=before | here.found.loads)
        for other, there in after.items():  # a schema is that of all sizes
            if (other.scenario, other.database) == (place.scenario, place.database):
                after[other] = replace(there, schema=here.found.schema)
    for place in baseline:
        kept = [name for name in after[place].loads if place not in now or name not in now[place].found.loads]
        if kept:
            _hold(place, kept, baseline, after)
    return after


def _hold(place: Place, kept: list[str], before: Baseline, after: Baseline) -> None:
    """Raise BenchError where what loads hang on has changed that are kept as they were."""
    if changed := next(_changed(place, before, after), None):
        named = ", ".join(kept[:MOST_NAMED]) + (f" and {len(kept) - MOST_NAMED} more" if kept[MOST_NAMED:] else "")
        raise BenchError(
            f"Nothing was written. {changed}; and {named} of {place.size}, which the baseline has too, "
            f"{'was' if len(kept) == 1 else 'were'} not measured.",
            remedy="Name that too, or type `bench baseline write` alone: it measures again all that the file has.",
        )


def _changed(place: Place, before: Baseline, after: Baseline) -> Iterator[str]:
    was, is_ = before[place], after[place]
    yield from (f"{name_of(place)} {says}" for says in made_otherwise(was.made_with, is_.made_with).values())
    for finding in compare_schemas(place, was.schema, is_.schema):
        yield f"{name_of(finding.place)}: {finding.says}"
