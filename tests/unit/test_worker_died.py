"""What is said of a worker process that ended: why, as far as it said so itself, and each thing once."""

from __future__ import annotations

from bench.errors import WorkerDied

LOG = "Traceback (most recent call last):\n  File x\nImportError: cannot import name 'orm'\n"


def test_the_message_has_the_last_line_that_it_wrote() -> None:
    died = WorkerDied("it exited with status 1", log=LOG)

    assert str(died) == (
        "A worker process ended before it answered: it exited with status 1. "
        "The last that it said: ImportError: cannot import name 'orm'"
    )


def test_in_full_each_line_stands_once() -> None:
    died = WorkerDied("it exited with status 1", log=LOG)

    assert died.in_full == f"A worker process ended before it answered: it exited with status 1. {LOG}".strip()


def test_of_one_that_said_nothing_there_is_the_reason_alone() -> None:
    died = WorkerDied("killed by SIGKILL")

    assert str(died) == died.in_full == "A worker process ended before it answered: killed by SIGKILL."
