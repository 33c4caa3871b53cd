"""Plans of stored runs held against each other, where they were profiled: what differs, as text and as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from bench.model.profile import Looked
from bench.report.markup import escaped, fenced
from bench.report.plan_text import plan_difference
from bench.report.units import counted, listed

TITLE = "Plans, by the profiles of the runs"
MARKDOWN_WIDTH = 120

Profiled = Sequence[tuple[str, Sequence[Looked]]]
"""Runs by the names that a comparison gives them, each with what was profiled of it; empty where nothing was."""


def plan_changes_text(runs: Profiled, *, width: int) -> str:
    """Return what differs between plans in lines of at most `width` columns; empty where no run was profiled."""
    if not any(looks for _, looks in runs):
        return ""
    said, changes = plan_changes(runs, width)
    return "\n".join([TITLE, *textwrap.wrap(said, width), *(line for change in changes for line in ("", change))])


def plan_changes_markdown(runs: Profiled) -> str:
    """Return what differs between plans as Markdown; empty where no run was profiled."""
    if not any(looks for _, looks in runs):
        return ""
    said, changes = plan_changes(runs, MARKDOWN_WIDTH)
    return "\n\n".join([f"**{TITLE}**", escaped(said), *(fenced(change, "text") for change in changes)]) + "\n"


def with_plans(markdown: str, runs: Profiled) -> str:
    """Return a comparison's Markdown with what differs between plans after it, where there is anything to say."""
    return "\n".join(filter(None, [markdown, plan_changes_markdown(runs)]))


def plan_changes(runs: Profiled, width: int) -> tuple[str, list[str]]:
    """Return a line on how many plans differ, and each that does as a difference; at least one run was profiled."""
    pairs = list(_pairs(runs))
    changes = [
        change for names, one, other in pairs if (change := plan_difference(one, other, width=width, names=names))
    ]
    without = [name for name, looks in runs if not looks]
    if without:
        profile = "has no profile: its plans are" if len(without) == 1 else "have no profile: their plans are"
        lacking = f" {listed(without)} {profile} not compared; bench run --profile takes one."
    else:
        lacking = ""
    if not pairs:
        return lacking.strip() or "No load was profiled in two places.", changes
    if not changes:
        return f"None differs, of {counted(len(pairs), 'load')}.{lacking}", changes
    return (
        f"Those of {counted(len(changes), 'load')} differ, of {len(pairs):,} held against each other.{lacking}",
        changes,
    )


def _pairs(runs: Profiled) -> Iterator[tuple[tuple[str, str], Looked, Looked]]:
    """Yield loads that are the same but for their place, with the names of the places.

    Runs are held against the first that was profiled: on the same target, where it has that, else on its own first.
    Of a run alone, each target is held against the first.
    """
    profiled = [(name, looks) for name, looks in runs if looks]
    first, theirs = profiled[0]
    for name, looks in profiled if len(profiled) == 1 else profiled[1:]:
        for looked in looks:
            alike = [one for one in theirs if _load(one) == _load(looked)]
            same = [] if name == first else [one for one in alike if one.target == looked.target]
            against = next(iter(same or alike), None)
            if against is None or against is looked or against.error or looked.error:
                continue
            yield (_name(first, against, runs), _name(name, looked, runs)), against, looked


def _load(looked: Looked) -> tuple[str, str, str]:
    return looked.scenario, looked.size, looked.strategy


def _name(run: str, looked: Looked, runs: Profiled) -> str:
    """Name a place: by its target, its case where there are several, and its run where there are several."""
    cases = {(one.scenario, one.size) for _, looks in runs for one in looks}
    case = f"{looked.scenario} {looked.size}" if len(cases) > 1 else ""
    words = [run if len(runs) > 1 else "", case]
    return " on ".join(filter(None, [" ".join(filter(None, words)), looked.target]))
