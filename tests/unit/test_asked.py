"""The grammar of where to run: what is understood, what is refused, and that no password leaves it."""

from __future__ import annotations

import pickle
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.model import Asked, parse_target, parse_targets
from bench.model.asked import DRIVERS, LONGEST_RTT_US, SHORTEST_RTT_US, parse_rtts, rtt_text

POSTGRES = Asked(database="postgres", driver="psycopg")
SQLITE = Asked(database="sqlite", driver="pysqlite")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("sqlite", SQLITE),
        ("sqlite+aiosqlite", replace(SQLITE, driver="aiosqlite")),
        ("sqlite:memory", replace(SQLITE, memory=True)),
        ("sqlite:memory+aiosqlite", replace(SQLITE, memory=True, driver="aiosqlite")),
        ("sqlite:/data/a b, c+d.db", replace(SQLITE, path="/data/a b, c+d.db")),
        ("sqlite:./memory", replace(SQLITE, path="./memory")),
        ("sqlite:////data/x%20y.db", replace(SQLITE, path="/data/x y.db")),
        ("sqlite:///:memory:", replace(SQLITE, memory=True)),
        ("postgres", POSTGRES),
        ("postgres:17", replace(POSTGRES, version="17")),
        ("postgres:16.4+asyncpg", replace(POSTGRES, version="16.4", driver="asyncpg")),
        ("postgres:18@npm", replace(POSTGRES, version="18", origin="npm")),
        ("postgres:18@docker", replace(POSTGRES, version="18", provider="docker")),
        ("docker:my.registry:5000/pg/img:1", replace(POSTGRES, provider="docker", image="my.registry:5000/pg/img:1")),
        ("docker:img+psycopg_async", replace(POSTGRES, provider="docker", image="img", driver="psycopg_async")),
        ("postgresql://u@[::1]:5433/d", replace(POSTGRES, url="postgresql://u@[::1]:5433/d")),
        ("postgresql+asyncpg:///d?host=/run/pg", replace(POSTGRES, driver="asyncpg", url="postgresql:///d?host=/run/pg")),
        ("postgres://u@h/d", replace(POSTGRES, url="postgresql://u@h/d")),
    ],
)  # fmt: skip
def test_every_spelling_is_understood(text: str, asked: Asked) -> None:
    assert parse_target(text) == asked


def test_commas_part_targets_and_leave_urls_and_paths_whole() -> None:
    text = "postgres:14, postgres:18,sqlite:/a,b.db,postgresql://u@h/d?application_name=a,b,sqlite"
    targets, _ = parse_targets(text)

    assert [str(asked) for asked in targets] == [
        "postgres:14",
        "postgres:18",
        "sqlite:/a,b.db",
        "postgresql://u@h/d?application_name=a,b",
        "sqlite",
    ]


def test_every_database_runs_by_each_driver_that_is_its_own_at_every_round_trip_time() -> None:
    targets, _ = parse_targets("postgres:14,postgres:18", drivers="asyncpg,psycopg", rtt="0,1ms")

    assert [str(asked) for asked in targets] == [
        f"postgres:{version}{driver} rtt={rtt}"
        for version in (14, 18)
        for driver in ("+asyncpg", "")
        for rtt in ("0", "1ms")
    ]
    mixed, _ = parse_targets("postgres,sqlite", drivers="asyncpg,aiosqlite")
    assert [str(asked) for asked in mixed] == ["postgres+asyncpg", "sqlite+aiosqlite"]


def test_the_same_target_twice_is_one() -> None:
    assert len(parse_targets("postgres:17,postgres:17")[0]) == 1


def test_targets_that_differ_are_named_apart() -> None:
    targets, _ = parse_targets("postgres:17@docker,postgres:17,sqlite:memory,sqlite:///memory,sqlite:memory+aiosqlite")

    assert len({str(asked) for asked in targets}) == len(targets) == 5


