"""What can go wrong in a way that a user can mend: one exception, few subclasses, each with an exit code.

The message says what was wrong, what is accepted and what to type. Only `bench.cli` turns one into a process
exit; nobody else catches `BenchError` to print it.
"""

from __future__ import annotations


class BenchError(Exception):
    """Wrong usage or bad input (exit code 2). `remedy` is the sentence that says what to do about it."""

    exit_code = 2

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class DatabaseUnavailable(BenchError):
    """A database that was asked for could not be had (exit code 3)."""

    exit_code = 3


class GateFailed(BenchError):
    """A check that the user asked for did not hold, or an arm did unequal work (exit code 1)."""

    exit_code = 1


class WorkerDied(BenchError):
    """A worker process ended before it answered (exit code 1); `reason` names the signal or exit status, pid whose.

    log: the end of its standard error. The message has its last line, which of a traceback is what was raised;
    `in_full` has all of it, for what is stored.
    """

    exit_code = 1

    def __init__(self, reason: str, *, log: str = "", pid: int = 0) -> None:
        died = f"A worker process ended before it answered: {reason}."
        last = log.strip().rpartition("\n")[2].strip()
        super().__init__(f"{died} The last that it said: {last}" if last else died)
        self.in_full = f"{died} {log}".strip()
        self.reason = reason
        self.pid = pid
        self.log = log
