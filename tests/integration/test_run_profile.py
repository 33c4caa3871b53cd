"""`bench run --profile`: what is timed is profiled too, kept beside the run, drawn with it and compared."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from support.command import ROOT, Bench

pytest_plugins = ["support.postgres"]

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


def test_what_was_asked_for_beyond_is_in_the_report_with_its_files_beside_it(bench: Bench) -> None:
    pytest.importorskip("pyinstrument")

    done = bench(
        "run", "--size", "5x2", "--strategy", "lazy,joined", "--rounds", "1", "--workers", "1",
        "--profile", "--memory", "--flames",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    (folder,) = bench.runs()
    html, markdown = ((folder / name).read_text() for name in ("report.html", "report.md"))
    for seen in profile_of(folder):
        assert seen["memory"]["entities"] == 5 + 5 * 2
        assert seen["wire"] is None  # nothing crosses one, and the table of the case has what rows hold
        for kind in ("html", "speedscope", "stats"):
            file = seen["calls"][kind]
            assert (folder / file).stat().st_size
            assert f'href="{file}"' in html
            assert f"]({file})" in markdown
    for told in ("Memory at its peak", "all Python calls"):
        assert told in html


@pytest.mark.usefixtures("postgres")  # where no server can be had, it is skipped
def test_bytes_that_cross_to_a_server_are_in_the_report_unasked(bench: Bench) -> None:
    done = bench(
        "run", "--db", "postgres", "--provider", "binaries", "--size", "5x2", "--strategy", "joined", "--rounds", "1",
        "--workers", "1", "--profile",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    (folder,) = bench.runs()
    (seen,) = profile_of(folder)
    assert seen["wire"]["rows"] == 5 * 2
    assert seen["wire"]["received_bytes"] > seen["wire"]["content_bytes"] > 0
    assert seen["memory"] is seen["calls"] is None
    assert "Bytes on the wire" in (folder / "report.html").read_text()


def test_what_is_of_a_profile_is_refused_without_one_and_before_there_is_a_folder(bench: Bench) -> None:
    for option in ("--memory", "--flames"):
        refused = bench("run", "--size", "5x2", option)

        assert (refused.returncode, refused.stdout) == (2, "")
        assert f"Give --profile {option}" in refused.stderr
    assert bench.runs() == []


def test_a_sight_that_fails_is_told_and_costs_neither_the_bill_nor_the_run(bench: Bench, tmp_path: Path) -> None:
    # As in an environment of another Python, which has what measures and no more: the parent's own has it.
    (tmp_path / "pyinstrument.py").write_text(
        "import sys\nif sys.argv[0].endswith('worker.py'): raise ImportError('No module named pyinstrument')"
    )
    path = f"{tmp_path}:{bench.environment()['PYTHONPATH']}"

    done = bench(
        "run", "--size", "5x2", "--strategy", "joined", "--rounds", "1", "--workers", "1", "--profile", "--flames",
        PYTHONPATH=path,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "joined on sqlite: calls not seen: " in done.stderr
    (folder,) = bench.runs()
    (seen,) = profile_of(folder)
    assert len(seen["times"]["observed"]) >= 3
    assert "No module named pyinstrument" in seen["unseen"][0]
    assert "Not all could be seen of joined" in (folder / "report.html").read_text()


def test_a_run_that_is_resumed_has_what_was_asked_for_beyond_in_the_cases_that_it_lacked(bench: Bench) -> None:
    with bench.start(
        "run", "--size", "5x2,200x50", "--strategy", "joined", "--rounds", "2", "--workers", "1", "--profile",
        "--memory", "-v",
    ) as process:  # fmt: skip
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Case 2"):
                break
        process.send_signal(signal.SIGINT)
        process.communicate()
    (folder,) = bench.runs()
    assert [one["size"] for one in profile_of(folder)] == ["5x2"]

    resumed = bench("run", "--resume", folder.name)

    assert resumed.returncode == 0, resumed.stderr
    assert {one["size"]: one["memory"]["entities"] for one in profile_of(folder)} == {"5x2": 15, "200x50": 10_200}


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