def test_targets_of_one_server_have_it_in_common() -> None:
    targets, _ = parse_targets("postgres:17", drivers="psycopg,asyncpg", rtt="0,1ms")

    assert len(targets) == 4
    assert {asked.server for asked in targets} == {replace(POSTGRES, version="17")}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"text": "postgre"}, "no database 'postgre'; did you mean 'postgres'?"),
        ({"text": "mysql"}, "no database 'mysql'"),
        ({"text": "postgres,mysql"}, "no database 'mysql'"),
        ({"text": ""}, "no database ''"),
        ({"text": "mysql://u@h/d"}, "no way to measure on mysql://"),
        ({"text": "postgres:seventeen"}, "no PostgreSQL of version 'seventeen'"),
        ({"text": "postgres:17@"}, "'postgres:17@' names no origin"),
        ({"text": "postgres:me:secret@host/db"}, "'postgres:***@host/db'"),
        ({"text": "postgres:me:secret@host"}, "'postgres:***@host'"),
        ({"text": "sqlite", "drivers": "postgresql://me:secret@host/db"}, "no driver 'postgresql:***@host/db'"),
        ({"text": "docker:a b:secret@host"}, "names no image"),
        ({"text": "postgres+pg8000"}, "no driver of postgres 'pg8000'"),
        ({"text": "sqlite+asyncpg"}, "no driver of sqlite 'asyncpg'"),
        ({"text": "sqlite:"}, "names no file"),
        ({"text": "docker:"}, "names no image"),
        ({"text": "docker:a b"}, "names no image"),
        ({"text": "sqlite", "drivers": "asyncpg"}, "None of asyncpg is a driver of sqlite"),
        ({"text": "postgres", "drivers": "asyncpg,aiosqlite"}, "The driver aiosqlite is one of sqlite"),
        ({"text": "postgres", "drivers": "asyncpgg"}, "did you mean 'asyncpg'?"),
        ({"text": "postgres+asyncpg", "drivers": "psycopg"}, "names its driver, and --driver names others"),
        ({"text": "sqlite", "rtt": "1ms"}, "no round trip to lengthen"),
        ({"text": "postgres", "rtt": "1"}, "is not a round-trip time"),
        ({"text": "postgres", "rtt": "11s"}, "is not a round-trip time"),
        ({"text": "postgres", "rtt": "0.5us"}, "is not a round-trip time"),
        ({"text": "postgres", "rtt": "100us"}, "too short"),
        ({"text": "docker:img", "provider": "binaries"}, "a matter of Docker"),
        ({"text": "postgres:17@npm", "provider": "docker"}, "names the origin of binaries"),
        ({"text": "postgresql://u:secret,sqlite@h/d"}, "host and port cannot be told"),
        ({"text": "postgresql://h:secret/d"}, "host and port cannot be told"),
        ({"text": "postgresql://u@h/d?password=secret"}, "A password among a URL's options"),
        ({"text": "postgresql://u@h/d?pass%77ord=secret"}, "A password among a URL's options"),
        ({"text": "postgresql://u@h/d?sslmode=require&sslpassword=secret"}, "A password among a URL's options"),
        ({"text": "postgresql://u@h?oauth_client_secret=secret"}, "A password among a URL's options"),
        ({"text": "postgresql://u:secret@h/d?application_name=me@home"}, "password cannot be told from its options"),
        ({"text": "postgresql://u:secret@h?application_name=me@home"}, "password cannot be told from its options"),
    ],
)
def test_what_there_is_none_of_gets_a_sentence_with_the_remedy(arguments: dict[str, str], said: str) -> None:
    with pytest.raises(BenchError) as raised:
        parse_targets(**arguments)  # type: ignore[arg-type]

    assert said in str(raised.value)
    assert raised.value.remedy
    assert "secret" not in str(raised.value)


users = st.text(st.characters(exclude_characters="/?#@:,", exclude_categories=["C"]), min_size=1, max_size=8)
passwords = st.text(st.characters(exclude_categories=["C"], exclude_characters="%,"), min_size=8, max_size=20)


@given(users, passwords, st.sampled_from(["h", "[::1]:5432", "db.example:1"]))
def test_no_part_of_a_password_is_anywhere_but_among_the_secrets(user: str, password: str, host: str) -> None:
    """Whatever it holds, an @, a slash, a colon or a question mark that nobody has escaped among it."""
    targets, secrets = parse_targets(f"postgresql://{user}:{password}@{host}/d")
    (asked,) = targets

    assert asked.url == f"postgresql://{user}@{host}/d"
    assert secrets.by_url == {asked.url: password}
    marked = parse_targets(f"postgresql://{user}:S3CRET{password}@{host}/d")
    assert b"S3CRET" not in msgspec.json.encode(marked[0])
    assert b"S3CRET" not in pickle.dumps(marked[0])
    assert "S3CRET" not in f"{marked!r} {marked[0][0]}"


@given(st.just(0) | st.integers(SHORTEST_RTT_US, LONGEST_RTT_US))
def test_a_round_trip_time_reads_back_as_what_it_was(rtt_us: int) -> None:
    assert parse_rtts(rtt_text(rtt_us)) == (rtt_us,)


targets = st.builds(
    Asked,
    database=st.just("postgres"),
    driver=st.sampled_from(DRIVERS["postgres"]),
    version=st.none() | st.from_regex(r"1[0-9](\.[0-9])?", fullmatch=True),
    origin=st.just("") | st.from_regex("[a-z]{1,6}", fullmatch=True).filter(lambda origin: origin != "docker"),
) | st.builds(Asked, database=st.just("postgres"), driver=st.just("psycopg"), provider=st.just("docker"))


@given(targets)
def test_a_name_is_an_order_for_the_same_again(asked: Asked) -> None:
    assert parse_target(str(asked)) == asked


@given(st.text(max_size=30))
def test_any_text_is_a_target_or_a_sentence(text: str) -> None:
    try:
        targets, _ = parse_targets(text)
    except BenchError as error:
        refused: BenchError | None = error
    else:
        refused = None
        assert targets
    assert refused is None or refused.remedy
