"""Calls and bytes as a user asks for them, and calls under the greenlets of asynchronous drivers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, joinedload
from support.command import Bench

from bench.connect import calling, engine
from bench.datasets import seed_postgres
from bench.measure.calls import calls_by_function, place_of
from bench.measure.flames import sampled_load
from bench.measure.warming import warm_loads
from bench.model import DatasetOptions, Size
from scenarios.one_to_many import ONE_TO_MANY, User

if TYPE_CHECKING:  # pytest imports it as a plugin, and has to be the first to
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def stored(bench: Bench) -> tuple[Path, list[dict[str, Any]]]:
    (folder,) = (bench.results / "profiles").iterdir()
    return folder, json.loads((folder / "profile.json").read_text())


def waits_for_the_server(session: Session) -> None:
    """Load, having waited: what the event loop does meanwhile is a good part of it."""
    session.execute(text("SELECT pg_sleep(0.1)"))
    session.scalars(select(User).options(joinedload(User.books))).unique().all()


@pytest.mark.parametrize("driver", ["psycopg", "psycopg_async", "asyncpg"])
def test_every_load_calls_as_often_and_every_sample_is_the_loads_also_while_it_waits(
    driver: str, postgres: PostgresForTests, database: str, tmp_path: Path
) -> None:
    target = postgres.target(database, driver)
    seed_postgres(ONE_TO_MANY, Size((20, 5)), DatasetOptions(), target)
    made = engine(target)

    def look() -> None:
        for _ in range(warm_loads(made.dialect.driver) + 1):
            with Session(made) as session:
                waits_for_the_server(session)
        counted = [calls_by_function(lambda: Session(made), waits_for_the_server) for _ in range(3)]
        assert counted[0] == counted[1] == counted[2]
        assert next(one.calls for one in counted[0] if one.name == "_instance") == 2 * 20 * 5  # a row has two
        flames = sampled_load(
            lambda: Session(made), waits_for_the_server,
            html=tmp_path / "f.html", speedscope=tmp_path / "f.json", title="", enough=1,
        )  # fmt: skip
        whole = {(one.name, one.place.partition(":")[0]): one.whole for one in flames.shares}
        assert whole["waits_for_the_server", place_of(__file__, 0).partition(":")[0]] == pytest.approx(1.0)
        # It waits in libpq or in the event loop's selector: either is under what has asked for rows.
        assert whole["do_execute", "sqlalchemy/engine/default.py"] > 0.1
        assert not made.dialect.is_async or whole["select", "selectors.py"] > 0.1

    with calling(made) as call:
        call(look)
    opened = [frame["name"] for frame in json.loads((tmp_path / "f.json").read_text())["shared"]["frames"]]
    assert "waits_for_the_server" in opened


def test_flames_are_files_in_the_profiles_folder_and_hot_functions_stand_side_by_side(bench: Bench) -> None:
    done = bench(
        "profile",
        "one_to_many",
        "--strategy",
        "lazy,selectin[2]",
        "--size",
        "8x4",
        "--loads",
        "1",
        "--flames",
    )

    assert done.returncode == 0, done.stderr
    folder, (lazy, selectin) = stored(bench)
    assert lazy["calls"]["calls"] > selectin["calls"]["calls"] > 0
    for looked in (lazy, selectin):
        for kind in ("html", "speedscope", "stats"):
            file = looked["calls"][kind]
            assert (folder / file).stat().st_size
            assert file in done.stdout
    assert len({path.name for path in (folder / "flames").iterdir()}) == 6
    assert "own time, calls" in (folder / "profile.md").read_text()


def test_without_pyinstrument_nothing_is_begun_and_the_extra_is_named(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "pyinstrument.py").write_text("raise ImportError('No module named pyinstrument')")
    path = f"{tmp_path}:{bench.environment()['PYTHONPATH']}"

    done = bench("profile", "one_to_many", "--size", "2x2", "--flames", PYTHONPATH=path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "orm-loading-bench[flames]" in done.stderr
    assert "Traceback" not in done.stderr
    assert not bench.runs()


def test_sqlite_has_no_wire_and_still_says_how_much_of_its_rows_repeats_a_wide_parent(bench: Bench) -> None:
    strategies = "joined,selectin,joined+load_only"
    done = bench("profile", "wide_parents", "--strategy", strategies, "--size", "5x20", "--loads", "1")

    assert done.returncode == 0, done.stderr
    assert "Not counted: SQLite works in the process, so nothing crosses a wire." in done.stdout
    joined, selectin, narrow = (one["wire"] for one in stored(bench)[1])
    assert joined["received_bytes"] is None
    # 95 of 100 rows carry an article again: its key, its title and 20 texts of about 100 characters.
    assert joined["repeated_bytes"] > 95 * 20 * 50
    assert joined["repeated_bytes"] > 0.9 * (joined["content_bytes"] + joined["framing_bytes"])
    assert selectin["repeated_bytes"] == 0
    assert 0 < narrow["repeated_bytes"] < joined["repeated_bytes"] / 10


@pytest.mark.usefixtures("postgres")  # where no server can be had, it is skipped
def test_bytes_are_counted_and_the_server_is_alone_again_to_tell_its_own_time(bench: Bench) -> None:
    done = bench(
        "profile", "one_to_many", "--db", "postgres", "--driver", "asyncpg", "--provider", "binaries",
        "--strategy", "joined,selectin", "--size", "20x5", "--loads", "2", "--no-plans",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "others are connected" not in done.stdout
    for looked in stored(bench)[1]:
        wire = looked["wire"]
        row_bytes = wire["content_bytes"] + wire["framing_bytes"]
        assert wire["uncounted"] == ""
        assert row_bytes < wire["received_bytes"] < row_bytes + 1_000
        assert wire["sent_bytes"] > 0
