"""From a plan to a stored run: every stage in order."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path

from bench import databases, datasets, existing, record
from bench.case import CaseUnderWay, scenario_facts
from bench.catalogue import find_scenario, find_strategy, is_available
from bench.environments import Prepared, prepare
from bench.errors import BenchError
from bench.measure.events import ArmObserved, CaseFinished, CaseStarted, Doubted, Event, StageStarted
from bench.measure.observing import Observing, observe
from bench.measure.sampling import SamplingLoop
from bench.measure.team import Team, side_by_side
from bench.measure.warming import warm_loads
from bench.model import OWN, Arm, Asked, Case, EnvironmentFacts, Run, Secrets, Warned
from bench.model.profile import SightName
from bench.plan import Plan, without

SCRATCH = "scratch"
"""The folder in a run's own that holds what its workers hand to one another; gone when the run ends."""

SAME_TO_RESUME = ("host", "cpu", "python", "sqlalchemy")
"""Facts of the environment that must be as they were for a run to go on."""


UNFORESEEN = "the scenario's formula, or the loader, is not what it was."

DAMAGED = Warned(
    code="dataset",
    text="Every strategy loads something other than the dataset: its kept copy may be damaged, or the scenario's load "
    "is wrong for all of them. Type `bench clean` and measure again.",
)


Profile = Callable[[CaseUnderWay, Path, Sequence[SightName]], Iterator[Event]]
"""Profiles a case whose databases are up, with what else was asked for, and keeps it in the folder of the run."""


def run(plan: Plan, store: record.Store, profile: Profile | None = None) -> Generator[Event]:
    """Measure the plan's cases that the stored run lacks, storing it after each; yield what happens.

    profile: what profiles a case, where the plan asks for that: after the case was timed and stored.
    A run that is cut short is stored as such, with what was measured of the case under way.
    """
    store.put(store.run)
    todo = without(plan, [case.spec for case in store.run.cases])
    scratch = (store.folder / SCRATCH).absolute()  # a worker may have another working folder
    environments: dict[Asked, Prepared] = {}
    up = ExitStack()
    try:
        for warning in chain.from_iterable(plan.warnings.values()):
            yield Doubted(warning=warning)
        sources = databases.find_sources(plan.targets, run=store.run.id, secrets=plan.secrets)
        for source in sources.values():
            yield from (StageStarted(stage="preparing", detail=phrase) for phrase in source.prepare())
        yield from _prepare(plan.targets, environments, up)
        hold_environments(store.run, {asked: prepared.facts for asked, prepared in environments.items()})
        fresh = databases.are_fresh(plan.targets, sources)
        for number, spec in enumerate(todo.specs, start=1):
            case = CaseUnderWay(
                spec,
                plan.sampling,
                warnings=list(plan.warnings.get(spec.scenario, ())),
                fresh=fresh,
                environments=environments,
            )
            with ExitStack() as servers:
                try:
                    yield CaseStarted(number=number, of=len(todo.specs), spec=spec)
                    yield from (case.doubt(warning) for warning in _environment_warnings(case))
                    yield from measure(case, _emptied(scratch), sources, servers)
                except BaseException:
                    store.run = with_case(store.run, *case.partial())
                    raise
                store.put(with_case(store.run, case.finished()))
                yield CaseFinished(case=store.run.cases[-1])
                if plan.profile and profile is not None:
                    yield from profile(case, store.folder, plan.sights)
        whole = all(case.status != "partial" for case in store.run.cases)
        store.run = replace(store.run, status="complete" if whole else "interrupted")
    except BaseException:
        store.run = replace(store.run, status="interrupted")
        raise
    finally:
        up.close()
        shutil.rmtree(scratch, ignore_errors=True)
        store.put(store.run)


def _prepare(targets: Sequence[Asked], into: dict[Asked, Prepared], up: ExitStack) -> Iterator[StageStarted]:
    """Have the environments of the targets there until `up` is closed."""
    for asked in targets:
        if asked.environment != OWN:
            yield StageStarted(stage="preparing", detail=f"the environment {asked.environment}")
            into[asked] = up.enter_context(prepare(asked))


