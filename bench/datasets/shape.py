"""What a dataset holds, by arithmetic on its recipe, size and options: nothing is drawn for it."""

from __future__ import annotations

from bench.datasets.counting import childless_rows
from bench.errors import BenchError
from bench.model import DatasetOptions, Parent, Recipe, Serial, Shape, Size, Table
from bench.model.recipe import DISTRIBUTIONS, ORDERS


def shape(recipe: Recipe, size: Size, options: DatasetOptions) -> Shape:
    """Return how many rows each level has, its tables together, and how many of those own no child in any table.

    A row of a table that has no child table is not counted as childless. Raises BenchError as `rows_of_tables` does.
    """
    rows = rows_of_tables(recipe, size, options)
    levels = range(len(size.counts))
    parents = {table.parent for table in recipe.tables}
    tables = [[table for table in recipe.tables if table.level == level] for level in levels]
    return Shape(
        rows=tuple(sum(rows[table.name] for table in level) for level in tables),
        childless=tuple(
            sum(childless_rows(rows[table.name], options.childless) for table in level if table.name in parents)
            for level in tables[:-1]
        ),
    )


def rows_of_tables(recipe: Recipe, size: Size, options: DatasetOptions) -> dict[str, int]:
    """Return how many rows each table has. Raises BenchError when recipe, size and options do not go together."""
    _check_options(options)
    rows: dict[str, int] = {}
    for table in recipe.tables:
        _check_table(table, recipe, known=rows)
        if table.level >= len(size.counts):
            raise BenchError(
                f"The size {size} has {len(size.counts)} numbers, but table {table.name!r} needs {table.level + 1}.",
                remedy="Name a number for each level of the scenario, such as 100x20x5.",
            )
        above = rows[table.parent] if table.parent else None
        holders = 1 if above is None else above - childless_rows(above, options.childless)
        rows[table.name] = holders * size.counts[table.level]
    return rows


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
    kinds = [type(column.values) for column in table.columns]
    owner = by_name.get(table.parent or "")
    for accepted, remedy in (
        (table.name not in known, "Name every table once."),
        (len({column.name for column in table.columns}) == len(kinds), "Name every column once."),
        (kinds.count(Serial) == 1, "Give it one Serial column: its primary key."),
        (
            kinds.count(Parent) == (1 if table.parent else 0),
            "Give it one Parent column when it has a parent, else none.",
        ),
        (table.parent is None or table.parent in known, "Put it after the table that owns it."),
        (table.level == (owner.level + 1 if owner else 0), "Its level is one below its parent's; 0 without a parent."),
    ):
        if not accepted:
            raise BenchError(f"The recipe's table {table.name!r} cannot be made.", remedy=remedy)
