"""The catalogue by pytest-benchmark: `pytest --benchmark-only`. Among tests it is not collected.

BENCH_SCENARIO, BENCH_SIZE, BENCH_STRATEGY, BENCH_DB, BENCH_DRIVER and BENCH_ROUNDS say what is measured, each as the
option of `bench run` is written; docs/comparing.md says what these times are worth.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.benchmarked import Wanted, measure, seeded, wanted
from bench.case import CaseUnderWay
from bench.catalogue import find_scenario
from bench.errors import BenchError
from bench.plan import Plan


def asked() -> Wanted:
    try:
        return wanted(os.environ)
    except BenchError as error:
        raise pytest.Collector.CollectError(str(error)) from None  # which pytest shows as it is, without a traceback


WANTED = asked()
LOADS = [
    pytest.param(plan, strategy, id=f"{find_scenario(spec.scenario).name}-{spec.size}-{strategy}")
    for plan in WANTED.plans
    for spec in plan.specs
    for strategy in spec.strategies
]


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Iterator[CaseUnderWay]:
    """The case of a plan, up and seeded once for all of its strategies, which pytest puts one after another."""
    plan: Plan = request.param
    try:
        with seeded(plan) as up:
            yield up
    except BenchError as error:
        pytest.exit(f"Error: {error}", returncode=error.exit_code)


@pytest.mark.parametrize(("case", "strategy"), LOADS, indirect=["case"])
def test_load(benchmark: BenchmarkFixture, case: CaseUnderWay, strategy: str) -> None:
    measure(benchmark, case, strategy, rounds=WANTED.rounds)
