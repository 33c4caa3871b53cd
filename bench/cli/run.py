"""`bench run`: what to measure, where, and how much of it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from bench.cli.endings import interrupt_on_termination
from bench.cli.options import results_option
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.plan import Plan

WITH_RESUME = {"resume", "results", "quiet", "verbose"}
"""Options of `bench run` that may stand beside --resume: they say where and how to show, not what to measure."""


WITHOUT_EXISTING = {"sizes", "children", "childless", "order", "text_width"}
"""Options that say which rows are made: none are where --existing says that they are there."""


class Share(click.FloatRange):
    """A part of a whole; `nan` is none, though it is outside of no range."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Refuse what is not a number."""
        converted = float(super().convert(value, param, ctx))
        if math.isnan(converted):
            self.fail("nan is not a number.", param, ctx)
        return converted


PARAMETER = "parameter_"
"""Begins the names of values of a scenario's own parameters, among those of the command's."""


class WithParameters(click.Command):
    """A command that has the parameters of the scenario that is named as options; without one it imports none."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look for the scenario's name before the options are parsed."""
        ctx.meta[PARAMETER] = _own_options(args)
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's options and, before its --help, those of the scenario."""
        *options, help_option = super().get_params(ctx)
        return [*options, *ctx.meta.get(PARAMETER, ()), help_option]


def _own_options(args: list[str]) -> list[click.Option]:
    """Return the options of the scenario that the arguments name: none without one, and for several."""
    named = [word.partition("=")[2] for word in args if word.startswith("--scenario=")]
    named += [after for word, after in pairwise(args) if word == "--scenario"]
    if not named:
        return []
    from bench.catalogue import find_scenario, scenario_names

    names = [] if named[-1] == "all" else scenario_names(named[-1])
    if len(names) != 1:
        return []
    return [
        click.Option(
            [f"--{parameter.name.replace('_', '-')}", PARAMETER + parameter.name],
            help=f"{parameter.help.rstrip('.')}: {parameter.accepted}.  [default: {parameter.default}]",
        )
        for parameter in find_scenario(names[0]).parameters
    ]


@click.command(cls=WithParameters)
@click.option("--size", "sizes",
              help="Parents x children; also 10x50,100x5 and 10x1..50.  [default: 1000x50]")  # fmt: skip
@click.option("--scenario", default="one_to_many", show_default=True,
              help="Names with commas, as `bench list` has them; all; or path/to/file.py:NAME, "
                   "package.module:NAME. With --help: its own options.")  # fmt: skip
@click.option("--strategy", "strategies", help="Names with commas, as lazy,selectin[100]; or all.")
@click.option("--db", "databases", default="sqlite", show_default=True, envvar="BENCH_DB",
              help="Where it runs, with commas: sqlite, postgres:17, docker:IMAGE, a URL; or $BENCH_DB.")  # fmt: skip
@click.option("--existing", is_flag=True,
              help="The database holds the data already: nothing is seeded, and it is only read.")  # fmt: skip
@click.option("--driver", "drivers", help="Drivers with commas, as psycopg,asyncpg, each for its own databases.")
@click.option("--provider", type=click.Choice(["auto", "binaries", "docker"]), default="auto", show_default=True,
              help="What starts servers of our own; auto: binaries at hand, else Docker.")  # fmt: skip
@click.option("--rtt", help="Round-trip times to add to PostgreSQL, as 0,1ms,5ms.")
@click.option("--sqlalchemy", help="Versions of SQLAlchemy with commas, as installed,2.0.49, or a source tree.")
@click.option("--driver-version", help="Versions of the driver with commas, as 3.2.10,3.3.2.")
@click.option("--python", help="Pythons on this machine with commas, as 3.11,3.13.")
@click.option("--revision", help="Of your repository, with commas, as main,. (the work tree).")
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=1, show_default=True,
              help="Of the rows and of every shuffle.")  # fmt: skip
