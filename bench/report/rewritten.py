"""What has changed in a baseline that was written again, for whoever commits it."""

from __future__ import annotations

from collections.abc import Iterator

from bench.model.baseline import AtPlace, Baseline, Loaded, Place
from bench.reduce.gate import compare_schemas, made_otherwise, name_of
from bench.report.units import counted


def changes_text(before: Baseline, after: Baseline, *, file: str) -> str:
    """Return the sentence that says what has changed, and a line for each other version or schema.

    `all as before` stands there just where nothing has.
    """
    said = ", ".join(_changes(before, after)) or "all as before"
    first = f"{counted(len(_loads(after)), 'load')}: {said}, in {file}. Commit it."
    return "\n".join([first, *dict.fromkeys(_details(before, after))])


def _changes(before: Baseline, after: Baseline) -> Iterator[str]:
    was, is_ = _loads(before), _loads(after)
    counts = {
        "new": sum(load not in was for load in is_),
        "changed": sum(load in was and was[load] != is_[load] for load in is_),
        "gone": sum(load not in is_ for load in was),
    }
    yield from (f"{number:,} {word}" for word, number in counts.items() if number)
    both = [(there, after[place]) for place, there in before.items() if place in after]
    if any(then.schema != now.schema for then, now in both):
        yield "schema changed"
    if any(then.made_with.dataset != now.made_with.dataset for then, now in both):
        yield "rows changed"
    if any(_versions(then) != _versions(now) for then, now in both):
        yield "versions changed"


def _details(before: Baseline, after: Baseline) -> Iterator[str]:
    for place, then in before.items():
        now = after.get(place, then)
        for finding in compare_schemas(place, then.schema, now.schema):
            yield f"{name_of(finding.place)}: {finding.says}"
        for says in made_otherwise(then.made_with, now.made_with).values():
            yield f"What it had of {place.database} {says}."


def _loads(baseline: Baseline) -> dict[tuple[Place, str], Loaded]:
    return {(place, name): load for place, here in baseline.items() for name, load in here.loads.items()}


def _versions(here: AtPlace) -> tuple[str, ...]:
    made = here.made_with
    return made.sqlalchemy, made.server, made.driver, made.calls_with
