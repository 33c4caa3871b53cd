"""Workers that take turns share a processor, and leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bench.measure.team import share_processor

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are bound to processors on Linux only")


@pytest.fixture
def processes() -> Iterator[list[int]]:
    started = [subprocess.Popen(["cat"], stdin=subprocess.PIPE) for _ in range(3)]  # noqa: S607 - waits for its input
    yield [one.pid for one in started]
    for one in started:
        one.communicate()


@linux
def test_all_of_a_team_run_on_one_of_the_processors_that_they_may_use(processes: list[int]) -> None:
    allowed = os.sched_getaffinity(0)

    processor = share_processor(processes)

    assert processor in allowed
    assert [os.sched_getaffinity(pid) for pid in processes] == [{processor}] * 3
    assert os.sched_getaffinity(0) == allowed


@linux
def test_a_worker_that_has_died_is_no_reason_to_fail_here(processes: list[int]) -> None:
    gone = subprocess.Popen(["true"])  # noqa: S607
    gone.wait()

    assert share_processor([*processes, gone.pid]) is None
