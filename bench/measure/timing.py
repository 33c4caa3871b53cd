"""One timed load: what is inside the clock, what is outside, and what the garbage collector may do meanwhile."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from time import perf_counter_ns, process_time_ns
from typing import Any

from bench.model.run import TUNED_THRESHOLDS, Collector

Load = Callable[[Any], Any]
Opened = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One sample. wall_ns, cpu_ns: the load. collections: full collections inside the clock.

    freeing_ns, collecting_ns: what the same request spent outside the clock on dropping the result and on
    `gc.collect()`: the part of the harness's time that any honest loop would have to spend.
    """

    wall_ns: int
    cpu_ns: int
    collections: int
    freeing_ns: int
    collecting_ns: int


def timed_load(opened: Opened, load: Load, collector: Collector) -> Timed:
    """Time `load` of what `opened` gives, with the collector under the policy; all else happens off the clock.

    What `set_aside` took is put back for a policy that collects, for it is what a collection goes through.
    """
    if collector == "quiet" or not gc.get_freeze_count():
        return _timed(opened, load, collector)
    gc.unfreeze()
    try:
        timed = _timed(opened, load, collector)
    finally:
        aside_from = perf_counter_ns()
        set_aside()
        aside_ns = perf_counter_ns() - aside_from
    return replace(timed, collecting_ns=timed.collecting_ns + aside_ns)


def set_aside() -> int:
    """Take all that lives now out of the collector's sight, and return how many objects that are.

    A process that has imported SQLAlchemy has some 70,000 of them. With the collector off inside the clock, to go
    through them before each sample serves nothing, takes ten times as long as a small load, and leaves the processor's
    caches full of what no load needs.
    """
    gc.unfreeze()
    gc.collect()
    live = len(gc.get_objects())
    gc.freeze()
    return live


def _timed(opened: Opened, load: Load, collector: Collector) -> Timed:
    thresholds = gc.get_threshold()
    with opened() as source:
        collect_from = perf_counter_ns()
        gc.collect()
        collecting_ns = perf_counter_ns() - collect_from
        full_before = _full_collections()
        _set(collector)
        try:
            cpu_from, wall_from = process_time_ns(), perf_counter_ns()
            result = load(source)
            wall_ns, cpu_ns = perf_counter_ns() - wall_from, process_time_ns() - cpu_from
            collections = _full_collections() - full_before
            # Freeing a large result with the collector on would start collections that nobody asked for.
            gc.disable()
            free_from = perf_counter_ns()
            del result
        finally:
            gc.set_threshold(*thresholds)
            gc.enable()
    freeing_ns = perf_counter_ns() - free_from
    return Timed(
        wall_ns=wall_ns,
        cpu_ns=cpu_ns,
        collections=collections,
        freeing_ns=freeing_ns,
        collecting_ns=collecting_ns,
    )


def _set(collector: Collector) -> None:
    match collector:
        case "quiet":
            gc.disable()
        case "default":
            gc.enable()
        case "tuned":
            gc.set_threshold(*TUNED_THRESHOLDS)
            gc.enable()


def _full_collections() -> int:
    return int(gc.get_stats()[-1]["collections"])
