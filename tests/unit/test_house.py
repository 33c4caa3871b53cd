"""The house stands as it was drawn: who imports whom, what is packaged, what a worker loads."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())

WORKER_MAY_LOAD = {"bench", "sqlalchemy", "greenlet", "typing_extensions"}

HEAVY = {"sqlalchemy", "matplotlib", "scipy", "numpy", "jinja2", "rich", "msgspec", "psutil"}


def modules_of(module: str) -> dict[str, str]:
    """What a fresh interpreter loads for a module: names with the files that they came from."""
    program = (
        "import importlib, json, sys; before = set(sys.modules); importlib.import_module(sys.argv[1]); "
        "loaded = sys.modules; "
        "print(json.dumps({name: getattr(loaded[name], '__file__', None) or '' for name in set(loaded) - before}))"
    )
    asked = subprocess.run(
        [sys.executable, "-c", program, module], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(asked.stdout)
    return found


def loaded_by(module: str) -> set[str]:
    """Top-level names of what a fresh interpreter loads for a module from here or from installed packages."""
    return {
        name.partition(".")[0]
        for name, file in modules_of(module).items()
        if "site-packages" in file or Path(file).is_relative_to(ROOT / "bench")
    }


def test_nobody_imports_what_the_house_forbids() -> None:
    asked = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stdout + asked.stderr


@pytest.mark.parametrize("half", ["bench.worker", "bench.observer"])
def test_a_worker_loads_the_standard_library_and_sqlalchemy_alone(half: str) -> None:
    assert loaded_by(half) <= WORKER_MAY_LOAD


def test_a_worker_that_takes_times_has_no_observer() -> None:
    measuring = {name for name in modules_of("bench.worker") if name.startswith("bench.measure.")}

    assert measuring == {f"bench.measure.{name}" for name in ("floor", "protocol", "snapshot", "timing", "warming")}


@pytest.mark.parametrize("module", ["bench", "bench.cli", "bench.testing.plugin"])
def test_the_public_names_the_command_line_and_the_plugin_load_nothing_heavy(module: str) -> None:
    assert not loaded_by(module) & HEAVY


def test_drawing_a_stored_run_loads_no_sqlalchemy() -> None:
    assert "sqlalchemy" not in loaded_by("bench.report.write") | loaded_by("bench.reduce")


def test_every_package_is_named_for_the_wheel() -> None:
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for name in ("bench", "scenarios")
        for path in (ROOT / name).rglob("__init__.py")
    }
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found


def test_every_file_that_is_no_python_is_named_for_the_wheel() -> None:
    named = {
        path
        for package, patterns in PROJECT["tool"]["setuptools"]["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern.replace("**", "**/*"))
    }
    found = {
        path
        for name in ("bench", "scenarios")
        for path in (ROOT / name).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }
    assert found <= named


def test_every_dependency_is_pinned_and_no_pin_is_an_address() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    project = PROJECT["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {requirement_name(requirement) for requirement in wanted} - {project["name"]}
    assert names <= set(pins)
    assert all(version[0].isdigit() and " @ " not in version for version in pins.values())
    assert list(pins) == sorted(pins)


def requirement_name(requirement: str) -> str:
    return requirement.replace("<", ">").partition(">")[0].partition("[")[0].strip()
