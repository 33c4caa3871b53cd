"""A revision of the user's repository as a folder, made beside the repository and without a trace in it.

`git worktree` would register the folder in the repository; reading the tree into an index of our own and checking that
out into a folder does not touch it at all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from bench.errors import BenchError

_PREFIX = "bench-revision-"
_LOCK = ".lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A revision that is checked out. commit: its whole id. repository: the work tree that it is a revision of.

    dirty: whether files of that work tree differ from what is committed.
    """

    commit: str
    tree: Path
    repository: Path
    dirty: bool


def find_commit(name: str) -> tuple[str, Path]:
    """Return the whole id of a revision and the repository's work tree.

    Raises BenchError without git, outside of a repository, and for a revision that there is none of.
    """
    if shutil.which("git") is None:
        raise BenchError("A revision is read by git, which is not installed.", remedy="Install git.")
    top = _top()
    commit = None if name.startswith("-") else _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if commit is not None:
        return commit, Path(top)
    if _git("rev-parse", "--verify", "--quiet", "HEAD") is None:
        raise BenchError("The repository has no commit yet.", remedy="Commit once; then there is something to compare.")
    if _git("rev-parse", "--is-shallow-repository") == "true":
        raise BenchError(
            f"There is no revision {name!r} in this shallow clone.",
            remedy="If it is there at all, fetch it: git fetch --unshallow origin "
            "'+refs/heads/*:refs/remotes/origin/*'; or fetch-depth: 0 where actions/checkout cloned it.",
        )
    raise BenchError(f"There is no revision {name!r}.", remedy="Give a commit, a branch or a tag, as origin/main.")


def _top() -> str:
    """Return the folder of the work tree that this process is in; git's own words where it does not want to read it."""
    done = _run(("rev-parse", "--show-toplevel"), {}, None)
    if done.returncode == 0:
        return done.stdout.strip()
    told = " ".join(done.stderr.split())
    if "not a git repository" in told or "must be run in a work tree" in told:
        raise BenchError(
            f"{Path.cwd()} is in no git repository's work tree.", remedy="Go to the repository that the revision is of."
        )
    raise BenchError(f"git does not read the repository: {told[-400:]}", remedy="Mend that; `git status` says it too.")


@contextmanager
def checked_out(name: str) -> Iterator[Revision]:
    """Yield a revision's tree for as long as the block runs. Raises as `find_commit` does."""
    commit, repository = find_commit(name)
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = FileLock(folder.with_suffix(_LOCK))
    try:
        with lock:
            environment = {"GIT_INDEX_FILE": str(folder / "index")}
            tree = folder / "tree"
            tree.mkdir()
            _must("read-tree", commit, more=environment, within=repository)
            _must("checkout-index", "--all", f"--prefix={tree}/", more=environment, within=repository)
            yield Revision(
                commit=commit,
                tree=tree.resolve(),
                repository=repository.resolve(),
                dirty=bool(_git("status", "--porcelain", "--untracked-files=no")),
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(_LOCK).unlink(missing_ok=True)


def sweep() -> None:
    """Remove the trees that processes which were killed have left; one that is in use holds its lock."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if folder.suffix == _LOCK or not folder.is_dir() or folder.stat().st_uid != os.getuid():
            continue
        lock = folder.with_suffix(_LOCK)
        if not lock.exists():  # it is being made, or nobody's any more
            continue
        try:
            with FileLock(lock, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)
        except Timeout:
            pass


def _git(*arguments: str) -> str | None:
    """Return what git answers; None where it refuses."""
    done = _run(arguments, {}, None)
    return done.stdout.strip() if done.returncode == 0 else None


def _must(*arguments: str, more: dict[str, str], within: Path) -> None:
    done = _run(arguments, more, within)
    if done.returncode:
        told = " ".join(done.stderr.split())[-300:]
        raise BenchError(f"git could not check the revision out: {told}", remedy="Try `git status` in the repository.")


def _run(arguments: tuple[str, ...], more: dict[str, str], within: Path | None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", **more}
    return subprocess.run(
        ["git", *arguments],  # noqa: S607 - the one that the user has on PATH
        capture_output=True,
        text=True,
        errors="replace",
        env=environment,
        cwd=within,
        stdin=subprocess.DEVNULL,
        check=False,
    )
