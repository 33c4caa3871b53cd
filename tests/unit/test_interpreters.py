"""Which Python a version means: of those on the machine the newest that begins so, and never another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.environments.interpreters import find_python
from bench.errors import BenchError


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has Pythons of our own making, in every place where one is looked for, and no other."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{tmp_path / 'there is none'}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("sys._base_executable", str(python(tmp_path / "own" / "python3", "3.11.7")), raising=False)
    python(tmp_path / "bin" / "python3.9", "3.9.18")
    python(tmp_path / "bin" / "python3.12", "3.12.1")
    python(tmp_path / "pyenv" / "versions" / "3.13.0" / "bin" / "python", "3.13.0")
    python(tmp_path / "home" / ".local/share/uv/python/cpython-3.13.10-linux" / "bin" / "python3", "3.13.10")
    return tmp_path


def python(path: Path, version: str, implementation: str = "cpython") -> Path:
    """What answers as an interpreter does that is asked for its version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {version} {implementation}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("3.11", "own/python3"),
        ("3.12", "bin/python3.12"),
        ("3.12.1", "bin/python3.12"),
        ("3.13", "home/.local/share/uv/python/cpython-3.13.10-linux/bin/python3"),  # 10 is newer than 0, and than 9
        ("3.13.0", "pyenv/versions/3.13.0/bin/python"),
    ],
)
def test_a_version_is_the_newest_that_begins_so_wherever_it_lies(machine: Path, version: str, found: str) -> None:
    python(machine / "pyenv" / "versions" / "3.13.9" / "bin" / "python", "3.13.9")

    assert find_python(version) == machine / found


@pytest.mark.parametrize("version", ["3.99", "3.1313", "3.13.1", "3.14"])
def test_one_that_is_not_there_is_refused_with_those_that_are(version: str) -> None:
    with pytest.raises(BenchError) as refused:
        find_python(version)

    assert str(refused.value) == (
        f"There is no Python {version} on this machine. Install it, or choose among 3.11.7, 3.12.1, 3.13.0, 3.13.10."
    )


@pytest.mark.parametrize("version", ["3.9", "3.9.18", "3.10"])
def test_one_that_is_too_old_for_a_worker_is_refused_though_it_is_there(version: str) -> None:
    with pytest.raises(BenchError, match=rf"Python {version} cannot run a load here\. Give 3\.11 or later\."):
        find_python(version)


def test_what_does_not_start_or_is_another_implementation_is_none(machine: Path) -> None:
    pyenv = machine / "pyenv" / "versions"
    python(pyenv / "3.14.0" / "bin" / "python", "3.14.0", "pypy")
    (python(pyenv / "3.14.1" / "bin" / "python", "3.14.1")).write_text("#!/bin/sh\nexit 127\n")
    (python(pyenv / "3.14.2" / "bin" / "python", "3.14.2")).chmod(0o644)

    with pytest.raises(BenchError, match=r"There is no Python 3\.14 on this machine"):
        find_python("3.14")
