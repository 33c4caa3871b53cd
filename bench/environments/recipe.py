"""What an environment is to hold, worked out before anything of it is built."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.environments.interpreters import find_python
from bench.errors import BenchError
from bench.model import Asked
from bench.model.environment import INSTALLED

PACKAGES = {"psycopg": "psycopg", "psycopg_async": "psycopg", "asyncpg": "asyncpg", "aiosqlite": "aiosqlite"}
"""The package that a driver comes in, by SQLAlchemy's name of the driver; sqlite3 belongs to Python."""

LAYOUT = 1
"""Changes when what is built from a recipe does, so that environments of before are not taken for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """An environment to be built. interpreter: the Python that it is of. requirements: what pip installs into it.

    behind: folders of packages that stand behind its own, where it has the same Python as the harness: all that is
    installed there and not asked for in another version is the same. source: a source tree of SQLAlchemy among the
    requirements, whose state is part of what tells environments apart.
    """

    interpreter: Path
    requirements: tuple[str, ...]
    behind: tuple[str, ...]
    source: Path | None = None

    @property
    def digest(self) -> str:
        """Tells this environment from others: all that decides what is in it."""
        parts = [str(LAYOUT), str(self.interpreter.resolve()), *self.requirements, "behind", *self.behind]
        if self.source is not None:
            parts.append(_state_of(self.source))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def recipe_for(asked: Asked) -> Recipe | None:
    """Return what the target's environment is to hold; None where the harness's own has it.

    Raises BenchError for a Python that is not on the machine, and for a driver that has no version of its own.
    """
    wanted = asked.environment
    sqlalchemy = "" if wanted.sqlalchemy == INSTALLED else wanted.sqlalchemy
    driver_version = "" if wanted.driver_version == INSTALLED else wanted.driver_version
    python = "" if wanted.python == INSTALLED else wanted.python
    if not (sqlalchemy or driver_version or python):
        return None
    interpreter = find_python(python) if python else Path(getattr(sys, "_base_executable", sys.executable))
    package = PACKAGES.get(asked.driver)
    if driver_version and package is None:
        raise BenchError(
            f"The driver {asked.driver} is a part of Python and has no version of its own.",
            remedy="Compare versions of Python with --python, or leave --driver-version out.",
        )
    same = not python or f"{platform.python_version()}.".startswith(f"{python}.")
    requirements = [_requirement("sqlalchemy", sqlalchemy)] if sqlalchemy or not same else []
    if package and (driver_version or not same):
        requirements.append(_requirement(package, driver_version))
    if not same:
        requirements += [f"greenlet=={_installed('greenlet')}"] * bool(_installed("greenlet"))
    return Recipe(
        interpreter=interpreter,
        requirements=tuple(requirements),
        behind=tuple(_package_folders()) if same else (),
        source=Path(sqlalchemy).expanduser().resolve() if "/" in sqlalchemy else None,
    )


def _requirement(package: str, version: str) -> str:
    """Return what pip is asked for: a version, a source tree, or what is installed here."""
    if "/" in version:
        path = Path(version).expanduser().resolve()
        if not (path / "pyproject.toml").is_file() and not (path / "setup.py").is_file():
            raise BenchError(f"{version!r} is no source tree of SQLAlchemy.", remedy="Name the folder of its checkout.")
        return str(path)
    binary = "[binary]" if package == "psycopg" and _installed("psycopg-binary") else ""
    return f"{package}{binary}=={version or _installed(package)}"


def _installed(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _package_folders() -> list[str]:
    """The folders of packages that this process imports from, less those of PYTHONPATH: workers have that anyway."""
    return [entry for entry in dict.fromkeys(sys.path) if Path(entry).name in ("site-packages", "dist-packages")]


def _state_of(tree: Path) -> str:
    """Return what changes when a source file of a tree does: names, lengths and times of change."""
    files = sorted(path for ending in ("py", "pyx", "pxd", "toml") for path in (tree / "lib").rglob(f"*.{ending}"))
    told = "\n".join(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files)
    return hashlib.sha256(told.encode()).hexdigest()
