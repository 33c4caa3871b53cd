from __future__ import annotations

import getpass
import json
import platform
import sqlite3
import subprocess
from pathlib import Path

import msgspec
import pytest
import sqlalchemy

from bench.record import environment
from bench.record.environment import answer, cpu_model_in, git_is_dirty, git_revision, read, version

AMD = "processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD  EPYC 9B45\n\nprocessor\t: 1\nmodel name\t: other\n"


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True  # noqa: S607 - the git on PATH
    ).stdout.strip()  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--no-verify", "-m", "one")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_environment_names_what_is_really_installed() -> None:
    facts = environment()
    assert facts.sqlalchemy == sqlalchemy.__version__
    assert facts.packages["sqlite"] == sqlite3.sqlite_version
    assert facts.python.endswith(platform.python_version())
    assert facts.cpu_count >= 1
    assert facts.memory_bytes > 2**20
    assert facts.clock_resolution_ns >= 1


def test_the_environment_holds_no_name_of_a_user_a_folder_or_a_machine() -> None:
    text = json.dumps(msgspec.to_builtins(environment()))
    for private in (str(Path.home()), str(Path.cwd()), platform.node()):
        assert len(private) < 4 or private not in text
    assert environment().host != platform.node()
    user = getpass.getuser()
    assert len(user) < 4 or user not in text.split()


def test_the_environment_is_the_same_when_asked_twice_but_for_the_load() -> None:
    first, second = (msgspec.to_builtins(environment()) | {"load_1m": 0, "git_dirty": False} for _ in range(2))
    assert first == second


def test_the_revision_is_that_of_the_working_directory(checkout: Path) -> None:
    assert git_revision() == git(checkout, "rev-parse", "HEAD")
    assert not git_is_dirty()


def test_a_changed_file_makes_the_checkout_dirty_and_a_new_one_does_not(checkout: Path) -> None:
    (checkout / "new").touch()
    assert not git_is_dirty()
    (checkout / "file").write_text("two")
    assert git_is_dirty()


def test_outside_a_checkout_there_is_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    facts = environment()
    assert (facts.git_revision, facts.git_dirty) == ("", False)


def test_without_git_there_is_no_revision(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    assert git_revision() == ""


def test_a_fact_that_cannot_be_had_is_empty() -> None:
    assert version("no-such-distribution") == ""
    assert read(Path("/no/such/file")) == ""
    assert answer("no-such-program") == ""
    assert answer("false") == ""


@pytest.mark.parametrize(
    ("cpuinfo", "model"),
    [(AMD, "AMD EPYC 9B45"), ("Processor: x\n", ""), ("", ""), ("Hardware\t: BCM2711\n", "BCM2711")],
)
def test_the_processor_is_the_first_that_linux_names(cpuinfo: str, model: str) -> None:
    assert cpu_model_in(cpuinfo) == model
