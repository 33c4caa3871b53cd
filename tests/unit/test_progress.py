"""What is shown of a run while it goes on, drawn from events made by hand."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from bench.measure.events import CaseStarted, Doubted, Event, Sampled, StageStarted, Unit
from bench.model import CaseSpec, DatasetOptions, Size, Warned, parse_target
from bench.progress import Bar, Lines, Quiet, face

CASE = CaseStarted(
    number=2,
    of=12,
    spec=CaseSpec(
        scenario="one_to_many", size=Size(counts=(1000, 50)), targets=(parse_target("sqlite"),), strategies=("lazy",),
        dataset=DatasetOptions(seed=1),
    ),
)  # fmt: skip
SEEDING = StageStarted(stage="seeding", detail="51,000 rows")
TIMING = StageStarted(stage="timing", detail="")


class Hands:
    """A clock whose hands are moved by the test."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def terminal(width: int, kind: str = "xterm") -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None, _environ={"TERM": kind})


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def sampled(
    *, worker: int = 1, workers: int = 2, done: int, rounds: int | None = 3, left_s: float | None = None
) -> Sampled:
    return Sampled(worker=worker, workers=workers, round=done, rounds=rounds, samples=1, left_s=left_s)


def drawn(bar: Bar, console: Console, event: Event) -> str:
    """The line that stands after an event."""
    before = len(text_of(console))
    bar.show(event)
    return text_of(console)[before:].rpartition("\x1b[2K")[2]


@pytest.mark.parametrize("rounds", [3, None])
@pytest.mark.parametrize("verbose", [False, True])
def test_lines_never_tell_of_more_rounds_than_there_are(rounds: int | None, verbose: bool) -> None:
    console = Console(file=io.StringIO(), width=80)
    lines = Lines(console, verbose=verbose)

    for worker in (1, 2):
        for done in (0, 0, 1, 1, 2, 2, 3):
            lines.show(sampled(worker=worker, done=done, rounds=rounds))

    told = text_of(console).splitlines()
    assert len(told) == (8 if verbose else 2)
    assert "4" not in text_of(console)
    assert told[0].strip() == "timing, worker 1 of 2"
    if verbose:
        assert told[3].strip() == "timing, worker 1 of 2, " + ("3 of 3 rounds done" if rounds else "3 rounds done")


@pytest.mark.parametrize("width", [40, 80])
def test_the_round_and_the_time_left_are_seen_on_any_terminal(width: int) -> None:
    console, clock = terminal(width), Hands()
    with Bar(console, clock=clock) as bar:
        bar.show(CASE)
        bar.show(TIMING)
        clock.seconds = 20
        line = drawn(bar, console, sampled(worker=5, workers=10, done=100, rounds=200))

    assert "worker 5/10 rounds 100/200" in line
    assert "24 s left" in line
    assert "\n" not in line.strip()
    assert len(line.strip()) <= width


@pytest.mark.parametrize("width", [40, 80])
def test_a_budget_that_is_left_is_seen_on_any_terminal(width: int) -> None:
    console = terminal(width)
    with Bar(console, clock=Hands()) as bar:
        bar.show(CASE)
        line = drawn(bar, console, sampled(done=7, rounds=None, left_s=41.6))

    assert "rounds 7 42 s left 0:00:00" in line


def test_a_figure_is_told_whole_or_not_at_all() -> None:
    console, clock = terminal(40), Hands()
    with Bar(console, clock=clock) as bar:
        bar.show(CASE)
        bar.show(TIMING)
        clock.seconds = 4
        line = drawn(bar, console, sampled(done=23, rounds=30))

    assert "worker 1/2 rounds 23/30 6 s left" in line
    assert "\N{HORIZONTAL ELLIPSIS}" not in line


def test_elapsed_is_of_the_whole_run_and_goes_on_after_a_stage_is_full() -> None:
    console, clock = terminal(80), Hands()
    with Bar(console, clock=clock) as bar:
        bar.show(CASE)
        bar.show(TIMING)
        clock.seconds = 30
        assert "0:00:30" in drawn(bar, console, sampled(worker=2, done=3))
        bar.show(CASE)
        clock.seconds = 95
        line = drawn(bar, console, SEEDING)

    assert "0:01:35" in line


