"""How commands end: every error that a user can mend is a sentence and an exit code, and so is an interruption."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from typing import Any, NoReturn

import click

from bench.errors import BenchError

INTERRUPTED = 130


class Commands(click.Group):
    """The commands, with every error that a user can mend turned into a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. BenchError and an interruption end the process with the exit code that is theirs."""
        try:
            return super().invoke(ctx)
        except BenchError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        """Parse. An interruption has its exit code here too, where click would make it 1."""
        try:
            return super().make_context(*arguments, **more)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            sys.exit(INTERRUPTED)


def interrupt_on_termination() -> None:
    """Have SIGTERM and SIGHUP interrupt a run as Ctrl-C does: what was measured is kept, no worker stays behind."""

    def interrupt(_signal: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, interrupt)


def unprintable(error: OSError) -> NoReturn:
    """End where what was to be printed cannot be written; an error of another kind passes through."""
    if not was_printing(error):
        raise error
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would try again at its end
    click.echo(f"Error: What was to be printed cannot be written: {error.strerror or error}.", err=True)
    sys.exit(BenchError.exit_code)


def was_printing(error: OSError) -> bool:
    """Whether an error was raised while click printed, and not by a file of ours."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals.get("__name__") == "click.utils"
