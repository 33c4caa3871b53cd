"""What a profile shows: bills side by side in any width, plans as trees, and a difference between plans as one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.model.profile import Looked, Observed, Phases, PlanNode, Sending, StatementParts, StatementPlan, Times
from bench.report.bill_text import bills_text
from bench.report.plan_text import differences_text, plan_tree, plans_text

SCAN = PlanNode(
    operation="Seq Scan", detail="on books", rows=12.0, planned_rows=10.0, loops=1, time_ms=1.5, hit_blocks=3
)
JOIN = PlanNode(
    operation="Nested Loop", children=(SCAN, PlanNode(operation="Index Scan", detail="using ix", rows=6.0, loops=3))
)


def looked(strategy: str, *, target: str = "pg:17", plan: StatementPlan | None = None, error: str = "") -> Looked:
    statements = (
        StatementParts(sql="", executions=0, ns={"walk": 1_000_000}),
        StatementParts(sql="SELECT 1", executions=3, ns={"wait": 7_000_000, "objects": 2_000_000}),
    )
    phases = Phases(wall_ns=10_000_000, statements=statements)
    return Looked(
        scenario="s", size="3x1", target=target, driver="psycopg", strategy=strategy, error=error,
        times=None if error else Times(
            observed=(Observed(phases=phases, server_ns=None),), unobserved_ns=(9_000_000,),
            silent="track_activities is off"
        ),
        plans=(plan,) if plan else (),
        sendings=() if error else (
            Sending(sql="SELECT 1", executions=3, rows=6, asking="lazy", paths=("User.books",), line="a.py:7",
                    code="user.books", parameters=(), more_parameters=0),
        ),
    )  # fmt: skip


@pytest.mark.parametrize("width", [40, 80, 120])
def test_twenty_strategies_fit_any_width_and_none_is_left_out(width: int) -> None:
    names = [f"strategy_{number}" for number in range(20)]

    text = bills_text([looked(name) for name in names], width=width)

    assert all(name in text for name in names)
    if width >= 80:
        assert max(map(len, text.splitlines())) <= width


def test_the_price_of_observing_and_what_is_not_told_apart_are_said() -> None:
    text = " ".join(bills_text([looked("lazy")], width=120).split())

    assert "Observing costs, by the median pair and the quartiles, +11.1 %, +11.1 to +11.1 % (lazy)." in text
    assert "no single factor: lazy." in text
    assert "The server's part is not told apart: track_activities is off." in text
    assert "server and wire 7.0 70 %" in text


def test_each_statement_has_its_time_its_line_and_the_n_plus_one_is_called_so() -> None:
    text = " ".join(bills_text([looked("lazy")], width=120).split())

    assert "User.books 3 x 6 rows 9.0 ms 90 % N+1 a.py:7" in text


def test_a_strategy_that_failed_says_why_beside_the_others() -> None:
    text = bills_text([looked("lazy"), looked("raise", error="The load raised X: y")], width=100)

    assert "raise: The load raised X: y" in text
    assert "User.books" in text


def test_what_could_not_be_seen_of_a_strategy_says_why_and_costs_it_no_bill() -> None:
    text = bills_text([replace(looked("lazy"), unseen=("memory not seen: killed by SIGKILL",))], width=100)

    assert "lazy: memory not seen: killed by SIGKILL" in text
    assert "in all" in text


@pytest.mark.parametrize("width", [70, 80])
def test_where_there_is_little_room_a_line_of_code_loses_its_folder_and_not_its_number(width: int) -> None:
    one = looked("lazy")
    far = replace(one.sendings[0], line="a/folder/of/folders/within/a/package/of/models/loading.py:1234")

    lines = bills_text([replace(one, sendings=(far,))], width=width).splitlines()

    (line,) = (line for line in lines if line.startswith("  User.books"))
    assert line.endswith("loading.py:1234")
    assert "…" in line
    assert len(line) == width


def test_nothing_but_failures_is_no_table() -> None:
    assert bills_text([looked("raise", error="The load raised X: y")], width=100) == "raise: The load raised X: y"


def test_a_plan_is_a_tree_with_the_databases_own_figures() -> None:
    plan = StatementPlan(
        sql="SELECT 1", roots=(JOIN,), executing_ms=3.25, serializing_ms=1.0, output_bytes=2048, jit=True
    )

    text = plan_tree(1, plan, width=100)

    assert "executing 3.25 ms; of it serialising 1.00 ms to 2.05 kB; compiled just in time" in text
    assert "└── Nested Loop" in text
    assert "├── Seq Scan on books  (12 rows, planned 10; 1.50 ms; 3 pages cached)" in text
    assert "6 rows; 3 loops" in text


def test_what_could_not_be_explained_says_why() -> None:
    plan = StatementPlan(sql="SELECT 1", error="permission denied for table users")

    assert "Not explained: permission denied for table users." in plans_text(looked("lazy", plan=plan), width=80)


def test_plans_that_differ_in_figures_alone_do_not_differ() -> None:
    slower = StatementPlan(
        sql="SELECT 1", roots=(PlanNode(operation="Seq Scan", detail="on books", rows=99.0, loops=1),)
    )
    looks = [
        looked("lazy", plan=StatementPlan(sql="SELECT 1", roots=(SCAN,))),
        looked("lazy", target="pg:18", plan=slower),
    ]

    assert differences_text(looks, width=80) == ""


def test_another_join_another_index_and_jit_are_shown_as_a_difference() -> None:
    hashed = PlanNode(operation="Hash Join", children=(SCAN,))
    looks = [
        looked("lazy", plan=StatementPlan(sql="SELECT 1", roots=(JOIN,))),
        looked("lazy", target="pg:18", plan=StatementPlan(sql="SELECT 1", roots=(hashed,), jit=True)),
    ]

    lines = [line.strip() for line in differences_text(looks, width=80).splitlines()]

    assert lines[0] == "lazy: plans of pg:17 (-) and pg:18 (+)"
    assert "- Nested Loop" in lines
    assert "+ Hash Join" in lines
    assert "+ JIT" in lines
    assert "Seq Scan on books" in lines
