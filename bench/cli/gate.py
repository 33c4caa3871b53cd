"""`bench baseline write` and `bench check`: what loads do, exactly, and whether it is still so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

FILE = Path("bench-baseline.jsonl")

file_option = click.option(
    "--file", type=click.Path(path_type=Path, dir_okay=False), default=FILE, show_default=True, help="The baseline."
)
provider_option = click.option(
    "--provider", type=click.Choice(["auto", "binaries", "docker"]), default="auto", show_default=True,
    help="What starts servers of our own.",
)  # fmt: skip
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress.")


@click.group()
def baseline() -> None:
    """The baseline that `bench check` compares with: a file that lives in your repository."""


@baseline.command()
@click.option("--scenario", help="Names with commas, path/to/file.py:NAME, or all.  [default: one_to_many]")
@click.option("--size", "sizes", help="As for `bench run`.  [default: 100x10]")
@click.option("--strategy", "strategies", help="Names with commas; or all.")
@click.option("--db", "databases", envvar="BENCH_DB", help="Where, several with commas.  [default: sqlite]")
@provider_option
@file_option
@quiet_option
def write(**asked: Any) -> None:
    """Write what loads send and fetch, without timing: all that the file has, or what is named, added to it."""
    from bench import gating
    from bench.cli.endings import interrupt_on_termination

    interrupt_on_termination()
    click.echo(gating.write(**asked))


@click.command()
@click.option("--only", help="Scenarios, sizes, strategies or patterns of them, with commas.")
@click.option("--db", "databases", envvar="BENCH_DB", help="Where.  [default: the baseline's databases]")
@provider_option
@file_option
@click.option("--summary", type=click.Path(path_type=Path, dir_okay=False), help="Write it as Markdown to this file.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write JUnit's XML to this file.")
@click.option("--json", "as_json", is_flag=True, help="For a program to read.")
@quiet_option
def check(*, file: Path, summary: Path | None, junit: Path | None, as_json: bool, **asked: Any) -> None:
    """Measure what the baseline has, without timing, and exit with 1 where a load does more or other than it says."""
    from bench import commands, gating
    from bench.cli.endings import interrupt_on_termination

    interrupt_on_termination()
    checked = gating.check_now(file=file, **asked)
    outlets = gating.Outlets(summary=summary, junit=junit, as_json=as_json)
    click.echo(gating.say(checked, outlets, file=file, width=commands.width(), environment=os.environ))
    if failure := gating.failure(checked):
        raise failure