@click.option("--budget", help="Timing of a case, as 60s, 2m or 1h.  [default: 60s a target]")
@click.option("--rounds", type=click.IntRange(1, 10_000), help="Fix the rounds of each worker.")
@click.option("--workers", type=click.IntRange(1, 1_000), help="Fix the number of worker processes.")
@click.option("--quick", is_flag=True, help="A look in seconds: one worker, no interval.")
@click.option("--profile", is_flag=True,
              help="After its timing, profile each case: where the time goes, statements, plans, bytes.")  # fmt: skip
@click.option("--memory", is_flag=True, help="With --profile: what a load holds, and who; some fifty loads more.")
@click.option("--flames", is_flag=True, help="With --profile: call trees and flame graphs, in the run's folder.")
@click.option("--memray", is_flag=True, help="With --profile: a flame graph of the memory, too, by memray.")
@click.option("--children", type=click.Choice(["fixed", "uniform", "zipf"]), default="fixed", show_default=True,
              help="How children spread over parents.")  # fmt: skip
@click.option("--childless", type=Share(0, 1, max_open=True), default=0.0, show_default=True,
              help="Share of parents without children.")  # fmt: skip
@click.option("--order", type=click.Choice(["clustered", "shuffled"]), default="clustered", show_default=True,
              help="How children of one parent lie in their table.")  # fmt: skip
@click.option("--text-width", type=click.IntRange(0, 1_000_000), default=32, show_default=True,
              help="Characters of every text column.")  # fmt: skip
@click.option("--label", default="", help="Goes into the name of the run's folder.")
@results_option
@click.option("--resume", metavar="RUN", help="Go on with a run that was cut short.")
@click.option("--dry-run", is_flag=True, help="Print what would be measured, and an estimate.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.option("-v", "--verbose", is_flag=True, help="A line for every round.")
def run(*, results: Path, resume: str | None, dry_run: bool, quiet: bool, verbose: bool, **asked: Any) -> None:
    """Measure a scenario's strategies and write the comparison to RESULTS/<stamp>-<label>/."""
    from bench import commands, profiling

    ctx = click.get_current_context()

    def plan() -> Plan:
        from_environment = ctx.get_parameter_source("databases") is ParameterSource.ENVIRONMENT
        where = (f"--db={asked['databases']}",) if from_environment else ()
        options = {name: value for name, value in asked.items() if not name.startswith(PARAMETER)}
        parameters = {
            name.removeprefix(PARAMETER): value
            for name, value in asked.items()
            if name.startswith(PARAMETER) and value is not None
        }
        return commands.plan(**options, parameters=parameters, command=("bench", *sys.argv[1:], *where))

    if resume is not None:
        refuse_beside_resume(ctx)
    if asked["existing"]:
        refuse_beside_existing(ctx)
    if dry_run:
        click.echo(commands.describe(plan()))
        return
    interrupt_on_termination()
    outcome = commands.run(
        plan,
        results=results,
        resume=resume,
        databases=asked["databases"],
        quiet=quiet,
        verbose=verbose,
        say=click.echo,
        profile=profiling.profile_case,
    )
    if failure := outcome.cut_short or outcome.fault:
        raise failure


def refuse_beside_existing(ctx: click.Context) -> None:
    """Raise BenchError for options typed beside --existing that say which rows are made: none are."""
    typed = _typed(ctx, lambda name: name in WITHOUT_EXISTING)
    if typed:
        raise BenchError(
            f"Existing data is measured as it is, so {', '.join(typed)} cannot be given with --existing.",
            remedy="Leave that out; which parents are loaded is a matter of the scenario's query.",
        )


def _typed(ctx: click.Context, chosen: Callable[[str], bool]) -> list[str]:
    """Return the options of those names that were typed."""
    return [
        option.opts[0]
        for option in ctx.command.params
        if chosen(str(option.name)) and ctx.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
    ]


def refuse_beside_resume(ctx: click.Context) -> None:
    """Raise BenchError for options typed beside --resume that say what to measure: the stored run says that."""
    typed = _typed(ctx, lambda name: name not in WITH_RESUME)
    if typed:
        raise BenchError(
            f"--resume measures what the stored run was asked for, so {', '.join(typed)} cannot be given with it.",
            remedy="Give --resume alone, or start a new run.",
        )
