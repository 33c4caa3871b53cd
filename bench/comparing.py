"""Stored runs compared: read, reduced and written; nothing is measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bench import record
from bench.errors import BenchError
from bench.record.folders import RUN_FILE, file_of
from bench.record.profiles import load_profile
from bench.reduce.compare import compare
from bench.reduce.compare_points import letter
from bench.reduce.compare_rows import Axis
from bench.report.compare import comparison_data, comparison_markdown, comparison_text
from bench.report.files import write_files
from bench.report.plan_changes import Profiled, plan_changes_text, with_plans


def compared(
    names: Sequence[str],
    *,
    by: Axis,
    results: Path,
    width: int,
    as_json: bool = False,
    markdown: Path | None = None,
    output: Path | None = None,
) -> str:
    """Return the comparison of stored runs, as text or as JSON.

    markdown: a file to write it to as Markdown too. output: a folder to write it to as a page with charts, Markdown and
    JSON; the text says where then. Raises BenchError for a run that cannot be read, for runs with nothing in common,
    and where a file cannot be written.
    """
    _each_once(names, results)
    comparison = compare([record.load(name, results=results) for name in names], by)
    profiled = _profiled(names, results) if comparison.same_load else ()
    if markdown is not None:
        write_text(markdown, with_plans(comparison_markdown(comparison), profiled))
    if output is not None:
        from bench.report.compare_write import comparison_files  # matplotlib takes a while, and text needs none

        write_files(output, comparison_files(comparison, profiled))
    if as_json:
        return json.dumps(comparison_data(comparison), indent=2)
    plans = plan_changes_text(profiled, width=width)
    text = "\n\n".join(filter(None, [comparison_text(comparison, width=width), plans]))
    return text if output is None else f"{text}\n\nReport: {output}/compare.html, compare.md and compare.json."


def write_text(path: Path, text: str) -> None:
    """Write a file that a user named. Raises BenchError where that cannot be done."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BenchError(
            f"{str(path)!r} cannot be written: {error.strerror or error}.", remedy="Name a file that may be."
        ) from error


def _profiled(names: Sequence[str], results: Path) -> Profiled:
    """Return what was profiled of the runs, by their letters; a run file that stands alone has nothing beside it."""
    files = [file_of(name, results=results) for name in names]
    return [(letter(at), load_profile(file.parent) if file.name == RUN_FILE else ()) for at, file in enumerate(files)]


def _each_once(names: Sequence[str], results: Path) -> None:
    found = [file_of(name, results=results).resolve() for name in names]
    twice = [name for at, name in enumerate(names) if found[at] in found[:at]]
    if twice:
        raise BenchError(f"{twice[0]} was named twice.", remedy="Name each run once.")
