"""Stored runs in the formats of other tools; nothing is measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from bench import record
from bench.errors import BenchError
from bench.model.run import Collector
from bench.record.folders import file_of
from bench.report.export_csv import csv_files
from bench.report.export_pytest import compare_command, left_out, pytest_benchmark_files
from bench.report.files import write_files

Format = Literal["pytest-benchmark", "csv"]

EXPORTS = "exports"
"""The folder of the exports, inside that of the run, where no other is named."""


def exported(
    name: str, *, formats: Sequence[Format], results: Path, output: Path | None = None, collector: Collector = "quiet"
) -> str:
    """Write a stored run in these formats, and say where, what to type next and what was left out.

    output: the folder to write to; by default `exports` inside the run's. collector: the policy whose samples
    pytest-benchmark is given; it has room for one. Raises BenchError for a run that cannot be read, for one of which
    nothing was timed under that policy, and where a file cannot be written.
    """
    run = record.load(name, results=results)
    for_pytest = pytest_benchmark_files(run, collector=collector) if "pytest-benchmark" in formats else {}
    if "pytest-benchmark" in formats and not for_pytest:
        raise BenchError(
            f"Nothing of {run.id} was timed with the collector {collector}: there is nothing to export.",
            remedy="Measure it again, or export what was counted: --format csv.",
        )
    for_csv = csv_files(run) if "csv" in formats else {}
    if "csv" in formats and not for_csv:
        raise BenchError(f"Nothing was measured in {run.id}.", remedy="Export a run that has a case.")
    folder = output if output is not None else file_of(name, results=results).parent / EXPORTS
    written = write_files(folder, for_pytest | for_csv)
    missing = left_out(run, collector=collector) if for_pytest else ()
    return "\n".join(_said(run.id, written, written[: len(for_pytest)], missing))


def _said(run: str, written: Sequence[Path], compared: Sequence[Path], missing: Sequence[str]) -> list[str]:
    lines = [f"{run}, exported to:", *(f"  {path}" for path in written)]
    if missing:
        lines.append(f"Without samples: {', '.join(missing)}.")
    if len(compared) > 1:
        lines.append(f"Side by side: {compare_command(compared)}")
    return lines
