"""Models of published applications, loaded by the command as a user would; `make test-apps` has them installed.

No name of theirs stands in the harness. The counts are worked out by hand from what the strategies are documented to
send, not by the harness's formulas. A run compares every strategy's objects with the dataset's rows first, and reports
one that loads something else as wrong.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).parent


class Expected(NamedTuple):
    """A scenario, its size, and the statements and rows of its strategies."""

    scenario: str
    size: str
    counts: dict[str, tuple[int, int]]


EXPECTED = [
    Expected(
        "optuna_loading.py:TRIALS",
        "6x4",
        {
            "lazy": (1 + 6 + 6, 6 + 24 + 24),
            "selectin+selectin": (3, 6 + 24 + 24),
            "joined+joined": (1, 6 * 4 * 4),
            "subquery+subquery": (3, 6 + 24 + 24),
        },
    ),
    Expected(
        "mlflow_loading.py:RUNS",
        "6x4",
        {
            "lazy": (1 + 6 + 6 + 6, 6 + 24 + 24 + 6),
            "selectin+selectin+joined": (3, 6 + 24 + 24),
            "selectin+selectin+selectin": (4, 6 + 24 + 24 + 6),
            "joined+joined+joined": (1, 6 * 4 * 4),
        },
    ),
    Expected(
        "mlflow_loading.py:TRACES",
        "6x4x3",
        {
            "lazy": (1 + 6 + 24 + 6, 6 + 24 + 72 + 24),
            "selectin+selectin+selectin": (4, 6 + 24 + 72 + 24),
            "joined+joined+joined": (1, 6 * (4 * 3) * 4),
            "selectin+joined+selectin": (3, 6 + 72 + 24),
        },
    ),
    Expected(
        "jupyterhub_loading.py:USERS",
        "6x4",
        {  # three relationships beside the paths are configured as selectin: a statement each, of no row
            "lazy": (1 + 6 + 6 + 3, 6 + 24 + 24),
            "selectin+selectin": (3 + 3, 6 + 24 + 24),
            "joined+joined": (1 + 3, 6 * 4 * 4),
        },
    ),
    Expected(
        "jupyterhub_loading.py:CLIENTS",
        "6x4",
        {
            "lazy": (1 + 6 + 6, 6 + 24 + 24),
            "selectin+selectin": (3, 6 + 24 + 24),
            "joined+selectin": (2, 24 + 24),
        },
    ),
]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda one: one.scenario)
def test_a_published_applications_models_are_loaded_with_the_counts_that_follow_from_its_rows(
    expected: Expected, tmp_path: Path
) -> None:
    asked = [f"--scenario={HERE / expected.scenario}", f"--size={expected.size}", "--workers=1", "--rounds=1"]
    command = [sys.executable, "-m", "bench", "run", *asked, f"--strategy={','.join(expected.counts)}"]
    done = subprocess.run(
        [*command, "--results=results"],
        cwd=tmp_path,
        env={**os.environ, "BENCH_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "results").glob("*/run.json")
    (case,) = json.loads(file.read_text())["cases"]
    arms = [arm for arm in case["arms"] if arm["kind"] == "strategy"]
    counted = {arm["name"]: (arm["counters"]["statements"], arm["counters"]["rows"]) for arm in arms}
    assert counted == expected.counts
    assert not [warning["text"] for warning in case["warnings"] if warning["code"] == "formula"]
