"""From a plan to a stored run: every stage in order."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench import databases, datasets, record
from bench.case import CaseUnderWay, scenario_facts
from bench.catalogue import find_scenario
from bench.errors import BenchError
from bench.measure.events import CaseFinished, CaseStarted, Doubted, Event, StageStarted
from bench.measure.observing import observe
from bench.measure.sampling import SamplingLoop
from bench.measure.warming import warm_loads
from bench.model import Arm, Case, Run, Warned
from bench.plan import Plan, without

SCRATCH = "scratch"
"""The folder in a run's own that holds what its workers hand to one another; gone when the run ends."""

SAME_TO_RESUME = ("host", "cpu", "python", "sqlalchemy")
"""Facts of the environment that must be as they were for a run to go on."""


DAMAGED = Warned(
    code="dataset",
    text="Every strategy loads something other than the dataset: its kept copy may be damaged, or the scenario's load "
    "is wrong for all of them. Type `bench clean` and measure again.",
)


def run(plan: Plan, store: record.Store) -> Generator[Event]:
    """Measure the plan's cases that the stored run lacks, storing it after each; yield what happens.

    A run that is cut short is stored as such, with what was measured of the case under way.
    """
    store.put(store.run)
    todo = without(plan, [case.spec for case in store.run.cases])
    scratch = store.folder / SCRATCH
    try:
        for warning in plan.warnings:
            yield Doubted(warning=warning)
        for number, spec in enumerate(todo.specs, start=1):
            case = CaseUnderWay(spec, plan.sampling, warnings=list(plan.warnings))
            try:
                yield CaseStarted(number=number, of=len(todo.specs), spec=spec)
                yield from measure(case, _emptied(scratch))
            except BaseException:
                store.run = with_case(store.run, *case.partial())
                raise
            store.put(with_case(store.run, case.finished()))
            yield CaseFinished(case=store.run.cases[-1])
        whole = all(case.status != "partial" for case in store.run.cases)
        store.run = replace(store.run, status="complete" if whole else "interrupted")
    except BaseException:
        store.run = replace(store.run, status="interrupted")
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        store.put(store.run)


def with_case(stored: Run, *cases: Case) -> Run:
    """Return the run with more cases."""
    return replace(stored, cases=(*stored.cases, *cases))


def begun(plan: Plan, folder: Path) -> Run:
    """Return the run of a plan before its first case."""
    return Run(
        format_version=record.FORMAT_VERSION,
        id=folder.name,
        label=plan.label,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=plan.command,
        status="running",
        sampling=plan.sampling,
        environment=record.environment(),
        planned=plan.specs,
    )


def plan_of(stored: Run) -> Plan:
    """Return the plan that a stored run was measured by."""
    return Plan(specs=stored.planned, sampling=stored.sampling, label=stored.label, command=stored.command)


def going_on(stored: Run) -> Run:
    """Return a run that was cut short, less the case under way then, ready for the cases that it lacks.

    Raises BenchError where it is complete, and where its other cases would be measured in another environment.
    """
    if stored.status == "complete":
        raise BenchError(f"{stored.id} is complete: there is nothing to resume.", remedy="Start a new run.")
    now = record.environment()
    for fact in SAME_TO_RESUME:
        before, after = getattr(stored.environment, fact), getattr(now, fact)
        if before != after:
            raise BenchError(
                f"{stored.id} was measured with {fact} {before!r}, and this is {after!r}: its cases would not compare.",
                remedy="Resume it in the environment that began it, or start a new run.",
            )
    complete = tuple(case for case in stored.cases if case.status != "partial")
    for case in complete:
        if scenario_facts(find_scenario(case.spec.scenario)).digest != case.scenario.digest:
            raise BenchError(
                f"{case.scenario.name} has changed since {stored.id} was measured: its cases would not compare.",
                remedy="Start a new run.",
            )
    return replace(stored, status="running", cases=complete)


def measure(case: CaseUnderWay, scratch: Path) -> Iterator[Event]:
    """Measure one case: seed its dataset, observe every arm, then time those that do equal work."""
    with databases.provided(case.asked) as provider:
        yield StageStarted(stage="seeding", detail=f"{case.spec.size.rows:,} rows")
        seed(case, provider)

        yield StageStarted(stage="observing", detail="what each strategy sends, fetches and holds")
        yield from watch(case, scratch)

        yield StageStarted(stage="timing", detail="")
        yield from clock(case, scratch)


def seed(case: CaseUnderWay, provider: databases.Provider) -> None:
    """Have the provider's target hold the case's dataset, seeded now or before."""
    spec = case.spec
    target, facts, _ = provider.seeded(
        f"{case.scenario.name}-{spec.size}",
        datasets.dataset_key(case.scenario, spec.size, spec.dataset, databases.dialect_of(case.asked)),
        lambda empty: datasets.seed(case.scenario, spec.size, spec.dataset, empty),
    )
    case.seeded(replace(target, driver=case.asked.driver), facts)


def watch(case: CaseUnderWay, scratch: Path) -> Iterator[Event]:
    """Verify and count every arm, and measure its memory, in workers that are never timed."""
    began = time.monotonic()

    def explain(graph: Path) -> str:
        expected = datasets.graph_lines(case.scenario, case.spec.size, case.spec.dataset)
        with graph.open(encoding="ascii") as found:
            return datasets.first_difference(expected, (line.rstrip("\n") for line in found)) or "It differs."

    for event in observe(
        case.strategies(),
        start=lambda: case.worker(hash_seed=0),
        expected=case.dataset.fingerprint,
        scratch=scratch,
        explain=explain,
        memory=not case.sampling.quick,
    ):
        case.observed.append(event.arm)
        yield event
        for warning in against_formulas(event.arm):
            yield case.doubt(warning)
    case.observing_s = time.monotonic() - began
    if len(case.observed) > 1 and all(arm.fault == "unequal" for arm in case.observed):
        yield case.doubt(DAMAGED)


def against_formulas(arm: Arm) -> Iterator[Warned]:
    """Hold what was counted against what the strategy's formulas say."""
    counters = arm.counters
    if counters is None:
        return
    for what, counted, expected in (
        ("statements", counters.statements, arm.expected_statements),
        ("rows", counters.rows, arm.expected_rows),
    ):
        if counted != expected and arm.error is None:
            yield Warned(
                code="formula",
                text=f"{arm.name}: {counted:,} {what} were counted, where its formula says {expected:,}. "
                "The count holds; the scenario's formula, or the loader, is not what it was.",
            )


def clock(case: CaseUnderWay, scratch: Path) -> Iterator[Event]:
    """Time the arms that do equal work, the baseline's twin and the floors among them."""
    for warning in record.before_timing(case.sampling):
        yield case.doubt(warning)
    loop = SamplingLoop(
        arms=case.timed(),
        sampling=case.sampling,
        start=lambda hash_seed: case.worker(hash_seed=hash_seed),
        scratch=scratch,
        clock=time.monotonic,
        seed=f"{case.sampling.seed}/{case.spec.scenario}/{case.spec.size}",
        warm=warm_loads(case.target.driver),
        timings=case.timings,
    )
    for event in loop.run():
        yield case.doubt(event.warning) if isinstance(event, Doubted) else event


def _emptied(scratch: Path) -> Path:
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    return scratch
