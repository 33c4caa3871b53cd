"""A driver's cursor that says when a fetch begins, and when it has ended with how many rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Begins = Callable[[], None]
Ended = Callable[[int], None]


class WatchedCursor:
    """Stands in the place of a cursor once its statement has run; all but fetching is the cursor's own."""

    def __init__(self, cursor: Any, begins: Begins, ended: Ended) -> None:
        self._cursor, self._begins, self._ended = cursor, begins, ended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    @property
    def watched(self) -> Any:
        """The cursor in whose place it stands."""
        return self._cursor

    def fetchone(self) -> Any:
        """Fetch one row, or none."""
        self._begins()
        row = self._cursor.fetchone()
        self._ended(row is not None)
        return row

    def fetchmany(self, size: int | None = None) -> Any:
        """Fetch some rows."""
        self._begins()
        rows = self._cursor.fetchmany() if size is None else self._cursor.fetchmany(size)
        self._ended(len(rows))
        return rows

    def fetchall(self) -> Any:
        """Fetch all rows."""
        self._begins()
        rows = self._cursor.fetchall()
        self._ended(len(rows))
        return rows

    def __iter__(self) -> Iterator[Any]:
        while (row := self.fetchone()) is not None:
            yield row
