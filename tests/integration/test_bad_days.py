"""Killed, interrupted, out of space, two at once: what was measured is kept and nothing stays behind."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command import Bench
from support.interrupting import lines, none_left, workers_of

from bench import record

KILLED_AT = [(stage, times) for times in (1, 2) for stage in ("Case", "observing", "timing", "done")]
SIZES = "5x1,5x2,5x3,5x4,5x5,5x6"
ONE_ROUND = ("--workers", "1", "--rounds", "1", "--strategy", "selectin,lazy")


def test_a_run_killed_at_any_moment_leaves_every_finished_case_on_disk_and_no_worker(tmp_path: Path) -> None:
    chance = random.Random(20_261_123)
    bench = Bench(tmp_path)
    finished_at_death = []
    for stage, times in KILLED_AT:
        before = set(bench.runs())
        with bench.start("run", "--size", SIZES, *ONE_ROUND, "-v") as process:
            seen = lines(process, stage, times=times)
            try:
                process.wait(timeout=chance.uniform(0, 0.25))
            except subprocess.TimeoutExpired:
                process.kill()
            assert process.stderr is not None
            seen += process.stderr.readlines()
        (folder,) = set(bench.runs()) - before
        run = record.load(str(folder), results=bench.results)
        finished_at_death.append(len(run.cases))

        assert process.returncode == -signal.SIGKILL
        assert len(run.cases) >= sum("done: measured" in line for line in seen)
        assert all(case.status == "measured" for case in run.cases)
        assert none_left(bench)
    assert len(set(finished_at_death)) > 1, "all kills came at one moment, which proves little"


def test_a_killed_run_is_resumed_to_what_it_would_have_been(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with bench.start("run", "--size", "5x1,5x2,5x3", *ONE_ROUND) as process:
        lines(process, "done: measured")
        process.kill()
    (folder,) = bench.runs()
    kept = record.load(str(folder), results=bench.results).cases
    assert 1 <= len(kept) < 3

    done = bench("run", "--resume", folder.name)

    assert done.returncode == 0, done.stderr
    run = record.load(str(folder), results=bench.results)
    assert run.status == "complete"
    assert [str(case.spec.size) for case in run.cases] == ["5x1", "5x2", "5x3"]
    assert run.cases[: len(kept)] == kept
    assert not (folder / "scratch").exists()


@pytest.mark.parametrize(
    ("stage", "ending"),
    [
        ("Case 1", signal.SIGINT),
        ("observing", signal.SIGTERM),
        ("timing", signal.SIGINT),
        ("timing", signal.SIGTERM),
        ("Case 2", signal.SIGINT),
    ],
)
def test_an_interruption_at_any_stage_keeps_and_shows_what_was_measured(
    tmp_path: Path, stage: str, ending: signal.Signals
) -> None:
    bench = Bench(tmp_path)
    with bench.start(
        "run", "--size", "5x2,200x50", "--rounds", "5", "--workers", "2", "--strategy", "selectin,lazy"
    ) as process:
        lines(process, stage)
        process.send_signal(ending)
        out, err = process.communicate()

    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert none_left(bench)
    run = record.load(str(bench.runs()[0]), results=bench.results)
    assert run.status == "interrupted"
    assert not (bench.runs()[0] / "scratch").exists()
    if stage == "Case 2":
        assert run.cases[0].status == "measured"
        assert "5x2" in out
    if run.cases:
        assert (bench.runs()[0] / "report.html").exists()


def test_a_worker_killed_in_the_middle_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with bench.start(
        "run", "--size", "200x50", "--rounds", "4", "--workers", "3", "--strategy", "selectin,lazy", "-v"
    ) as process:
        lines(process, "timing, worker 2")
        for worker in workers_of(bench):
            worker.kill()
        out, err = process.communicate()

    assert process.returncode == 0, err
    case = record.load(str(bench.runs()[0]), results=bench.results).cases[0]
    assert case.status == "measured"
    assert "killed by SIGKILL" in err
    assert [worker.ended for worker in case.workers] == ["finished", "killed by SIGKILL", "finished"]
    assert "worker_died" in {warning.code for warning in case.warnings}
    assert "SIGKILL" in out


def test_two_runs_at_once_in_one_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    arguments = ("run", "--size", "100x20", *ONE_ROUND)
    with bench.start(*arguments) as one, bench.start(*arguments) as other:
        ends = [process.communicate() for process in (one, other)]

    assert [one.returncode, other.returncode] == [0, 0], ends
    assert len(bench.runs()) == 2
    for folder in bench.runs():
        assert record.load(str(folder), results=bench.results).status == "complete"


def test_a_run_that_is_being_measured_is_not_resumed_beside_itself(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with bench.start(
        "run", "--size", "50x5", "--rounds", "3", "--workers", "2", "--strategy", "selectin,lazy"
    ) as process:
        lines(process, "observing")
        other = bench("run", "--resume", bench.runs()[0].name)
        _, err = process.communicate()

    assert other.returncode == 2
    assert "Another process is measuring" in other.stderr
    assert process.returncode == 0, err


def test_a_dataset_that_vanishes_in_the_middle_costs_no_sample_that_was_taken(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with bench.start(
        "run", "--size", "50x5", "--rounds", "3", "--workers", "3", "--strategy", "selectin,lazy"
    ) as process:
        lines(process, "timing, worker 2")
        for file in bench.cache.glob("*.sqlite3"):
            file.unlink()
        _, err = process.communicate()

    assert "Traceback" not in err
    case = record.load(str(bench.runs()[0]), results=bench.results).cases[0]
    assert any(arm.samples for arm in case.arms)


def test_a_case_whose_workers_all_die_is_no_good_case_and_can_be_resumed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    (tmp_path / "dying.py").write_text(DYING)
    with bench.start(
        "run", "--scenario", "dying.py:DYING", "--size", "5x2", "--workers", "3", "--rounds", "1"
    ) as process:
        _, err = process.communicate()

    assert process.returncode == 1, err
    assert "--resume" in err
    run = record.load(str(bench.runs()[0]), results=bench.results)
    assert (run.status, run.cases[0].status) == ("interrupted", "partial")


DYING = """
import os
from dataclasses import replace
from scenarios.one_to_many import ONE_TO_MANY, load

