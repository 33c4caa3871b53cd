"""Python calls of a load: counted exactly, and the same in every process."""

from __future__ import annotations

import gc
import os
import pstats
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

from support.command import ROOT

from bench.measure.calls import Called, calls_by_function, place_of, python_calls

greenlet: Any = import_module("greenlet")  # it has no types

IN_A_FRESH_PROCESS = """
from sqlalchemy.orm import Session
from support.library import library
from bench.measure.calls import calls_by_function
from scenarios.one_to_many import ONE_TO_MANY

engine = library(3, 5, 1, 4, 2)
for strategy in ONE_TO_MANY.strategies[:4]:
    for _ in range(3):
        found = calls_by_function(lambda: Session(engine), lambda session: ONE_TO_MANY.load(session, strategy))
    print(strategy.name, sum(one.calls for one in found), found)
"""


def leaf() -> None:
    pass


def fibonacci(number: int) -> int:
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)


def numbers(count: int) -> Iterator[int]:
    yield from range(count)


def load(_: Any) -> None:
    for _each in range(7):
        leaf()
    fibonacci(5)
    sum(numbers(4))


def by_name(found: tuple[Called, ...]) -> dict[str, int]:
    return {one.name: one.calls for one in found}


def test_every_call_of_a_python_function_counts_and_a_generator_each_time_that_it_goes_on() -> None:
    found = calls_by_function(nullcontext, load)

    assert by_name(found) == {"fibonacci": 15, "leaf": 7, "numbers": 5, "load": 1}
    assert [one.name for one in found] == ["fibonacci", "leaf", "numbers", "load"]
    assert python_calls(nullcontext, load) == 28


def test_a_function_is_named_by_where_it_begins_whatever_the_machine() -> None:
    (leaf_called,) = (one for one in calls_by_function(nullcontext, load) if one.name == "leaf")

    assert leaf_called.place == place_of(__file__, leaf.__code__.co_firstlineno)
    assert not leaf_called.place.startswith("/")


def test_what_the_collector_calls_is_not_counted() -> None:
    def called_back(_phase: str, _info: Any) -> None:
        leaf()

    def makes_garbage(_: Any) -> None:
        for _each in range(5_000):
            cycle: list[Any] = []
            cycle.append(cycle)

    gc.callbacks.append(called_back)
    try:
        found = calls_by_function(nullcontext, makes_garbage)
    finally:
        gc.callbacks.remove(called_back)

    assert by_name(found) == {"makes_garbage": 1}
    assert gc.isenabled()


def test_what_another_greenlet_does_while_the_load_waits_is_not_counted() -> None:
    def waits(_: Any) -> None:
        for _each in range(3):
            greenlet.getcurrent().parent.switch()
            leaf()

    counted: list[tuple[Called, ...]] = []
    waiting = greenlet.greenlet(lambda: counted.append(calls_by_function(nullcontext, waits)))
    waiting.switch()
    while not waiting.dead:
        fibonacci(5)
        waiting.switch()

    assert by_name(counted[0]) == {"leaf": 3, "waits": 1}
    assert greenlet.gettrace() is None


def test_the_statistics_are_those_that_pstats_reads(tmp_path: Path) -> None:
    calls_by_function(nullcontext, load, stats=tmp_path / "load.pstats")

    stats: Any = pstats.Stats(str(tmp_path / "load.pstats"))
    calls = {name: called for (_, _, name), (_, called, *_) in stats.stats.items()}
    assert (calls["fibonacci"], calls["leaf"]) == (15, 7)


def test_fresh_processes_with_other_hash_seeds_call_the_same_functions_as_often() -> None:
    def counted(seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
        return subprocess.run(
            [sys.executable, "-c", IN_A_FRESH_PROCESS], env=environment, check=True, capture_output=True, text=True
        ).stdout

    first, second = counted("1"), counted("2")

    assert first == second
    assert first.count("_instance") >= 4
