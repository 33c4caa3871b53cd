"""What a reader has to know of a written report before any number: what is missing from it, and what would show it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from bench.model import Run
from bench.reduce.types import Crossover
from bench.report.charts.draw import Charts
from bench.report.units import count_text, listed


def remarks(run: Run, charts: Charts, crossovers: Sequence[Crossover]) -> tuple[str, ...]:
    """Return a sentence for each reason to read the report with care; none for a whole run with all its charts."""
    here = f"cases that stand here: {count_text(len(run.cases))} of {count_text(len(run.planned))}"
    missing = {
        "interrupted": f"This run was interrupted; {here}.",
        "running": f"This run was not finished when the report was drawn; {here}.",
    }
    quick = "A quick look: too few samples to claim a difference in time. The counts are exact all the same."
    return tuple(
        sentence
        for sentence in (
            missing.get(run.status),
            quick if run.sampling.quick else None,
            _left_out(run, charts, crossovers),
        )
        if sentence
    )


def _left_out(run: Run, charts: Charts, crossovers: Sequence[Crossover]) -> str | None:
    views = sum(len(case.targets) for case in run.cases)
    compared = sum(len(case.targets) > 1 for case in run.cases)
    counts = (
        (len(charts.cases), views, "cases, each on each of its targets" if compared else "cases"),
        (charts.compared, compared, "comparisons of targets"),
        (charts.series, len(crossovers), "crossovers"),
    )
    parts = [
        f"the first {count_text(shown)} of {count_text(there)} {what}" for shown, there, what in counts if shown < there
    ]
    if not parts:
        return None
    command = shlex.join(["bench", "report", run.id, "--charts", "all"])
    return f"Charts are drawn for {listed(parts)}; `{command}` draws all."
