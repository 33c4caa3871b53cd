"""A load under pyinstrument: its call tree and its flame graph as files, and what each function's share of the time is.

pyinstrument looks at the stack at intervals, as functions begin and end; that costs time, and not every function the
same, so shares are estimates and no time that was taken under it is told. Loads are repeated until there are enough
samples.

An asynchronous driver waits in the event loop, whose stack knows nothing of the load: its samples are put under the
load's own stack, where it has switched away from its greenlet. pyinstrument has no public way to be told so: what is
private of it is used in this file alone, and a test fails loudly when it changes.
"""

from __future__ import annotations

import gc
import platform
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from bench.errors import BenchError
from bench.measure.calls import place_of
from bench.measure.timing import Load, Opened

INTERVAL_S = 0.001
"""Between two looks at the stack, at least."""

ENOUGH_SAMPLES = 1_000
"""From which on a share of a tenth is known to about a hundredth."""

MOST_LOADS = 200
"""For a load that is too short to be seen often."""

_NO_REQUESTS = (
    '<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:\">"
)
"""Has a browser ask for nothing: pyinstrument's page would fetch a font from elsewhere, and looks well without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A function's part of the sampled time, from 0 to 1: own, what it calls of Python taken out; and in all."""

    name: str
    place: str
    own: float
    whole: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flames:
    """What was sampled. shares: of every function that was seen, the hottest first."""

    loads: int
    samples: int
    shares: tuple[Share, ...]


def require_pyinstrument() -> None:
    """Raise BenchError where pyinstrument is not installed."""
    try:
        import pyinstrument  # noqa: F401
    except ImportError as error:
        raise BenchError(
            f"Flame graphs cannot be drawn by Python {platform.python_version()}: {error}.",
            remedy="Install what draws them with: pip install 'orm-loading-bench[flames]'.",
        ) from error


def sampled_load(
    opened: Opened, load: Load, *, html: Path, speedscope: Path, title: str, enough: int = ENOUGH_SAMPLES
) -> Flames:
    """Sample the load, which has to be warm, until there are enough samples; write its tree and its flame graph.

    The collector is as the interpreter has it. Raises BenchError where pyinstrument is not installed.
    """
    require_pyinstrument()
    import pyinstrument
    from pyinstrument.renderers import HTMLRenderer, SpeedscopeRenderer

    profiler = _profiler()
    gc.collect()  # once: it takes longer than a short load
    loads = 0
    while loads < MOST_LOADS and (loads == 0 or len(profiler.last_session.frame_records) < enough):
        _sample(profiler, opened, load, title)
        loads += 1
    session = profiler.last_session
    html.write_text(HTMLRenderer().render(session).replace('<meta charset="utf-8">', _NO_REQUESTS, 1), "utf-8")
    speedscope.write_text(SpeedscopeRenderer().render(session), "utf-8")
    below = [(_below(session.start_call_stack, stack), spent) for stack, spent in session.frame_records]
    own = Path(pyinstrument.__file__).parent
    stacks = [(stack, spent) for stack, spent in below if not _begins_in(own, stack)]  # else it was about to end
    return Flames(loads=loads, samples=len(stacks), shares=_shares(stacks))


def _sample(profiler: Any, opened: Opened, load: Load, title: str) -> None:
    """Run the load once under the profiler; what it returned is freed after."""
    with opened() as session:
        profiler.start(target_description=title.replace("</", "< /"))  # it stands in a script of the page
        try:
            result = load(session)
        finally:
            profiler.stop()
        del result


def _profiler() -> Any:
    """Return a profiler that puts what the event loop does while this greenlet waits under the load that waits."""
    from pyinstrument import Profiler

    greenlet: Any = sys.modules.get("greenlet")
    if greenlet is None or greenlet.getcurrent().parent is None:
        return Profiler(interval=INTERVAL_S, async_mode="disabled")
    own = greenlet.getcurrent()
    loop = _stack(own.parent.gr_frame)

    class Stitched(Profiler):
        def _sampler_saw_call_stack(self, call_stack: list[str], time_since_last_sample: float, state: Any) -> None:
            if greenlet.getcurrent() is not own:
                thread, *stack = call_stack
                call_stack = [thread, *_stack(own.gr_frame), *_below(loop, stack)]
            super()._sampler_saw_call_stack(call_stack, time_since_last_sample, state)

    return Stitched(interval=INTERVAL_S, async_mode="disabled")


def _stack(frame: FrameType | None) -> list[str]:
    """Return a stack as pyinstrument writes it, the outermost first."""
    from pyinstrument.low_level.stat_profile import get_frame_info

    stack = []
    while frame is not None:
        stack.append(get_frame_info(frame))
        frame = frame.f_back
    return stack[::-1]


def _below(outer: Sequence[str], stack: Sequence[str]) -> Sequence[str]:
    """Return what a stack has beyond the functions that it has in common with another, from the outermost on."""
    common = 0
    while common < min(len(outer), len(stack)) and _function(outer[common]) == _function(stack[common]):
        common += 1
    return stack[common:]


def _begins_in(folder: Path, stack: Sequence[str]) -> bool:
    """Whether the outermost function of a stack is of a module within a folder."""
    return bool(stack) and Path(_function(stack[0])[1]).is_relative_to(folder)


def _function(frame: str) -> tuple[str, str, int]:
    """Return a frame's function, its file and the line at which that begins."""
    name, file, line = frame.partition("\x01")[0].split("\x00")
    return name, file, int(line)


def _shares(stacks: Sequence[tuple[Sequence[str], float]]) -> tuple[Share, ...]:
    """Add up each function's time: once a stack, however often it is in it; C functions are their callers' own."""
    own: defaultdict[tuple[str, str, int], float] = defaultdict(float)
    whole: defaultdict[tuple[str, str, int], float] = defaultdict(float)
    for stack, spent in stacks:
        functions = [function for function in map(_function, stack) if not function[1].startswith("<built-in>")]
        for function in set(functions):
            whole[function] += spent
        if functions:
            own[functions[-1]] += spent
    in_all = sum(spent for _, spent in stacks) or 1.0
    found = [
        Share(name=name, place=place_of(file, line), own=own[name, file, line] / in_all, whole=spent / in_all)
        for (name, file, line), spent in whole.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.own, -one.whole, one.place, one.name)))
