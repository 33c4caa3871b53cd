"""`bench baseline write` and `bench check`: what loads do, exactly, and whether it is still so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from bench.errors import BenchError

if TYPE_CHECKING:
    from bench import gating

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
@click.option("--against", metavar="REVISION", help="Time the loads too, side by side with this revision's.")
@click.option("--scenario", help="With --against: time these in place of the baseline's, by names or files.")
@click.option("--size", "sizes", help="With --scenario: its sizes.  [default: 100x10]")
@click.option("--strategy", "strategies", help="With --scenario: names with commas; or all.")
@click.option("--pairs", type=click.IntRange(5, 1_000), default=25, show_default=True,
              help="With --against: pairs of fresh workers.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(1, 1_000), help="With --against: loads of a pair.  [default: what fits]")
@click.option("--threshold", "thresholds", default="2%", show_default=True,
              help="With --against: the slowdown that passes; of some loads as first_page=5%,2%.")  # fmt: skip
@click.option("--on-inconclusive", type=click.Choice(["pass", "fail"]), default="pass", show_default=True,
              help="With --against: what noise too large to see 10 % does.")  # fmt: skip
@click.option("--summary", type=click.Path(path_type=Path, dir_okay=False), help="Write it as Markdown to this file.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write JUnit's XML to this file.")
@click.option("--json", "as_json", is_flag=True, help="For a program to read.")
@quiet_option
def check(*, file: Path, summary: Path | None, junit: Path | None, as_json: bool, **asked: Any) -> None:
    """Measure what the baseline has, and exit with 1 where a load does more or other than it says.

    Without timing; with --against REVISION, exit with 1 also where a load is slower than in that revision.
    """
    from bench import commands, gating
    from bench.cli.endings import interrupt_on_termination

    interrupt_on_termination()
    tier = _time_tier(click.get_current_context(), asked)
    outcome = gating.check_times(tier, file=file, **asked) if tier else gating.check_exactly(file=file, **asked)
    outlets = gating.Outlets(summary=summary, junit=junit, as_json=as_json)
    click.echo(gating.say(outcome.checked, outlets, file=file, width=commands.width(), environment=os.environ))
    if failure := outcome.cut_short or gating.failure(outcome.checked):
        raise failure


TIMING = ("scenario", "sizes", "strategies", "pairs", "rounds", "thresholds", "on_inconclusive")


def _time_tier(ctx: click.Context, asked: dict[str, Any]) -> gating.TimeTier | None:
    """Take what is the time tier's out of the options; None where it was not asked for."""
    from bench import gating

    revision = asked.pop("against")
    own = {name: asked.pop(name) for name in TIMING}
    if revision is not None:
        return gating.TimeTier(revision=revision, strict=own.pop("on_inconclusive") == "fail", **own)
    for name in TIMING:
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = next(each.opts[0] for each in ctx.command.params if each.name == name)
            raise BenchError(f"{option} is about timing.", remedy="Give --against REVISION with it.")
    return None
