"""Environment: facts about the machine, the interpreter and the libraries that a run was measured with.

No fact names a user, a folder or a secret. A fact that cannot be had is empty or nought; none of them stops a run.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import time
from importlib import metadata
from pathlib import Path

import psutil

from bench.model import Environment

PACKAGES = ("orm-loading-bench", "greenlet", "psycopg", "psycopg-binary", "psycopg-c", "asyncpg", "aiosqlite", "numpy")
"""Distributions whose versions bear on what is measured, beside SQLAlchemy itself."""

ASKING_S = 10
"""Seconds that git or the system may take to answer; a network drive can hold them for long."""


def environment() -> Environment:
    """Return the facts of this process and this machine, now."""
    clock = time.get_clock_info("perf_counter")
    revision = git_revision()
    return Environment(
        host=host(),
        os=f"{platform.system()} {platform.release()} {platform.machine()}",
        cpu=cpu_model(),
        cpu_count=cpu_count(),
        memory_bytes=psutil.virtual_memory().total,
        load_1m=load_1m(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        python_build=python_build(),
        sqlalchemy=version("sqlalchemy"),
        sqlalchemy_compiled=sqlalchemy_is_compiled(),
        packages=package_versions(),
        gc_thresholds=gc_thresholds(),
        clock=clock.implementation,
        clock_resolution_ns=max(1, round(clock.resolution * 1e9)),
        git_revision=revision,
        git_dirty=bool(revision) and git_is_dirty(),
    )


def host() -> str:
    """Return a short digest that tells machines apart; a machine's name often holds its owner's."""
    return hashlib.sha256(platform.node().encode(errors="replace")).hexdigest()[:12]


def cpu_model() -> str:
    """Return the processor's name as its maker writes it, or its architecture where the system does not tell."""
    if sys.platform == "darwin":
        name = answer("sysctl", "-n", "machdep.cpu.brand_string")
    else:
        name = cpu_model_in(read(Path("/proc/cpuinfo")))
    return name or platform.processor() or platform.machine()


def cpu_model_in(cpuinfo: str) -> str:
    """Return the processor's name in a Linux `/proc/cpuinfo`; empty where there is none, as on most ARM machines."""
    fields = dict(line.split(":", 1) for line in reversed(cpuinfo.splitlines()) if ":" in line)
    by_name = {name.strip().lower(): " ".join(value.split()) for name, value in fields.items()}
    return by_name.get("model name") or by_name.get("cpu model") or by_name.get("hardware") or ""


def cpu_count() -> int:
    """Return how many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # absent on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_1m() -> float:
    """Return the system's load average over the last minute."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return 0.0


def python_build() -> str:
    """Return the compiler, and what of the build bears on speed: `GCC 12.2.0, optimised, LTO`."""
    options = str(sysconfig.get_config_var("CONFIG_ARGS") or "")  # holds paths, so that only flags are taken from it
    traits = {
        "optimised": "--enable-optimizations" in options,
        "LTO": "--with-lto" in options,
        "debug": hasattr(sys, "gettotalrefcount"),
        "free-threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    }
    return ", ".join([platform.python_compiler(), *(name for name, holds in traits.items() if holds)])


def sqlalchemy_is_compiled() -> bool:
    """Whether SQLAlchemy runs with its compiled extensions, without which its figures are another library's."""
    from sqlalchemy.util import has_compiled_ext  # here, because whoever only reads a run needs no SQLAlchemy

    return bool(has_compiled_ext())  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped


def package_versions() -> dict[str, str]:
    """Return the versions of `PACKAGES` that are installed, and that of the SQLite library."""
    installed = {name: version(name) for name in PACKAGES}
    return {"sqlite": sqlite3.sqlite_version} | {name: found for name, found in installed.items() if found}


def version(distribution: str) -> str:
    """Return an installed distribution's version, or nothing."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def gc_thresholds() -> tuple[int, int, int]:
    """Return the collector's thresholds, generation by generation."""
    young, middle, old = gc.get_threshold()
    return young, middle, old


def git_revision() -> str:
    """Return the revision checked out in the working directory; empty outside a checkout or without git."""
    return answer("git", "rev-parse", "--verify", "--quiet", "HEAD")


def git_is_dirty() -> bool:
    """Whether tracked files differ from that revision."""
    return bool(answer("git", "status", "--porcelain", "--untracked-files=no"))


def answer(program: str, *arguments: str) -> str:
    """Return what a program prints, or nothing where it is missing, fails or takes too long."""
    found = shutil.which(program)
    if found is None:
        return ""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        asked = subprocess.run(
            [found, *arguments],
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=ASKING_S,
            # Asking must not take the lock that somebody's commit next door is waiting for.
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
        return asked.stdout.decode(errors="replace").strip()
    return ""


def read(path: Path) -> str:
    """Return a system file's text, or nothing."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
