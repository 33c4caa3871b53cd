"""Texts that differ in values and in how often their parts repeat have the same words; other statements have not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.testing.likeness import words

TEXTS = {
    "values": lambda values: "INSERT INTO log (what) VALUES " + ", ".join("(?)" for _ in values),
    "or": lambda values: "SELECT id FROM books WHERE " + " OR ".join("books.id = %(id_1)s" for _ in values),
    "union": lambda values: " UNION ALL ".join(
        f"SELECT b_{at}.id FROM books AS b_{at} WHERE b_{at}.id = :id_{at}" for at, _ in enumerate(values)
    ),
    "list": lambda values: "SELECT id FROM books WHERE id IN ({})".format(
        ", ".join("'{}'".format(str(value).replace("'", "''")) for value in values)
    ),
    "limit": lambda values: f"SELECT id FROM books LIMIT {len(values)} OFFSET {len(values)}.5e3",
    "literals": lambda values: "INSERT INTO log (what, ok) VALUES " + ", ".join("(NULL, true)" for _ in values),
    "casts": lambda values: (
        "SELECT id FROM books WHERE " + " OR ".join(f"id = ${at}::INTEGER" for at, _ in enumerate(values))
    ),
}

VALUES = st.lists(st.text(st.characters(blacklist_categories=["Cs"])), min_size=1, max_size=6)


@pytest.mark.parametrize("name", TEXTS)
@given(VALUES, VALUES)
def test_values_and_how_many_there_are_are_no_words(name: str, some: list[str], others: list[str]) -> None:
    assert words(TEXTS[name](some)) == words(TEXTS[name](others))


@pytest.mark.parametrize(
    ("sql", "other"),
    [
        ("SELECT id FROM books", "SELECT id FROM users"),
        ("SELECT id FROM books WHERE id = ?", "SELECT id FROM books WHERE user_id = ?"),
        ("SELECT id FROM books WHERE id = ?", "SELECT id FROM books WHERE id IN (?)"),
        ('SELECT id FROM "order"', 'SELECT id FROM "user"'),
        ("SELECT id FROM b", "DELETE FROM b"),
        ("SELECT ?::INTEGER", "SELECT ?::TEXT"),
    ],
)
def test_other_statements_have_other_words(sql: str, other: str) -> None:
    assert words(sql) != words(other)
