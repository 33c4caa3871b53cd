"""What loads call, as text: how many Python functions, the hottest of them side by side, and where the files are."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from tabulate import tabulate

from bench.model.calls import CallProfile, FunctionCalls
from bench.model.profile import Looked
from bench.report.units import counted, listed, share_text

HOTTEST = 12
"""Functions that are shown, of those that are hottest in any of the strategies."""

FUNCTION_COLUMN = 42
"""Columns that the names of functions take."""

CELL = 17
"""Columns that a strategy takes, at least: a share and a number of calls."""

Function = tuple[str, str]
"""A function's name and place."""


def calls_text(looks: Sequence[Looked], *, width: int) -> str:
    """Return what the strategies on one target call, side by side; empty where it was not looked at."""
    found = [(looked.strategy, looked.calls) for looked in looks if looked.calls is not None]
    if not found:
        return ""
    hottest = hottest_functions([calls for _, calls in found])
    widest = max(CELL, *(len(strategy) for strategy, _ in found))
    fitting = max(1, (width - FUNCTION_COLUMN) // (widest + 2))
    blocks = [_table(found[start : start + fitting], hottest) for start in range(0, len(found), fitting)]
    wrapped = [
        line
        for note in _notes(found)
        for line in textwrap.wrap(note, width, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
    ]
    return "\n\n".join([*blocks, "\n".join(wrapped)])


def hottest_functions(profiles: Sequence[CallProfile], most: int = HOTTEST) -> list[Function]:
    """Return the functions in which most of the time is spent in any of the profiles, the hottest first."""
    heat: dict[Function, float] = {}
    for profile in profiles:
        for one in profile.functions:
            heat[one.name, one.place] = max(heat.get((one.name, one.place), 0.0), one.own_share)
    return sorted((function for function in heat if heat[function]), key=lambda one: (-heat[one], one))[:most]


def _table(found: Sequence[tuple[str, CallProfile]], hottest: Sequence[Function]) -> str:
    by_function = [{(one.name, one.place): one for one in calls.functions} for _, calls in found]
    rows = [[_named(function), *(_cell(own.get(function)) for own in by_function)] for function in hottest]
    rows.append(["all Python calls", *(f"{calls.calls:,}" for _, calls in found)])
    return tabulate(
        rows,
        headers=["own time, calls", *(strategy for strategy, _ in found)],
        colalign=["left", *["right"] * len(found)],
        tablefmt="simple",
        disable_numparse=True,
    )


def _named(function: Function) -> str:
    """Return a function with as much of the end of its place as there is room for."""
    name, place = function
    room = FUNCTION_COLUMN - len(name) - 1
    ends = ("/".join(place.split("/")[-2:]), place.rpartition("/")[2], place.rpartition(":")[2])
    end = next((end for end in ends if len(end) <= room), "")
    return f"{name} {end}".rstrip() if len(name) <= FUNCTION_COLUMN else f"{name[: FUNCTION_COLUMN - 1]}…"


def _cell(one: FunctionCalls | None) -> str:
    if one is None:
        return ""
    calls = "" if one.calls is None else f"{one.calls:,}"
    return f"{share_text(one.own_share)} {calls:>9}"


def _notes(found: Sequence[tuple[str, CallProfile]]) -> Iterator[str]:
    samples = listed([f"{counted(one.samples, 'sample')} ({strategy})" for strategy, one in found])
    yield (
        f"Calls are exact, for {found[0][1].versions}; those of the driver and the event loop depend on when bytes "
        "arrive and are not counted."
    )
    yield f"Shares of the time are estimates, from {samples}: being looked at costs some functions more than others."
    yield "Call trees, and flame graphs for https://www.speedscope.app, beside profile.json:"
    yield from (f"  {file}" for _, one in found for file in (one.html, one.speedscope, one.stats) if file)
