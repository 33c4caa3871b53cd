"""Whether the disk can hold a dataset, asked before the first row is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from sqlalchemy import MetaData

from bench.datasets.dataset import Dataset, Value
from bench.errors import BenchError
from bench.model import Table

SAMPLED_ROWS = 512
ROW_OVERHEAD, COLUMN_OVERHEAD = 8, 1
"""Bytes that SQLite's record format adds to a row and to a column, rounded up."""

SLACK = 1.15
"""Unused ends of pages and the pages above the leaves, rounded up."""

LEAST = 64 * 1024


def require_space(dataset: Dataset, metadata: MetaData, path: Path) -> None:
    """Raise BenchError when the folder of `path` has less free space than the dataset is going to take."""
    needed = needed_bytes(dataset, metadata)
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise BenchError(
            f"A dataset of {dataset.size} takes about {_in_words(needed)}; {path.parent} has {_in_words(free)} free.",
            remedy="Ask for a smaller SIZE or a narrower text, free some space, "
            "or set BENCH_CACHE_DIR to a folder on a larger disk.",
        )


def needed_bytes(dataset: Dataset, metadata: MetaData) -> int:
    """Estimate the bytes of the SQLite file, from the lengths of values in the first rows of each table.

    The indexes are counted twice, for they are sorted in temporary files.
    """
    bytes_of_all = sum(
        dataset.rows[table.name] * _row_bytes(dataset, table, metadata) for table in dataset.recipe.tables
    )
    return LEAST + int(bytes_of_all * SLACK)


def _row_bytes(dataset: Dataset, table: Table, metadata: MetaData) -> float:
    rows = np.arange(min(SAMPLED_ROWS, dataset.rows[table.name]), dtype=np.int64)
    width = {column.name: _mean_bytes(dataset.values(table.name, column.name, rows)) for column in table.columns}
    indexes = metadata.tables[table.stored_in].indexes if table.stored_in in metadata.tables else ()
    indexed = sum(ROW_OVERHEAD + 4 + sum(width.get(column.name, 0) for column in index.columns) for index in indexes)
    return ROW_OVERHEAD + sum(width.values()) + 2 * indexed


def _mean_bytes(values: list[Value]) -> float:
    """Return a column's mean bytes in a row: text in UTF-8, ten for a date, a whole number as SQLite packs it."""
    lengths = [
        (value.bit_length() + 8) // 8 if isinstance(value, int) else len(str(value).encode()) for value in values
    ]
    return COLUMN_OVERHEAD + sum(lengths) / max(1, len(lengths))


def _in_words(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
