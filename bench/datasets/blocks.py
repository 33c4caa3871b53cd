"""The rows of a dataset as a stream of blocks: what a bulk load takes in, in memory that stays flat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.datasets.dataset import Dataset, Value

BLOCK_ROWS = 4096
"""Rows made at a time: enough that numpy's cost for a call does not show, few enough to stay in a processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Consecutive rows of a table, column by column: `values[i]` is what column `columns[i]` holds in each row."""

    table: str
    columns: tuple[str, ...]
    values: tuple[list[Value], ...]

    def __len__(self) -> int:
        return len(self.values[0])

    def tuples(self) -> Iterator[tuple[Value, ...]]:
        """Return the block row by row."""
        return zip(*self.values, strict=True)


def blocks(dataset: Dataset, *, block_rows: int = BLOCK_ROWS) -> Iterator[Block]:
    """Yield all rows of all tables: tables in the recipe's order, rows in the order of their number."""
    for table in dataset.recipe.tables:
        names = tuple(column.name for column in table.columns)
        for first in range(0, dataset.rows[table.name], block_rows):
            rows = np.arange(first, min(first + block_rows, dataset.rows[table.name]), dtype=np.int64)
            values = tuple(dataset.values(table.name, name, rows) for name in names)
            yield Block(table=table.stored_in, columns=names, values=values)