def test_a_new_stage_starts_with_a_bar_that_is_not_full() -> None:
    console = terminal(80)
    with Bar(console, clock=Hands()) as bar:
        bar.show(TIMING)
        full = drawn(bar, console, sampled(worker=2, done=3))
        seeding = drawn(bar, console, SEEDING)
        bar.show(TIMING)
        begun = drawn(bar, console, sampled(worker=1, done=1))

    (task,) = bar._progress.tasks
    assert "seeding 51,000 rows" in seeding
    assert full != begun
    assert (task.completed, task.total, task.finished) == (1, 6, False)


def test_a_stage_of_unknown_length_has_no_total() -> None:
    with Bar(terminal(80), clock=Hands()) as bar:
        bar.show(sampled(worker=2, done=3))
        bar.show(SEEDING)

    assert [task.total for task in bar._progress.tasks] == [None]


def test_the_time_left_by_rounds_runs_down_between_them() -> None:
    console, clock = terminal(80), Hands()
    with Bar(console, clock=clock) as bar:
        bar.show(TIMING)
        assert "left" not in drawn(bar, console, sampled(done=0))
        clock.seconds = 10
        assert "50 s left" in drawn(bar, console, sampled(done=1))
        clock.seconds = 14
        assert "46 s left" in drawn(bar, console, sampled(done=1))
        clock.seconds = 20
        assert "40 s left" in drawn(bar, console, sampled(done=2))


@pytest.mark.parametrize(
    ("kind", "verbose", "expected"), [("xterm", False, Bar), ("xterm", True, Lines), ("dumb", False, Lines)]
)
def test_a_bar_is_drawn_only_where_a_line_can_be_redrawn_and_none_is_asked_for_every_round(
    kind: str, verbose: bool, expected: type
) -> None:
    with face(quiet=False, verbose=verbose, console=terminal(80, kind)) as shown:
        assert type(shown) is expected


def test_a_doubt_about_the_machine_is_said_for_the_first_case_one_about_a_case_for_each() -> None:
    console = Console(file=io.StringIO(), width=80)
    quiet = Quiet(console)

    for case in ("first", "second"):
        quiet.show(Doubted(warning=Warned(code="busy_machine", text=f"Busy at the {case}.")))
        quiet.show(Doubted(warning=Warned(code="few_workers", text=f"Too few for the {case}.")))

    assert text_of(console).splitlines() == [
        "Warning: Busy at the first.",
        "Warning: Too few for the first.",
        "Warning: Too few for the second.",
    ]


def a_pair(number: int, done: int, unit: Unit = "pair") -> Sampled:
    return replace(sampled(worker=number, workers=25, done=done, rounds=4), unit=unit)


@pytest.mark.parametrize("width", [40, 80])
def test_the_gate_shows_its_pair_and_how_long_all_loads_go_on(width: int) -> None:
    console, clock = terminal(width), Hands()
    with Bar(console, clock=clock) as bar:
        bar.show(replace(CASE, number=1, of=3))
        clock.seconds = 5
        bar.show(TIMING)
        clock.seconds = 15
        first = drawn(bar, console, a_pair(5, 4))  # 5 of 25 in 10 s: 40 s more, and two cases of 55 s each
        clock.seconds = 55
        bar.show(replace(CASE, number=3, of=3))
        bar.show(TIMING)
        clock.seconds = 65
        last = drawn(bar, console, a_pair(20, 4, "fresh pair"))

    assert "pair 5/25 about 2 min left" in first  # 150 s
    assert "fresh pair 20/25 about 2 s left" in last
    assert all(len(line.strip()) <= width for line in (first, last))


def test_lines_name_the_pair() -> None:
    console = Console(file=io.StringIO(), width=80)

    Lines(console, verbose=False).show(a_pair(7, 0, "fresh pair"))

    assert text_of(console).strip() == "timing, fresh pair 7 of 25"
