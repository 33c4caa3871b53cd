"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

RESULTS = Path("results")

results_option = click.option(
    "--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True, help="Folder of stored runs."
)
