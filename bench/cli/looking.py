"""`bench sql` and `bench profile`: what a load sends, and where its time goes; nothing of it is a ranking."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from bench.cli.endings import interrupt_on_termination
from bench.cli.options import results_option
from bench.errors import GateFailed

Command = Callable[..., Any]


def what_to_load(command: Command) -> Command:
    """Add the argument and the options that say which load, of what, and where."""
    for decorate in reversed(
        (
            click.argument("scenario"),
            click.option("--strategy", "strategies", help="Names with commas; or all.  [default: the common ones]"),
            click.option(
                "--db",
                "databases",
                default="sqlite",
                show_default=True,
                envvar="BENCH_DB",
                help="Where it runs, several with commas: sqlite, postgres:17, a URL.",
            ),
            click.option("--existing", is_flag=True, help="It holds the data already, which is only read."),
            click.option("--driver", "drivers", help="Drivers with commas, as psycopg,asyncpg."),
            click.option(
                "--provider",
                type=click.Choice(["auto", "binaries", "docker"]),
                default="auto",
                show_default=True,
                help="What starts servers of our own.",
            ),
            click.option("--rtt", help="Round-trip times to add, as 0,1ms,5ms."),
            click.option(
                "--seed", type=click.IntRange(0, 2**64 - 1), default=1, show_default=True, help="Of the rows."
            ),
        )
    ):
        command = decorate(command)
    return command


@click.command("sql")
@what_to_load
@click.option("--size", "sizes", help="Parents x children.  [default: 20x5, as many numbers as the scenario has]")
@click.option("--full", is_flag=True, help="Long lists of placeholders as they were sent.")
@click.option("--json", "as_json", is_flag=True, help="For a program to read.")
def sql(*, full: bool, as_json: bool, **asked: Any) -> None:
    """Print the statements that each strategy of SCENARIO sends, for what, and from which line."""
    from bench import looking

    failed = []
    shown = []
    for looked in looking.statements(**asked, say=lambda phrase: click.echo(f"  {phrase}", err=True)):
        if as_json:
            shown.append(looking.plain(looked))
        else:
            click.echo(looking.sent_text(looked, full=full) + "\n")
        failed += [looked.strategy] if looked.error else []
    if as_json:
        click.echo(json.dumps(shown, indent=2))
    if failed:
        raise GateFailed(f"What {', '.join(failed)} sends could not be seen.", remedy="The reason stands above.")


@click.command()
@what_to_load
@click.option("--size", "sizes", help="Parents x children.  [default: the scenario's usual one]")
@click.option("--loads", type=click.IntRange(1, 1_000), default=12, show_default=True,
              help="Loads under observation, and as many without.")  # fmt: skip
@click.option("--plans/--no-plans", "explain", default=True, show_default=True, help="Explain every statement, too.")
@click.option("--wire/--no-wire", default=True, show_default=True, help="Count the bytes that cross the wire, too.")
@click.option("--flames", is_flag=True, help="Call trees and flame graphs, too, by pyinstrument and cProfile.")
@click.option("--memory/--no-memory", default=False, show_default=True,
              help="See what a load holds, too, and who: some fifty loads more.")  # fmt: skip
@click.option("--memray", is_flag=True, help="A flame graph of the memory, too, by memray.")
@click.option("--label", default="", help="Goes into the name of the profile's folder.")
@results_option
def profile(**asked: Any) -> None:
    """Split the time of a load of SCENARIO into parts that add up, for each strategy, and show the plans."""
    from bench import looking

    interrupt_on_termination()
    for text in looking.profile(**asked, say=lambda phrase: click.echo(f"  {phrase}", err=True)):
        click.echo(text + "\n")