def dies_when_timed(session, strategy):
    users = load(session, strategy)
    if os.environ.get("PYTHONHASHSEED") != "0":  # observing workers have hash seed 0, timing workers one of their own
        os.kill(os.getpid(), 9)
    return users

DYING = replace(ONE_TO_MANY, name="dying", load=dies_when_timed)
"""


def test_a_run_is_not_resumed_with_a_scenario_that_has_changed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    scenario = tmp_path / "mine.py"
    scenario.write_text(MINE)
    with bench.start("run", "--scenario", "mine.py:MINE", "--size", "5x1,5x2,5x3", *ONE_ROUND) as process:
        lines(process, "done: measured")
        process.send_signal(signal.SIGINT)
        process.communicate()
    scenario.write_text(MINE + "# changed\n")

    done = bench("run", "--resume", bench.runs()[0].name)

    assert done.returncode == 2
    assert "has changed since" in done.stderr


MINE = """
from dataclasses import replace
from scenarios.one_to_many import ONE_TO_MANY, load

def mine(session, strategy):
    return load(session, strategy)

MINE = replace(ONE_TO_MANY, name="mine", load=mine)
"""


@contextmanager
def tiny_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of a given size, where this machine lets one be mounted."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        pytest.skip("mounting a small file system takes root")
    folder.mkdir()
    mounted = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run([umount, folder], check=True)


def fill(disk: Path) -> None:
    """Write until nothing more fits."""
    with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))


def test_a_disk_without_room_for_the_dataset_is_named_with_what_it_takes(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "4m") as disk:
        bench = Bench(tmp_path, cache=disk)

        done = bench("run", "--size", "20000x50", "--quick")

        assert done.returncode == 2
        assert "BENCH_CACHE_DIR" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_disk_that_is_full_of_results_costs_no_finished_case(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "1m") as disk:
        bench = Bench(tmp_path)
        bench.results = disk / "results"
        with bench.start("run", "--size", "5x1,5x2,5x3", *ONE_ROUND, "--results", str(bench.results)) as process:
            lines(process, "done: measured")
            fill(disk)
            out, err = process.communicate()

        assert process.returncode == 2, err
        assert "Traceback" not in err
        run = record.load(str(bench.runs()[0]), results=bench.results)
        assert run.cases
        assert run.cases[0].status == "measured"
        assert "5x1" in out
