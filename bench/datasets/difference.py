"""Where a graph that was loaded first differs from the dataset's own, in words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

Node = list[Any]
"""`[class name, [[column attribute, value], ...], {relationship: nodes, or a node, or their number, or None}]`."""

SHOWN = 60
"""Characters of a value that are shown of each side."""


def first_difference(
    expected_lines: Iterable[str],
    found_lines: Iterable[str],
    *,
    keys: Mapping[str, str | tuple[str, ...]] | None = None,
) -> str | None:
    """Say where two streams of graph lines first differ, or return None where they do not.

    Lines come in the order of their roots' primary keys, with or without their newlines; both streams are read one
    line at a time, and only as far as they agree. keys: the attributes of the primary key by class name, as
    `plan.key_attributes` has them; `id`, or else the first attribute, where a class is not named.
    """
    return _Comparison(keys or {}).streams(_stripped(expected_lines), _stripped(found_lines))


def _stripped(lines: Iterable[str]) -> Iterator[str]:
    return (line.rstrip("\n") for line in lines)


class _Comparison:
    """Compares nodes; `keys` as in `first_difference`."""

    def __init__(self, keys: Mapping[str, str | tuple[str, ...]]) -> None:
        self.keys = keys

    def streams(self, expected: Iterator[str], found: Iterator[str]) -> str | None:
        before = None
        for expected_line, found_line in zip_longest(expected, found):
            if expected_line != found_line:
                return self._roots(
                    json.loads(expected_line) if expected_line is not None else None,
                    json.loads(found_line) if found_line is not None else None,
                    json.loads(before) if before is not None else None,
                )
            before = expected_line
        return None

    def _roots(self, expected: Node | None, found: Node | None, before: Node | None) -> str | None:
        if found is None:
            return f"{self._name(expected)} is missing."
        if before is not None and self._same(before, found):
            return f"{self._name(found)} comes more than once."
        if expected is None:
            return f"{self._name(found)} was loaded, but the dataset has none."
        if expected[0] != found[0]:
            return f"{self._name(expected)} is missing: {self._name(found)} stands in its place."
        if self._same(expected, found):
            return self._nodes(expected, found)
        if self._precedes(found, expected):
            return f"{self._name(found)} was loaded, but the dataset has none."
        return f"{self._name(expected)} is missing."

    def _nodes(self, expected: Node, found: Node) -> str | None:
        """Say how two nodes of the same class and key differ."""
        where = self._name(expected)
        return self._columns(where, dict(expected[1]), dict(found[1])) or next(
            filter(None, (self._relation(where, name, expected[2], found[2]) for name in {**expected[2], **found[2]})),
            f"{where} is written otherwise than the dataset has it.",
        )

    def _columns(self, where: str, expected: dict[str, Any], found: dict[str, Any]) -> str | None:
        for name in sorted(expected | found):
            if name not in found:
                return f"{where}: {name} was not loaded."
            if name not in expected:
                return f"{where}: {name} was loaded, but the dataset has no such column."
            if _differ(expected[name], found[name]):
                loaded, known = _shown(found[name], expected[name])
                return f"{where}: {name} is {loaded}, the dataset has {known}."
        return None

    def _relation(self, where: str, name: str, expected: dict[str, Any], found: dict[str, Any]) -> str | None:
        if name not in found or name not in expected:
            return f"{where}: {name} was {'not loaded' if name in expected else 'loaded, but is not on a path'}."
        ours, theirs = expected[name], found[name]
        if not _differ(ours, theirs):
            return None
        if isinstance(ours, int) and isinstance(theirs, int):
            return f"{where}: {name} is counted as {theirs}, the dataset has {ours}."
        if isinstance(ours, int) or isinstance(theirs, int):
            return f"{where}: {name} is {_kind(theirs)}, the dataset has {_kind(ours)}."
        if _is_collection(ours) and _is_collection(theirs):
            return self._collections(f"{where}: {name}", ours, theirs)
        if _is_collection(ours) or _is_collection(theirs):
            return f"{where}: {name} is {_kind(theirs)}, the dataset has {_kind(ours)}."
        if ours is None or theirs is None or not self._same(ours, theirs):
            return f"{where}: {name} is {self._name(theirs)}, the dataset has {self._name(ours)}."
        return f"{where}: {name}: {self._nodes(ours, theirs)}"

    def _collections(self, where: str, expected: list[Node], found: list[Node]) -> str:
        counts = (
            f"{where} has {_entries(len(found))}, the dataset has {len(expected)}"
            if len(expected) != len(found)
            else where
        )
        if at_fault := self._membership(expected, found):
            return f"{counts}: {at_fault}."
        ours, theirs = next(pair for pair in zip(expected, found, strict=True) if _differ(*pair))
        if not self._same(ours, theirs):
            return f"{where} is not in the order of its primary keys."
        return f"{where}: {self._nodes(ours, theirs)}"

    def _membership(self, expected: list[Node], found: list[Node]) -> str | None:
        """Name the first entity that only one side has, or that comes too often."""
        ours, theirs = (Counter(map(self._name, nodes)) for nodes in (expected, found))
        for name, times in ours.items():
            if theirs[name] < times:
                return f"{name} is missing"
        for name, times in theirs.items():
            if times > ours[name]:
                return f"{name} comes more than once" if ours[name] else f"{name} does not belong there"
        return None

    def _key(self, node: Node) -> Any:
        columns, key = dict(node[1]), self.keys.get(node[0], "id")
        if isinstance(key, tuple):
            return tuple(columns.get(one) for one in key)
        return columns.get(key, next(iter(columns.values()), None))

    def _name(self, node: Node | None) -> str:
        return "nothing" if node is None else f"{node[0]} {self._key(node)}"

    def _same(self, one: Node, other: Node) -> bool:
        return self._name(one) == self._name(other)

    def _precedes(self, one: Node, other: Node) -> bool:
        first, second = self._key(one), self._key(other)
        return first < second if type(first) is type(second) else str(first) < str(second)


def _differ(one: Any, other: Any) -> bool:
    """Whether two values are written differently: to Python, 1, 1.0 and True are equal."""
    return json.dumps(one) != json.dumps(other)


def _is_collection(related: Any) -> bool:
    """Whether it is a list of nodes; a node is a list too, but begins with the name of its class."""
    return isinstance(related, list) and not (related and isinstance(related[0], str))


def _kind(related: Any) -> str:
    if isinstance(related, int):
        return "a number"
    return "a collection" if _is_collection(related) else "nothing" if related is None else "one entity"


def _entries(count: int) -> str:
    return f"{count} {'entry' if count == 1 else 'entries'}"


def _shown(one: Any, other: Any) -> tuple[str, str]:
    """Show two values, long text from where they part."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return repr(one), repr(other)
    parted = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    start = max(0, parted - SHOWN // 2) if max(len(one), len(other)) > SHOWN else 0
    return _cut(one, start), _cut(other, start)


def _cut(text: str, start: int) -> str:
    return f"{'…' if start else ''}{text[start : start + SHOWN]!r}{'…' if len(text) > start + SHOWN else ''}"
