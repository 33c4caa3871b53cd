"""The floor: a strategy's own statements replayed through the bare driver, no ORM and no Core."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.measure.statements import Sent


def write_sent(sent: Sequence[Sent], path: Path) -> None:
    """Keep the captured statements, with their parameters, for the timing workers of the same run."""
    path.write_bytes(pickle.dumps([(one.sql, one.parameters, one.many) for one in sent]))


def read_sent(path: Path) -> list[tuple[str, Any, bool]]:
    """Read what `write_sent` wrote: `(sql, parameters, many)` in the order sent."""
    # The file lies in this run's own scratch folder, readable by its owner only.
    return pickle.loads(path.read_bytes())  # type: ignore[no-any-return]  # noqa: S301


def replay(connection: Any, statements: Sequence[tuple[str, Any, bool]]) -> list[Any]:
    """Execute the statements in order on a DBAPI connection and fetch all rows, a cursor each as the ORM does."""
    fetched = []
    for sql, parameters, many in statements:
        cursor = connection.cursor()
        if many:
            cursor.executemany(sql, parameters)
        else:
            cursor.execute(sql, parameters)
        fetched.append(cursor.fetchall())
        cursor.close()
    return fetched
