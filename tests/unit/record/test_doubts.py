from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from bench.model import Sampling
from bench.record.warnings import ADAPTIVE_DRIVERS, Code, Conditions, before_timing, busy_cores, look, watchers

ROOT = Path(__file__).parents[3]
ENOUGH = Sampling(seed=1, budget_s=60.0)
CALM = Conditions(busy_cores=0.0, on_battery=False, governor="performance")


def codes(sampling: Sampling = ENOUGH, seen: Conditions = CALM) -> list[str]:
    return [warned.code for warned in before_timing(sampling, seen)]


def test_nothing_is_doubted_on_a_calm_machine() -> None:
    assert codes() == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Conditions(busy_cores=1.5), Code.BUSY_MACHINE),
        (Conditions(on_battery=True), Code.ON_BATTERY),
        (Conditions(governor="powersave", driver="acpi-cpufreq"), Code.POWERSAVE),
        (Conditions(debug_build=True), Code.DEBUG_BUILD),
        (Conditions(watched_by=("tracemalloc",)), Code.WATCHED),
        (Conditions(compiled=False), Code.NOT_COMPILED),
    ],
)
def test_each_bad_condition_is_told_once_with_advice(seen: Conditions, code: Code) -> None:
    (warned,) = before_timing(ENOUGH, seen)
    assert warned.code == code
    assert warned.text.count(". ") >= 1  # what was seen, then what to do


@pytest.mark.parametrize("driver", ADAPTIVE_DRIVERS)
def test_a_powersave_governor_that_follows_demand_is_no_doubt(driver: str) -> None:
    assert codes(seen=Conditions(governor="powersave", driver=driver)) == []


def test_what_a_system_does_not_tell_is_no_doubt() -> None:
    assert codes(seen=Conditions()) == []


def test_a_quick_look_is_told_and_nothing_is_said_of_its_workers() -> None:
    assert codes(Sampling(seed=1, budget_s=2.0, workers=1, quick=True)) == [Code.QUICK_LOOK]


@pytest.mark.parametrize(("workers", "told"), [(1, [Code.FEW_WORKERS]), (4, [Code.FEW_WORKERS]), (5, []), (None, [])])
def test_fewer_than_five_fixed_workers_are_told(workers: int | None, told: list[Code]) -> None:
    assert codes(Sampling(seed=1, budget_s=None, workers=workers, rounds=3)) == told


def test_variables_that_workers_inherit_are_noticed() -> None:
    found = watchers({"PYTHONDEVMODE": "1", "PYTHONTRACEMALLOC": "", "HOME": "/"})
    assert "PYTHONDEVMODE" in found
    assert not {"PYTHONTRACEMALLOC", "HOME"} & set(found)


def test_a_trace_function_is_noticed() -> None:
    before = sys.gettrace()
    sys.settrace(lambda *_: None)
    try:
        assert any("trace function" in found for found in watchers({}))
    finally:
        sys.settrace(before)


def test_this_machine_can_be_looked_at() -> None:
    assert isinstance(look(), Conditions)
    cores = busy_cores()
    assert cores is None or cores >= 0


def test_every_doubt_told_anywhere_in_the_harness_has_its_code_here() -> None:
    told = set()
    for path in (ROOT / "bench").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Warned":
                told |= {
                    keyword.value.value
                    for keyword in node.keywords
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
                }
    assert told
    assert told <= {code.value for code in Code}
