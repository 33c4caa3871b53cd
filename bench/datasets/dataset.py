"""Dataset: a recipe at a size with its options, any row of which can be made alone and always comes out the same."""

from __future__ import annotations

from datetime import date
from functools import cached_property

import numpy as np

from bench.datasets.columns import Maker, Spelling, as_json, make_column, plain
from bench.datasets.counting import Counting
from bench.datasets.ownership import Ownership, Rows
from bench.datasets.permutation import Permutation
from bench.datasets.shape import rows_of_tables
from bench.model import Column, DatasetOptions, Parent, Recipe, Serial, Size, Table

Value = int | str | date


class Dataset:
    """The rows of a dataset, without a database.

    Memory does not grow with the number of children. Where parents differ in how many they have (`uniform`, `zipf`,
    `childless`), 8 bytes are held for each row of the parent table, and 8 more under `zipf`.
    Raises BenchError when the recipe, the size and the options do not go together.
    """

    def __init__(self, recipe: Recipe, size: Size, options: DatasetOptions) -> None:
        self.recipe = recipe
        self.size = size
        self.options = options
        self.rows = rows_of_tables(recipe, size, options)
        self._tables = {table.name: table for table in recipe.tables}
        self._ownerships = {table.name: self._own(table) for table in recipe.tables if table.parent}
        self._makers = {table.name: self._make(table, plain) for table in recipe.tables}

    def values(self, table: str, column: str, rows: Rows) -> list[Value]:
        """Return what the column holds in the given rows, as plain `int`, `str` or `date`."""
        return self._makers[table][column](rows)

    def spelled(self, table: str, column: str, rows: Rows) -> list[Value]:
        """Return the same as JSON: texts and dates quoted; whole numbers as they are, their digits being their JSON."""
        return self._spellers[table][column](rows)

    def maker(self, table: str, column: str, spell: Spelling) -> Maker:
        """Return what makes the column's values: texts and dates spelled by `spell`, whole numbers as they are."""
        found = next(one for one in self._tables[table].columns if one.name == column)
        return self._maker(self._tables[table], found, spell)

    def owners(self, child: str, rows: Rows) -> Rows:
        """Return the parent table's row that owns each of the given rows of table `child`."""
        return self._ownerships[child].owners(rows)

    def owned(self, child: str, parents: Rows) -> tuple[Rows, Rows]:
        """Return the rows of table `child` that each parent owns, in order, one after another, and how many each."""
        return self._ownerships[child].owned(parents)

    @cached_property
    def _spellers(self) -> dict[str, dict[str, Maker]]:
        return {table.name: self._make(table, as_json) for table in self.recipe.tables}

    def _own(self, table: Table) -> Ownership:
        assert table.parent is not None
        counting = Counting.of(
            parent=table.parent,
            child=table.name,
            parents=self.rows[table.parent],
            mean=self.size.counts[table.level],
            distribution=self.options.children,
            share=self.options.childless,
            seed=self.options.seed,
        )
        shuffled = self.options.order == "shuffled"
        spread = Permutation.named(counting.total, self.options.seed, "structure", table.name, "order")
        return Ownership.of(counting, spread if shuffled else None)

    def _make(self, table: Table, spell: Spelling) -> dict[str, Maker]:
        return {column.name: self._maker(table, column, spell) for column in table.columns}

    def _maker(self, table: Table, column: Column, spell: Spelling) -> Maker:
        if isinstance(column.values, Parent):
            return self._parent_keys(table)
        return make_column(table.name, column, self.options, spell=spell)

    def _parent_keys(self, table: Table) -> Maker:
        assert table.parent is not None
        start = next(
            column.values.start for column in self._tables[table.parent].columns if isinstance(column.values, Serial)
        )
        return lambda rows: (self.owners(table.name, rows) + np.int64(start)).tolist()
