"""What the commands do, as functions that return text: `bench.cli` parses for them and prints what they return."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import databases, pipeline, record
from bench.catalogue import scenarios
from bench.errors import BenchError
from bench.model import DatasetOptions, Run, Sampling
from bench.plan import Plan, estimate_s, make_plan
from bench.progress import face
from bench.report.terminal import run_text
from bench.report.units import bytes_text, count_text

DEFAULT_BUDGET_S = 60.0
QUICK_BUDGET_S = 4.0
_BUDGET = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,6})?)(s|m|h)?", re.ASCII)
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a measuring command ended: what to print, whether an arm was wrong, and what cut it short if anything did."""

    text: str
    wrong: bool
    cut_short: BaseException | None


def plan(
    *,
    scenario: str,
    sizes: str,
    target: str,
    strategies: str | None,
    seed: int,
    budget: str | None,
    rounds: int | None,
    workers: int | None,
    quick: bool,
    children: Any,
    childless: float,
    order: Any,
    text_width: int,
    label: str,
    command: tuple[str, ...],
) -> Plan:
    """Return the plan of a command line's options. Raises BenchError for those that do not go together."""
    return make_plan(
        scenario=scenario,
        sizes=sizes,
        target=target,
        strategies=strategies,
        dataset=DatasetOptions(seed=seed, text_width=text_width, children=children, childless=childless, order=order),
        sampling=sampling(seed=seed, budget=budget, rounds=rounds, workers=workers, quick=quick),
        label=label,
        command=tuple(record.redact(word) for word in command),
    )


def sampling(*, seed: int, budget: str | None, rounds: int | None, workers: int | None, quick: bool) -> Sampling:
    """Return how much to sample: a budget, or a fixed number of rounds, of workers or of both."""
    if budget is not None and rounds is not None:
        raise BenchError(
            "A budget and a number of rounds were both given.", remedy="Give --budget or --rounds, not both."
        )
    if quick and (budget is not None or rounds is not None or workers is not None):
        raise BenchError("--quick fixes how much is sampled.", remedy="Give --quick alone, or --budget without it.")
    if quick:
        return Sampling(seed=seed, budget_s=QUICK_BUDGET_S, workers=1, quick=True)
    budget_s = None if rounds is not None else DEFAULT_BUDGET_S if budget is None else parse_budget(budget)
    return Sampling(seed=seed, budget_s=budget_s, workers=workers, rounds=rounds)


def parse_budget(text: str) -> float:
    """Parse `60s`, `2m`, `1h` or `60` into seconds. Raises BenchError for anything else, and for nought."""
    match = _BUDGET.fullmatch(text.strip())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if seconds <= 0:
        raise BenchError(f"{text!r} is not a budget.", remedy="Give seconds or minutes above nought, as 60s or 2m.")
    return seconds


def run(make: Callable[[], Plan], *, results: Path, resume: str | None, quiet: bool, verbose: bool) -> Outcome:
    """Measure, store, and write the report, also of what was measured before something cut the run short."""
    if resume:
        resumed = record.load(resume, results=results)
        planned = pipeline.plan_of(resumed)
        store = record.Store(record.folder_of(resume, results=results), pipeline.going_on(resumed))
    else:
        planned = make()
        folder = record.new_folder(results, planned.label, datetime.now(UTC))
        store = record.Store(folder, pipeline.begun(planned, folder))
    cut_short: BaseException | None = None
    try:
        events = pipeline.run(planned, store)
        with face(quiet=quiet, verbose=verbose) as shown, closing(events):
            for event in events:
                shown.show(event)
    except (KeyboardInterrupt, BenchError) as reason:
        cut_short = reason
    return outcome(store, cut_short)


def outcome(store: record.Store, cut_short: BaseException | None) -> Outcome:
    """Return what to print of a run that has ended: its tables, whether or not its report can be written."""
    measured = store.run.cases
    if not measured:
        return Outcome(
            text=f"Nothing was measured. {store.folder}/run.json says what was asked.", wrong=False, cut_short=cut_short
        )
    parts = [run_text(store.run, width=width())]
    try:
        parts.append(written(store.run, store.folder, charts="few"))
    except BenchError as failure:
        cut_short = cut_short or failure
    return Outcome(text="\n\n".join(parts), wrong=any(case.status == "wrong" for case in measured), cut_short=cut_short)


