"""The floor: a strategy's own statements replayed through the bare driver, no ORM and no Core."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import AdaptedConnection, Engine

if TYPE_CHECKING:
    from bench.measure.statements import Sent

Statements = Sequence[tuple[str, Any, bool]]
"""`(sql, parameters, many)` in the order sent."""


def write_sent(sent: Sequence[Sent], path: Path) -> None:
    """Keep the captured statements, with their parameters, for the timing workers of the same run."""
    path.write_bytes(pickle.dumps([(one.sql, one.parameters, one.many) for one in sent]))


def read_sent(path: Path) -> list[tuple[str, Any, bool]]:
    """Read what `write_sent` wrote: `(sql, parameters, many)` in the order sent."""
    # The file lies in this run's own scratch folder, readable by its owner only.
    return pickle.loads(path.read_bytes())  # type: ignore[no-any-return]  # noqa: S301


@contextmanager
def bare_connection(engine: Engine) -> Iterator[Any]:
    """Yield the engine's DBAPI connection, for `replay`, and end the transaction that a replay began."""
    connection = engine.raw_connection()
    try:
        yield connection.dbapi_connection
    finally:
        adapter: Any = connection.dbapi_connection
        in_transaction = getattr(connection.driver_connection, "is_in_transaction", None)
        if isinstance(adapter, AdaptedConnection) and in_transaction is not None and in_transaction():
            # asyncpg: the replay began it behind the adapter's back, which does not end what it did not begin.
            adapter.run_async(lambda bare: bare.execute("ROLLBACK"))
        connection.close()


def replay(connection: Any, statements: Statements) -> list[Any]:
    """Execute the statements in order on a DBAPI connection and fetch all rows, a cursor each as the ORM does.

    With an asynchronous driver all of it is awaited natively, on the connection beneath SQLAlchemy's adapter: one
    switch out of the greenlet for the whole replay. A transaction begins as it does under the ORM, inside the clock:
    with asyncpg by a BEGIN of our own, elsewhere the driver sees to it.
    """
    if isinstance(connection, AdaptedConnection):
        return connection.run_async(lambda bare: _replay_async(bare, statements))
    fetched = []
    for sql, parameters, many in statements:
        cursor = connection.cursor()
        if many:
            cursor.executemany(sql, parameters)
        else:
            cursor.execute(sql, parameters)
        fetched.append(cursor.fetchall() if cursor.description else [])
        cursor.close()
    return fetched


async def _replay_async(bare: Any, statements: Statements) -> list[Any]:
    if hasattr(bare, "fetch"):
        return await _replay_asyncpg(bare, statements)
    fetched: list[Any] = []
    for sql, parameters, many in statements:  # the connections of psycopg and aiosqlite are alike
        if many:
            executor = bare if hasattr(bare, "executemany") else bare.cursor()
            await executor.executemany(sql, parameters)
            fetched.append([])
            continue
        cursor = await bare.execute(sql, parameters)
        fetched.append(await cursor.fetchall() if cursor.description else [])
        await cursor.close()
    return fetched


async def _replay_asyncpg(bare: Any, statements: Statements) -> list[Any]:
    await bare.execute("BEGIN")
    fetched: list[Any] = []
    for sql, parameters, many in statements:
        if many:
            await bare.executemany(sql, parameters)
            fetched.append([])
            continue
        fetched.append(await bare.fetch(sql, *parameters))
    return fetched
