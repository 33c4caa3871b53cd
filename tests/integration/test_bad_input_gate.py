"""What the gate and a comparison cannot use gets a sentence with the remedy and exit code 2, never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.command import ROOT, Bench

from bench.cli import cli

BASELINE = (ROOT / "bench-baseline.jsonl").read_text()
STORED = (ROOT / "tests" / "data" / "run-v2.json").read_text()

AGAINST = ("--scenario", "one_to_many", "--size", "10x3", "--strategy", "selectin", "--pairs", "5")

Change = Callable[[dict[str, Any]], object]

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def a_run(folder: Path, name: str, change: Change) -> str:
    """A stored run of one case, changed, in a folder of its own."""
    run = json.loads(STORED)
    run["id"] = name
    change(run)
    (folder / name).mkdir()
    (folder / name / "run.json").write_text(json.dumps(run))
    return str(folder / name)


def one_strategy(name: str) -> Change:
    def change(run: dict[str, Any]) -> None:
        case = run["cases"][0]
        case["spec"]["strategies"] = [name]
        case["arms"] = [arm for arm in case["arms"] if (arm["kind"], arm["strategy"]) == ("strategy", name)]

    return change


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        (
            dict,
            lambda run: run["cases"][0]["spec"].update(scenario="tree"),
            "B has tree 1000x50 by selectin, joined on postgres:14, postgres:18. Compare runs of one scenario",
        ),
        (
            dict,
            lambda run: run["cases"][0]["spec"].update(size={"counts": [10, 5]}),
            "with a strategy that both measured, or these with --by size.",
        ),
        (one_strategy("selectin"), one_strategy("joined"), "There is no arm that two of them have in common"),
        (dict, lambda run: run.update(cases=[]), "Nothing was measured in two. Compare a run that has a case."),
        (dict, lambda run: run.update(format_version=99), "update orm-loading-bench."),
    ],
)
def test_runs_that_have_nothing_in_common_are_not_compared(
    tmp_path: Path, one: Change, other: Change, says: str
) -> None:
    done = CliRunner().invoke(cli, ["compare", a_run(tmp_path, "one", one), a_run(tmp_path, "two", other)])

    assert done.exit_code == 2, done.output
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["check"], ["check", "--against", "HEAD"], ["baseline", "write"]])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BASELINE.replace('"bench_baseline": 2', '"bench_baseline": 99'), "update orm-loading-bench."),
        (f"{BASELINE}<<<<<<< HEAD\n=======\n>>>>>>> theirs\n", "Keep either side, then write it again with"),
        (BASELINE[:300], "Take it back from an earlier commit, or remove it and write it anew"),
        ("", "Take it back from an earlier commit, or remove it and write it anew"),
    ],
)
@needs_git
def test_a_baseline_that_cannot_be_read_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], text: str, says: str
) -> None:
    monkeypatch.chdir(a_repository(tmp_path / "repository"))
    Path("bench-baseline.jsonl").write_text(text)

    done = CliRunner().invoke(cli, command)

    assert done.exit_code == 2, done.output
    assert "'bench-baseline.jsonl' is no baseline: " in done.stderr
    assert says in done.stderr
    assert Path("bench-baseline.jsonl").read_text() == text


def a_repository(folder: Path, commits: int = 1) -> Path:
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for _ in range(commits):
        git(folder, "commit", "-q", "--allow-empty", "-m", "a commit")
    return folder


def git(folder: Path, *arguments: str) -> None:
    who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b"}
    command = ["git", "-c", "commit.gpgsign=false", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env={**os.environ, **who})


def a_shallow_clone(folder: Path) -> Path:
    of = a_repository(folder.with_name("cloned"), commits=2)
    git(folder.parent, "clone", "-q", "--depth", "1", of.as_uri(), str(folder))
    return folder


def no_repository(folder: Path) -> Path:
    folder.mkdir()
    return folder


@needs_git
@pytest.mark.parametrize(
    ("make", "revision", "around", "says"),
    [
        (a_repository, "nowhere", {}, "There is no revision 'nowhere'. Give a commit, a branch or a tag"),
        (a_repository, "HEAD~7", {}, "There is no revision 'HEAD~7'. Give a commit, a branch or a tag"),
        (a_repository, "", {}, "There is no revision ''. Give a commit, a branch or a tag"),
        (a_shallow_clone, "HEAD~1", {}, "There is no revision 'HEAD~1' in this shallow clone."),
        (a_shallow_clone, "origin/other", {}, "fetch it: git fetch --unshallow origin"),
        (lambda folder: a_repository(folder, commits=0), "main", {}, "The repository has no commit yet. Commit once"),
        (no_repository, "main", {}, "is in no git repository's work tree. Go to the repository"),
        (a_repository, "main", {"PATH": ""}, "read by git, which is not installed. Install git."),
        (
            a_repository,
            "main",
            {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"},  # git's own variable: as in a container that mounts a checkout
            "git config --global --add safe.directory",
        ),
    ],
)
def test_a_revision_that_cannot_be_had_is_told_with_the_remedy_before_anything_is_measured(
    tmp_path: Path, make: Callable[[Path], Path], revision: str, around: dict[str, str], says: str
) -> None:
    nobody = {"GIT_CEILING_DIRECTORIES": str(tmp_path), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    bench = Bench(make(tmp_path / "folder"), cache=tmp_path / "cache")

    done = bench("check", "--against", revision, *AGAINST, **nobody, **around)

    assert done.returncode == 2, done.stdout + done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not bench.cache.exists()
