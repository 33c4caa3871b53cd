"""The gate's time tier: a load that takes longer than in a revision fails the check, the same load does not."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.command import Bench
from support.interrupting import end, lines, none_left

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

SCENARIO = """
import time
from dataclasses import replace
from scenarios.one_to_many import ONE_TO_MANY

TAKES_S = {seconds}

def load(session, strategy):
    time.sleep(TAKES_S)  # a known cost, whatever else the machine does
    return ONE_TO_MANY.load(session, {options})

mine = replace(ONE_TO_MANY, name="mine", load=load)
"""

FEW = ("--scenario", "loading.py:mine", "--size", "10x3", "--strategy", "selectin", "--pairs", "5", "--rounds", "1")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A repository whose revision takes 50 ms a load."""
    git(tmp_path, "init", "-q", "-b", "main")
    write(tmp_path, 0.05)
    git(tmp_path, "add", "loading.py")
    git(tmp_path, "commit", "-q", "-m", "first")
    return Bench(tmp_path)


def git(folder: Path, *arguments: str) -> None:
    who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b"}
    command = ["git", "-c", "commit.gpgsign=false", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env={**os.environ, **who})


def write(folder: Path, seconds: float, options: str = "strategy") -> None:
    (folder / "loading.py").write_text(SCENARIO.format(seconds=seconds, options=options))


def test_a_load_that_takes_longer_fails_with_the_reason_first(bench: Bench) -> None:
    lazy = 'next(one for one in ONE_TO_MANY.strategies if one.name == "lazy")'
    write(bench.folder, 0.2, lazy)

    done = bench("check", "--against", "main", *FEW, "--summary", "summary.md", "--junit", "junit.xml")

    assert done.returncode == 1, done.stdout + done.stderr
    first = " ".join(done.stdout.split("\n\n")[0].split())
    assert first.startswith("loading.py:mine 10x3 on sqlite: selectin takes ")
    assert "of the time in main, by 5 pairs of workers; it sends 11 statements, 2 before." in first
    assert "A statement that appeared, sent 10 times:" in done.stdout
    assert "whose changes are not committed" in done.stdout
    summary = (bench.folder / "summary.md").read_text()
    assert summary.startswith("### Loading: failed")
    assert "**Slower**" in summary
    (case,) = ElementTree.parse(bench.folder / "junit.xml").getroot().iter("testcase")  # noqa: S314 - our own
    assert case.find("failure") is not None


def test_the_same_load_passes_and_both_revisions_took_their_own_time(bench: Bench) -> None:
    done = bench("check", "--against", "main", *FEW, "--json", "--on-inconclusive", "pass")

    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    (load,) = found["timed"]["loads"]
    assert load["judged"] in {"same", "inconclusive"}
    assert min(load["before_ns"], load["now_ns"]) > 0.05e9
    assert load["screened"]["pairs"] == 5
    assert not found["failed"]


def test_the_baseline_is_held_to_beside_the_times_and_less_time_is_told(bench: Bench) -> None:
    assert bench("baseline", "write", *FEW[:4], "--strategy", "lazy,selectin").returncode == 0
    write(bench.folder, 0.0)

    done = bench("check", "--against", "main", *FEW[6:], "--only", "selectin")

    assert done.returncode == 0, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert "1 load compared, 1 as in the baseline." in said
    assert "1 load timed in main" in said
    assert "Faster - loading.py:mine 10x3 on sqlite: selectin takes" in said


def test_what_the_revision_lacks_is_not_compared_and_said(bench: Bench) -> None:
    (bench.folder / "newer.py").write_text((bench.folder / "loading.py").read_text())

    done = bench("check", "--against", "main", "--scenario", "newer.py:mine", *FEW[2:])

    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert said.startswith("Nothing could be compared with main.")
    assert "selectin is new: main has no newer.py, so there is nothing to compare it with" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--pairs", "10"), "--pairs is about timing. Give --against REVISION with it."),
        (("--against", "nowhere", *FEW), "There is no revision 'nowhere'"),
        (("--against", "main", *FEW, "--threshold", "much"), "'much' is no threshold."),
        (("--against", "main", *FEW, "--threshold", "other=5%"), "No load is named by 'other'."),
        (("--against", "main", "--size", "10x3"), "The baseline says what is timed."),
        (("--against", "main"), "There is no baseline"),
    ],
)
def test_what_does_not_go_together_is_refused(bench: Bench, arguments: tuple[str, ...], says: str) -> None:
    done = bench("check", *arguments)

    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_load_that_raises_now_and_not_in_the_revision_fails(bench: Bench) -> None:
    write(bench.folder, 0.0, "1 / 0")

    done = bench("check", "--against", "main", *FEW, "--junit", "junit.xml")

    assert done.returncode == 1, done.stdout
    first = " ".join(done.stdout.split("\n\n")[0].split())
    assert first.endswith(
        "selectin does not load what it did in main: The load raised ZeroDivisionError: division by zero."
    )
    (case,) = ElementTree.parse(bench.folder / "junit.xml").getroot().iter("testcase")  # noqa: S314 - our own
    assert case.find("failure") is not None


