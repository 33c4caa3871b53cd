"""Progress on standard error: a bar that is redrawn on a terminal, plain lines elsewhere.

It draws when an event comes, between samples, and never from a thread of its own, which would run inside them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench.measure.events import (
    ArmObserved,
    CaseFinished,
    CaseStarted,
    Doubted,
    Event,
    Sampled,
    StageStarted,
)


class Face(Protocol):
    """Something that shows events."""

    def show(self, event: Event) -> None:
        """Show one event."""


@contextmanager
def face(*, quiet: bool, verbose: bool) -> Iterator[Face]:
    """Yield what fits: nothing when quiet (warnings excepted), a bar on a terminal, plain lines elsewhere."""
    console = Console(file=sys.stderr, highlight=False)
    if quiet:
        yield Quiet(console)
    elif console.is_terminal:
        with Bar(console) as bar:
            yield bar
    else:
        yield Lines(console, verbose=verbose)


def shown(events: Iterable[Event], to: Face) -> Iterator[Event]:
    """Pass events on, showing each."""
    for event in events:
        to.show(event)
        yield event


class Quiet:
    """Shows warnings only."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, event: Event) -> None:
        """Show a warning; let all else pass."""
        if isinstance(event, Doubted):
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
    """One line that is redrawn: the case, the stage, the round and the time left."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[left]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            auto_refresh=False,
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=None, left="")
        self._case, self._budget_s = "", 0.0

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
                self._draw("", done=0, of=None)
            case StageStarted():
                self._budget_s = 0.0
                self._draw(phrase(event), done=0, of=None)
            case ArmObserved():
                self._draw(f"observing {event.arm.name}", done=event.done, of=event.of)
            case Sampled():
                self._draw(where(event), *self._far(event), left=time_left(event))
            case _:
                pass

    def _far(self, event: Sampled) -> tuple[float, float]:
        """How far the timing has come, of how much: by the budget where there is one, else by rounds."""
        if event.left_s is not None:
            self._budget_s = max(self._budget_s, event.left_s)
            return self._budget_s - event.left_s, self._budget_s
        rounds = event.rounds or 1
        return (event.worker - 1) * rounds + event.round, event.workers * rounds

    def _draw(self, text: str, done: float, of: float | None, *, left: str = "") -> None:
        self._progress.update(
            self._task, description=f"{self._case} {text}".strip(), completed=done, total=of, left=left
        )
        self._progress.refresh()


def phrase(event: StageStarted) -> str:
    """Say what a stage does."""
    return f"{event.stage} {event.detail}".rstrip()


def where(event: Sampled) -> str:
    """Say where the sampling is."""
    return f"timing, worker {event.worker} of {event.workers}, round {event.round + 1}"


def time_left(event: Sampled) -> str:
    """Say how long it goes on, as far as that is known."""
    return "" if event.left_s is None else f"{event.left_s:.0f} s left"
