"""From the environment that was asked for to what a worker is started in, and what it is."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.environments.asking import Broken, facts_of
from bench.environments.recipe import recipe_for
from bench.environments.revisions import Revision, checked_out, find_commit
from bench.environments.store import EnvironmentStore
from bench.errors import BenchError
from bench.measure.surroundings import TREE, Surroundings
from bench.model import Asked, EnvironmentFacts
from bench.model.environment import INSTALLED, WORK_TREE


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An environment that is there. dirty: whether the work tree that a revision is compared with has changes."""

    surroundings: Surroundings
    facts: EnvironmentFacts
    dirty: bool = False


@contextmanager
def prepare(asked: Asked, store: EnvironmentStore | None = None) -> Iterator[Prepared]:
    """Yield the environment of a target, built where it is not kept, for as long as the block runs.

    Raises BenchError for a version, a Python or a revision that cannot be had.
    """
    recipe = recipe_for(asked)
    why_broken = partial(_why_broken, asked=asked)
    interpreter = str((store or EnvironmentStore()).interpreter(recipe, why_broken)) if recipe else sys.executable
    with ExitStack() as stack:
        revision = stack.enter_context(checked_out(asked.environment.revision)) if _names_revision(asked) else None
        path: tuple[str, ...] = (str(TREE),)
        folder: str | None = None
        if revision is not None:
            ours = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-harness-"))
            path, folder = _of_revision(revision, Path(ours))
        facts = facts_of(interpreter, path, asked, revision=revision.commit if revision else "")
        _hold(asked, facts)
        yield Prepared(
            surroundings=Surroundings(
                interpreter=interpreter,
                path=path,
                folder=folder,
                sqlalchemy=facts.sqlalchemy,
                python=facts.python,
                tree=revision.tree if revision else None,
                instead_of=revision.repository if revision else None,
            ),
            facts=facts,
            dirty=revision.dirty if revision else False,
        )


def check(targets: Iterable[Asked]) -> None:
    """Raise BenchError for what cannot be had of the environments, as far as that is known before one is built."""
    for asked in targets:
        recipe_for(asked)
        if _names_revision(asked):
            find_commit(asked.environment.revision)


def _why_broken(interpreter: Path, *, asked: Asked) -> str:
    """Why a load cannot run in an environment; empty where it can."""
    try:
        facts_of(str(interpreter), (str(TREE),), asked)
    except Broken as broken:
        return broken.reason
    return ""


def _names_revision(asked: Asked) -> bool:
    return asked.environment.revision not in ("", WORK_TREE)


def _of_revision(revision: Revision, ours: Path) -> tuple[tuple[str, ...], str]:
    """Return where a worker that loads a revision looks for modules, and its working folder.

    First comes a folder with nothing in it but the harness of today, for the revision may have one of its own; then
    what stands in this process's path within the repository, as it is in the revision's tree.
    """
    (ours / "bench").symlink_to(TREE / "bench")
    working = _within(revision, Path.cwd())
    if not working.is_dir():
        raise BenchError(
            f"The revision {revision.commit[:12]} has no folder {Path.cwd().relative_to(revision.repository)}.",
            remedy="Go to a folder that it has.",
        )
    entries = [Path(entry).resolve() for entry in sys.path if entry]
    packages = {"site-packages", "dist-packages"}
    theirs = [
        _within(revision, entry)
        for entry in entries
        if entry.is_relative_to(revision.repository) and not packages & set(entry.parts)
    ]
    folders = dict.fromkeys(map(str, [ours, working, *theirs, TREE]))
    return tuple(folders), str(working)


def _within(revision: Revision, path: Path) -> Path:
    return revision.tree / path.resolve().relative_to(revision.repository)


def _hold(asked: Asked, facts: EnvironmentFacts) -> None:
    """Hold what an environment is against what was asked for, so that nothing is measured in another's place."""
    wanted = asked.environment
    pairs = (
        ("SQLAlchemy", "" if "/" in wanted.sqlalchemy else wanted.sqlalchemy, facts.sqlalchemy),
        (asked.driver, wanted.driver_version, facts.driver_version),
        ("Python", wanted.python, facts.python),
    )
    for what, version, found in pairs:
        if version not in ("", INSTALLED) and not f"{_plain(found)}.".startswith(f"{_plain(version)}."):
            raise BenchError(
                f"{what} {version} was asked for, and {found} is what the environment has.",
                remedy="Is PYTHONPATH set to another copy? Unset it, or type `bench clean`, and try again.",
            )


def _plain(version: str) -> str:
    """Return a version as pip and packages agree to write it."""
    return version.lower().replace("-", "").replace("_", "")
