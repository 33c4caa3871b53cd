"""Python interpreters that are on the machine already; none is downloaded."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.errors import BenchError

_SAY_VERSION = "import platform, sys; print(platform.python_version(), sys.implementation.name)"

ASKING_S = 10
"""How long an interpreter may take to say its version before it counts as none."""

OLDEST = (3, 11)


def find_python(version: str) -> Path:
    """Return the interpreter of a version: `3.13` is any of its releases, the newest first.

    Raises BenchError, which lists those that there are.
    """
    if not _is_recent(version):
        raise BenchError(
            f"Python {version} cannot run a load here.", remedy=f"Give {'.'.join(map(str, OLDEST))} or later."
        )
    found = dict(_found())
    fitting = [known for known in found if f"{known}.".startswith(f"{version}.")]
    if not fitting:
        raise BenchError(
            f"There is no Python {version} on this machine.",
            remedy=f"Install it, or choose among {', '.join(sorted(filter(_is_recent, found), key=_numbers))}.",
        )
    return found[max(fitting, key=_numbers)]


def _found() -> Iterator[tuple[str, Path]]:
    """Yield versions with their interpreters: this one's, and those of PATH, pyenv and uv."""
    seen: set[Path] = set()
    for path in _candidates():
        resolved = path.resolve()
        if resolved in seen or not os.access(resolved, os.X_OK):
            continue
        seen.add(resolved)
        if version := _version_of(path):
            yield version, path


def _candidates() -> Iterator[Path]:
    yield Path(getattr(sys, "_base_executable", sys.executable))
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if folder:
            yield from sorted(path for path in Path(folder).glob("python3.*") if _is_python(path.name))
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv")
    yield from sorted(pyenv.glob("versions/3.*/bin/python"))
    yield from sorted((home / ".local/share/uv/python").glob("cpython-3.*/bin/python3"))


def _is_python(name: str) -> bool:
    return re.fullmatch(r"python3\.[0-9]{1,2}", name) is not None


def _version_of(path: Path) -> str:
    """Return what an interpreter says of itself; empty where it does not start (a shim) or is no CPython."""
    try:
        said = subprocess.run(
            [str(path), "-I", "-c", _SAY_VERSION],
            capture_output=True,
            text=True,
            timeout=ASKING_S,
            check=True,
            stdin=subprocess.DEVNULL,
        ).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return ""
    return said[0] if len(said) == 2 and said[1] == "cpython" else ""


def _is_recent(version: str) -> bool:
    return _numbers(version)[:2] >= OLDEST


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall("[0-9]+", version))
