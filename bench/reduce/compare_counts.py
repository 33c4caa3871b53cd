"""Counters of two loads held against each other: by equality, on any machine."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bench.model import Counters
from bench.reduce.sqltext import normalised, portable

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
        added=tuple((text, count) for text, count in sends.items() if text not in sent),
        gone=tuple((text, count) for text, count in sent.items() if text not in sends),
        resent=tuple(
            (text, (count, sends[text])) for text, count in sent.items() if text in sends and count != sends[text]
        ),
    )


def _texts(counters: Counters, same_dialect: bool) -> Counter[str]:
    texts: Counter[str] = Counter()
    for one in counters.by_statement:
        text = normalised(one.sql)
        texts[text if same_dialect else portable(text)] += one.executions
    return texts
