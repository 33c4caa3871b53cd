"""`bench run --profile`: what is timed is profiled too, kept beside the run, drawn with it and compared."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from support.command import ROOT, Bench

MEDDLING = ROOT / "tests/data/meddling.py"
FOLDED = "<summary>Profile <small>"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def profile_of(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "profile.json").read_text())
    return found


def statuses(folder: Path) -> tuple[str, list[str]]:
    run = json.loads((folder / "run.json").read_text())
    return run["status"], [case["status"] for case in run["cases"]]


def test_what_was_timed_is_profiled_what_fails_says_why_and_the_run_goes_on(bench: Bench) -> None:
    where = ("--scenario", f"{MEDDLING}:FAILS", "--strategy", "fails,selectin", "--size", "5x2")

    done = bench("run", *where, "--rounds", "1", "--workers", "1", "--profile")

    assert done.returncode == 1  # that a strategy fails is a fault of the run, with a profile and without
    (folder,) = bench.runs()
    assert statuses(folder) == ("complete", ["failed"])
    failed, seen = profile_of(folder)
    assert "the scenario's own fault" in failed["error"]
    assert (seen["error"], seen["strategy"]) == ("", "selectin")
    assert len(seen["times"]["observed"]) >= 3
    assert len(seen["plans"]) == 2
    assert "profile.json" in done.stdout
    pages = {name: (folder / name).read_text() for name in ("report.html", "report.md")}
    assert pages["report.html"].count(FOLDED) == 1
    assert "not profiled" in pages["report.html"]

    (folder / "report.html").unlink()
    drawn_again(bench, folder, pages)
    compared(bench, folder)


def drawn_again(bench: Bench, folder: Path, pages: dict[str, str]) -> None:
    again = bench("report", folder.name)

    assert again.returncode == 0, again.stderr
    assert {name: (folder / name).read_text() for name in pages} == pages


def compared(bench: Bench, folder: Path) -> None:
    other = folder.with_name("other")
    shutil.copytree(folder, other)
    stored = (other / "profile.json").read_text()
    (other / "profile.json").write_text(stored.replace('"operation": "SCAN"', '"operation": "READ"'))

    shown = bench("compare", folder.name, "other")

    assert shown.returncode == 0, shown.stderr
    assert "- SCAN users" in shown.stdout
    assert "+ READ users" in shown.stdout

    (other / "profile.json").write_text("[{")
    refused = bench("compare", folder.name, "other")

    assert refused.returncode == 2
    assert "is not a profile" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_interruption_keeps_what_was_profiled_and_the_case_that_was_timed_whole(bench: Bench) -> None:
    with bench.start(
        "run", "--size", "20x5", "--strategy", "selectin,lazy", "--rounds", "1", "--workers", "1", "--profile"
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "profiling lazy" in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()

    assert process.returncode == 130
    assert "Traceback" not in err
    assert "selectin" in out
    (folder,) = bench.runs()
    assert [one["strategy"] for one in profile_of(folder)] == ["selectin"]
    assert statuses(folder) == ("interrupted", ["measured"])
    assert (folder / "report.html").read_text().count(FOLDED) == 1

    resumed = bench("run", "--resume", folder.name)

    assert resumed.returncode == 0, resumed.stderr
    assert statuses(folder) == ("complete", ["measured"])
