"""Environment: what runs a load beside the database, as a user asks for it, and as it was found."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.errors import BenchError

INSTALLED = "installed"
"""Stands for the version that the harness itself runs with."""

WORK_TREE = "."
"""Stands among revisions for the files as they are."""

# Three numbers at least: an installer takes 2.0 for 2.0.0, the oldest, and `--python 3.13` is the newest of its series.
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){2,3}(?:(?:a|b|rc|\.dev|\.post)[0-9]+)?", re.ASCII)
_PYTHON = re.compile(r"3\.[0-9]{1,2}(?:\.[0-9]{1,2})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedEnvironment:
    """What runs a load, as it was asked for; an empty field is as the harness itself has it.

    sqlalchemy: a version, `installed`, or the path of a source tree. driver_version: of the target's driver's package.
    python: `3.13` or `3.13.0`. revision: a commit of the repository in the working folder, whose scenarios and models
    are loaded, or `.` for these as they are.
    """

    sqlalchemy: str = ""
    driver_version: str = ""
    python: str = ""
    revision: str = ""

    def __str__(self) -> str:
        fields = (
            ("sqlalchemy", self.sqlalchemy),
            ("driver-version", self.driver_version),
            ("python", self.python),
            ("revision", self.revision),
        )
        return " ".join(f"{name}={value}" for name, value in fields if value)


OWN = AskedEnvironment()
"""The environment of the harness itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFacts:
    """The environment that a target's workers ran in.

    compiled: whether SQLAlchemy's compiled extensions were there. sqlite: the version of the SQLite library that
    Python has. revision: the whole id of a commit; empty for the work tree as it is.
    """

    python: str
    sqlalchemy: str
    compiled: bool
    driver_version: str
    sqlite: str
    revision: str = ""


def parse_environments(
    *,
    sqlalchemy: str | None = None,
    driver_version: str | None = None,
    python: str | None = None,
    revision: str | None = None,
) -> tuple[AskedEnvironment, ...]:
    """Parse versions, several of each with commas, into every combination of them.

    A source tree of SQLAlchemy is known by a slash in its path, and a revision is whatever git knows. Raises
    BenchError for what is no version.
    """
    lists = (
        _each(
            sqlalchemy,
            "--sqlalchemy",
            _is_sqlalchemy,
            "2.0.49 in full (2.0 would be 2.0.0 alone), installed, or the path of a source tree, as ./sqla",
        ),
        _each(
            driver_version, "--driver-version", _is_version, "3.2.10 in full (3.2 would be 3.2.0 alone), or installed"
        ),
        _each(python, "--python", _is_python, "3.13 or 3.13.1, or installed"),
        _each(revision, "--revision", bool, "a commit, a branch or a tag, or . for the work tree"),
    )
    return tuple(
        AskedEnvironment(sqlalchemy=one, driver_version=two, python=three, revision=four)
        for one, two, three, four in itertools.product(*lists)
    )


def _each(text: str | None, option: str, accepts: Callable[[str], bool], example: str) -> Sequence[str]:
    if text is None:
        return ("",)
    values = list(dict.fromkeys(part.strip() for part in text.split(",")))
    for value in values:
        if value != INSTALLED and not accepts(value):
            raise BenchError(f"{value!r} is no version for {option}.", remedy=f"Give {example}; several with commas.")
    return values


def _is_version(text: str) -> bool:
    return _VERSION.fullmatch(text) is not None


def _is_sqlalchemy(text: str) -> bool:
    return _is_version(text) or "/" in text


def _is_python(text: str) -> bool:
    return _PYTHON.fullmatch(text) is not None
