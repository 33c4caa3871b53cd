"""Versions of SQLAlchemy and revisions of the user's code, side by side in one run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.command import Bench

from bench import record
from bench.environments import EnvironmentStore, interpreters, prepare
from bench.environments.revisions import checked_out, sweep
from bench.errors import BenchError
from bench.model import Asked, Run, parse_environments, parse_targets
from bench.model.run import TWIN_MARK

ONE_ROUND = ("--size", "10x3", "--workers", "1", "--rounds", "1")
OLD = "2.0.49"

SCENARIO = """
from dataclasses import replace
from scenarios.one_to_many import ONE_TO_MANY
from shown import NAMES

mine = replace(
    ONE_TO_MANY, name="mine", strategies=tuple(one for one in ONE_TO_MANY.strategies if one.name in NAMES)
)
"""

HELD = """
import time
from bench.environments.revisions import checked_out
with checked_out("main") as there:
    print(there.tree, flush=True)
    time.sleep(600)
"""

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def stored(bench: Bench) -> Run:
    return record.load(str(bench.runs()[-1]), results=bench.results)


def git(folder: Path, *arguments: str) -> str:
    who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b"}
    done = subprocess.run(
        ["git", "-c", "commit.gpgsign=false", *arguments],  # noqa: S607 - as users have it
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **who},
    )
    return done.stdout.strip()


def test_two_versions_of_sqlalchemy_are_arms_of_one_run(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    done = bench("run", "--sqlalchemy", f"installed,{OLD}", "--strategy", "selectin,selectin[100]", *ONE_ROUND)

    if "There is no such package to install" in done.stderr:
        pytest.skip(f"SQLAlchemy {OLD} cannot be had from here")
    assert done.returncode == 0, done.stderr
    (case,) = stored(bench).cases
    new, old = case.targets
    assert new.environment is not None
    assert old.environment is not None
    assert old.environment.sqlalchemy == OLD != new.environment.sqlalchemy
    assert {arm.target for arm in case.arms} == {new.name, old.name, new.name + TWIN_MARK}
    named = {(arm.target, arm.strategy) for arm in case.arms if arm.kind == "strategy"}
    assert named == {(new.name, "selectin"), (new.name, "selectin[100]"), (old.name, "selectin")}
    assert f"selectin[100] of one_to_many cannot be had with SQLAlchemy {OLD}" in done.stdout
    assert f"SQLAlchemy {OLD} (" in done.stdout  # the head says what each target ran with

    pivoted = bench("compare", str(bench.runs()[-1]), "--by", "sqlalchemy")
    assert pivoted.returncode == 0, pivoted.stderr
    assert OLD in pivoted.stdout

    listed = bench("clean", "--yes")
    assert f"sqlalchemy=={OLD}" in listed.stdout
    assert not [path for path in (bench.cache / "environments").iterdir() if path.is_dir()]


def test_a_version_that_there_is_none_of_is_told_with_the_last_ones(tmp_path: Path) -> None:
    done = Bench(tmp_path)("run", "--sqlalchemy", "2.0.9999", *ONE_ROUND)

    assert done.returncode == 2
    assert "There is no such package to install: sqlalchemy==2.0.9999." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_python_that_there_is_none_of_is_told_before_a_run_is_stored(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    done = bench("run", "--python", "3.99")

    assert done.returncode == 2
    assert "There is no Python 3.99 on this machine. Install it, or choose among 3." in done.stderr
    assert bench.runs() == []


def of_python(version: str) -> Asked:
    (asked,), _ = parse_targets("sqlite", environments=parse_environments(python=version))
    return asked


def test_another_python_has_the_same_versions_of_packages(tmp_path: Path) -> None:
    here, *others = dict(interpreters._found())
    other = next((version for version in others if version.split(".")[:2] != here.split(".")[:2]
                  and interpreters._is_recent(version)), None)  # fmt: skip
    if other is None:
        pytest.skip(f"there is no Python here beside {here} that can run a load")
    with prepare(of_python("installed")) as found:
        own = found.facts
    try:
        with prepare(of_python(other), EnvironmentStore(tmp_path)) as found:
            assert found.facts.python == other
            assert found.facts.sqlalchemy == own.sqlalchemy
    except BenchError as missing:
        if "no such package" not in str(missing) and "cannot be installed" not in str(missing):
            raise
        pytest.skip(str(missing))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a revision that shows one strategy, and a work tree that shows two."""
    folder = tmp_path / "app"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "loading.py").write_text(SCENARIO)
    (folder / "shown.py").write_text('NAMES = ("lazy", "selectin")\n')
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    (folder / "shown.py").write_text('NAMES = ("lazy", "selectin", "joined")\n')
    return folder


