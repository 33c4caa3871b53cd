"""What loads sent at several sizes, compared: whether a statement grows, and whether anything is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from bench.measure.origins import Origin
from bench.measure.tracing import Execution
from bench.reduce.sqltext import canonical, normalised
from bench.testing.counting import Seen
from bench.testing.likeness import words

_Key = tuple[str, str]
"""A statement of several sizes: its text without the number of its parameters, and the relationship it loads."""

_Kin = tuple[str, Origin, frozenset[str]]
"""What may be one statement though its text varies: the line that had it sent, who asked for what, and its words."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was seen of a load at one size; held: entities that its sessions held before it."""

    seen: Seen
    held: int


@dataclass(slots=True)
class _Sent:
    """What was seen of a statement at one size; example: of it, as it was sent; kin: what it may be a text of."""

    example: Execution
    executions: int = 0
    kin: set[_Kin] = field(default_factory=set)


def judge(sizes: Sequence[int], loads: Sequence[Loaded]) -> None:
    """Raise AssertionError where a statement grows, and where nothing is shown."""
    __tracebackhide__ = True
    seen = [each.seen.executions for each in loads]
    found = [_by_key(each) for each in seen]
    if not all(found):
        raise AssertionError(
            f"No statement was counted at size {sizes[found.index({})]:,}: "
            "the load sends none, or over an engine that was not named."
        )
    grown = _grown(found, [_by_kin(each) for each in seen])
    if grown:
        raise AssertionError(_growth(sizes, [each.seen.statements for each in loads], found, grown))
    if _hides(sizes, [each.held for each in loads]):
        raise AssertionError(
            "Nothing is shown: the session of the load held entities before it, "
            f"{_at_each(sizes, [each.held for each in loads])}, and what is held is not loaded again. "
            "Name the session, and it is emptied before each load; or have the load close it."
        )
    if not _rows_grow(seen):
        raise AssertionError(
            f"Nothing is shown: no statement fetched more rows at size {sizes[-1]:,} than at {sizes[0]:,}. "
            "Does the load see the parents that were added, and has it a limit?"
        )


def _hides(sizes: Sequence[int], held: Sequence[int]) -> bool:
    """Whether as many entities were held before each load as there were parents more: none may send a statement then.

    Fewer, as the user that is logged in, cannot hide what is sent for each parent.
    """
    return all(each >= after - before for each, (before, after) in zip(held[1:], pairwise(sizes), strict=True))


def _rows_grow(seen: Sequence[Sequence[Execution]]) -> bool:
    """Whether a statement fetched more rows at a larger size; texts that may be one statement are taken for one."""
    totals: list[Counter[tuple[str, frozenset[str]]]] = [Counter() for _ in seen]
    for total, executions in zip(totals, seen, strict=True):
        for one in executions:
            total[one.origin.path, words(one.sql)] += one.rows
    return any(_grows([total[each] for total in totals]) for each in set[Any]().union(*totals))


def _grown(found: Sequence[dict[_Key, _Sent]], totals: Sequence[Counter[_Kin]]) -> dict[_Key, list[int]]:
    """Return how often each statement that grows was sent at each size.

    A text that is sent more often beside as many fewer of its kin is none of them: it is the same statement, whose text
    varies with the size. Where the kin fall by more, something else happened on that line, and nothing is excused.
    """

    def varies(key: _Key, at: int) -> bool:
        return all(totals[at - 1][kin] == totals[at][kin] for kin in found[at][key].kin)

    grown: dict[_Key, list[int]] = {}
    for key in dict.fromkeys(key for each in reversed(found) for key in each):
        sent = [each[key].executions if key in each else 0 for each in found]
        if any(after > before and not varies(key, at) for at, (before, after) in enumerate(pairwise(sent), start=1)):
            grown[key] = sent
    return grown


def _growth(
    sizes: Sequence[int], totals: Sequence[int], found: Sequence[dict[_Key, _Sent]], grown: dict[_Key, list[int]]
) -> str:
    from bench.testing import text  # what formats SQL is loaded where something has to be said

    examples = [next(each[key].example for each in reversed(found) if key in each) for key in grown]
    reason = f"Statements grow with the size: {_at_each(sizes, totals)}. {text.n_plus_one_line(examples)}".rstrip()
    # Texts that are one statement are told as one: of an N+1 with the key in the text, some were sent at every size.
    others = {kin for each in found for sent in each.values() for kin in sent.kin}
    others -= {kin for each in found for key in grown.keys() & each.keys() for kin in each[key].kin}
    shown = text.block(reason, examples, [f"sent {_at_each(sizes, sent)}" for sent in grown.values()])
    return f"{shown}\n\n{len(others):,} other{'s do' if len(others) != 1 else ' does'} not grow." if others else shown


def _at_each(sizes: Sequence[int], counts: Sequence[int]) -> str:
    return ", ".join(f"{count:,} at {size:,}" for size, count in zip(sizes, counts, strict=True))


def _by_key(executions: Sequence[Execution]) -> dict[_Key, _Sent]:
    found: dict[_Key, _Sent] = {}
    for one in executions:
        each = found.setdefault((canonical(normalised(one.sql)), one.origin.path), _Sent(example=one))
        each.executions += one.executions
        each.kin.add(_kin(one))
    return found


def _by_kin(executions: Sequence[Execution]) -> Counter[_Kin]:
    found: Counter[_Kin] = Counter()
    for one in executions:
        found[_kin(one)] += one.executions
    return found


def _kin(one: Execution) -> _Kin:
    return one.line, one.origin, words(one.sql)


def _grows(figures: Sequence[int]) -> bool:
    return any(after > before for before, after in pairwise(figures))
