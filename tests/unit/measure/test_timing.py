import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bench.measure.memory import peak_bytes
from bench.measure.timing import set_aside, timed_load
from bench.model.run import TUNED_THRESHOLDS, Collector


@contextmanager
def nothing() -> Iterator[None]:
    yield None


def cycles(_: Any) -> list[list[Any]]:
    made = []
    for _number in range(20_000 + len(gc.get_objects()) // 2):  # a full collection waits for a quarter of what lives
        cycle: list[Any] = []
        cycle.append(cycle)
        made.append(cycle)
    return made


@pytest.mark.parametrize(
    ("collector", "enabled", "thresholds"),
    [("quiet", False, None), ("default", True, None), ("tuned", True, TUNED_THRESHOLDS)],
)
def test_the_collector_inside_the_clock_is_as_the_policy_says_and_as_before_afterwards(
    collector: Collector, enabled: bool, thresholds: tuple[int, int, int] | None
) -> None:
    before = gc.get_threshold()
    seen: list[Any] = []

    timed_load(nothing, lambda _: seen.append((gc.isenabled(), gc.get_threshold())), collector)

    assert seen == [(enabled, thresholds or before)]
    assert (gc.isenabled(), gc.get_threshold()) == (True, before)


def test_the_collector_is_restored_when_the_load_raises() -> None:
    before = gc.get_threshold()

    def fails(_: Any) -> None:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        timed_load(nothing, fails, "tuned")
    assert (gc.isenabled(), gc.get_threshold()) == (True, before)


def test_a_quiet_load_sees_no_collection_and_one_under_the_default_does() -> None:
    thresholds = gc.get_threshold()
    gc.set_threshold(100, 1, 1)
    try:
        quiet, default = timed_load(nothing, cycles, "quiet"), timed_load(nothing, cycles, "default")
    finally:
        gc.set_threshold(*thresholds)

    assert quiet.collections == 0
    assert default.collections > 0


def test_what_the_load_opens_is_closed_after_the_clock_has_stopped() -> None:
    order: list[str] = []

    @contextmanager
    def opened() -> Iterator[str]:
        order.append("open")
        yield "session"
        order.append("close")

    timed_load(opened, lambda source: order.append(f"load {source}"), "quiet")

    assert order == ["open", "load session", "close"]


def test_peak_memory_is_the_most_that_was_held_at_once() -> None:
    def load(_: Any) -> bytes:
        passing = bytes(3_000_000)
        del passing
        return bytes(1_000_000)

    assert 3_000_000 <= peak_bytes(nothing, load) < 3_100_000


def test_what_lives_before_the_loads_is_out_of_the_way_of_a_quiet_one_and_in_that_of_one_that_collects() -> None:
    seen: list[int] = []
    try:
        live = set_aside()
        for collector in ("quiet", "default", "tuned", "quiet"):
            timed_load(nothing, lambda _: seen.append(gc.get_freeze_count()), collector)
    finally:
        gc.unfreeze()

    assert live > 10_000
    quiet, default, tuned, again = seen
    assert (default, tuned) == (0, 0)
    assert min(quiet, again) > 0.9 * live


def test_what_a_load_leaves_behind_is_collected_though_what_was_there_is_set_aside() -> None:
    class Left:
        pass

    def leaves(_: Any) -> None:
        left = Left()
        left.itself = left  # type: ignore[attr-defined]
        remains.append(weakref.ref(left))

    remains: list[weakref.ref[Left]] = []
    try:
        set_aside()
        timed_load(nothing, leaves, "default")
        timed_load(nothing, leaves, "quiet")
        timed_load(nothing, lambda _: None, "quiet")
    finally:
        gc.unfreeze()

    assert [left() for left in remains] == [None, None]
