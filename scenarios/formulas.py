"""Formulas that scenarios share: statements and rows by what a load has to reach."""

from __future__ import annotations

from math import ceil

from bench import IN_LIST, Formula, Shape


def always(count: int) -> Formula:
    """So many, whatever the dataset."""
    return lambda shape: count


def in_lists(keys: int, size: int = IN_LIST) -> int:
    """IN lists that name so many keys."""
    return ceil(keys / size)


def one_by_one(*paths: str) -> Formula:
    """Statements where the entities take one, and what hangs on each entity at each of the paths another."""
    return lambda shape: 1 + sum(shape.at(path).asked for path in paths)


def list_by_list(*paths: str) -> Formula:
    """Statements where the entities take one, and each path one for every IN list of the keys above it."""
    return lambda shape: 1 + sum(shape.at(path).lists for path in paths)


def each_once(*paths: str) -> Formula:
    """Rows where each entity and each that is reached along the paths comes once for every one that leads to it."""
    return lambda shape: shape.at("").nodes + sum(shape.at(path).nodes for path in paths)


def joined(path: str) -> Formula:
    """Rows of a LEFT OUTER JOIN along one path: one for what is reached, and one for each that has nothing there."""
    return lambda shape: shape.at(path).nodes + shape.at(path).empty


def all_joined(shape: Shape) -> int:
    """Rows of one statement with a LEFT OUTER JOIN along every path."""
    return shape.joined


def plus(*formulas: Formula) -> Formula:
    """The sum of formulas."""
    return lambda shape: sum(formula(shape) for formula in formulas)
