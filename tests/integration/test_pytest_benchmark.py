"""The catalogue by pytest-benchmark, as a user runs it: a process of its own, and files that its `compare` reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.benchmarked import USUAL_ROUNDS, measure, seeded, wanted
from bench.catalogue import scenarios
from bench.errors import BenchError, GateFailed

ROOT = Path(__file__).parents[2]
SMALL = {"BENCH_SCENARIO": "one_to_many", "BENCH_SIZE": "20x5", "BENCH_STRATEGY": "lazy,selectin", "BENCH_ROUNDS": "2"}
LOADS_LESS = "tests/data/meddling.py:LOADS_LESS"


def run(folder: Path, *arguments: str, **asked: str) -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("BENCH_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env={**ours, "BENCH_CACHE_DIR": str(folder / "cache"), "COLUMNS": "120", **SMALL, **asked},
        capture_output=True,
        text=True,
        check=False,
    )


def benchmarks(file: Path) -> dict[str, dict[str, Any]]:
    """What was measured, by its name."""
    return {one["param"]: one for one in json.loads(file.read_text())["benchmarks"]}


def test_drivers_are_measured_alike_and_compared_by_the_real_tool(tmp_path: Path) -> None:
    files = {"pysqlite": tmp_path / "sync.json", "aiosqlite": tmp_path / "async.json"}
    for driver, file in files.items():
        ended = run(tmp_path, "--benchmark-only", f"--benchmark-json={file}", BENCH_DRIVER=driver)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "2 passed" in ended.stdout
        assert "skipped" not in ended.stdout  # nothing but benchmarks was collected

        found = benchmarks(file)
        counts = {name: (one["extra_info"]["statements"], one["extra_info"]["rows"]) for name, one in found.items()}
        assert counts == {"one_to_many-20x5-lazy": (21, 120), "one_to_many-20x5-selectin": (2, 120)}
        assert all(one["stats"]["rounds"] == 2 for one in found.values())
        assert all(one["extra_info"]["driver"].startswith(driver) for one in found.values())
        # What is timed is the load, and not the making of a coroutine, which takes a microsecond.
        assert found["one_to_many-20x5-lazy"]["stats"]["min"] > 100e-6

    compared = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", "compare", "--between=median", *map(str, files.values())],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "2 tests, 2 sources" in compared.stdout


class NeverAsked:
    """A fixture that is not to time anything."""

    group: str | None = None

    def __init__(self) -> None:
        self.extra_info: dict[str, Any] = {}

    def pedantic(self, target: Any, **_: Any) -> None:
        raise AssertionError(f"{target} was timed")


def test_a_strategy_that_loads_something_else_fails_and_is_never_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path))
    (plan,) = wanted({"BENCH_SCENARIO": f"{ROOT / LOADS_LESS}", "BENCH_SIZE": "20x5"}).plans

    with seeded(plan) as case, pytest.raises(GateFailed, match="fewer does not load the dataset's own graph"):
        measure(NeverAsked(), case, "fewer", rounds=1)


def test_wrong_usage_is_a_sentence_of_pytest_without_a_traceback(tmp_path: Path) -> None:
    ended = run(tmp_path, "tests/benchmarks", BENCH_ROUNDS="0")

    assert ended.returncode == 2
    assert "BENCH_ROUNDS: '0' is no number of rounds. Give a whole number, as 10." in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


def test_benchmarks_are_not_among_the_tests(tmp_path: Path) -> None:
    ended = run(tmp_path, "--collect-only", "tests", "--ignore=tests/unit", "--ignore=tests/integration")

    assert ended.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "no tests collected" in ended.stdout


def test_without_a_word_the_whole_catalogue_is_measured() -> None:
    found = wanted({})

    assert [plan.specs[0].scenario for plan in found.plans] == [scenario.name for scenario in scenarios()]
    assert found.rounds == USUAL_ROUNDS


def test_a_size_is_that_of_the_scenarios_that_take_as_many_numbers() -> None:
    sizes = {plan.specs[0].scenario: str(plan.specs[0].size) for plan in wanted({"BENCH_SIZE": "7x3"}).plans}

    assert sizes["one_to_many"] == "7x3"
    assert {len(size.split("x")) for size in sizes.values()} > {2}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"BENCH_SIZE": "bogus"}, "is no size of any of these scenarios"),
        ({"BENCH_SIZE": "10x5,20x5"}, "one size, one database and one driver"),
        ({"BENCH_SIZE": "10xmany"}, "is not a size"),
        ({"BENCH_DB": "postgres:16,postgres:18"}, "one size, one database and one driver"),
        ({"BENCH_DRIVER": "pysqlite,aiosqlite"}, "one size, one database and one driver"),
        ({"BENCH_DRIVER": "asyncpg"}, "None of asyncpg is a driver of sqlite"),
        ({"BENCH_SCENARIO": "one_to_mny"}, "one_to_many"),
        ({"BENCH_STRATEGY": "selectinn"}, "selectin"),
        ({"BENCH_ROUNDS": "many"}, "is no number of rounds"),
        ({"BENCH_ROUNDS": "9" * 5000}, "is no number of rounds"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence(asked: dict[str, str], says: str) -> None:
    with pytest.raises(BenchError, match=says) as raised:
        wanted({"BENCH_SCENARIO": "one_to_many", **asked})

    assert raised.value.remedy
