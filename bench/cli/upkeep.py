"""`bench list` and `bench clean`: what there is, and what is kept."""

from __future__ import annotations

import sys

import click


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="For a program to read.")
def list_(*, as_json: bool) -> None:
    """List scenarios and their strategies, with the questions that they answer."""
    from bench import commands

    click.echo(commands.list_scenarios(as_json=as_json))


@click.command()
@click.option("--yes", is_flag=True, help="Remove without asking.")
def clean(*, yes: bool) -> None:
    """Say what is cached, where and how large, and remove it: seeded datasets. Stored runs are never touched."""
    from bench import commands

    click.echo(commands.describe_cache())
    if commands.cache_is_empty():
        return
    if not yes and not (sys.stdin.isatty() and click.confirm("Remove them?")):
        click.echo("Nothing was removed. Type `bench clean --yes` to remove them.")
        return
    click.echo(commands.clean())
