"""Stored runs compared: read, reduced and written; nothing is measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bench import record
from bench.errors import BenchError
from bench.reduce.compare import Axis, compare
from bench.report.compare import comparison_data, comparison_markdown, comparison_text


def compared(
    names: Sequence[str], *, by: Axis, results: Path, width: int, as_json: bool = False, markdown: Path | None = None
) -> str:
    """Return the comparison of stored runs, as text or as JSON; write it as Markdown too where a file is named.

    Raises BenchError for a run that cannot be read, and for runs with nothing in common.
    """
    _each_once(names, results)
    comparison = compare([record.load(name, results=results) for name in names], by)
    if markdown is not None:
        write_text(markdown, comparison_markdown(comparison))
    if as_json:
        return json.dumps(comparison_data(comparison), indent=2)
    return comparison_text(comparison, width=width)


def write_text(path: Path, text: str) -> None:
    """Write a file that a user named. Raises BenchError where that cannot be done."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BenchError(
            f"{str(path)!r} cannot be written: {error.strerror or error}.", remedy="Name a file that may be."
        ) from error


def _each_once(names: Sequence[str], results: Path) -> None:
    found = [record.folder_of(name, results=results).resolve() for name in names if not Path(name).is_file()]
    twice = [folder.name for at, folder in enumerate(found) if folder in found[:at]]
    if twice:
        raise BenchError(f"{twice[0]} was named twice.", remedy="Name each run once.")
