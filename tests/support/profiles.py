"""Profiles as tests need them: one lazy load of 20 ms, on any target, by any plan."""

from __future__ import annotations

from bench.model.profile import Looked, Observed, Phases, PlanNode, Sending, StatementParts, StatementPlan, Times

USERS, BOOKS = "SELECT users.id FROM users", "SELECT books.id FROM books WHERE ? = books.user_id"
NESTED = PlanNode(operation="Nested Loop", children=(PlanNode(operation="Seq Scan", detail="on books"),))
HASHED = PlanNode(operation="Hash Join", children=(PlanNode(operation="Seq Scan", detail="on books"),))


def looked(strategy: str, target: str = "postgres:17", *, plan: PlanNode = NESTED, driver: str = "psycopg") -> Looked:
    ms = 1_000_000
    parts = (
        StatementParts(sql="", executions=0, ns={"walk": 1 * ms, "gc": 2 * ms}),
        StatementParts(
            sql=BOOKS, executions=3, ns={"statement": ms, "wait": 5 * ms, "fetch": 2 * ms, "objects": 9 * ms}
        ),
    )
    phases = Phases(wall_ns=20 * ms, statements=parts)
    return Looked(
        scenario="one_to_many", size="1000x50", target=target, driver=driver, strategy=strategy,
        sendings=(
            Sending(sql=BOOKS, executions=3, rows=6, asking="lazy", paths=("User.books",), line="a.py:7",
                    code="user.books", parameters=("1",), more_parameters=0),
        ),
        plans=(
            StatementPlan(sql=BOOKS, roots=(plan,), executing_ms=1.5),
            StatementPlan(sql=USERS, error="permission denied"),
        ),
        times=Times(observed=(Observed(phases=phases, server_ns=3 * ms),), unobserved_ns=(20 * ms,), silent=""),
    )  # fmt: skip
