"""Whether a server compiles statements just in time: asked of the planner, apart from any load."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from sqlalchemy import Engine

from bench.measure.statements import Sent


def is_compiled(engine: Engine, sent: list[Sent]) -> bool | None:
    """Return whether PostgreSQL's plan of any of the queries has a section on JIT; None on another database.

    EXPLAIN shows it where the plan's cost is above `jit_above_cost` and the build has JIT. Of a text that was sent
    several times, the first parameters stand for all. None too where a query cannot be explained.
    """
    if engine.dialect.name != "postgresql":
        return None
    queries = {one.sql: one.parameters for one in reversed(sent) if not one.many and _is_query(one.sql)}
    with closing(engine.raw_connection()) as connection:
        try:
            return any(_jit_in_plan(connection, sql, parameters) for sql, parameters in queries.items())
        except Exception:  # noqa: BLE001 - whatever the driver raises, the load itself is well
            return None


def _is_query(sql: str) -> bool:
    return sql.lstrip().partition(" ")[0].strip().upper() in ("SELECT", "WITH")


def _jit_in_plan(connection: Any, sql: str, parameters: Any) -> bool:
    cursor = connection.cursor()
    cursor.execute(f"EXPLAIN {sql}", parameters)
    plan = [str(line) for (line,) in cursor.fetchall()]
    cursor.close()
    return any(line.lstrip().startswith("JIT:") for line in plan)
