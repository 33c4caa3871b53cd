"""The shape of plans under fixed statistics: the steps of a plan and what they are done to, without costs.

A planner chooses by statistics, by the settings of its server and by the values it is given. All rows are read for the
statistics (PostgreSQL samples 300 for each entry of `default_statistics_target`), the settings are PostgreSQL's own
defaults for every server, and of a text that was sent several times the first parameters stand for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Engine, MetaData

from bench.measure.plans import statement_plans
from bench.model.profile import PlanNode

PLANNER = {
    "default_statistics_target": "10000",
    "plan_cache_mode": "force_custom_plan",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "work_mem": "'4MB'",
    "effective_cache_size": "'4GB'",
    "seq_page_cost": "1",
    "random_page_cost": "4",
    "cpu_tuple_cost": "0.01",
    "cpu_index_tuple_cost": "0.005",
    "cpu_operator_cost": "0.0025",
    "from_collapse_limit": "8",
    "join_collapse_limit": "8",
    "geqo_threshold": "12",
}
"""What the planner decides by, as PostgreSQL has it by default, but for what makes statistics, plans or steps vary."""

_CONDITION = re.compile(r"(?:^| )(?:index cond|hash cond|merge cond|filter|by) .*", re.DOTALL)
"""What a step's detail has after its table and index: it may hold values."""


def fix_planner(engine: Engine, metadata: MetaData) -> None:
    """Have the connections' planner decide by what is the same everywhere. SQLite's has nothing to fix.

    Whatever the driver raises passes through: the tables may be another user's.
    """
    if engine.dialect.name != "postgresql":
        return
    tables = ", ".join(engine.dialect.identifier_preparer.format_table(table) for table in metadata.sorted_tables)
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        for name, value in PLANNER.items():
            cursor.execute(f"SET {name} = {value}")
        cursor.execute(f"ANALYZE {tables}")
        connection.commit()


def distinct_queries(sent: Iterable[tuple[str, Any, bool]]) -> list[tuple[str, Any]]:
    """Return each text that was sent, with its first parameters. What was sent for many rows at once is no query."""
    found: dict[str, Any] = {}
    for sql, parameters, many in sent:
        if not many:
            found.setdefault(sql, parameters)
    return list(found.items())


def plan_shapes(engine: Engine, statements: Sequence[tuple[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return for each statement its text and the lines of its plan, a step each, indented by what it is below.

    There are none where the database does not explain it.
    """
    plans = statement_plans(engine, statements, analyze=False)
    return [(plan.sql, [line for root in plan.roots for line in _lines(root, 0)]) for plan in plans]


def _lines(node: PlanNode, depth: int) -> Iterator[str]:
    yield f"{' ' * depth}{node.operation} {_CONDITION.sub('', node.detail)}".rstrip()
    for below in node.children:
        yield from _lines(below, depth + 1)