@needs_git
def test_a_revision_is_loaded_by_its_own_modules_and_leaves_no_trace(repository: Path) -> None:
    bench = Bench(repository)
    before = sorted(path.relative_to(repository) for path in (repository / ".git").rglob("*"))

    done = bench("run", "--scenario", "loading.py:mine", "--revision", "main,.", "--strategy", "selectin", *ONE_ROUND)

    assert done.returncode == 0, done.stderr
    (case,) = stored(bench).cases
    assert [target.environment.revision if target.environment else "" for target in case.targets] == [
        git(repository, "rev-parse", "main"),
        "",
    ]
    assert "The work tree has changes that are not committed" in done.stdout
    assert sorted(path.relative_to(repository) for path in (repository / ".git").rglob("*")) == before
    assert git(repository, "status", "--porcelain", "--untracked-files=no") == "M shown.py"

    done = bench("run", "--scenario", "loading.py:mine", "--revision", "main,.", "--strategy", "joined", *ONE_ROUND)

    (case,) = stored(bench).cases  # the revision has no such strategy: it is its own module that was asked
    (failed,) = [arm for arm in case.arms if arm.error]
    assert (failed.target, done.returncode) == (case.targets[0].name, 1)
    assert "There is no strategy 'joined'" in str(failed.error)


@needs_git
def test_a_module_of_the_work_tree_in_a_revision_s_place_is_refused(repository: Path) -> None:
    bench = Bench(repository)
    # As an installation for editing may: the work tree comes first, wherever the revision lies.
    (repository / "loading.py").write_text(f"import sys\nsys.path.insert(0, {str(repository)!r})\n{SCENARIO}")
    git(repository, "commit", "-qam", "the path")

    done = bench("run", "--scenario", "loading.py:mine", "--revision", "main,.", "--strategy", "lazy", *ONE_ROUND)

    assert done.returncode == 2
    assert "from the work tree and not from the revision" in done.stderr


@needs_git
def test_the_tree_of_a_killed_process_is_swept_by_the_next(repository: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HELD],
        cwd=repository,
        env=Bench(repository).environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    tree = Path(process.stdout.readline().strip())
    assert (tree / "loading.py").is_file()
    sweep()
    assert tree.is_dir()  # somebody uses it

    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    sweep()

    assert not tree.parent.exists()
    assert not tree.parent.with_suffix(".lock").exists()


@needs_git
@pytest.mark.parametrize(
    ("prepare", "name", "says"),
    [
        ("repository", "nothing", "There is no revision 'nothing'"),
        ("repository", "--help", "There is no revision '--help'"),
        ("shallow", "elsewhere", "shallow clone. If it is there at all, fetch it"),
        ("empty", "main", "The repository has no commit yet"),
        ("none", "main", "is in no git repository's work tree"),
    ],
)
def test_a_revision_that_cannot_be_had_is_told_with_the_remedy(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepare: str, name: str, says: str
) -> None:
    folder = repository
    if prepare == "shallow":
        git(repository, "commit", "-qam", "second")
        folder = tmp_path / "shallow"
        git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", str(folder))
    if prepare == "empty":
        folder = tmp_path / "empty"
        git(tmp_path, "init", "-q", str(folder))
    if prepare == "none":
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.chdir(folder)

    with pytest.raises(BenchError) as refused, checked_out(name):
        pass

    assert says in str(refused.value)


def test_without_git_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(BenchError, match="Install git"), checked_out("main"):
        pass
