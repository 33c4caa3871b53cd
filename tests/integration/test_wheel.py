"""The wheel, installed in a clean environment outside the checkout and used from another folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bench import record

ROOT = Path(__file__).parents[2]
# A pin that does not exist lists the versions that do; that is a failure, and no reason to skip.
UNREACHABLE = re.compile(r"from versions: none|NewConnectionError|Temporary failure in name resolution|timed out")


def run(*command: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command with nothing of the checkout in its way."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment | more, capture_output=True, text=True, check=False
    )


def fetched(done: subprocess.CompletedProcess[str]) -> None:
    """Skip, and say so, where a registry was needed and none could be reached; fail for any other reason."""
    if done.returncode != 0:
        said = done.stdout + done.stderr
        if UNREACHABLE.search(said):
            pytest.skip(f"no package registry can be reached: {said.strip().splitlines()[-1]}")
        pytest.fail(said)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # From a copy: a build writes into its source, and other tests read that.
    wanted = ("bench", "scenarios", "pyproject.toml", "README.md", "LICENSE")
    source.mkdir()
    for name in wanted:
        subprocess.run(["cp", "-R", ROOT / name, source / name], check=True)  # noqa: S607 - the cp on PATH
    constraints = str(ROOT / "constraints.txt")
    done = run(
        sys.executable, "-m", "build", "--wheel", "--outdir", folder / "dist", source,
        cwd=folder, PIP_CONSTRAINT=constraints, PIP_BUILD_CONSTRAINT=constraints,
    )  # fmt: skip
    fetched(done)
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds the wheel and its pinned dependencies."""
    environment = tmp_path_factory.mktemp("clean") / "venv"
    assert run(sys.executable, "-m", "venv", environment, cwd=wheel.parent).returncode == 0
    pip = (environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    fetched(run(*pip, "--constraint", ROOT / "constraints.txt", wheel, cwd=wheel.parent))
    return environment / "bin"


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {"bench", "scenarios", "orm_loading_bench-0.1.0.dist-info"}
    packaged = {
        str(path.relative_to(ROOT))
        for name in ("bench", "scenarios")
        for path in (ROOT / name).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert packaged <= set(names)


@pytest.mark.parametrize("command", [("bench",), ("python", "-m", "bench")])
def test_help_is_there_by_both_names(command: tuple[str, ...], installed: Path, tmp_path: Path) -> None:
    done = run(installed / command[0], *command[1:], "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Usage: bench" in done.stdout or "Usage: python -m bench" in done.stdout


def test_the_scenarios_are_there(installed: Path, tmp_path: Path) -> None:
    done = run(installed / "bench", "list", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "one_to_many" in done.stdout
    assert "selectin" in done.stdout


def test_a_run_measures_and_stores_where_it_was_typed(installed: Path, tmp_path: Path) -> None:
    done = run(
        installed / "bench", "run", "--size", "5x2", "--quick", "--label", "wheel",
        cwd=tmp_path, BENCH_CACHE_DIR=str(tmp_path / "cache"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "results").iterdir()
    stored = record.load(folder)
    assert stored.status == "complete"
    assert stored.environment.packages["orm-loading-bench"] == "0.1.0"
    assert (folder / "report.html").stat().st_size > 0
    assert (folder / "report.md").stat().st_size > 0
    assert any((folder / "charts").glob("*.svg"))
