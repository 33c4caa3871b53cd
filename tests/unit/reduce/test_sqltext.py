"""SQL is compared without what the driver or the length of a list makes of it, and with everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model import StatementCount
from bench.reduce.sqltext import Texts, by_text, canonical, normalised, portable

QMARK = "SELECT b.id FROM b \nWHERE b.user_id IN (?, ?, ?) AND b.t LIKE 'a%' LIMIT ? OFFSET ?"
PSYCOPG = (
    "SELECT b.id FROM b \nWHERE b.user_id IN (%(keys_1)s::INTEGER, %(keys_2)s::INTEGER) AND b.t LIKE 'a%%' "
    "LIMIT %(param_1)s::INTEGER OFFSET %(param_2)s::INTEGER"
)
ASYNCPG = "SELECT b.id FROM b \nWHERE b.user_id IN ($1::INTEGER) AND b.t LIKE 'a%' LIMIT $2::INTEGER OFFSET $3::INTEGER"


def test_two_drivers_of_one_database_are_sent_one_text() -> None:
    assert normalised(PSYCOPG) == normalised(ASYNCPG)


def test_without_the_casts_of_a_dialect_two_databases_are_sent_one_text() -> None:
    assert portable(normalised(PSYCOPG)) == portable(normalised(QMARK))


def test_a_parameter_whose_type_changes_is_another_text() -> None:
    assert normalised("x = $1::INTEGER") != normalised("x = $1::VARCHAR")


@pytest.mark.parametrize(
    "cast", ["TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP(3) WITH TIME ZONE", "VARCHAR(80)", "NUMERIC(10, 2)", "INTEGER[]"]
)
def test_a_cast_of_several_words_is_one_of_the_dialect(cast: str) -> None:
    assert portable(normalised(f"x = $1::{cast} AND y = 1")) == "x = ? AND y = 1"


def test_a_literal_in_place_of_a_parameter_is_another_text() -> None:
    assert normalised("WHERE id = ?") != normalised("WHERE id = 5")
    assert normalised("WHERE id IN (?, ?)") != normalised("WHERE id IN (1, 2)")


def test_what_is_quoted_stays_as_it_is() -> None:
    quoted = "SELECT 'IN (?, ?)  -- no comment', \"a  /* b */\" FROM t WHERE x IN (?, ...)"

    assert normalised(quoted.replace("?, ...", "?, ?")) == quoted
    assert portable(quoted) == quoted


def test_comments_go_and_hints_stay() -> None:
    assert normalised("SELECT /* id 7 */ 1 -- end\nFROM /*+ SeqScan(t) */ t") == "SELECT 1 FROM /*+ SeqScan(t) */ t"


def test_lists_of_pairs_are_one_list() -> None:
    assert normalised("(a, b) IN ((?, ?), (?, ?))") == normalised("(a, b) IN ((?, ?))")
    assert normalised("(a, b) IN (VALUES (?, ?), (?, ?))") == "(a, b) IN (VALUES (?, ?), ...)"


def test_chunks_of_one_statement_are_counted_together() -> None:
    chunks = [
        StatementCount(sql=f"x IN ({', '.join('?' * keys)})", executions=executions, rows=keys, parameters=keys)
        for keys, executions in ((500, 3), (7, 1))
    ]

    assert by_text(chunks) == {"x IN (?, ...)": Texts(executions=4, rows=507, parameters=507)}


@given(
    st.lists(st.sampled_from(["SELECT", "a", "'x ?'", '"b"', "FROM", "t", "1", "%", "=", "(", ")", ","]), max_size=20)
)
def test_layout_makes_no_difference_and_words_do(words: list[str]) -> None:
    text = normalised(" ".join(words))

    assert text == normalised("\n  ".join(words))
    assert text == " ".join(words)


@given(st.integers(1, 40), st.integers(1, 40))
def test_the_number_of_keys_makes_no_difference_however_drivers_write_them(some: int, others: int) -> None:
    qmark = f"x IN ({', '.join('?' * some)}) AND y = ?"
    format_ = f"x IN ({', '.join(f'%(k_{at})s' for at in range(others))}) AND y = %(y)s"
    numeric = f"x IN ({', '.join(f'${at + 1}' for at in range(others))}) AND y = ${others + 1}"

    assert normalised(qmark) == normalised(format_) == normalised(numeric)


@given(st.text(alphabet="ab'\"?$%(),: \n-/*0", max_size=40))
def test_any_text_has_a_normal_form(sql: str) -> None:
    assert portable(normalised(sql)) == portable(normalised(sql.strip()))


COLUMNS = [
    "a.id",
    "a.id AS id_1",
    "count(b.id, b.x) AS n",
    "'x, y (' AS t",
    '"odd, name"',
    "(SELECT z.q, z.p FROM z) AS s",
]


@given(st.permutations(COLUMNS), st.permutations(["anon.p", "anon.q", "coalesce(anon.r, 1)"]))
def test_the_order_of_columns_makes_no_difference(outer: list[str], inner: list[str]) -> None:
    text = "SELECT DISTINCT {} FROM (SELECT {} FROM anon) AS anon JOIN a ON a.x = anon.p ORDER BY a.x, a.y"
    usual = text.format(", ".join(COLUMNS), "anon.p, anon.q, coalesce(anon.r, 1)")

    assert canonical(text.format(", ".join(outer), ", ".join(inner))) == canonical(usual)


@pytest.mark.parametrize(
    "other",
    [
        "SELECT a, b FROM t ORDER BY y, x",
        "SELECT a, b FROM t GROUP BY x ORDER BY x, y",
        "SELECT a, c FROM t ORDER BY x, y",
        "SELECT a, b, b FROM t ORDER BY x, y",
        "SELECT a FROM t ORDER BY x, y",
        "SELECT DISTINCT a, b FROM t ORDER BY x, y",
    ],
)
def test_every_other_order_and_every_column_makes_one(other: str) -> None:
    assert canonical(other) != canonical("SELECT a, b FROM t ORDER BY x, y")


@given(st.text(alphabet="ab'\"(),: SELECTFROM", max_size=60))
def test_putting_columns_in_order_loses_no_character(sql: str) -> None:
    assert sorted(canonical(sql)) == sorted(sql)
    assert canonical(canonical(sql)) == canonical(sql)
