"""Counters of two loads held against each other: by equality, on any machine."""

from __future__ import annotations

from dataclasses import dataclass

from bench.model import Counters
from bench.reduce.sqltext import canonical, normalised, portable

COUNTED = ("statements", "rows", "repeated_rows", "entities", "parameters", "bytes")
"""The figures that are compared; of equal ones, entities in rows are equal too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A figure that is not what it was. name: as `Counters` has it."""

    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsDiffer:
    """What two loads do not have in common.

    added, gone: texts that one of them alone sends, with their executions. resent: texts that both send, but not as
    often, with their executions before and after.
    """

    figures: tuple[Changed, ...]
    added: tuple[tuple[str, int], ...]
    gone: tuple[tuple[str, int], ...]
    resent: tuple[tuple[str, tuple[int, int]], ...]

    def __bool__(self) -> bool:
        return bool(self.figures or self.added or self.gone or self.resent)


def compare_counts(before: Counters, after: Counters, *, same_dialect: bool) -> CountsDiffer:
    """Return what differs. same_dialect: whether casts of parameters, which are the dialect's, have to be equal too."""
    figures = ((name, getattr(before, name), getattr(after, name)) for name in COUNTED)
    sent, sends = _texts(before, same_dialect), _texts(after, same_dialect)
    return CountsDiffer(
        figures=tuple(Changed(name=name, before=was, after=now) for name, was, now in figures if was != now),
        added=tuple(one for key, one in sends.items() if key not in sent),
        gone=tuple(one for key, one in sent.items() if key not in sends),
        resent=tuple(
            (text, (times, sends[key][1]))
            for key, (text, times) in sent.items()
            if key in sends and times != sends[key][1]
        ),
    )


def _texts(counters: Counters, same_dialect: bool) -> dict[str, tuple[str, int]]:
    """Return each text that was sent with its executions, by what it is compared by."""
    found: dict[str, tuple[str, int]] = {}
    for one in counters.by_statement:
        text = normalised(one.sql)
        key = canonical(text if same_dialect else portable(text))
        first, times = found.get(key, (text, 0))
        found[key] = (first, times + one.executions)
    return found
