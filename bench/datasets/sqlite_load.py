"""Bulk loading into a new SQLite file: rows in multi-row VALUES, indexes after them, everything checked once."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData
from sqlalchemy.dialects import sqlite

from bench.datasets.binding import binding
from bench.datasets.blocks import Block, blocks
from bench.datasets.columns import Spelling, plain
from bench.datasets.dataset import Dataset
from bench.datasets.key import schema
from bench.datasets.offending import first_offending
from bench.errors import BenchError

MOST_VALUES_ROWS = 500
"""Rows in one INSERT: beyond it SQLite gets no faster, and a longer statement costs more to parse the first time."""

FAST = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -16384")
"""Settings while loading. None of them lasts: the file that is closed is an ordinary one with a rollback journal."""

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def load_sqlite(dataset: Dataset, metadata: MetaData, path: Path) -> None:
    """Create the tables in a new file at `path` and load every row of the dataset; memory stays flat.

    Foreign keys are verified and the tables analysed. Raises BenchError, and leaves no file, when the disk is full or
    the rows do not fit the tables. Not durable until it is synced: that is for whoever keeps the file.
    """
    with _removed_unless_whole(path), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for setting in FAST:
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN")
        statements = schema(metadata, "sqlite", without=dataset.recipe.unindexed)
        tables = len(metadata.sorted_tables)
        for statement in statements[:tables]:
            connection.execute(statement)
        bindings = _bindings(dataset, metadata)
        try:
            for block in blocks(dataset):
                _insert(connection, block, bindings)
            for statement in statements[tables:]:
                connection.execute(statement)
        except sqlite3.IntegrityError as error:
            raise _broken(error, dataset, statements, bindings) from error
        for table in dict.fromkeys(table.stored_in for table in dataset.recipe.tables):
            _check_foreign_keys(connection, table)
        connection.execute("ANALYZE")
        connection.execute("COMMIT")


def _broken(
    error: sqlite3.IntegrityError, dataset: Dataset, statements: Sequence[str], bindings: Bindings
) -> BenchError:
    """Return the error of a constraint that the dataset's rows break, with the first that does."""
    said = first_offending(
        dataset, statements, lambda block: _row_by_row(block, bindings), lambda block: _statement(block, 1)
    )
    return BenchError(
        f"The dataset's rows do not fit the tables: {said or error}.",
        remedy="Correct the scenario's recipe, or its mapped classes.",
    )


Bindings = Mapping[tuple[str, str], Spelling]
"""What turns values into what SQLite stores, by table and column, where they are not stored as they are."""


def _bindings(dataset: Dataset, metadata: MetaData) -> Bindings:
    dialect = sqlite.dialect()
    every = {
        (table.stored_in, column.name): binding(metadata, table.stored_in, column.name, dialect)
        for table in dataset.recipe.tables
        for column in table.columns
    }
    return {name: bind for name, bind in every.items() if bind is not plain}


def _insert(connection: sqlite3.Connection, block: Block, bindings: Bindings) -> None:
    width = len(block.columns)
    at_once = min(MOST_VALUES_ROWS, connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // width)
    parameters = _row_by_row(block, bindings)
    for first in range(0, len(block), at_once):
        rows = min(at_once, len(block) - first)
        connection.execute(_statement(block, rows), parameters[first * width : (first + rows) * width])


def _row_by_row(block: Block, bindings: Bindings) -> list[Any]:
    """Return the values of all rows, one row after another, as SQLite stores them."""
    width = len(block.columns)
    parameters: list[Any] = [None] * (width * len(block))
    for position, (column, values) in enumerate(zip(block.columns, block.values, strict=True)):
        bind = bindings.get((block.table, column))
        stored: Sequence[Any] = values if bind is None else [*map(bind, values)]
        parameters[position::width] = [*map(date.isoformat, stored)] if type(stored[0]) is date else stored
    return parameters


def _statement(block: Block, rows: int) -> str:
    row = f"({','.join('?' * len(block.columns))})"
    names = ",".join(map(_identifier, block.columns))
    return f"INSERT INTO {_identifier(block.table)} ({names}) VALUES {','.join([row] * rows)}"  # noqa: S608 - a recipe's own names, quoted


def _identifier(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _check_foreign_keys(connection: sqlite3.Connection, table: str) -> None:
    """Raise BenchError for a row that refers to none. Only tables with rows: what others refer to may be no key."""
    broken = connection.execute(f"PRAGMA foreign_key_check({_identifier(table)})").fetchone()
    if broken:
        raise BenchError(
            f"Row {broken[1]} of table {broken[0]!r} refers to a row of {broken[2]!r} that is not there.",
            remedy="The recipe's Parent columns must be the tables' foreign keys, and no other column may be one.",
        )


@contextmanager
def _removed_unless_whole(path: Path) -> Iterator[None]:
    """Remove the file when loading it fails in any way, and turn what a user can mend into a BenchError."""
    try:
        yield
    except BaseException as error:
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
        if isinstance(error, sqlite3.Error | OSError):
            raise _explained(error, path) from error
        raise


def _explained(error: sqlite3.Error | OSError, path: Path) -> BenchError:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) in _NO_SPACE:
        return BenchError(
            f"The disk was full before the dataset was loaded into {path.parent}.",
            remedy="Free some space, ask for a smaller SIZE, or set BENCH_CACHE_DIR to a folder on a larger disk.",
        )
    return BenchError(
        f"The dataset could not be loaded into {path}: {error}.",
        remedy="Check the disk and the folder, or set BENCH_CACHE_DIR to another one.",
    )
