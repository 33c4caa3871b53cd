"""What a load sent, for a reader: no word of the SQL is changed, and an N+1 is called one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.profile import Looked, Sending
from bench.report.sent_statements import sent_text
from bench.report.sql_text import folded, formatted, one_line

WORDS = st.sampled_from(
    ["SELECT", "FROM", "users", "users.id", ",", "(", ")", "WHERE", "=", "?", "%(a_1)s", "$1::INTEGER", "'it''s'",
     "IN", "AND", "ORDER BY", "LEFT OUTER JOIN", "ON", "CASE", "END", "--", "/*", ";", "AS", '"q"', "é"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_formatting_moves_white_space_alone(sql: str) -> None:
    assert "".join(formatted(sql).split()) == "".join(sql.split())


@given(st.text(max_size=80))
def test_any_text_at_all_is_taken(sql: str) -> None:
    assert "".join(formatted(sql).split()) == "".join(sql.split())
    assert isinstance(folded(sql), str)


@pytest.mark.parametrize("placeholder", ["?", "%s", "$1::INTEGER", "%(primary_keys_1)s::INTEGER"])
def test_a_long_list_of_placeholders_is_folded_and_says_how_many(placeholder: str) -> None:
    sql = f"SELECT 1 WHERE x IN ({', '.join([placeholder] * 5000)})"

    assert folded(sql) == f"SELECT 1 WHERE x IN ({placeholder}, /* 4,998 more */ {placeholder})"
    assert placeholder in formatted(sql)


def test_a_short_list_stays() -> None:
    assert folded("x IN (?, ?, ?)") == "x IN (?, ?, ?)"


def test_one_line_is_as_long_as_it_may_be() -> None:
    assert one_line("SELECT a,\n  b", 100) == "SELECT a, b"
    assert one_line("SELECT a, b", 8) == "SELECT …"


def sending(**fields: object) -> Sending:
    values: dict[str, object] = {
        "sql": "SELECT 1", "executions": 1, "rows": 1, "asking": "load", "paths": ("User",), "line": "a.py:1",
        "code": "load()", "parameters": (), "more_parameters": 0,
    }  # fmt: skip
    return Sending(**{**values, **fields})  # type: ignore[arg-type]


def test_an_n_plus_one_is_called_so_with_its_count() -> None:
    looked = Looked(
        scenario="s", size="3x1", target="sqlite", driver="pysqlite", strategy="lazy",
        sendings=(
            sending(),
            sending(sql="SELECT 2", executions=3, rows=3, asking="lazy", paths=("User.books",), parameters=("1",)),
        ),
    )  # fmt: skip

    text = sent_text(looked, width=100)

    assert "4 statements of 2 texts, 4 rows. N+1: User.books takes 3 statements" in text
    assert "parameters of the first: 1" in text


def test_a_strategy_that_failed_says_why() -> None:
    looked = Looked(
        scenario="s", size="3x1", target="sqlite", driver="pysqlite", strategy="raise", error="The load raised X: y"
    )

    assert "The load raised X: y" in sent_text(looked, width=80)
