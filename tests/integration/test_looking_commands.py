"""`bench sql` and `bench profile` as a user runs them, on good days and bad ones."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from support.command import ROOT, Bench

from bench.connect import calling, engine
from bench.datasets import seed_postgres
from bench.measure.plans import statement_plans
from bench.measure.server_time import ServerTime
from bench.model import DatasetOptions, Size
from scenarios.one_to_many import ONE_TO_MANY

if TYPE_CHECKING:  # pytest imports it as a plugin, and has to be the first to
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]

MEDDLING = ROOT / "tests/data/meddling.py"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def profiles(bench: Bench) -> list[dict[str, Any]]:
    (folder,) = (bench.results / "profiles").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["charts", "profile.html", "profile.json", "profile.md"]
    found: list[dict[str, Any]] = json.loads((folder / "profile.json").read_text())
    return found


def test_sql_names_the_n_plus_one_and_the_line_that_sends_it(bench: Bench) -> None:
    done = bench("sql", "one_to_many", "--strategy", "lazy")

    assert done.returncode == 0, done.stderr
    assert "N+1: User.books takes 20 statements" in done.stdout
    assert "scenarios/one_to_many.py:" in done.stdout
    assert "user.books" in done.stdout


def test_what_the_document_shows_of_sql_is_what_is_printed(bench: Bench) -> None:
    shown = (ROOT / "docs/profiling.md").read_text().partition("```console\n$ bench ")[2].partition("```")[0]
    words, _, output = shown.partition("\n")

    assert bench(*words.split()).stdout.split() == output.split()


def test_sql_as_json_is_data_alone_with_the_text_as_it_was_sent(bench: Bench) -> None:
    done = bench("sql", "one_to_many", "--strategy", "lazy,joined", "--size", "7x2", "--json")

    lazy, joined = json.loads(done.stdout)
    assert [(one["executions"], one["rows"], one["is_n_plus_one"]) for one in lazy["sendings"]] == [
        (1, 7, False),
        (7, 14, True),
    ]
    assert joined["sendings"][0]["sql"].startswith("SELECT users.id, users.name")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sql", "one_to_mny"), "There is no scenario 'one_to_mny'"),
        (("sql", "one_to_many", "--strategy", "lasy"), "did you mean 'lazy'"),
        (("sql", "one_to_many", "--size", "5x1,5x2"), "Give one, as 1000x50."),
        (("profile", "one_to_many", "--size", "5x1,5x2"), "Give one, as 1000x50."),
        (("profile", "one_to_many", "--loads", "0"), "--loads"),
        (("profile",), "Missing argument 'SCENARIO'"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(bench: Bench, words: tuple[str, ...], said: str) -> None:
    done = bench(*words)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not bench.runs()


def test_a_profile_is_a_bill_for_each_strategy_its_statements_and_its_plans(bench: Bench) -> None:
    done = bench("profile", "one_to_many", "--strategy", "lazy,selectin", "--size", "20x5", "--loads", "3")

    assert done.returncode == 0, done.stderr
    for shown in ("ORM objects and relationships", "claimed by no part", "Observing costs", "Plans of selectin", "N+1"):
        assert shown in done.stdout
    lazy, selectin = profiles(bench)
    assert (len(lazy["times"]["observed"]), len(lazy["times"]["unobserved_ns"])) == (3, 3)
    assert [len(one["plans"]) for one in (lazy, selectin)] == [2, 2]


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("FAILS", "the scenario's own fault"),
        ("DIES", "killed by SIGKILL"),
        ("LOADS_LESS", "It loads another graph than the dataset's"),
    ],
)
def test_a_strategy_that_cannot_be_profiled_says_why_and_the_others_are(bench: Bench, scenario: str, said: str) -> None:
    strategies = {"FAILS": "fails,selectin", "DIES": "dies,selectin", "LOADS_LESS": "fewer,selectin"}[scenario]

    done = bench("profile", f"{MEDDLING}:{scenario}", "--strategy", strategies, "--size", "5x2", "--loads", "2")

    assert done.returncode == 1
    assert said in done.stdout
    assert "could not be profiled" in done.stderr
    failed, other = profiles(bench)
    assert said in failed["error"]
    assert (other["error"], len(other["times"]["observed"])) == ("", 2)


def test_an_interruption_keeps_what_was_profiled(bench: Bench) -> None:
    with bench.start(
        "profile", "one_to_many", "--strategy", "selectin,lazy", "--size", "50x5", "--loads", "30"
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.strip().startswith("lazy,"):
                break
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()

    assert process.returncode == 130
    assert "Traceback" not in err
    assert [one["strategy"] for one in profiles(bench)] == ["selectin"]
    assert "profile.html and profile.md" in err


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_a_server_that_does_not_count_is_said_to_be_silent(
    driver: str, postgres: PostgresForTests, database: str
) -> None:
    counting = engine(postgres.target(database, driver))
    not_counting = engine(postgres.target(database, driver, settings={"track_activities": "off"}))

    with calling(not_counting) as call:
        silent = call(lambda: ServerTime(not_counting).silent)
        assert call(lambda: ServerTime(not_counting).around(lambda: 7)) == (7, None)
    with calling(counting) as call:
        assert call(lambda: ServerTime(counting).silent) == ""

    assert "track_activities is off" in silent


def test_a_server_that_counts_for_others_too_is_said_to_be_silent(postgres: PostgresForTests, database: str) -> None:
    mine, others = engine(postgres.target(database)), engine(postgres.target(database))
    alone = ServerTime(mine)
    with others.connect() as connection:
        connection.execute(text("SELECT 1"))

        assert "others are connected" in ServerTime(mine).silent
        assert alone.around(lambda: 7) == (7, None)
    mine.dispose()
    others.dispose()


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_plans_of_postgresql_are_analysed_with_real_parameters_and_a_refusal_spoils_no_other(
    driver: str, postgres: PostgresForTests, database: str
) -> None:
    target = postgres.target(database, driver)
    seed_postgres(ONE_TO_MANY, Size((10, 3)), DatasetOptions(), target)
    made = engine(postgres.target(database, driver, settings={"statement_timeout": "1000"}))
    by_id = {"psycopg": ("SELECT * FROM books WHERE id <= %(id)s", {"id": 4}),
             "asyncpg": ("SELECT * FROM books WHERE id <= $1::INTEGER", (4,))}[driver]  # fmt: skip

    with calling(made) as call:
        slow, refused, good = call(
            lambda: statement_plans(made, [("SELECT pg_sleep(60)", ()), ("SELECT * FROM nowhere", ()), by_id])
        )

        def load() -> int:
            with Session(made) as session:
                return len(session.execute(text("SELECT 1")).all())

        assert call(load) == 1  # the connection is well

    assert "timeout" in slow.error
    assert "nowhere" in refused.error
    assert (good.error, good.roots[0].rows, good.roots[0].loops) == ("", 4, 1)
    assert good.executing_ms is not None
    assert (good.roots[0].hit_blocks or 0) + (good.roots[0].read_blocks or 0) > 0


def test_a_role_that_may_not_read_a_table_is_told_so_in_the_place_of_its_plan(
    postgres: PostgresForTests, database: str
) -> None:
    target = postgres.target(database)
    seed_postgres(ONE_TO_MANY, Size((3, 2)), DatasetOptions(), target)
    role = f"reader_{database}"
    admin = engine(target)
    with admin.begin() as connection:
        connection.execute(text(f'CREATE ROLE "{role}"'))
        connection.execute(text(f'GRANT SELECT ON users TO "{role}"'))
    made = engine(postgres.target(database, settings={"role": role}))
    try:
        refused, good = statement_plans(made, [("SELECT * FROM books", ()), ("SELECT * FROM users", ())])
    finally:
        made.dispose()
        with admin.begin() as connection:
            connection.execute(text(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"'))
        admin.dispose()

    assert "permission denied for table books" in refused.error
    assert (good.error, good.roots[0].rows) == ("", 3)
