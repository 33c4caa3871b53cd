"""Plans of SQLite; those of PostgreSQL are held to a real server in integration tests."""

from __future__ import annotations

from sqlalchemy import text
from support.library import library

from bench.measure.plans import statement_plans
from bench.model.profile import PlanNode


def test_a_plan_of_sqlite_is_a_tree_with_the_index_in_its_detail() -> None:
    sql = "SELECT u.id, b.title FROM users u LEFT JOIN books b ON b.user_id = u.id ORDER BY b.title"

    (plan,) = statement_plans(library(2), [(sql, ())])

    assert plan.error == ""
    assert [node.operation for node in plan.roots] == ["SCAN", "SEARCH", "USE"]
    assert "ix_books_user_id" in plan.roots[1].detail


def test_what_is_below_a_step_stands_below_it() -> None:
    (plan,) = statement_plans(library(2), [("SELECT 1 UNION SELECT id FROM users", ())])

    def depth(node: PlanNode) -> int:
        return 1 + max(map(depth, node.children), default=0)

    assert max(map(depth, plan.roots)) > 1


def test_real_parameters_are_bound() -> None:
    (plan,) = statement_plans(library(2), [("SELECT * FROM books WHERE user_id = ?", (1,))])

    assert (plan.error, plan.roots[0].operation) == ("", "SEARCH")


def test_what_is_no_query_is_neither_explained_nor_carried_out() -> None:
    engine = library(2)

    (plan,) = statement_plans(engine, [("DELETE FROM books", ())])

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM books")) == 2
    assert "no query" in plan.error


def test_what_the_database_refuses_says_why_and_the_others_are_explained() -> None:
    bad, good = statement_plans(library(2), [("SELECT nonsense FROM users", ()), ("SELECT id FROM users", ())])

    assert "nonsense" in bad.error
    assert (good.error, len(good.roots)) == ("", 1)