def hold_environments(stored: Run, now: Mapping[Asked, EnvironmentFacts]) -> None:
    """Raise BenchError where cases that are stored already were measured in an environment that is another one now.

    A branch may have moved meanwhile, and `3.13` may be a newer release.
    """
    for case in stored.cases:
        for asked, target in zip(case.spec.targets, case.targets, strict=True):
            if asked in now and target.environment != now[asked]:
                raise BenchError(
                    f"{asked} is not what {stored.id} began with: its cases would not compare.",
                    remedy="Start a new run, or name versions and revisions in full.",
                )


def _environment_warnings(case: CaseUnderWay) -> Iterator[Warned]:
    """Yield what a reader has to know of the environments that are compared."""
    seen = {name: prepared for name in case.names if (prepared := case.prepared(name))}
    for name, prepared in seen.items():
        version = prepared.facts.sqlalchemy
        lacking = [one for one in case.spec.strategies if not is_available(find_strategy(case.scenario, one), version)]
        if lacking:
            text = f"{', '.join(lacking)} of {case.scenario.name} cannot be had with SQLAlchemy {version}, on {name}."
            yield Warned(code="strategy_left_out", text=text)
        if prepared.dirty:
            text = "The work tree has changes that are not committed: what is compared with the revision is these."
            yield Warned(code="uncommitted", text=text)
    if len({prepared.facts.compiled for prepared in seen.values()}) > 1:
        pure = ", ".join(name for name, prepared in seen.items() if not prepared.facts.compiled)
        yield Warned(
            code="not_compiled",
            text=f"SQLAlchemy has no compiled extensions on {pure}: what differs may be the build, not the version.",
        )


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
        profile=plan.profile,
        sights=plan.sights,
        environment=record.environment(),
        planned=plan.specs,
    )


def plan_of(stored: Run, secrets: Secrets) -> Plan:
    """Return the plan that a stored run was measured by. secrets: the passwords, of which it has none."""
    return Plan(
        specs=stored.planned,
        sampling=stored.sampling,
        label=stored.label,
        command=stored.command,
        secrets=secrets,
        profile=stored.profile,
        sights=stored.sights,
    )


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


def measure(case: CaseUnderWay, scratch: Path, sources: databases.Sources, up: ExitStack) -> Iterator[Event]:
    """Measure one case: seed its dataset, observe every arm, then time those that do equal work.

    up: holds its databases, for as long as they are wanted.
    """
    yield has_to_be_there(case)
    bring_up(case, sources, up)

    yield StageStarted(stage="observing", detail="what each strategy sends, fetches and holds")
    yield from watch(case, scratch)

    yield StageStarted(stage="timing", detail="")
    yield from clock(case, scratch, lambda: bring_up(case, sources, up))
    if existing.is_existing(case):
        yield from existing.looked_at_again(case)


def has_to_be_there(case: CaseUnderWay) -> StageStarted:
    """Say what is made, or read where the data is there already, before anything can be measured."""
    if existing.is_existing(case):
        return StageStarted(stage="preparing", detail=f"the lazy load in one snapshot{_places(case)}")
    return StageStarted(stage="seeding", detail=f"{case.spec.size.rows:,} rows{_places(case)}")


def bring_up(case: CaseUnderWay, sources: databases.Sources, up: ExitStack) -> None:
    """Have the case's databases up and seeded, in place of those that were."""
    up.close()
    seed = partial(seeded, case)
    case.seeded(up.enter_context(databases.fleet(case.spec.targets, sources, seed)))
    if existing.is_existing(case):
        existing.hold_alike(case)


