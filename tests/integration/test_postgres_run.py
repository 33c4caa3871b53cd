"""The public command on a real PostgreSQL server of its own, which is gone when the command is."""

from __future__ import annotations

import contextlib
import json
import signal
from pathlib import Path

import psutil
import pytest
from support.command import Bench

from bench import record
from bench.databases.postgres import installations
from bench.model import Case

if not installations():
    pytest.skip("no PostgreSQL server binaries are at hand", allow_module_level=True)


def folders_of_servers(bench: Bench) -> list[Path]:
    """The folders of the servers that this folder's commands have started, by the notes that are kept of them."""
    notes = (bench.cache / "postgres" / "servers").glob("*.json")
    return [Path(json.loads(note.read_text())["folder"]) for note in notes]


def processes_in(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(str(folder) in word for word in process.cmdline()):
                found.append(process)
    return found


def only_case(bench: Bench) -> Case:
    return record.load(str(bench.runs()[-1]), results=bench.results).cases[0]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg_async", "asyncpg"])
def test_every_strategy_does_equal_work_by_every_driver_and_counts_by_its_formula(tmp_path: Path, driver: str) -> None:
    bench = Bench(tmp_path)

    done = bench(
        "run", "--db", f"postgres+{driver}", "--size", "20x5", "--strategy", "all", "--workers", "1", "--rounds", "1"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    case = only_case(bench)
    assert case.status == "measured"
    assert not [warning for warning in case.warnings if warning.code == "formula"]
    (target,) = case.targets
    assert (target.dialect, target.driver, target.provider) == ("postgresql", driver, "binaries")
    assert target.origin
    assert {"jit", "pg_jit_available()", "fsync"} <= set(target.settings)
    for arm in case.arms:
        assert arm.error is None
        assert arm.samples


def test_one_set_of_rows_has_one_fingerprint_on_every_database(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for database in ("sqlite", "postgres"):
        assert bench("run", "--db", database, "--size", "10x3", "--quick", "-q").returncode == 0

    prints = {record.load(str(run), results=bench.results).cases[0].datasets[0].fingerprint for run in bench.runs()}

    assert len(bench.runs()) == 2
    assert len(prints) == 1


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_no_server_is_left_behind(tmp_path: Path, ending: signal.Signals) -> None:
    bench = Bench(tmp_path)
    with bench.start("run", "--db", "postgres", "--size", "50x20", "--workers", "9", "--rounds", "50") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "timing" in line:
                break
        (server,) = folders_of_servers(bench)
        assert processes_in(server)
        process.send_signal(ending)
        process.communicate()

    assert process.returncode == (130 if ending == signal.SIGINT else -signal.SIGKILL)
    if ending == signal.SIGKILL:
        assert bench("run", "--db", "postgres", "--size", "5x2", "--quick", "-q").returncode == 0  # the next run sweeps
    assert folders_of_servers(bench) == []
    assert not server.exists()
    assert processes_in(server) == []


@pytest.mark.parametrize(
    ("database", "code", "says"),
    [
        ("postgres:9", 3, "at hand"),
        ("postgres:17.99", 3, "at hand"),
        ("postgres:new", 2, "of version 'new'"),
        ("postgres+asyncg", 2, "did you mean 'asyncpg'"),
        ("postgrs", 2, "did you mean 'postgres'"),
        ("sqlite:", 2, "names no file"),
        ("postgres:15@nowhere", 3, "of the origin 'nowhere'"),
    ],
)
def test_a_database_that_cannot_be_had_is_a_sentence(tmp_path: Path, database: str, code: int, says: str) -> None:
    done = Bench(tmp_path)("run", "--db", database, "--size", "5x2", "--quick")

    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
