"""The plans of statements, asked of the database apart from any load: EXPLAIN, with the parameters that were sent.

PostgreSQL runs each statement to explain it, and discards its rows; from 17 on it turns them into what would be sent,
too. Of a text that was sent several times the first parameters stand for all. A driver that prepares statements may
come to be served by a generic plan, which this is not.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Engine

from bench.model.profile import PlanNode, StatementPlan

_SERIALIZE_SINCE = (17,)
_QUERIES = ("SELECT", "WITH", "VALUES", "(SELECT")


def statement_plans(
    engine: Engine, statements: Sequence[tuple[str, Any]], *, analyze: bool = True
) -> list[StatementPlan]:
    """Return the plan of each statement, given as its text and its parameters as the driver got them.

    analyze: whether PostgreSQL runs them; without, a plan has no figures but the planner's own. What cannot be
    explained, or may not be, says why in its plan's `error`.
    """
    return [_explained(engine, sql, parameters, analyze=analyze) for sql, parameters in statements]


def _explained(engine: Engine, sql: str, parameters: Any, *, analyze: bool) -> StatementPlan:
    if not sql.lstrip().upper().startswith(_QUERIES):
        return StatementPlan(sql=sql, error="it is no query, and explaining it would carry it out")
    with closing(engine.raw_connection()) as connection:  # closing ends the transaction, whatever state it is in
        try:
            if engine.dialect.name == "sqlite":
                return _sqlite_plan(sql, _fetched(connection, f"EXPLAIN QUERY PLAN {sql}", parameters))
            options = _options(engine, analyze=analyze)
            ((found,),) = _fetched(connection, f"EXPLAIN ({options}) {sql}", parameters)
            return _postgresql_plan(sql, (json.loads(found) if isinstance(found, str) else found)[0])
        except Exception as error:  # noqa: BLE001 - whatever the driver raises, the load itself is well
            return StatementPlan(sql=sql, error=" ".join(str(error).split()) or type(error).__name__)


def _fetched(connection: Any, sql: str, parameters: Any) -> list[Any]:
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _options(engine: Engine, *, analyze: bool) -> str:
    options = ["FORMAT JSON"]
    if analyze:
        options += ["ANALYZE", "BUFFERS"]
        if tuple(engine.dialect.server_version_info or ())[:1] >= _SERIALIZE_SINCE:
            options += ["SERIALIZE BINARY" if engine.dialect.driver == "asyncpg" else "SERIALIZE TEXT"]
    return ", ".join(options)


def _postgresql_plan(sql: str, found: dict[str, Any]) -> StatementPlan:
    serialization = found.get("Serialization", {})
    return StatementPlan(
        sql=sql,
        roots=(_node(found["Plan"]),),
        planning_ms=found.get("Planning Time"),
        executing_ms=found.get("Execution Time"),
        serializing_ms=serialization.get("Time"),
        output_bytes=serialization["Output Volume"] * 1024 if "Output Volume" in serialization else None,
        jit="JIT" in found,
    )


def _node(found: dict[str, Any]) -> PlanNode:
    loops = found.get("Actual Loops")
    return PlanNode(
        operation=_operation(found),
        detail=_detail(found),
        planned_rows=found.get("Plan Rows"),
        rows=None if loops is None else found["Actual Rows"] * loops,
        loops=loops,
        time_ms=None if loops is None or "Actual Total Time" not in found else found["Actual Total Time"] * loops,
        hit_blocks=found.get("Shared Hit Blocks"),
        read_blocks=found.get("Shared Read Blocks"),
        children=tuple(_node(below) for below in found.get("Plans", ())),
    )


def _operation(found: dict[str, Any]) -> str:
    """Return the step's name as EXPLAIN's text form has it: `Hash Left Join`, `Parallel Seq Scan`."""
    name = str(found["Node Type"])
    if found.get("Strategy") == "Hashed":
        name = f"Hash{name}"
    if found.get("Join Type", "Inner") != "Inner":
        name = f"{name.removesuffix(' Join')} {found['Join Type']} Join"
    return f"Parallel {name}" if found.get("Parallel Aware") else name


def _detail(found: dict[str, Any]) -> str:
    relation = found.get("Relation Name") or found.get("CTE Name") or found.get("Function Name") or ""
    alias = found.get("Alias", relation)
    parts = [
        f"on {relation}" if relation else "",
        alias if relation and alias != relation else "",
        f"using {found['Index Name']}" if "Index Name" in found else "",
        *(f"{key.lower()} {found[key]}" for key in ("Index Cond", "Hash Cond", "Merge Cond", "Filter") if key in found),
        f"by {', '.join(found['Sort Key'])}" if "Sort Key" in found else "",
    ]
    return " ".join(filter(None, parts))


def _sqlite_plan(sql: str, rows: Sequence[Any]) -> StatementPlan:
    """Build the tree from rows of `(id, parent, unused, detail)`, a parent before what is below it."""
    below: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    for number, parent, _, detail in rows:
        below[parent].append((number, detail))

    def nodes(parent: int) -> tuple[PlanNode, ...]:
        return tuple(_sqlite_node(detail, nodes(number)) for number, detail in below[parent])

    return StatementPlan(sql=sql, roots=nodes(0))


def _sqlite_node(detail: str, children: tuple[PlanNode, ...]) -> PlanNode:
    """Divide `SEARCH books USING INDEX ix (user_id=?)` after its first word."""
    operation, _, rest = detail.partition(" ")
    return PlanNode(operation=operation, detail=rest, children=children)