def seeded(case: CaseUnderWay, provider: databases.Provider, asked: Asked) -> databases.Seeded:
    """Have a provider hold the case's dataset, seeded now or before; of existing data, take the reference."""
    spec, scenario = case.spec, case.scenario
    if existing.is_existing(case):
        return provider.seeded(scenario.name, "", partial(existing.reference, case, str(asked)))
    return provider.seeded(
        f"{scenario.name}-{spec.size}",
        datasets.dataset_key(scenario, spec.size, spec.dataset, asked.dialect),
        lambda empty: datasets.seed(scenario, spec.size, spec.dataset, empty, fingerprint=case.fingerprint()),
    )


def watch(case: CaseUnderWay, scratch: Path) -> Iterator[Event]:
    """Verify and count every arm, and measure its memory, in workers that are never timed."""
    began = time.monotonic()

    def explain(graph: Path) -> str:
        expected = (
            existing.expected_lines(graph)
            if existing.is_existing(case)
            else datasets.graph_lines(case.scenario, case.spec.size, case.spec.dataset)
        )
        with graph.open(encoding="ascii") as found:
            return datasets.first_difference(expected, (line.rstrip("\n") for line in found)) or "It differs."

    how = Observing(
        expected=case.dataset.fingerprint,
        scratch=scratch,
        explain=explain,
        check=case.fleet.check,
        memory=not case.sampling.quick,
    )
    for target in case.names:
        for arm in observe(case.strategies(target), partial(case.worker, target, hash_seed=0), how):
            case.observed.append(arm)
            yield ArmObserved(arm=arm, done=len(case.observed), of=len(case.names) * len(case.spec.strategies))
            for warning in against_formulas(arm, existing.UNFORESEEN if existing.is_existing(case) else UNFORESEEN):
                yield case.doubt(warning)
    case.observing_s = time.monotonic() - began
    if len(case.observed) > 1 and all(arm.fault == "unequal" for arm in case.observed):
        yield case.doubt(existing.UNEQUAL if existing.is_existing(case) else DAMAGED)


def against_formulas(arm: Arm, why: str) -> Iterator[Warned]:
    """Hold what was counted against what the strategy's formulas say. why: what it may mean that it is another."""
    counters = arm.counters
    if counters is None:
        return
    for what, counted, expected in (
        ("statements", counters.statements, arm.expected_statements),
        ("rows", counters.rows, arm.expected_rows),
    ):
        if expected is not None and counted != expected and arm.error is None:
            yield Warned(
                code="formula",
                text=f"{arm.name}: {counted:,} {what} were counted, where its formula says {expected:,}. "
                f"The count holds; {why}",
            )


def clock(case: CaseUnderWay, scratch: Path, renew: Callable[[], None]) -> Iterator[Event]:
    """Time the arms that do equal work, the baseline's twin and the floors among them.

    renew: brings up the case's databases anew, for the teams that follow the first where servers are fresh.
    """
    for warning in record.before_timing(case.sampling):
        yield case.doubt(warning)
    arms = case.timed()
    targets = {target: case.fleet.targets[target] for target in dict.fromkeys(arm.target for arm in arms)}
    loop = SamplingLoop(
        arms=arms,
        sampling=case.sampling,
        start=lambda hash_seed: team(case, list(targets), hash_seed),
        provision=(lambda _number: renew()) if case.fresh else None,
        check=lambda target: case.fleet.check(target),
        scratch=scratch,
        clock=time.monotonic,
        seed=f"{case.sampling.seed}/{case.spec.scenario}/{case.spec.size}",
        warm={name: warm_loads(target.driver) for name, target in targets.items()},
        timings=case.timings,
    )
    for event in loop.run():
        yield case.doubt(event.warning) if isinstance(event, Doubted) else event


@contextmanager
def team(case: CaseUnderWay, targets: Sequence[str], hash_seed: int) -> Iterator[Team]:
    """Yield a fresh worker for each target; they start at the same time, and are gone when the block is left."""
    with side_by_side({target: case.worker(target, hash_seed=hash_seed) for target in targets}) as workers:
        yield workers


def _places(case: CaseUnderWay) -> str:
    return f" on each of {len(case.names)} targets" if len(case.names) > 1 else ""


def _emptied(scratch: Path) -> Path:
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    return scratch
