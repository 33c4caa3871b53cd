"""`bench doctor`: what mapped classes say about their loading."""

from __future__ import annotations

import click


@click.command()
@click.argument("base")
@click.option("--size", default="1000x50", show_default=True,
              help="Parents x children x grandchildren that walks are counted for.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="For a program to read.")
def doctor(*, base: str, size: str, as_json: bool) -> None:
    """Read the mapping of BASE, as package.models:Base or path/to/file.py:Base, without a database.

    Lists relationships with their configured strategy, collections that are joined unasked, foreign keys without an
    index, and the statements that walks send.
    """
    from bench import doctor
    from bench.commands import width

    diagnosis = doctor.diagnose(doctor.mapped_under(base), size)
    click.echo(doctor.as_json(diagnosis) if as_json else doctor.as_text(diagnosis, width=width()))
