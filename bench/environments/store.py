"""Virtual environments that are built once and kept in the user's cache folder."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import platformdirs
from filelock import FileLock

from bench.environments.recipe import Recipe
from bench.errors import BenchError

FOLDER_VARIABLE = "BENCH_CACHE_DIR"
KEPT = "environments"
"""The folder of the cache's that holds them."""

_BUILT = "built.json"
"""Written last into an environment: what has none is half built."""

_LAST_LINES = 3


class EnvironmentStore:
    """Builds environments, and keeps them by the digest of their recipe."""

    def __init__(self, folder: Path | None = None) -> None:
        cache = Path(os.environ.get(FOLDER_VARIABLE) or platformdirs.user_cache_path("orm-loading-bench"))
        self.folder = (folder or cache.expanduser().absolute()) / KEPT

    def interpreter(self, recipe: Recipe, why_broken: Callable[[Path], str]) -> Path:
        """Return the interpreter of an environment: the kept one, or one that is built now.

        why_broken: says of a kept one's interpreter what keeps a load from running in it, nothing where it works. A
        broken one is built again: it is a cache. Another process that wants the same one waits for this. Raises
        BenchError where it cannot be built.
        """
        home = self.folder / recipe.digest
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(home.with_suffix(".lock")):
                if not (home / _BUILT).is_file() or not (home / "bin" / "python").exists():
                    self._build(recipe, home)
                elif reason := why_broken(home / "bin" / "python"):
                    self._build_again(recipe, home, reason)
        except OSError as error:
            raise BenchError(
                f"The cache folder {self.folder} cannot be used: {error.strerror or error}.",
                remedy=f"Set {FOLDER_VARIABLE} to a folder that you may write to.",
            ) from error
        return home / "bin" / "python"

    def kept(self) -> tuple[tuple[str, Path, int], ...]:
        """Return what is kept: what each environment holds, where, and its bytes. Half-built ones are among them."""
        if not self.folder.is_dir():
            return ()
        homes = sorted(path for path in self.folder.iterdir() if path.is_dir())
        return tuple((_told(home), home, _bytes_of(home)) for home in homes)

    def clean(self) -> int:
        """Remove all that is kept, and return the bytes that this freed."""
        freed = 0
        for _, home, size in self.kept():
            with FileLock(home.with_suffix(".lock")):
                shutil.rmtree(home, ignore_errors=True)
            home.with_suffix(".lock").unlink(missing_ok=True)
            freed += size
        return freed

    def _build_again(self, recipe: Recipe, home: Path, reason: str) -> None:
        try:
            self._build(recipe, home)
        except BenchError as error:
            raise BenchError(
                f"The environment that was kept in {home} did not work ({reason}), and could not be built again. "
                f"{error.message}",
                remedy=error.remedy,
            ) from error

    def _build(self, recipe: Recipe, home: Path) -> None:
        shutil.rmtree(home, ignore_errors=True)  # half of one
        try:
            _run([str(recipe.interpreter), "-I", "-m", "venv", "--without-pip", str(home)], recipe)
            if recipe.requirements:
                installer = _installer(home / "bin" / "python")
                _run([*installer, *recipe.requirements], recipe)
            if recipe.behind:
                (packages,) = (home / "lib").glob("python3.*/site-packages")
                # addsitedir reads their .pth files too, by which what is installed for editing is found
                lines = [f"import site; site.addsitedir({folder!r})" for folder in recipe.behind]
                (packages / "behind.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
            told = {"interpreter": str(recipe.interpreter), "requirements": recipe.requirements}
            (home / _BUILT).write_text(json.dumps(told), encoding="utf-8")
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise


def _installer(python: Path) -> list[str]:
    """Return how packages are installed into an environment that has no pip of its own."""
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--prefer-binary", "--no-warn-script-location"]
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--python", str(python), "install", *quiet]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", str(python)]
    raise BenchError(
        "Other versions cannot be installed: this environment has neither pip nor uv.",
        remedy=f"Type `{sys.executable} -m ensurepip`, and try again.",
    )


def _run(command: Sequence[str], recipe: Recipe) -> None:
    with tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace") as log:
        try:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        except subprocess.CalledProcessError as error:
            log.seek(0)
            raise _not_built(recipe, log.read()) from error


def _not_built(recipe: Recipe, log: str) -> BenchError:
    what = ", ".join(recipe.requirements) or f"an environment of {recipe.interpreter}"
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("ERROR")] or lines
    if any("No matching distribution" in line for line in lines):
        versions = next((line for line in lines if "from versions:" in line), "")
        known = versions.partition("from versions:")[2].strip(" )").split(", ")
        near = f" The last ones are {', '.join(known[-5:])}." if len(known) > 1 else ""
        return BenchError(
            f"There is no such package to install: {what}.{near}",
            remedy="Give a version that there is; without a network none can be found.",
        )
    return BenchError(
        f"{what} cannot be installed: {' '.join(told[-_LAST_LINES:])[-600:]}",
        remedy="Give another version, or see that pip can install this one.",
    )


def _told(home: Path) -> str:
    try:
        built = json.loads((home / _BUILT).read_text(encoding="utf-8"))
        return f"environment {home.name}: {', '.join(built['requirements']) or built['interpreter']}"
    except (OSError, ValueError, KeyError):
        return f"environment {home.name}, half built"


def _bytes_of(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
