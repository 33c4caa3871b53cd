"""Progress on standard error: a bar that is redrawn on a terminal, plain lines elsewhere.

It draws when an event comes, between samples, and never from a thread of its own, which would run inside them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from bench.measure.events import (
    ArmObserved,
    CaseFinished,
    CaseStarted,
    Doubted,
    Event,
    Provisioning,
    Sampled,
    StageStarted,
)

SAID_ONCE = frozenset(
    {"busy_machine", "on_battery", "powersave", "debug_build", "watched", "not_compiled", "quick_look"}
)
"""Doubts that hold for the machine or the run: said for the first case, and kept with each."""

BAR_COLUMNS = 20
WIDE_ENOUGH = 72
"""Columns of the bar, and of a terminal that has room for it; a narrower one shows the words alone."""


IN_MINUTES_S = 100
"""Seconds from which a guess is told in minutes."""


class Face(Protocol):
    """Something that shows events."""

    def show(self, event: Event) -> None:
        """Show one event."""


@contextmanager
def face(*, quiet: bool, verbose: bool, console: Console | None = None) -> Iterator[Face]:
    """Yield what fits: nothing when quiet (warnings excepted), a bar on a terminal that can redraw, lines elsewhere."""
    console = console or Console(file=sys.stderr, highlight=False)
    if quiet:
        yield Quiet(console)
    elif console.is_terminal and not console.is_dumb_terminal and not verbose:
        with Bar(console) as bar:
            yield bar
    else:
        yield Lines(console, verbose=verbose)


class Quiet:
    """Shows warnings only."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: set[str] = set()

    def show(self, event: Event) -> None:
        """Show a warning, one that holds for more than its case once only; let all else pass."""
        if isinstance(event, Doubted) and event.warning.code not in self._said:
            self._said |= {event.warning.code} & SAID_ONCE
            self._console.print(f"Warning: {event.warning.text}", style="yellow", markup=False, soft_wrap=True)


class Lines(Quiet):
    """A line for every stage, and with `verbose` for every round."""

    def __init__(self, console: Console, *, verbose: bool) -> None:
        super().__init__(console)
        self._verbose = verbose
        self._round = (0, 0)

    def show(self, event: Event) -> None:
        """Print a line where the event is worth one."""
        super().show(event)
        match event:
            case CaseStarted():
                self._line(f"Case {event.number} of {event.of}: {event.spec.scenario} {event.spec.size}")
            case StageStarted():
                self._line(f"  {phrase(event)}")
            case ArmObserved() if event.arm.error or self._verbose:
                self._line(f"  {event.done} of {event.of} {event.arm.name}: {event.arm.error or 'equal work'}")
            case Provisioning() if self._verbose:
                self._line(f"  {fresh(event)}")
            case Sampled() if (event.worker, event.round) != self._round:
                if event.round == 0 or self._verbose:
                    self._line(f"  {where(event)}")
                self._round = (event.worker, event.round)
            case CaseFinished():
                self._line(f"  done: {event.case.status}")
            case _:
                pass

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


class Bar(Quiet):
    """One line that is redrawn: the case, the stage, the round, the time left and the time since the run began.

    The gate's pairs are many and short: of these it shows the pair, and about how long all cases go on together.
    """

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(console)
        self._clock, self._began_s = clock, clock()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            *([BarColumn(bar_width=BAR_COLUMNS)] if console.width >= WIDE_ENOUGH else []),
            TextColumn("{task.fields[facts]}", markup=False),
            console=console,
            auto_refresh=False,
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=None, facts="")
        self._case = ""
        self._pace = StagePace(clock)
        self._whole = WholePace(clock)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._progress.stop()

    def show(self, event: Event) -> None:
        """Redraw the line."""
        super().show(event)
        match event:
            case CaseStarted():
                self._case = f"{event.number}/{event.of} {event.spec.scenario} {event.spec.size}"
                self._whole.begin(event)
                self._stage_begins("")
            case StageStarted():
                self._stage_begins(phrase(event))
            case ArmObserved():
                self._draw(f"observing {event.arm.name}", done=event.done, of=event.of)
            case Provisioning():
                self._draw(fresh(event), done=self._pace.done, of=self._pace.of or None)
            case Sampled():
                self._pace.see(event)
                self._draw("timing", whereabouts(event), self._left(event), done=self._pace.done, of=self._pace.of)
            case _:
                pass

    def _left(self, event: Sampled) -> str:
        return self._pace.left(event) if event.unit == "worker" else self._whole.left(self._pace.left_s(event))

    def _stage_begins(self, text: str) -> None:
        """Begin a bar of its own: rich holds one that was full for finished, and cannot make it unmeasured again."""
        self._pace = StagePace(self._clock)
        self._progress.remove_task(self._task)
        self._task = self._progress.add_task("", total=None, facts="")
        self._draw(text, done=0, of=None)

    def _draw(self, text: str, *facts: str, done: float, of: float | None) -> None:
        elapsed = str(timedelta(seconds=int(self._clock() - self._began_s)))
        told = " ".join(filter(None, (*facts, elapsed)))
        width = self._progress.console.width
        if len(told) >= width:  # a space stands before it, whatever the description
            told = " ".join(filter(None, facts))
        taken = len(told) + 1 + (BAR_COLUMNS + 1) * (len(self._progress.columns) > 2)
        description = shortened(f"{self._case} {text}".strip(), width - taken)
        self._progress.update(self._task, description=description, completed=done, total=of, facts=told)
        self._progress.refresh()