def describe(planned: Plan) -> str:
    """Say what a plan would measure, and roughly how long that takes."""
    estimates_s = [estimate_s(spec, planned.sampling) for spec in planned.specs]
    return "\n".join(
        [
            f"{len(planned.specs)} case{'s' * (len(planned.specs) > 1)}, nothing measured yet:",
            *(
                f"  {spec.scenario} {spec.size} on {spec.target}: {count_text(spec.size.rows)} rows, "
                f"{', '.join(spec.strategies)}; about {duration(takes_s)}"
                for spec, takes_s in zip(planned.specs, estimates_s, strict=True)
            ),
            *(f"  {warning.text}" for warning in planned.warnings),
            f"Sampling: {sampling_text(planned.sampling)}.",
            f"In all about {duration(sum(estimates_s))}.",
        ]
    )


def sampling_text(chosen: Sampling) -> str:
    """Say how much is sampled of a case."""
    if chosen.quick:
        return f"a quick look, one worker for {chosen.budget_s:g} s, no interval"
    workers = f"{chosen.workers} workers" if chosen.workers else "five workers or more"
    rounds = f"{chosen.rounds} rounds each" if chosen.rounds else "rounds as the budget allows"
    return f"{workers}, {rounds}" + (f", {chosen.budget_s:g} s a case" if chosen.budget_s else "")


def report(name: str, *, results: Path, charts: Any) -> str:
    """Draw a stored run's report again, beside the run file that it came from."""
    return written(record.load(name, results=results), record.folder_of(name, results=results), charts=charts)


def written(stored: Run, folder: Path, *, charts: Any) -> str:
    """Write the report and say where it is."""
    from bench.report.write import write_report  # matplotlib takes a while, and a listing needs none

    write_report(stored, folder, charts=charts)
    return f"Report: {folder}/report.html and report.md; charts in {folder}/charts/; samples in {folder}/run.json."


def show(name: str, *, results: Path, as_json: bool) -> str:
    """Return a stored run's tables and findings, or the run as JSON."""
    stored = record.load(name, results=results)
    return record.to_json(stored) if as_json else run_text(stored, width=width())


def list_scenarios(*, as_json: bool) -> str:
    """Return the catalogue: each scenario with its question, each strategy with its contract."""
    if as_json:
        return json.dumps(
            [
                {
                    "name": scenario.name,
                    "question": scenario.question,
                    "levels": scenario.levels,
                    "baseline": scenario.baseline,
                    "strategies": [
                        {"name": strategy.name, "summary": strategy.summary, "common": strategy.common}
                        for strategy in scenario.strategies
                    ],
                }
                for scenario in scenarios()
            ],
            indent=2,
        )
    lines: list[str] = []
    for scenario in scenarios():
        lines += [f"{scenario.name}: {scenario.question}"]
        lines += [
            f"  {strategy.name + ('' if strategy.common else ' *'):<18}{strategy.summary}"
            for strategy in scenario.strategies
        ]
        lines += [f"  {family.name}[N]: any number of {family.argument}." for family in scenario.families]
    return "\n".join([*lines, "* only when named, or with --strategy all"])


def describe_cache() -> str:
    """Say which datasets are cached, where, and how large they are."""
    cache = databases.SqliteCache()
    cached = cache.cached()
    if not cached:
        return f"No seeded dataset is cached in {cache.folder}."
    total = sum(one.file_bytes for one in cached)
    rows = [f"  {bytes_text(one.file_bytes):>9}  {one.name}" for one in cached]
    return "\n".join([f"{len(cached)} seeded datasets, {bytes_text(total)}, in {cache.folder}:", *rows])


def cache_is_empty() -> bool:
    """Whether there is nothing to remove."""
    return not databases.SqliteCache().cached()


def clean() -> str:
    """Remove the cached datasets and say how much that freed."""
    return f"Removed {bytes_text(databases.SqliteCache().clean())}."


def duration(seconds: float) -> str:
    """Say an estimate in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def width() -> int:
    """Columns of the terminal; 120 where there is none, so that a file holds the whole table."""
    return shutil.get_terminal_size((120, 24)).columns