TWO = """
from scenarios.one_to_many import load as plain

def one_is_slow(session, strategy):
    time.sleep(0.1 if {slow} and strategy.name == "selectin" else 0.02)
    return plain(session, strategy)

one = replace(ONE_TO_MANY, name="one", load=one_is_slow)
other = replace(one, name="other")
"""


def interrupted(bench: Bench, at: str, *arguments: str) -> tuple[str, str]:
    """Interrupt a check of two scenarios where a line of its progress has these words; return what it said."""
    (bench.folder / "loading.py").write_text(SCENARIO.format(seconds=0, options="strategy") + TWO.format(slow=False))
    git(bench.folder, "commit", "-qam", "two")
    (bench.folder / "loading.py").write_text(SCENARIO.format(seconds=0, options="strategy") + TWO.format(slow=True))
    temporary = bench.folder / "temporary"
    temporary.mkdir()
    named = ("--scenario", "loading.py:one,loading.py:other", "--size", "10x3", "--strategy", "selectin,lazy")
    with bench.start(
        "check", "--against", "main", *named, "--pairs", "5", "--rounds", "2", *arguments, TMPDIR=str(temporary)
    ) as process:
        seen = lines(process, at)
        out, err = end(process, signal.SIGINT)

    assert at in seen[-1], seen
    assert process.returncode == 130, out + err
    assert "Interrupted." in err
    assert "Traceback" not in err
    assert none_left(bench)
    assert list(temporary.iterdir()) == []  # no revision's tree, no scratch folder
    return " ".join(out.split()), out


def test_interrupted_within_its_first_pairs_a_check_says_what_it_has_not_measured(bench: Bench) -> None:
    said, _ = interrupted(bench, "timing, pair 4 of 5")

    assert said.startswith("Cut short. Of 4 loads to be timed 0 got a verdict, 2 have not all of their pairs,")
    assert "unfinished (" in said


def test_interrupted_before_it_decides_a_check_has_its_verdicts_and_says_what_is_undecided(bench: Bench) -> None:
    said, out = interrupted(bench, "timing, fresh pair 2 of 5", "--json", "--summary", "summary.md")

    assert said
    found = json.loads(out)
    judged = {(one["scenario"], one["strategy"]): one["judged"] for one in found["timed"]["loads"]}
    assert judged["loading.py:one", "selectin"] == judged["loading.py:other", "selectin"] == "undecided"
    assert {judged["loading.py:one", "lazy"], judged["loading.py:other", "lazy"]} <= {"same", "inconclusive"}
    assert (found["cut_short"], found["failed"], found["timed"]["unreached"]) == (True, False, [])
    assert (bench.folder / "summary.md").read_text().startswith("### Loading: cut short")


def test_interrupted_while_it_times_a_check_keeps_what_it_compared_with_the_baseline(bench: Bench) -> None:
    write(bench.folder, 0.0)
    assert bench("baseline", "write", *FEW[:6]).returncode == 0
    with bench.start("check", "--against", "main", *FEW[6:]) as process:
        lines(process, "timing, pair 1 of 5")
        out, err = end(process, signal.SIGTERM)

    assert process.returncode == 130, err
    assert none_left(bench)
    said = " ".join(out.split())
    assert said.startswith("Cut short. Of 1 load to be timed 0 got a verdict")
    assert "1 load compared, 1 as in the baseline." in said


def test_an_error_in_the_middle_loses_no_verdict_that_there_is(bench: Bench) -> None:
    first = f"import sys\nsys.path.insert(0, {str(bench.folder)!r})\nimport helper\n"  # the work tree's, in both
    (bench.folder / "again.py").write_text(first + SCENARIO.format(seconds=0, options="strategy"))
    (bench.folder / "helper.py").touch()
    git(bench.folder, "add", "again.py", "helper.py")
    git(bench.folder, "commit", "-qm", "again")

    done = bench("check", "--against", "main", "--scenario", "loading.py:mine,again.py:mine", *FEW[2:])

    assert done.returncode == 2, done.stdout + done.stderr
    assert "from the work tree and not from the revision" in done.stderr
    assert done.stdout.startswith("Cut short. Of 2 loads to be timed 1 got a verdict, 1 was not reached.")
