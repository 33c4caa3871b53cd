"""Memory as a user asks for it, and as drivers hold it: what libpq buffers, and that a server-side cursor spares it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from support.command import Bench

from bench.connect import calling, engine
from bench.measure.memory_use import memory_use
from bench.measure.process_memory import c_allocation
from bench.model.memory_use import MemoryUse

if TYPE_CHECKING:  # pytest imports it as a plugin, and has to be the first to
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]

ROWS, WIDTH = 200, 20_000
AMOUNT = ROWS * WIDTH
NOISE = 0.05 * AMOUNT

WIDE = text(f"SELECT repeat('x', {WIDTH}) FROM generate_series(1, {ROWS})")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def client_side(session: Session) -> Any:
    return session.execute(WIDE).all()


def server_side(session: Session) -> Any:
    return sum(1 for _ in session.execute(WIDE, execution_options={"yield_per": 4}))


@pytest.mark.parametrize("driver", ["psycopg", "psycopg_async", "asyncpg"])
def test_what_a_driver_buffers_in_c_is_told_and_a_server_side_cursor_buffers_a_part(
    driver: str, postgres: PostgresForTests, database: str
) -> None:
    made = engine(postgres.target(database, driver))

    def used(load: Any) -> MemoryUse:
        return memory_use(made, lambda: Session(made), load)

    with calling(made) as call:
        at_client, at_server = call(lambda: (used(client_side), used(server_side)))

    in_c = AMOUNT if driver.startswith("psycopg") else 0
    assert at_client.retained.rows_bytes == pytest.approx(ROWS * sys.getsizeof("x" * WIDTH), rel=0.02)
    assert at_client.retained.entities_bytes < NOISE
    assert at_server.peak_bytes < AMOUNT / 2 < at_client.peak_bytes
    assert at_server.retained.total_bytes < AMOUNT / 2  # asyncpg: the last part, until the collector comes
    if c_allocation() is not None:
        assert at_client.buffer_bytes == pytest.approx(in_c, abs=2 * NOISE)
        assert (at_server.buffer_bytes or 0) < AMOUNT / 3


def stored(bench: Bench) -> tuple[Path, list[dict[str, Any]]]:
    (folder,) = (bench.results / "profiles").iterdir()
    return folder, json.loads((folder / "profile.json").read_text())


def test_a_profile_tells_the_memory_of_each_load_and_draws_it_for_use_without_a_network(bench: Bench) -> None:
    pytest.importorskip("memray")

    done = bench("profile", "one_to_many", "--size", "20x5", "--strategy", "joined", "--loads", "1",
                 "--no-plans", "--no-wire", "--memray")  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "entities, state and values" in done.stdout
    folder, looks = stored(bench)
    for looked in looks:
        assert looked["memory"]["entities"] == 20 + 20 * 5
        assert looked["memory"]["process_peak_bytes"] is None or looked["memory"]["process_peak_bytes"] > 0
        page = (folder / looked["memory"]["flame_graph"]).read_text()
        assert "_instance" in page
        assert not re.search(r"<(script|link)[^>]* (src|href)=.?https?:", page)


def test_memory_is_not_looked_at_where_it_is_not_wanted(bench: Bench) -> None:
    done = bench("profile", "one_to_many", "--size", "5x2", "--strategy", "joined", "--loads", "1", "--no-plans",
                 "--no-wire")  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "memory of one load" not in done.stdout
    assert stored(bench)[1][0]["memory"] is None


def test_without_memray_the_extra_is_named_and_nothing_is_left(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "memray.py").write_text("raise ImportError('no memray here')")

    path = f"{tmp_path}:{bench.environment()['PYTHONPATH']}"

    done = bench("profile", "one_to_many", "--memray", PYTHONPATH=path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'orm-loading-bench[memray]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not bench.results.exists()
