"""The plugin of pytest, as a test suite of an application meets it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from support.command import ROOT

FAILING = """
from sqlalchemy import create_engine, text

engine = create_engine("sqlite://")


def query():
    with engine.connect() as connection:
        return connection.execute(text("SELECT 1")).all()


def test_held(count_statements):
    with count_statements(engine, exactly=1, rows_exactly=1) as seen:
        query()
    assert seen.statements == 1


def test_not_held(count_statements):
    with count_statements(engine, exactly=2):
        query()


def test_does_not_scale(assert_scaling, assert_scaling_async):
    assert_scaling(lambda size: [query() for _ in range(size)], engine)
"""

IDLE = """
import sys


def test_idle(pytestconfig):
    assert pytestconfig.pluginmanager.has_plugin("bench-testing") or "bench.testing.plugin" in sys.modules
    heavy = {"sqlalchemy", "matplotlib", "scipy", "numpy", "jinja2", "rich", "msgspec", "psutil", "sqlparse"}
    assert not heavy & set(sys.modules)
"""


def run(folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    """Run a test file as an application's, with nothing but the plugin."""
    (folder / "test_app.py").write_text(source)
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    words = ["-q", "-p", "bench.testing.plugin", "-p", "no:cacheprovider", "--rootdir", str(folder), "test_app.py"]
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=folder,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_fixtures_count_and_a_failure_ends_at_the_line_of_the_block(tmp_path: Path) -> None:
    done = run(tmp_path, FAILING)

    assert "2 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "1 statement was sent, exactly 2 expected." in done.stdout
    assert "Statements grow with the size: 2 at 2, 5 at 5." in done.stdout
    assert "test_app.py:9  return connection.execute" in done.stdout
    assert "bench/testing" not in done.stdout  # no frame of ours stands in the way


def test_a_suite_that_counts_nothing_loads_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, IDLE)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_plugin_is_named_for_whoever_installs_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert list(project["entry-points"]["pytest11"].values()) == ["bench.testing.plugin"]
