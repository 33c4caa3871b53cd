"""The command line: each command parses, calls one function and prints. Exit codes are decided here alone.

Imports of weight stand inside the commands, so that `bench --help` answers at once.
"""

from __future__ import annotations

import click

from bench.cli.comparing import compare
from bench.cli.doctor import doctor
from bench.cli.endings import Commands, unprintable
from bench.cli.exporting import export
from bench.cli.gate import baseline, check
from bench.cli.looking import profile, sql
from bench.cli.process_title import hide_passwords
from bench.cli.run import run
from bench.cli.stored import report, show
from bench.cli.upkeep import clean, list_

COMMANDS = (run, profile, sql, report, show, compare, export, check, baseline, doctor, list_, clean)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="orm-loading-bench")
def cli() -> None:
    """Which loading strategy? Counts statements and rows exactly, times loads side by side, says what it found."""


for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """The console script."""
    hide_passwords()
    try:
        cli(prog_name="bench")
    except OSError as error:
        unprintable(error)
