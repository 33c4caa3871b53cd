"""How many rows a dataset has, by arithmetic on its recipe, size and options: nothing is drawn for it."""

from __future__ import annotations

from typing import Any

from bench.datasets.counting import childless_rows
from bench.errors import BenchError
from bench.model import (
    Cycle,
    DatasetOptions,
    Keys,
    Parent,
    Quotient,
    Recipe,
    Reference,
    Remainder,
    Serial,
    Shape,
    Size,
    Table,
)
from bench.model.recipe import DISTRIBUTIONS, ORDERS
from bench.model.size import MOST_ROWS


def shape(recipe: Recipe, size: Size, options: DatasetOptions) -> Shape:
    """Return how many rows each level has, its tables together, and how many of those own no child in any table.

    A row of a table that has no child table is not counted as childless. Raises BenchError as `rows_of_tables` does.
    """
    rows = rows_of_tables(recipe, size, options)
    parents = {table.parent for table in recipe.tables}
    counted = [table for table in recipe.tables if table.extends is None and (table.parent or table.each is None)]
    levels = [
        [table for table in counted if table.level == level]
        for level in range(1 + max(table.level for table in counted))
    ]
    return Shape(
        rows=tuple(sum(rows[table.name] for table in level) for level in levels),
        childless=tuple(
            sum(childless_rows(rows[table.name], options.childless) for table in level if table.name in parents)
            for level in levels[:-1]
        ),
        tables=rows,
    )


def rows_of_tables(recipe: Recipe, size: Size, options: DatasetOptions) -> dict[str, int]:
    """Return how many rows each table has. Raises BenchError when recipe, size and options do not go together."""
    _check_options(options)
    rows: dict[str, int] = {}
    for table in recipe.tables:
        _check_table(table, recipe, known=rows)
        rows[table.name] = _rows(table, recipe, size, options, rows)
    if (total := sum(rows.values())) > MOST_ROWS:
        raise BenchError(
            f"A dataset of {size} is {total:,} rows of this scenario; {MOST_ROWS:,} is the most that one may have.",
            remedy="Use a smaller size, or smaller values of the scenario's parameters.",
        )
    return rows


def kinds(recipe: Recipe, table: Table) -> tuple[Any, ...]:
    """Return what the rows of the table that `table` extends are, in turn."""
    assert table.extends is not None
    base = next(one for one in recipe.tables if one.name == table.extends.table)
    return next(column.values.values for column in base.columns if column.name == table.extends.column)  # type: ignore[union-attr]


def _rows(table: Table, recipe: Recipe, size: Size, options: DatasetOptions, known: dict[str, int]) -> int:
    if table.extends is not None:
        turn = kinds(recipe, table)
        return -((turn.index(table.extends.value) - known[table.extends.table]) // len(turn))
    above = known[table.parent] if table.parent else None
    holders = 1 if above is None else above - childless_rows(above, options.childless)
    return holders * each_has(table, size)


def each_has(table: Table, size: Size) -> int:
    """Return how many rows each parent has, on average; of a table without one, how many it has itself."""
    if table.each is not None:
        return table.each
    if table.level >= len(size.counts):
        raise BenchError(
            f"The size {size} has {len(size.counts)} numbers, but table {table.name!r} needs {table.level + 1}.",
            remedy="Name a number for each level of the scenario, such as 100x20x5.",
        )
    return size.counts[table.level]


def _check_options(options: DatasetOptions) -> None:
    for accepted, found, remedy in (
        (0 <= options.seed < 2**64, f"seed {options.seed}", "A seed is a whole number from 0 to 2**64 - 1."),
        (0 <= options.text_width <= 1_000_000, f"text width {options.text_width}", "It is 0 to 1,000,000 characters."),
        (0 <= options.childless < 1, f"childless share {options.childless}", "It is 0 or more, and less than 1."),
        (
            options.children in DISTRIBUTIONS,
            f"distribution {options.children!r}",
            f"Known: {', '.join(DISTRIBUTIONS)}.",
        ),
        (options.order in ORDERS, f"order {options.order!r}", f"Known: {', '.join(ORDERS)}."),
    ):
        if not accepted:
            raise BenchError(f"A dataset cannot have the {found}.", remedy=remedy)


def _check_table(table: Table, recipe: Recipe, *, known: dict[str, int]) -> None:
    by_name = {other.name: other for other in recipe.tables}
    owner = by_name.get(table.parent or "")
    for accepted, remedy in (
        (table.name not in known, "Name every table once."),
        (len({column.name for column in table.columns}) == len(table.columns), "Name every column once."),
        (
            _has_a_key(table),
            "Give it one Serial column, or a Quotient and a Remainder by the same, or columns with key=True.",
        ),
        (_has_its_parents_key(table, owner), "Give it one Parent column when it has a parent, else none."),
        (table.parent is None or table.parent in known, "Put it after the table that owns it."),
        (table.level in _levels(table, owner), "Its level is one below its parent's; 0 without a parent."),
        (
            all(column.values.table in known for column in table.columns if isinstance(column.values, Reference)),
            "Put it after the tables that it refers to.",
        ),
        (_goes_on(table, by_name, known), "What it extends has to come before it, with a Cycle that has its value."),
    ):
        if not accepted:
            raise BenchError(f"The recipe's table {table.name!r} cannot be made.", remedy=remedy)


def _has_a_key(table: Table) -> bool:
    """Whether its key is one Serial column, two that divide the row's number, or declared; a link table has none."""
    found = [column.values for column in table.columns if isinstance(column.values, Keys)]
    if any(column.key for column in table.columns):
        return not any(isinstance(one, Quotient | Remainder) for one in found) and len(found) <= 1
    match found:
        case [Serial()]:
            return True
        case [Quotient(by=one), Remainder(by=other)]:
            return one == other >= 1
    return not found and table.is_link


def _has_its_parents_key(table: Table, owner: Table | None) -> bool:
    """Whether it has a Parent column for each of its parent's key columns, or for others of it; without one, none."""
    columns = [column.values.column for column in table.columns if isinstance(column.values, Parent)]
    if owner is None:
        return len(columns) == (1 if table.parent else 0)  # a parent that is not there is told elsewhere
    if columns == [None]:
        return len(owner.keys) == 1
    others = {column.name for column in owner.columns} - {*owner.keys}
    return sorted(map(str, columns)) == sorted(owner.keys) or (len(columns) == 1 and columns[0] in others)


def _levels(table: Table, owner: Table | None) -> tuple[int, ...]:
    """Return the levels that it may have: a generation after the second has its parent's own."""
    if table.extends is not None:
        return (table.level,)
    if owner is None:
        return (0,)
    same = owner.parent is not None and owner.stored_in == table.stored_in
    return (owner.level,) if same else (owner.level + 1,)


def _goes_on(table: Table, by_name: dict[str, Table], known: dict[str, int]) -> bool:
    if table.extends is None:
        return True
    base = by_name.get(table.extends.table)
    if base is None or base.name not in known:
        return False
    values = [column.values for column in base.columns if column.name == table.extends.column]
    return any(isinstance(one, Cycle) and one.values.count(table.extends.value) == 1 for one in values)
