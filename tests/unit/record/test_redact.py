from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.model import parse_targets
from bench.record import redact

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://user:hunter2@host/db", "postgresql://user:***@host/db"),
        ("--db=postgresql+psycopg://user:hunter2@host:5432/db", "--db=postgresql+psycopg://user:***@host:5432/db"),
        ("postgresql://:hunter2@host/db", "postgresql://:***@host/db"),
        ("postgresql://u:p@hunter2@host/db", "postgresql://u:***@host/db"),
        ("postgresql://u:a/hunter2:b@host/db", "postgresql://u:***@host/db"),
        ("postgresql://u:two words hunter2@host/db", "postgresql://u:***@host/db"),
        ("postgresql://u:p@two words hunter2@host/db", "postgresql://u:***@host/db"),
        ("postgresql://u:p@ss%40hunter2@[::1]:5432/db", "postgresql://u:***@[::1]:5432/db"),
        ("postgresql+asyncpg://u:hunter2@/db?host=/run/postgresql", "postgresql+asyncpg://u:***@/db?host=/run/postgresql"),
        ("postgresql://u@h/db?sslpassword=hunter2", "postgresql://u@h/db?sslpassword=***"),
        ("postgresql://u@h/db?scram_client_key=hunter2&sslmode=allow", "postgresql://u@h/db?scram_client_key=***&sslmode=allow"),
        ("postgresql://host/db?user=u&password=hunter2&sslmode=require", "postgresql://host/db?user=u&password=***&sslmode=require"),
        ("host=h user=u password='hunter2 hunter2' dbname=d", "host=h user=u password=*** dbname=d"),
        ("host=h PASSWORD = hunter2 dbname=d", "host=h PASSWORD = *** dbname=d"),
        ("PGPASSWORD=hunter2", "PGPASSWORD=***"),
    ],
)  # fmt: skip
def test_a_password_is_replaced_wherever_it_stands(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_of_two_urls_in_one_word_neither_password_stays() -> None:
    assert SECRET not in redact("postgresql://u:hunter2@a/db,postgresql://u:hunter2@b/db")


@pytest.mark.parametrize(
    "text", ["", "1000x50", "selectin[100]", "postgresql://user@host/db", "https://host:8080/path", "a@b", "x=1"]
)
def test_what_holds_no_password_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


USERS = st.text(st.characters(exclude_characters=":/", exclude_categories=["Cs"]), max_size=8)
PASSWORDS = st.text(st.characters(exclude_characters="@", exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(user=USERS, password=PASSWORDS, before=st.sampled_from(["", "--db=", "see "]))
def test_any_password_that_sqlalchemy_reads_from_a_url_is_gone(user: str, password: str, before: str) -> None:
    assert (
        redact(f"{before}postgresql://{user}:{password}@host/db") == f"{before}postgresql://{redact(user)}:***@host/db"
    )


@given(
    user=st.text(st.characters(exclude_characters=":/?#@,", exclude_categories=["C"]), min_size=1, max_size=8),
    password=st.text(st.characters(exclude_categories=["C"], exclude_characters="%,"), max_size=12),
    host=st.sampled_from(["h", "[::1]:5432", ""]),
)
def test_what_is_taken_for_a_password_when_a_target_is_parsed_is_gone(user: str, password: str, host: str) -> None:
    try:
        parse_targets(url := f"postgresql://{user}:{SECRET}{password}@{host}/d")
    except BenchError:
        return
    assert redact(url) == f"postgresql://{user}:***@{host}/d"


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)
