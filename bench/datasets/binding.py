"""From a value as the application sees it to what a driver is given: by the column's own type, as SQLAlchemy does it.

Whole numbers, texts and dates of plain types are what drivers take already; they are left alone, and as fast as before.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Dialect, MetaData
from sqlalchemy.types import TypeDecorator

from bench.datasets.columns import Spelling, plain

AS_THEY_ARE = (int, str, date)


def binding(metadata: MetaData, table: str, column: str, dialect: Dialect) -> Spelling:
    """Return what turns values of a column of the database's table into what the dialect's driver is given."""
    found = metadata.tables[table].columns.get(column) if table in metadata.tables else None
    if found is None:
        return plain
    process: Any = found.type.dialect_impl(dialect).bind_processor(dialect)
    if process is None:
        return plain
    if isinstance(found.type, TypeDecorator):
        return process  # type: ignore[no-any-return]
    return lambda value: value if type(value) in AS_THEY_ARE else process(value)
