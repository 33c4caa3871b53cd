"""`bench export`: a stored run in the formats of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bench.cli.options import results_option

FORMATS = ("pytest-benchmark", "csv")
COLLECTORS = ("quiet", "default", "tuned")


@click.command()
@click.argument("run")
@click.option("--format", "formats", type=click.Choice(FORMATS), multiple=True, default=FORMATS, show_default=True,
              help="What to write; may be given twice.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, file_okay=False),
              help="Folder to write to, by default exports/ in that of the run.")  # fmt: skip
@click.option("--collector", type=click.Choice(COLLECTORS), default="quiet", show_default=True,
              help="Samples for pytest-benchmark: collector off, on, or tuned.")  # fmt: skip
@results_option
def export(run: str, *, formats: Any, output: Path | None, collector: Any, results: Path) -> None:
    """Write the stored RUN as pytest-benchmark's JSON, a file for each target, and as CSV."""
    from bench import exporting

    click.echo(exporting.exported(run, formats=formats, results=results, output=output, collector=collector))
