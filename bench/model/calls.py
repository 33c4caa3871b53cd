"""Calls: which functions a load calls, how often, and how much of its time is spent in each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCalls:
    """A Python function in a load.

    name: as its code has it (`_instance`). place: `sqlalchemy/orm/loading.py:1082`, from the folder that it is imported
    from, and the line that it begins at. calls: of one load, exact; a generator counts each time it goes on; None for
    one of the driver or the event loop, for how often those go on depends on when bytes arrive. own_share: the part of
    the sampled time that was spent in it, what it calls of Python taken out and of C not; share: with what it calls.
    Both from 0 to 1, and only estimates.
    """

    name: str
    place: str
    calls: int | None
    own_share: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallProfile:
    """The functions that one strategy's load calls.

    calls: of Python functions in one load whose statements are compiled and prepared, but those of the driver and the
    event loop; for the same versions equal in any process. versions: those that it holds for. functions: the hottest
    first, no more than a report has room for. loads, samples: how many loads were sampled, and how often. html,
    speedscope, stats: files in the profile's folder, relative to it: the call tree, the flame graph as
    https://www.speedscope.app reads it, and cProfile's statistics as `pstats` does; empty where there is none.
    """

    calls: int
    versions: str
    functions: tuple[FunctionCalls, ...] = ()
    loads: int = 0
    samples: int = 0
    html: str = ""
    speedscope: str = ""
    stats: str = ""
