"""Build .venv from constraints.txt, or bring it up to date; what `make` runs when the environment is not ready.

Usage: python scripts/make_venv.py run|dev [--this-python]

A marker file in .venv holds the digest of pyproject.toml and constraints.txt that it was built from, so that a
touched file costs nothing and needs no network. One process builds at a time: the others wait, then find it ready.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VENV = Path(".venv")
VENV_PYTHON = VENV / "bin" / "python"
SOURCES = (Path("pyproject.toml"), Path("constraints.txt"))
LOCK = Path(".venv.lock")
EXTRAS = {"run": ".[docker,flames,postgres,sqlite-async]", "dev": ".[dev]"}
BASE = "import os, sys; print(os.path.realpath(getattr(sys, '_base_executable', sys.executable)))"


def main() -> int:
    """Make the environment ready for the purpose named on the command line."""
    parser = argparse.ArgumentParser(description="Build .venv from constraints.txt, or bring it up to date.")
    parser.add_argument(
        "purpose", choices=EXTRAS, help="run: what a benchmark needs; dev: what tests and lint need too"
    )
    parser.add_argument("--this-python", action="store_true", help="build anew if .venv was made by another Python")
    options = parser.parse_args()
    os.chdir(Path(__file__).resolve().parent.parent)
    try:
        return make_ready(options)
    except OSError as error:
        what = f" ({error.filename})" if error.filename else ""
        say(f"The environment cannot be built in {Path.cwd()}: {error.strerror or error}{what}. "
            "Use a checkout that you may write to, on a disk with room.")  # fmt: skip
        return 2
    except subprocess.CalledProcessError:
        say("An empty environment could not be made: the reason stands above.")
        return 2


def make_ready(options: argparse.Namespace) -> int:
    """Build what is not ready, alone; the exit status."""
    with building_alone():
        if options.this_python and VENV_PYTHON.exists() and answer(str(VENV_PYTHON)) != answer(sys.executable):
            remove_markers()
            create()
        if is_ready(options.purpose):
            marker(options.purpose).touch()
            return 0
        return build(options.purpose)


@contextmanager
def building_alone() -> Iterator[None]:
    """Hold the lock that lets one process build at a time; the system frees it when its holder dies."""
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another command is building .venv: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(purpose: str) -> int:
    """Install what the purpose needs and leave its marker; the exit status is pip's."""
    remove_markers()
    if answer(str(VENV_PYTHON), "import pip, encodings") is None:
        create()
    say("Installing the pinned packages into .venv (once; about a minute)...")
    pinned = str(SOURCES[1])
    # The second name is the first one's successor for what a build itself needs; a relative path survives spaces.
    environment = {**os.environ, "PIP_CONSTRAINT": pinned, "PIP_BUILD_CONSTRAINT": pinned}
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, "--editable", EXTRAS[purpose]], env=environment, check=False)
    if done.returncode != 0:
        say("The environment could not be built: pip's reason stands above. Mend it and type the command again.")
        return 2
    for ready in EXTRAS if purpose == "dev" else (purpose,):
        marker(ready).write_text(digest())
    return 0


def create() -> None:
    """Make an empty environment in the place of whatever is there."""
    say(f"Creating .venv with Python {sys.version.split()[0]}...")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)


def is_ready(purpose: str) -> bool:
    """Whether .venv was built for the purpose from these sources, by a Python that still runs."""
    try:
        return marker(purpose).read_text() == digest() and answer(str(VENV_PYTHON), "import encodings") is not None
    except FileNotFoundError:
        return False


def marker(purpose: str) -> Path:
    """The file that says what .venv was built from; `make` compares its time with the sources'."""
    return VENV / f"ready-{purpose}"


def remove_markers() -> None:
    """Say that .venv is not to be trusted until it is whole again."""
    for purpose in EXTRAS:
        marker(purpose).unlink(missing_ok=True)


def digest() -> str:
    """Digest of all that decides what is installed."""
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in SOURCES)).hexdigest()


def answer(python: str, question: str = BASE) -> str | None:
    """What a Python prints for a program, by default the path of the interpreter under it; None if it does not run."""
    try:
        asked = subprocess.run([python, "-c", question], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return asked.stdout.strip()


def say(sentence: str) -> None:
    """Tell whoever waits; on standard error, because standard output is the command's own."""
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
