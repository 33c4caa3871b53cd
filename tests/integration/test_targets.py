"""Several targets side by side in one run: versions on fresh servers, drivers on one, SQLite beside both."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from support.command import Bench

from bench import record
from bench.databases.postgres import Installation, installations, sweep
from bench.model import Case
from bench.model.run import TWIN_MARK

FEW = ("--size", "20x5", "--strategy", "lazy,selectin")


def versions_of_one_origin() -> list[Installation]:
    """The versions of the origin that has the most of them."""
    by_origin: dict[str, dict[int, Installation]] = {}
    for each in installations():
        by_origin.setdefault(each.origin, {})[each.major] = each
    return max((sorted(of_one.values(), key=lambda one: one.major) for of_one in by_origin.values()), key=len)


if not installations():
    pytest.skip("no PostgreSQL server binaries are at hand", allow_module_level=True)

VERSIONS = versions_of_one_origin()
ORIGIN = VERSIONS[0].origin.partition(" ")[0]

needs_versions = pytest.mark.skipif(len(VERSIONS) < 2, reason="only one version of one origin is at hand")


def case_of(bench: Bench) -> Case:
    return record.load(str(bench.runs()[-1]), results=bench.results).cases[0]


def servers(bench: Bench) -> list[Path]:
    notes = (bench.cache / "postgres" / "servers").glob("*.json")
    return [Path(json.loads(note.read_text())["folder"]) for note in notes]


@needs_versions
def test_versions_of_an_origin_are_measured_side_by_side_on_fresh_servers(tmp_path: Path) -> None:
    bench = Bench(tmp_path, cache=None)
    ends = [VERSIONS[0], VERSIONS[-1]]
    names = [f"postgres:{each.major}@{ORIGIN}" for each in ends]

    done = bench("run", "--db", ",".join(names), *FEW, "--workers", "2", "--rounds", "1", BENCH_CACHE_DIR=own_cache())

    assert done.returncode == 0, done.stdout + done.stderr
    case = case_of(bench)
    assert [target.name for target in case.targets] == names
    assert [target.server_version for target in case.targets] == [each.version for each in ends]
    assert {target.clusters for target in case.targets} == {2}
    assert len({target.origin for target in case.targets}) == 1
    for target in case.targets:
        assert {"jit", "pg_jit_available()", "autovacuum"} <= set(target.settings)
    same = {frozenset(target.settings[name] for name in ("shared_buffers", "work_mem")) for target in case.targets}
    assert len(same) == 1
    for name in names:
        timed = {arm.name: arm for arm in case.arms if arm.target == name and arm.samples}
        assert set(timed) == {
            "lazy", "selectin", "lazy (twin)", "lazy (floor)", "selectin (floor)",
        } or set(timed) == {"lazy", "selectin", "selectin (twin)", "lazy (floor)", "selectin (floor)"}  # fmt: skip
        assert {worker.target for worker in case.workers} == {*names, names[0] + TWIN_MARK}
        assert all(arm.jit is not None for arm in timed.values() if arm.kind == "strategy")
    for name in names:
        assert f"on {name}" in done.stdout


def own_cache() -> str:
    """The cache folder that these tests themselves look for servers in."""
    return os.environ.get("BENCH_CACHE_DIR", "")


def test_drivers_share_one_server_and_each_counts_the_same(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    done = bench(
        "run", "--db", "postgres", "--driver", "psycopg,psycopg_async,asyncpg", *FEW, "--workers", "1", "--rounds", "2"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    case = case_of(bench)
    assert [target.driver for target in case.targets] == ["psycopg", "psycopg_async", "asyncpg"]
    assert {target.clusters for target in case.targets} == {1}
    for strategy in ("lazy", "selectin"):
        counted = {
            (arm.counters.statements, arm.counters.rows)
            for arm in case.arms
            if arm.name == strategy and arm.counters is not None
        }
        assert len(counted) == 1


def test_sqlite_by_both_drivers_and_in_memory_beside_a_server(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    done = bench(
        "run", "--db", "sqlite,sqlite:memory,sqlite+aiosqlite,postgres", *FEW, "--workers", "1", "--rounds", "1"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(case_of(bench).targets) == 4
    assert {dataset.fingerprint for dataset in case_of(bench).datasets} == {case_of(bench).datasets[0].fingerprint}


def test_a_file_of_the_users_choosing_is_kept_there_and_no_other_is_touched(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    where, theirs = tmp_path / "a file, with+all.db", tmp_path / "theirs.db"
    theirs.write_bytes(b"precious")

    first = bench("run", "--db", f"sqlite:{where}", "--size", "5x2", "--quick", "-q")
    kept = where.stat().st_ino
    second = bench("run", "--db", f"sqlite:{where}", "--size", "5x2", "--quick", "-q")
    refused = bench("run", "--db", f"sqlite:{theirs}", "--size", "5x2", "--quick", "-q")

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert where.stat().st_ino == kept
    assert refused.returncode == 2
    assert "was not seeded by this tool" in refused.stderr
    assert theirs.read_bytes() == b"precious"


def test_a_server_that_dies_in_a_round_is_named_with_the_end_of_its_log_and_what_was_measured_is_kept(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path)
    sizes = ("--size", "10x2,300x30", "--strategy", "lazy,selectin", "--workers", "2", "--rounds", "9")
    with bench.start("run", "--db", "postgres,sqlite", *sizes) as process:
        assert process.stderr is not None
        timings = 0
        for line in process.stderr:
            timings += "timing, worker" in line
            if timings == 3:  # the second case's first worker
                break
        for folder in servers(bench):
            main = int((folder / "data" / "postmaster.pid").read_text().split()[0])
            psutil.Process(main).send_signal(signal.SIGQUIT)
        out, err = process.communicate()

    assert process.returncode == 3, out + err
    assert "has ended. The end of its log:" in err
    assert "immediate shutdown" in err
    assert "PostgreSQL" in err
    run = record.load(str(bench.runs()[-1]), results=bench.results)
    assert [case.status for case in run.cases] == ["measured", "partial"]
    assert run.status == "interrupted"
    assert servers(bench) == []


@pytest.mark.parametrize("stage", ["seeding", "observing", "timing"])
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_nothing_of_several_servers_stays_behind_whenever_the_command_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, ending: signal.Signals
) -> None:
    bench = Bench(tmp_path)
    rounds = ("--size", "50x20", "--workers", "9", "--rounds", "50")
    with bench.start("run", "--db", "postgres,sqlite", "--driver", "psycopg,asyncpg,pysqlite", *rounds) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if stage in line:
                break
        process.send_signal(ending)
        process.communicate()
    left = servers(bench)

    if ending == signal.SIGKILL:
        monkeypatch.setenv("BENCH_CACHE_DIR", str(bench.cache))
        until = time.monotonic() + 60
        while servers(bench) and time.monotonic() < until:
            sweep()  # what every run does; a child that was just being forked may hold a note for some milliseconds
    assert servers(bench) == []
    for folder in left:
        assert not folder.exists()
    for process_ in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            assert not any(str(folder) in word for folder in left for word in process_.cmdline())


def test_a_dry_run_refuses_what_a_run_would_and_a_refused_run_leaves_no_folder(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for wrong in ("postgres:9", "postgresql://me@127.0.0.1:99999/db", "postgresql://me@h/db?foo=bar"):
        asked = ("run", "--db", wrong, "--provider", "binaries", "--size", "5x2")
        planned = bench(*asked, "--dry-run")
        tried = bench(*asked, "--quick")

        assert planned.returncode == tried.returncode != 0, wrong
        assert planned.stderr.splitlines()[-1] == tried.stderr.splitlines()[-1]
    assert bench.runs() == []


def test_an_interrupted_run_says_how_it_goes_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with bench.start("run", "--size", "50x20", "--workers", "9", "--rounds", "50") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "timing, worker" in line:
                break
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()

    (run,) = bench.runs()
    assert process.returncode == 130
    assert f"bench run --resume {run.name}" in out
