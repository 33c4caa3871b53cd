"""The first row of a recipe that breaks a constraint, found again row by row: the fast way there does not know it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

from bench.datasets.blocks import Block, blocks
from bench.datasets.dataset import Dataset

MOST_ROWS = 1_000_000
"""Rows that are tried: a constraint that the first million keep is told without one."""

SHOWN = 40
"""Characters of a value that are shown."""


def first_offending(
    dataset: Dataset, schema: Sequence[str], stored: Callable[[Block], Sequence[Any]], insert: Callable[[Block], str]
) -> str:
    """Say which row of the dataset, of which table, SQLite refuses first, and why; "" where it is none of the first.

    schema: what makes tables and indexes. stored: a block's values as SQLite stores them, one row after another.
    insert: the statement that inserts one row of a block.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as memory:
        memory.execute("BEGIN")
        for statement in schema:
            memory.execute(statement)
        numbers: dict[str, int] = {}
        for block, row in islice(_rows(dataset, stored), MOST_ROWS):
            numbers[block.table] = numbers.get(block.table, 0) + 1
            try:
                memory.execute(insert(block), row)
            except sqlite3.IntegrityError as error:
                held = ", ".join(f"{name}={_shown(value)}" for name, value in zip(block.columns, row, strict=True))
                return f"{error}; row {numbers[block.table]:,} of {block.table} is the first: {held}"
    return ""


def _rows(dataset: Dataset, stored: Callable[[Block], Sequence[Any]]) -> Any:
    for block in blocks(dataset):
        values, width = stored(block), len(block.columns)
        for first in range(0, len(values), width):
            yield block, values[first : first + width]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