class StagePace:
    """How far the timing of a case has come, and how long it goes on: by its budget, else by the pace so far."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._began_s = clock, clock()
        self.done, self.of = 0.0, 0.0
        self._left_s: float | None = None
        self._left_at_s = self._began_s

    def see(self, event: Sampled) -> None:
        """Take in how far it has come."""
        if event.left_s is not None:
            self.of = max(self.of, event.left_s)
            self.done = self.of - event.left_s
        elif event.rounds is not None:
            done = (event.worker - 1) * event.rounds + event.round
            self.of = event.workers * event.rounds
            if done > self.done:
                self._left_at_s = self._clock()
                self._left_s = (self._left_at_s - self._began_s) / done * (self.of - done)
            self.done = done

    def left_s(self, event: Sampled) -> float | None:
        """Return how long it goes on; None before the first round of several has told."""
        left_s = event.left_s
        if left_s is None and self._left_s is not None:
            left_s = self._left_s - (self._clock() - self._left_at_s)
        return None if left_s is None else max(0.0, left_s)

    def left(self, event: Sampled) -> str:
        """Say how long it goes on, or nothing before that is known."""
        left_s = self.left_s(event)
        return "" if left_s is None else f"{left_s:.0f} s left"


class WholePace:
    """How long all cases go on together, where the timing of each takes about as long: by those that have begun."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._began_s = clock, clock()
        self._number, self._of = 1, 1

    def begin(self, event: CaseStarted) -> None:
        """Take in that a case begins; from the first of them the time is taken."""
        if event.number == 1:
            self._began_s = self._clock()
        self._number, self._of = event.number, event.of

    def left(self, of_case_s: float | None) -> str:
        """Say how long it goes on, or nothing before that is known of the case under way."""
        if of_case_s is None:
            return ""
        begun_s = self._clock() - self._began_s + of_case_s  # what the cases up to this one take
        left_s = of_case_s + begun_s / self._number * (self._of - self._number)
        return f"about {left_s:.0f} s left" if left_s < IN_MINUTES_S else f"about {left_s / 60:.0f} min left"


def phrase(event: StageStarted) -> str:
    """Say what a stage does."""
    return f"{event.stage} {event.detail}".rstrip()


def fresh(event: Provisioning) -> str:
    """Say for whom servers are brought up."""
    return f"fresh servers for worker {event.worker} of {event.workers}"


def where(event: Sampled) -> str:
    """Say where the sampling is, in full."""
    rounds = f"{event.round}" if event.rounds is None else f"{event.round} of {event.rounds}"
    done = f", {rounds} round{'' if (event.rounds or event.round) == 1 else 's'} done" if event.round else ""
    return f"timing, {event.unit} {event.worker} of {event.workers}{done}"


def whereabouts(event: Sampled) -> str:
    """Say where the sampling is in few columns; rounds are those that are complete."""
    if event.unit != "worker":
        return f"{event.unit} {event.worker}/{event.workers}"
    rounds = f"{event.round}" if event.rounds is None else f"{event.round}/{event.rounds}"
    return f"worker {event.worker}/{event.workers} rounds {rounds}"


def shortened(text: str, columns: int) -> str:
    """Return a text of at most so many columns, its end cut off where it is longer."""
    if len(text) <= columns:
        return text
    return f"{text[: columns - 3].rstrip()}..." if columns > 3 else ""
