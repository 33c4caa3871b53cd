"""What the commands do, as functions that return text: `bench.cli` parses for them and prints what they return."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bench import environments, pipeline, record, sights
from bench.catalogue import configured, scenario_names, scenarios
from bench.databases import SqliteCache, find_sources
from bench.errors import BenchError, GateFailed
from bench.model import CaseSpec, DatasetOptions, Run, Sampling, parse_environments, parse_targets
from bench.model.profile import SightName
from bench.model.size import EXISTING
from bench.plan import REPORT_S, Plan, estimate_s, make_plan
from bench.progress import Face, face
from bench.record.profiles import load_profile
from bench.report.terminal import run_text
from bench.report.units import bytes_text, count_text, counted, listed

DEFAULT_BUDGET_S = 60.0
QUICK_BUDGET_S = 4.0
MOST_BUDGET_S = 24 * 3600.0
_BUDGET = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,6})?)(s|m|h)?", re.ASCII)
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600}


Say = Callable[[str], None]

SEEN_TEXTS: Mapping[SightName, str] = {
    "memory": "its memory by holder",
    "flames": "its call trees",
    "memray": "a flame graph of its memory",
}
"""What else a profile may have, as it is said of a case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a measuring command ended. cut_short: what ended it early; fault: what is wrong with what it measured."""

    cut_short: BaseException | None
    fault: BenchError | None


def plan(
    *,
    scenario: str,
    sizes: str | None,
    databases: str,
    drivers: str | None,
    provider: Any,
    rtt: str | None,
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
    parameters: Mapping[str, str | int] = MappingProxyType({}),
    existing: bool = False,
    sqlalchemy: str | None = None,
    driver_version: str | None = None,
    python: str | None = None,
    revision: str | None = None,
    profile: bool = False,
    memory: bool = False,
    flames: bool = False,
    memray: bool = False,
) -> Plan:
    """Return the plan of a command line's options. Raises BenchError for those that do not go together.

    parameters: values of the scenario's own parameters, by name. existing: the databases hold their data already.
    profile: whether each case is profiled after its timing; memory, flames, memray: what else is seen of it then.
    """
    seen = sights.chosen(memory=memory, flames=flames, memray=memray)
    if seen and not profile:
        raise BenchError(
            f"--{seen[0]} is of a profile, and none was asked for.",
            remedy=f"Give --profile --{seen[0]} (make: PROFILE=1), or see one size alone with bench profile.",
        )
    asked = parse_environments(sqlalchemy=sqlalchemy, driver_version=driver_version, python=python, revision=revision)
    targets, secrets = parse_targets(
        databases, drivers=drivers, provider=provider, rtt=rtt, existing=existing, environments=asked
    )
    planned = make_plan(
        scenarios=[configured(reference, parameters) for reference in scenario_names(scenario)],
        sizes=sizes,
        targets=targets,
        secrets=secrets,
        strategies=strategies,
        dataset=DatasetOptions(seed=seed, text_width=text_width, children=children, childless=childless, order=order),
        sampling=sampling(seed=seed, budget=budget, rounds=rounds, workers=workers, quick=quick, targets=len(targets)),
        label=label,
        command=tuple(record.redact(word) for word in command),
    )
    return replace(planned, profile=profile, sights=seen)


def sampling(
    *, seed: int, budget: str | None, rounds: int | None, workers: int | None, quick: bool, targets: int
) -> Sampling:
    """Return how much to sample: a budget, or a fixed number of rounds, of workers or of both.

    A budget that is not named is the same for each target: a round goes over all of them.
    """
    if budget is not None and rounds is not None:
        raise BenchError(
            "A budget and a number of rounds were both given.", remedy="Give --budget or --rounds, not both."
        )
    if quick and (budget is not None or rounds is not None or workers is not None):
        raise BenchError("--quick fixes how much is sampled.", remedy="Give --quick alone, or --budget without it.")
    if quick:
        return Sampling(seed=seed, budget_s=QUICK_BUDGET_S * targets, workers=1, quick=True)
    budget_s = None if rounds is not None else DEFAULT_BUDGET_S * targets if budget is None else parse_budget(budget)
    return Sampling(seed=seed, budget_s=budget_s, workers=workers, rounds=rounds)


def parse_budget(text: str) -> float:
    """Parse `60s`, `2m`, `1h` or `60` into seconds. Raises BenchError for anything else, for nought, and over 24 h."""
    match = _BUDGET.fullmatch(text.strip())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if seconds <= 0:
        raise BenchError(
            f"{text!r} is not a budget.", remedy="Give seconds, minutes or hours above nought, as 60s, 2m or 1h."
        )
    if seconds > MOST_BUDGET_S:
        raise BenchError(f"A budget of {text.strip()} is more than 24 hours.", remedy="Give 24h or less for each case.")
    return seconds


def run(
    make: Callable[[], Plan],
    *,
    results: Path,
    resume: str | None,
    databases: str,
    quiet: bool,
    verbose: bool,
    say: Say,
    profile: pipeline.Profile,
) -> Outcome:
    """Measure, store, `say` the table, and write the report, also of what was measured before a run was cut short.

    databases: where to run, of which a run that is resumed takes the passwords and nothing else. profile: profiles a
    case, where that was asked for.
    """
    shown = face(quiet=quiet, verbose=verbose)
    if resume:
        folder = record.folder_of(resume, results=results)
        with record.held(folder):
            stored = record.load(resume, results=results)
            sights.require(stored.sights)
            _, secrets = parse_targets(databases)
            goes_on = record.Store(folder, pipeline.going_on(stored))
            return measured(pipeline.plan_of(stored, secrets), goes_on, shown, say, profile)
    planned = make()
    folder = record.new_folder(results, planned.label, datetime.now(UTC))
    with record.held(folder):
        store = record.Store(folder, pipeline.begun(planned, folder))
        outcome = measured(planned, store, shown, say, profile)
        if isinstance(outcome.cut_short, BenchError) and not store.run.cases:
            shutil.rmtree(folder, ignore_errors=True)  # refused: nothing to keep, nothing to go on with
        return outcome


def measured(
    planned: Plan, store: record.Store, drawing: AbstractContextManager[Face], say: Say, profile: pipeline.Profile
) -> Outcome:
    """Carry out a plan and say what came of it; the table comes before the report, whose drawing takes seconds."""
    cut_short: BaseException | None = None
    try:
        events = pipeline.run(planned, store, profile)
        with drawing as shown, closing(events):
            for event in events:
                shown.show(event)
    except (KeyboardInterrupt, BenchError) as reason:
        cut_short = reason
    if not store.run.cases:
        say("Nothing was measured.")
        return Outcome(cut_short=cut_short, fault=None)
    say(run_text(store.run, width=width()))
    try:
        store.put(store.run)  # once more: what cut the run short may have come between two states
        say(f"\n{written(store.run, store.folder, charts='few')}")
    except (KeyboardInterrupt, BenchError) as reason:
        cut_short = cut_short or reason
    if isinstance(cut_short, KeyboardInterrupt) and store.run.status == "interrupted":
        say(f"Go on with it: bench run --resume {store.run.id}")
    return Outcome(cut_short=cut_short, fault=fault_of(store.run))


def fault_of(run: Run) -> BenchError | None:
    """Return why a run that is stored must not pass for a good one, or None."""
    statuses = {case.status for case in run.cases}
    if "wrong" in statuses:
        return GateFailed("A strategy did not load the dataset's own graph.", remedy="The table says which, and where.")
    if "failed" in statuses:
        return GateFailed("A strategy could not be measured.", remedy="The table says which, and why.")
    if "partial" in statuses:
        return GateFailed(
            "A case could not be timed, or not to its end.", remedy=f"Go on with bench run --resume {run.id}."
        )
    return None


def describe(planned: Plan) -> str:
    """Say what a plan would measure, and roughly how long that takes.

    Raises BenchError where a database that was asked for is not at hand, as far as that is known without starting it.
    """
    find_sources(planned.targets, run="", secrets=planned.secrets)
    environments.check(planned.targets)
    estimates_s = [estimate_s(spec, planned.sampling) for spec in planned.specs]
    return "\n".join(
        [
            f"{counted(len(planned.specs), 'case')}, nothing measured yet:",
            *(
                f"  {spec.scenario} {spec.size} on {listed([str(asked) for asked in spec.targets])}: "
                f"{rows_to_come(spec)}, {', '.join(spec.strategies)}; about {duration(takes_s)}"
                for spec, takes_s in zip(planned.specs, estimates_s, strict=True)
            ),
            *(f"  {warning.text}" for warning in chain.from_iterable(planned.warnings.values())),
            f"Sampling: {sampling_text(planned.sampling)}.",
            *([profile_text(planned.sights)] if planned.profile else []),
            f"In all about {duration(sum(estimates_s) + REPORT_S)}, the report included.",
        ]
    )


def profile_text(names: Sequence[SightName]) -> str:
    """Say that cases are profiled, and what else is seen of them, which no estimate knows."""
    if not names:
        return "Each case is profiled after it was timed."
    told = listed([SEEN_TEXTS[name] for name in names])
    return f"Each case is profiled after it was timed, with {told}, which takes longer than the estimate."


def rows_to_come(spec: CaseSpec) -> str:
    """Say how many rows a case is of, where that is known before it is measured."""
    if spec.size == EXISTING:
        return "the rows that are there, and the time that they take is not known"
    return f"{count_text(spec.size.rows)} rows"


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

    looks = load_profile(folder)
    write_report(stored, folder, charts=charts, looks=looks)
    where = f"Report: {folder}/report.html and report.md; charts in {folder}/charts/; samples in {folder}/run.json"
    return f"{where}; profiles in {folder}/profile.json." if looks else f"{where}."


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
    """Say what is cached, where, and how large it is: whole datasets, and what seedings cut short have left."""
    cache, built = SqliteCache(), environments.EnvironmentStore().kept()
    if cache_is_empty():
        return f"Nothing is cached in {cache.folder}: there is nothing to remove."
    cached, leftovers = cache.cached(), cache.leftovers()
    total = cache.kept_bytes() + sum(size for _, _, size in built)
    kinds = ((cached, "seeded dataset"), (built, "environment"), (leftovers, "leftover"))
    parts = [counted(len(found), noun) for found, noun in kinds if found]
    rows = [f"  {bytes_text(one.file_bytes):>9}  {one.name}" for one in cached]
    rows += [f"  {bytes_text(path.stat().st_size):>9}  {path.name} (left over)" for path in leftovers]
    rows += [f"  {bytes_text(size):>9}  {what}" for what, _, size in built]
    return "\n".join([f"{listed(parts)}, {bytes_text(total)} in all, in {cache.folder}:", *rows])


def cache_is_empty() -> bool:
    """Whether there is nothing to remove but empty locks."""
    cache = SqliteCache()
    return not cache.cached() and not cache.leftovers() and not environments.EnvironmentStore().kept()


def clean() -> str:
    """Remove the cached datasets and environments, and say how much that freed."""
    return f"Removed {bytes_text(SqliteCache().clean() + environments.EnvironmentStore().clean())}."


def duration(seconds: float) -> str:
    """Say an estimate in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def width() -> int:
    """Columns of the terminal; 120 where there is none, so that a file holds the whole table."""
    return shutil.get_terminal_size((120, 24)).columns
