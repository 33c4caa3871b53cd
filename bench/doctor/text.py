"""A diagnosis as text of a width, and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from tabulate import tabulate

from bench.doctor.diagnosis import STRATEGIES, Diagnosis, Unindexed, Walk
from bench.report.units import count_text, counted, listed

NARROWEST = 40
"""Columns below which text is not narrowed any further."""

DEPENDING = ("lazy", "selectin")
"""Strategies whose statements depend on how many objects are shared."""

FURTHER = ("subquery", "target", "lazy")
"""Columns that are left out of a table that is too wide, in this order."""


def as_json(diagnosis: Diagnosis) -> str:
    """Return the diagnosis for a program to read."""
    return json.dumps(asdict(diagnosis), indent=2)


def as_text(diagnosis: Diagnosis, *, width: int) -> str:
    """Return the diagnosis in lines of at most `width` columns, unless the names in a table are longer than that."""
    width = max(width, NARROWEST)
    summary = f"{counted(diagnosis.classes, 'mapped class', 'mapped classes')}, " + counted(
        len(diagnosis.relationships), "relationship"
    )
    blocks = [f"{summary}; no database was asked.", *_relationships(diagnosis, width)]
    blocks.append("\n".join(_findings(diagnosis, width)))
    return "\n\n".join([*blocks, *_walks(diagnosis, width)])


def _relationships(diagnosis: Diagnosis, width: int) -> Iterator[str]:
    rows = [[one.name, one.kind, one.strategy, one.target] for one in diagnosis.relationships]
    if rows:
        yield _fitting(["relationship", "kind", "configured", "target"], rows, width, numeric=False)


def _findings(diagnosis: Diagnosis, width: int) -> Iterator[str]:
    yield "Findings"
    found = [*_joined(diagnosis.joined), *map(_missing, diagnosis.unindexed), *_raising(diagnosis.walks)]
    for line in found or ["Every foreign key has an index, and no collection is joined unasked."]:
        yield textwrap.fill(line, width, initial_indent="- ", subsequent_indent="  ", break_long_words=False)


def _joined(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield (
            f"{name} is a collection that is joined whenever its class is loaded: each row repeats the parent, and "
            "select() needs .unique(). lazy='selectin', or an option where it is needed, avoids both."
        )


def _missing(key: Unindexed) -> str:
    columns = f"{key.table}.{'+'.join(key.columns)}"
    if key.needed_by:
        return (
            f"{columns}, a foreign key to {key.target}, has no index: {listed(list(key.needed_by))} "
            f"{'reads' if len(key.needed_by) == 1 else 'read'} the whole table, lazily once for every parent."
        )
    return (
        f"{columns}, a foreign key to {key.target}, has no index. No relationship looks for it, but deleting from "
        f"{key.target} reads the whole table."
    )


def _raising(walks: Sequence[Walk]) -> Iterator[str]:
    raising = [walk.path for walk in walks if walk.configured is None]
    if raising:
        verb = "raises" if len(raising) == 1 else "raise"
        yield f"{listed(raising)} {verb} as configured, unless an option is given."


def _walks(diagnosis: Diagnosis, width: int) -> Iterator[str]:
    """Yield the table of walks and what it means."""
    steps = diagnosis.size.count("x")
    if not diagnosis.walks:
        yield f"No walk of {counted(steps, 'collection')} leads from any class." if steps > 1 else "There is no walk."
        return
    rows = [
        [
            walk.path,
            "raises" if walk.configured is None else _number(walk, walk.configured),
            *(
                _number(walk, walk.statements[word]) if word in DEPENDING else count_text(walk.statements[word])
                for word in STRATEGIES
            ),
        ]
        for walk in diagnosis.walks
    ]
    table = _fitting(["walk", "as configured", *STRATEGIES], rows, width, numeric=True)
    notes = [
        f"Statements of loading a class and touching the relationships at {diagnosis.size}, parents x children.",
        "A walk to a many-to-one starts from the children.",
        "As configured: with what the mapping loads unasked beside the walk.",
    ]
    if any(walk.at_most for walk in diagnosis.walks):
        notes.append("<= at the most: what several share is loaded once, which depends on the rows.")
    yield "\n".join([table, "", *(textwrap.fill(note, width) for note in notes)])


def _number(walk: Walk, count: int) -> str:
    return f"{'<= ' if walk.at_most and count > 1 else ''}{count_text(count)}"


def _fitting(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int, *, numeric: bool) -> str:
    """Return a table without the columns that there is no room for, and a line that says which they are."""
    kept, dropped = list(headers), []
    table = whole = _table(headers, rows, kept, numeric=numeric)
    for name in FURTHER:
        if _width(table) <= width:
            break
        if name in kept:
            kept.remove(name)
            dropped.append(name)
            table = _table(headers, rows, kept, numeric=numeric)
    return table + (f"\nAt {_width(whole)} columns also: {listed(dropped)}." if dropped else "")


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]], kept: Sequence[str], *, numeric: bool) -> str:
    places = [headers.index(name) for name in kept]
    return tabulate(
        [[row[place] for place in places] for row in rows],
        headers=list(kept),
        colalign=["right" if numeric and place else "left" for place in places],
        tablefmt="simple",
        disable_numparse=True,
    )


def _width(table: str) -> int:
    return max(map(len, table.splitlines()), default=0)
