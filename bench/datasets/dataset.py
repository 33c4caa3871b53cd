"""Dataset: a recipe at a size with its options, any row of which can be made alone and always comes out the same."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from bench.datasets.columns import Maker, Spelling, are_numbers, as_json, make_column, plain
from bench.datasets.counting import Counting
from bench.datasets.ownership import Ownership, Rows
from bench.datasets.permutation import Permutation
from bench.datasets.shape import each_has, kinds, rows_of_tables
from bench.errors import BenchError
from bench.model import (
    Column,
    DatasetOptions,
    Extends,
    Parent,
    Place,
    Recipe,
    Reference,
    Serial,
    Size,
    Table,
)

Value = Any
"""As the application sees it: a whole number, a text, a date, or another of `bench.model.recipe.Plain`, or a dict."""


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
        self._dealt = {
            (table.name, column.name): self._deal(table, column)
            for table in recipe.tables
            for column in table.columns
            if isinstance(column.values, Reference)
        }
        self._makers: dict[str, dict[str, Maker]] = {}
        for table in recipe.tables:
            self._makers[table.name] = self._make(table, plain)

    def values(self, table: str, column: str, rows: Rows) -> list[Value]:
        """Return what the column holds in the given rows."""
        return self._makers[table][column](rows)

    def spelled(self, table: str, column: str, rows: Rows) -> list[Value]:
        """Return the same as JSON; whole numbers as they are, their digits being their JSON."""
        return self._spellers[table][column](rows)

    def maker(self, table: str, column: str, spell: Spelling) -> Maker:
        """Return what makes the column's values, spelled by `spell`; whole numbers as they are."""
        return self._maker(self._tables[table], self._column(table, column), spell)

    def are_numbers(self, table: str, column: str) -> bool:
        """Whether a column holds whole numbers; a foreign key's are what it refers to."""
        match (found := self._column(table, column)).values:
            case Parent(column=above):
                parent = self._tables[table].parent
                assert parent is not None
                return self.are_numbers(parent, above or self._tables[parent].keys[0])
            case Reference(table=other):
                return self.are_numbers(other, self._tables[other].keys[0])
        return are_numbers(found.values)

    def owners(self, child: str, rows: Rows) -> Rows:
        """Return the parent table's row that owns each of the given rows of table `child`."""
        return self._ownerships[child].owners(rows)

    def owned(self, child: str, parents: Rows) -> tuple[Rows, Rows]:
        """Return the rows of table `child` that each parent owns, in order, one after another, and how many each."""
        return self._ownerships[child].owned(parents)

    def counts(self, child: str, parents: Rows) -> Rows:
        """Return how many rows of table `child` each parent owns."""
        return self._ownerships[child].counts(parents)

    def referred(self, table: str, column: str, rows: Rows) -> Rows:
        """Return the row that the column, a `Reference`, refers to in each of the given rows of the table."""
        dealt = self._dealt[table, column]
        places = self._ownerships[table].places(rows) if table in self._ownerships else rows
        return dealt.forward(places.view(np.uint64) % np.uint64(dealt.size)).view(np.int64)

    @cached_property
    def _spellers(self) -> dict[str, dict[str, Maker]]:
        return {table.name: self._make(table, as_json) for table in self.recipe.tables}

    def _own(self, table: Table) -> Ownership:
        assert table.parent is not None
        counting = Counting.of(
            parent=table.parent,
            child=table.name,
            parents=self.rows[table.parent],
            mean=each_has(table, self.size),
            distribution=self.options.children,
            share=self.options.childless,
            seed=self.options.seed,
        )
        shuffled = self.options.order == "shuffled"
        spread = Permutation.named(counting.total, self.options.seed, "structure", table.name, "order")
        return Ownership.of(counting, spread if shuffled else None)

    def _deal(self, table: Table, column: Column) -> Permutation:
        assert isinstance(column.values, Reference)
        there = self.rows[column.values.table]
        most = self._ownerships[table.name].most if table.is_link and table.parent else 1
        if most > there:
            raise BenchError(
                f"A row of {table.parent!r} is to be linked to {most} different rows of {column.values.table!r}, "
                f"which has {there}.",
                remedy="Ask for a smaller second number of SIZE, or for more rows there.",
            )
        return Permutation.named(there, self.options.seed, "structure", table.name, column.name)

    def _make(self, table: Table, spell: Spelling) -> dict[str, Maker]:
        return {column.name: self._maker(table, column, spell) for column in table.columns}

    def _maker(self, table: Table, column: Column, spell: Spelling) -> Maker:
        match column.values:
            case Parent(column=above):
                assert table.parent is not None
                parents_key = self._key(table.parent, above, spell)
                return lambda rows: parents_key(self.owners(table.name, rows))
            case Reference(table=other):
                others_key = self._key(other, None, spell)
                return lambda rows: others_key(self.referred(table.name, column.name, rows))
            case Serial(start=start):
                return self._serial(table, start)
            case Place(start=start):
                owned = self._ownerships.get(table.name)
                return lambda rows: ((rows if owned is None else owned.nth(rows)) + np.int64(start)).tolist()
        return make_column(table.name, column, self.options, spell=spell)

    def _key(self, table: str, column: str | None = None, spell: Spelling = plain) -> Maker:
        """Return the maker of a table's key column, or of another that others name it by."""
        return self.maker(table, column or self._tables[table].keys[0], spell)

    def _column(self, table: str, column: str) -> Column:
        return next(one for one in self._tables[table].columns if one.name == column)

    def _serial(self, table: Table, start: int) -> Maker:
        if table.extends is not None:
            begun, key = table.extends, self._key(table.extends.table)
            return lambda rows: key(self._begun(table, begun, rows))
        earlier = self.recipe.tables[: self.recipe.tables.index(table)]
        first = start + sum(self.rows[one.name] for one in earlier if one.stored_in == table.stored_in)
        return lambda rows: (rows + np.int64(first)).tolist()

    def _begun(self, table: Table, begun: Extends, rows: Rows) -> Rows:
        """Return the rows, in the table that is extended, that the given rows of the one that extends it go on from."""
        turn = kinds(self.recipe, table)
        return rows * np.int64(len(turn)) + np.int64(turn.index(begun.value))
