from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from urllib.parse import quote, unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bench.databases.postgres.schemas import new_name
from bench.databases.postgres.url import Standing, UrlSource, objection
from bench.databases.postgres.url_target import OPTIONS, make_target
from bench.errors import BenchError
from bench.model import Asked, Target, parse_targets

FINE = Standing(major=18, in_recovery=False, read_only=False, may_create=True, database='"my db"', role='"a user"')

anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
hosts = st.sampled_from(["h", "db.example.org", "127.0.0.1", "[::1]", "[fe80::1]", ""])
ports = st.none() | st.integers(1, 65535)


def target(url: str) -> Target:
    """As the command line has it: the password is taken out before."""
    (asked,), secrets = parse_targets(url)
    return make_target(asked, secrets.by_url.get(asked.url, ""))


def where(made: Target) -> tuple[str, str, str, int | None, str]:
    return made.user, made.password, made.host, made.port, made.database


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://", ("", "", "", None, "")),
        ("postgresql://h", ("", "", "h", None, "")),
        ("postgres://u:p%40ss@h:5433/d", ("u", "p@ss", "h", 5433, "d")),
        ("postgresql://u:p@ss@h/d", ("u", "p@ss", "h", None, "d")),
        ("postgresql://u@[::1]:5433/d", ("u", "", "::1", 5433, "d")),
        ("postgresql://u@[::1]", ("u", "", "::1", None, "")),
        ("postgresql:///d?host=/run/postgresql", ("", "", "/run/postgresql", None, "d")),
        ("postgresql://u@/d?host=/a%20'b%22&port=5433", ("u", "", "/a 'b\"", 5433, "d")),
        ("postgresql://%2Frun%2Fpostgresql/d", ("", "", "/run/postgresql", None, "d")),
        ("postgresql:///d?host=h:5433", ("", "", "h", 5433, "d")),
        ("postgresql://h/?user=u&dbname=d", ("u", "", "h", None, "d")),
        ("postgresql://h/it's%20a%20%22db%22%20%2520", ("", "", "h", None, 'it\'s a "db" %20')),
    ],
)
def test_a_url_is_taken_apart_and_decoded(url: str, expected: tuple[object, ...]) -> None:
    assert where(target(url)) == expected


@given(user=anything, password=anything, host=hosts, port=ports, database=anything)
def test_what_was_encoded_comes_back(user: str, password: str, host: str, port: int | None, database: str) -> None:
    place = f"{host}:{port}" if port else host
    made = target(
        f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{place}/{quote(database, safe='')}"
        f"?application_name={quote(user, safe='')}&host={quote(host.strip('[]'), safe='')}"
    )

    assert where(made) == (user, password, host.strip("[]"), port, database)
    assert made.options == {"application_name": user}
    assert made.provider == "url"


@given(
    user=st.text("aZ é'\"%25&=+-", max_size=5),
    password=st.text("aZ é'\"%25&=+/?#:", max_size=6),
    host=hosts,
    port=ports,
    database=st.text("aZ é'\"%25&=+/:#", max_size=6),
)
def test_what_sqlalchemy_understands_is_understood_alike(
    user: str, password: str, host: str, port: int | None, database: str
) -> None:
    text = f"postgresql://{user}:{password}@{host}{f':{port}' if port else ''}/{database}".rstrip()
    try:
        theirs = make_url(text)
    except (ArgumentError, ValueError):
        assume(False)
    made = target(text)
    assert (made.user, made.host, made.port) == (theirs.username or "", theirs.host or "", theirs.port)
    assert made.password == theirs.password
    assert made.database == unquote(text.partition("@")[2].partition("/")[2])  # SQLAlchemy 2.0 does not decode it


@given(st.text(max_size=40))
def test_no_url_is_a_traceback(rest: str) -> None:
    with suppress(BenchError):
        target(f"postgresql://{rest}")


@pytest.mark.parametrize("name", OPTIONS)
def test_options_of_libpq_are_kept_by_their_names(name: str) -> None:
    assert target(f"postgresql://h/d?{name}=a%20b").options == {name: "a b"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://a,b/d", "several hosts"),
        ("postgresql:///d?host=a,b", "several hosts"),
        ("postgresql:///d?host=a&host=b", "host twice"),
        ("postgresql://a/d?sslmod=require", "did you mean 'sslmode'"),
        ("postgresql://a/d?hostaddr=192.0.2.1", "none that can be given here"),
        ("postgresql://a/d?service=mine", "none that can be given here"),
        ("postgresql://a:99999/d", "port is not one"),
        ("postgresql://a:0/d", "port is not one"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(url: str, said: str) -> None:
    with pytest.raises(BenchError, match=said) as caught:
        make_target(Asked(database="postgres", driver="psycopg", url=url), "")
    assert caught.value.remedy


@pytest.mark.parametrize("url", ["postgresql://u:hunter2/d", "postgresql://u:hunter2", "postgresql://[hunter2"])
def test_what_may_be_a_password_is_not_quoted(url: str) -> None:
    with pytest.raises(BenchError) as caught:
        target(url)
    assert "hunter2" not in str(caught.value)


def test_a_password_is_in_no_representation() -> None:
    asked = Asked(database="postgres", driver="psycopg", url="postgresql://u@h/d")

    assert "hunter2" not in repr(UrlSource(asked, password="hunter2", run="r")) + repr(make_target(asked, "hunter2"))


def test_a_server_that_can_be_used_meets_no_objection() -> None:
    assert objection("mine", FINE) is None
    assert objection("mine", replace(FINE, major=14)) is None


@pytest.mark.parametrize(
    ("fields", "message", "remedy"),
    [
        ({"major": 13}, "is PostgreSQL 13, older than 14", "14 or later"),
        ({"in_recovery": True, "read_only": True}, "is in recovery", "primary"),
        ({"read_only": True}, "is read-only", 'ALTER ROLE "a user" SET default_transaction_read_only = off'),
        ({"may_create": False}, "may not create a schema", 'GRANT CREATE ON DATABASE "my db" TO "a user"'),
    ],
)
def test_a_server_that_cannot_be_used_is_told_what_is_missing(
    fields: dict[str, object], message: str, remedy: str
) -> None:
    refused = objection("mine", replace(FINE, **fields))  # type: ignore[arg-type]

    assert refused is not None
    assert refused.exit_code == 3
    assert message in refused.message and remedy in refused.remedy  # noqa: PT018 - one sentence


@given(st.text(max_size=300))
def test_a_schema_has_a_valid_name_that_fits_whatever_the_run_is_called(run: str) -> None:
    name = new_name(run)

    assert len(name.encode()) <= 63
    assert name.isidentifier() and name == name.lower() and name.startswith("bench_")  # noqa: PT018 - one name
    assert new_name(run) != name
