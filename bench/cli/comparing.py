"""`bench compare`: what stored runs have in common, and what not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bench.cli.options import results_option

AXES = ("run", "database", "driver", "strategy", "sqlalchemy", "python", "size", "revision")


@click.command()
@click.argument("runs", nargs=-1, required=True)
@click.option("--by", type=click.Choice(AXES), default="run", show_default=True, help="What the columns are.")
@results_option
@click.option("--json", "as_json", is_flag=True, help="For a program to read.")
@click.option("--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file too.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False),
              help="Folder for compare.html with charts, compare.md and compare.json.")  # fmt: skip
def compare(
    runs: tuple[str, ...], *, by: Any, results: Path, as_json: bool, markdown: Path | None, output: Path | None
) -> None:
    """Compare stored RUNS: counts exactly; times with intervals only where they were taken side by side."""
    from bench import commands, comparing

    click.echo(
        comparing.compared(
            runs,
            by=by,
            results=results,
            width=commands.width(),
            as_json=as_json,
            markdown=markdown,
            output=output,
        )
    )
