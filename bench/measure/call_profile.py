"""What a load calls, in one: counts, each function's share of the time, and the files to look at them with."""

from __future__ import annotations

import platform
from pathlib import Path

import sqlalchemy
from sqlalchemy import Engine
from sqlalchemy.util import has_compiled_ext

from bench.measure.calls import Called, calls_by_function
from bench.measure.flames import Share, require_pyinstrument, sampled_load
from bench.measure.timing import Load, Opened
from bench.measure.warming import warm_up
from bench.model.calls import CallProfile, FunctionCalls

MOST_FUNCTIONS = 150
"""Functions of a load that are kept: more than the half per mille of its time is in none of the others."""


def counted_calls(engine: Engine, opened: Opened, load: Load, *, stats: Path | None = None) -> tuple[Called, ...]:
    """Return the functions that one warm load calls; see `bench.measure.calls`."""
    warm_up(engine.dialect.driver, opened, load)
    return calls_by_function(opened, load, stats=stats)


def call_profile(engine: Engine, opened: Opened, load: Load, *, folder: Path, stem: str, title: str) -> CallProfile:
    """Count what the load calls, then sample it; write the files that begin with the stem into the folder.

    Raises BenchError where pyinstrument is not installed.
    """
    require_pyinstrument()
    html, speedscope = f"{stem}.html", f"{stem}.speedscope.json"
    stats = "" if engine.dialect.is_async else f"{stem}.pstats"  # in the greenlets of others time is not told apart
    called = counted_calls(engine, opened, load, stats=folder / stats if stats else None)
    flames = sampled_load(opened, load, html=folder / html, speedscope=folder / speedscope, title=title)
    return CallProfile(
        calls=sum(one.calls for one in called),
        versions=versions(),
        functions=_joined(called, flames.shares)[:MOST_FUNCTIONS],
        loads=flames.loads,
        samples=flames.samples,
        html=html,
        speedscope=speedscope,
        stats=stats,
    )


def versions() -> str:
    """Name what the number of calls depends on, beside the driver."""
    extensions = "with" if has_compiled_ext() else "without"  # type: ignore[no-untyped-call]
    return f"Python {platform.python_version()}, SQLAlchemy {sqlalchemy.__version__} {extensions} compiled extensions"


def _joined(called: tuple[Called, ...], shares: tuple[Share, ...]) -> tuple[FunctionCalls, ...]:
    """Put the two together by function: of those that were not sampled the time is 0."""
    calls = {(one.name, one.place): one.calls for one in called}
    sampled = [
        FunctionCalls(
            name=one.name,
            place=one.place,
            calls=calls.pop((one.name, one.place), None),
            own_share=one.own,
            share=one.whole,
        )
        for one in shares
    ]
    unseen = [
        FunctionCalls(name=name, place=place, calls=number, own_share=0.0, share=0.0)
        for (name, place), number in calls.items()
    ]
    return (*sampled, *unseen)
