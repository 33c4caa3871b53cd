"""`bench report` and `bench show`: what is made of a stored run."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.options import results_option


@click.command()
@click.argument("run")
@results_option
@click.option("--charts", type=click.Choice(["few", "all"]), default="few", show_default=True,
              help="Charts of the first cases, or of all.")  # fmt: skip
def report(run: str, results: Path, charts: str) -> None:
    """Draw the report of the stored RUN again: a folder, a run.json or a name under RESULTS."""
    from bench import commands

    click.echo(commands.report(run, results=results, charts=charts))


@click.command()
@click.argument("run")
@results_option
@click.option("--json", "as_json", is_flag=True, help="The stored run itself, as JSON.")
def show(run: str, results: Path, *, as_json: bool) -> None:
    """Print the tables and findings of the stored RUN."""
    from bench import commands

    click.echo(commands.show(run, results=results, as_json=as_json))
