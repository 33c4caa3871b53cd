"""Doubts about a run's numbers: each one an enumerated code with what was seen and what to do about it."""

from __future__ import annotations

import os
import sys
import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from bench.model import Sampling, Warned
from bench.model.run import FEWEST_WORKERS
from bench.record.environment import read, sqlalchemy_is_compiled

BUSY_CORES = 0.25
"""Cores' worth of other processes' work from which on a machine counts as busy."""

WINDOW_S = 0.2
"""Seconds for which this process keeps still to see how much the others do."""

ENVIRONMENT_THAT_SLOWS = (
    "PYTHONDEVMODE",
    "PYTHONTRACEMALLOC",
    "PYTHONMALLOC",
    "PYTHONASYNCIODEBUG",
    "COVERAGE_PROCESS_START",
)
"""Variables that workers inherit and that make an interpreter slower than users have it."""

ADAPTIVE_DRIVERS = ("intel_pstate", "amd-pstate-epp")
"""Drivers under which the governor called powersave still raises the frequency on demand."""


class Code(StrEnum):
    """What a doubt is about. The plan, the sampling and the pipeline raise the last nine where they see them."""

    BUSY_MACHINE = "busy_machine"
    ON_BATTERY = "on_battery"
    POWERSAVE = "powersave"
    DEBUG_BUILD = "debug_build"
    WATCHED = "watched"
    NOT_COMPILED = "not_compiled"
    QUICK_LOOK = "quick_look"
    FEW_WORKERS = "few_workers"
    STRATEGY_LEFT_OUT = "strategy_left_out"
    SIZE_REPLACED = "size_replaced"
    WORKER_DIED = "worker_died"
    FORMULA = "formula"
    DATASET = "dataset"
    DATA_CHANGED = "data_changed"
    UNCOMMITTED = "uncommitted"
    NOT_PROFILED = "not_profiled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a measurement is about to be taken under; None where the system does not tell.

    busy_cores: cores' worth of work that other processes do. governor, driver: of the first core's frequency.
    watched_by: what slows the interpreter, by the names a user knows it by.
    """

    busy_cores: float | None = None
    on_battery: bool | None = None
    governor: str = ""
    driver: str = ""
    debug_build: bool = False
    compiled: bool = True
    watched_by: tuple[str, ...] = ()


def before_timing(sampling: Sampling, conditions: Conditions | None = None) -> tuple[Warned, ...]:
    """Return the doubts to tell before the first sample; looks at the machine unless the conditions are given."""
    return tuple(doubts(sampling, conditions or look()))


def doubts(sampling: Sampling, seen: Conditions) -> Iterator[Warned]:
    """Yield what is doubtful about taking these samples under these conditions."""
    yield from machine_doubts(seen)
    yield from interpreter_doubts(seen)
    yield from sampling_doubts(sampling)


def machine_doubts(seen: Conditions) -> Iterator[Warned]:
    """Yield what makes a machine's times drift."""
    if seen.busy_cores is not None and seen.busy_cores >= BUSY_CORES:
        yield warned(
            Code.BUSY_MACHINE,
            f"Other processes keep {seen.busy_cores:.1f} cores busy: intervals will be wide. "
            "Close what you can, or measure when the machine is idle.",
        )
    if seen.on_battery:
        yield warned(
            Code.ON_BATTERY, "The machine runs on its battery and may slow itself down at any moment. Plug it in."
        )
    if seen.governor == "powersave" and seen.driver not in ADAPTIVE_DRIVERS:
        yield warned(
            Code.POWERSAVE,
            "The processor is held at its lowest frequency: all times are longer than they need be. "
            "Set it free: sudo cpupower frequency-set -g performance.",
        )


def interpreter_doubts(seen: Conditions) -> Iterator[Warned]:
    """Yield what makes this interpreter another than the one that users run."""
    if seen.debug_build:
        yield warned(
            Code.DEBUG_BUILD,
            "This Python is a debug build, several times slower than a release and not evenly so. Use a release build.",
        )
    if seen.watched_by:
        yield warned(
            Code.WATCHED,
            f"The interpreter is watched ({', '.join(seen.watched_by)}): times would be the watcher's too. "
            "Switch it off and measure again.",
        )
    if not seen.compiled:
        yield warned(
            Code.NOT_COMPILED,
            "SQLAlchemy runs without its compiled extensions: loading is slower than with them. "
            "Install it from a wheel.",
        )


def sampling_doubts(sampling: Sampling) -> Iterator[Warned]:
    """Yield what too few samples cannot say."""
    if sampling.quick:
        yield warned(
            Code.QUICK_LOOK,
            "This is a quick look: no intervals, so no verdict. Measure without --quick before you decide by it.",
        )
    elif sampling.workers is not None and sampling.workers < FEWEST_WORKERS:
        yield warned(
            Code.FEW_WORKERS,
            f"{sampling.workers} of the {FEWEST_WORKERS} workers that an interval needs were asked for: there will be "
            f"none. Ask for --workers {FEWEST_WORKERS} or more.",
        )


def warned(code: Code, text: str) -> Warned:
    """Return the doubt as it is stored: with a plain string for its code."""
    return Warned(code=code.value, text=text)


def look() -> Conditions:
    """Return the conditions now; keeps still for `WINDOW_S`."""
    frequency = Path("/sys/devices/system/cpu/cpu0/cpufreq")
    return Conditions(
        busy_cores=busy_cores(),
        on_battery=on_battery(),
        governor=read(frequency / "scaling_governor").strip(),
        driver=read(frequency / "scaling_driver").strip(),
        debug_build=hasattr(sys, "gettotalrefcount"),
        compiled=sqlalchemy_is_compiled(),
        watched_by=watchers(os.environ),
    )


def busy_cores() -> float | None:
    """Return the cores' worth of work done while this process keeps still: others' work, and what a host takes away."""
    try:
        share = psutil.cpu_percent(interval=WINDOW_S) / 100
        return share * (psutil.cpu_count() or 1)
    except (OSError, RuntimeError):
        return None


def on_battery() -> bool | None:
    """Return whether the machine runs on its battery; None where it has none or the system does not tell."""
    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, RuntimeError):  # psutil lacks it on some systems, and fails on odd ones
        return None
    return None if battery is None or battery.power_plugged is None else not battery.power_plugged


def watchers(variables: Mapping[str, str]) -> tuple[str, ...]:
    """Return what watches or slows this interpreter, or will do so in the workers that inherit these variables."""
    here = {
        "a trace function, such as a debugger's or coverage's": sys.gettrace() is not None,
        "a profile function": sys.getprofile() is not None,
        "tracemalloc": tracemalloc.is_tracing(),
        "development mode": sys.flags.dev_mode,
    }
    inherited = (name for name in ENVIRONMENT_THAT_SLOWS if variables.get(name))
    return (*(name for name, holds in here.items() if holds), *monitoring_tools(), *inherited)


def monitoring_tools() -> Iterator[str]:
    """Yield the names of the tools that registered with sys.monitoring (Python 3.12 and later)."""
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is not None:
        yield from filter(None, (monitoring.get_tool(number) for number in range(6)))
