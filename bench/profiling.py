"""Looking at loads one by one, apart from any timing: what they send, how the database runs it, where the time goes.

Targets come up one after another, and strategies follow one another in one worker of each: what is found is no ranking.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import msgspec

from bench import databases, pipeline
from bench.case import CaseUnderWay
from bench.catalogue import find_scenario
from bench.errors import BenchError, WorkerDied
from bench.measure.events import Doubted, Event, StageStarted
from bench.measure.workers import LoadFailed, WorkerProcess
from bench.model import Asked, CaseSpec, Warned
from bench.model.profile import Looked, Sending, SightName, StatementPlan, Times
from bench.plan import Plan
from bench.record.profiles import load_profile, save_profile
from bench.report.units import counted
from bench.sights import Opening, Sight, openings

Say = Callable[[str], None]

NONE: Mapping[str, Opening] = MappingProxyType({})

MOST_LOADS, FEWEST_LOADS = 12, 3
"""Loads of a strategy under observation, and as many without, as the time that they take allows."""

OTHER_LOADS, WIRE_LOADS, PAIR_LOADS = 6, 3, 3
"""How many loads' time looking at a strategy takes, roughly: to warm up, follow what is sent and have it explained; to
count its bytes, where there is a wire; and to take a load under observation and one without, with what collecting and
freeing take around them."""


def look(
    plan: Plan, *, loads: int = 0, explain: bool = False, sights: Mapping[str, Opening] = NONE, say: Say
) -> Iterator[Looked]:
    """Yield what each strategy sends on each target, on request with plans, and with the parts of so many loads.

    sights: what else is to be seen of each, by what it is called. say: told what is waited for.
    """
    for asked in only_case(plan).targets:
        with brought_up(plan, asked, say) as case:
            yield from look_at(case, str(asked), loads=lambda _: loads, explain=explain, sights=sights, say=say)


def look_at(
    case: CaseUnderWay,
    target: str,
    *,
    loads: Callable[[str], int],
    explain: bool,
    sights: Mapping[str, Opening] = NONE,
    faults: Mapping[str, str] | None = None,
    say: Say,
) -> Iterator[Looked]:
    """Yield what each strategy of a case that is up sends on one of its targets, in a worker of its own.

    loads: how many to observe, by the strategy's name; 0 for none. faults: why strategies are not looked at, where it
    is known that the others load the dataset's graph; None where that has to be seen of each.
    """
    with ExitStack() as stack:
        ready = {what: stack.enter_context(opening(case, target)) for what, opening in sights.items()}
        worker: WorkerProcess | None = None
        for strategy in case.spec.strategies:
            if faults and strategy in faults:
                yield replace(_about(case, target, strategy), error=faults[strategy])
                continue
            if observed := loads(strategy):
                say(f"{strategy}, {counted(observed, 'load')} under observation and as many without")
            worker = worker or stack.enter_context(case.worker(target, hash_seed=0))
            verify = bool(observed) and faults is None
            looked = _looked(
                case, target, worker, strategy, loads=observed, explain=explain, verify=verify, sights=ready
            )
            if looked.died:
                worker = None  # the next strategy has another
            yield looked


def profile_case(case: CaseUnderWay, folder: Path, names: Sequence[SightName]) -> Iterator[Event]:
    """Profile every strategy of a case that was timed, in workers that were not, and keep what is found in the folder.

    names: what else is to be seen of each load. It is kept after each strategy, beside what the folder has of other
    cases. Yields what it is at, and a doubt about each strategy that could not be profiled, or not in every respect.
    """
    about = find_scenario(case.spec.scenario).name, str(case.spec.size)
    looks = [one for one in load_profile(folder) if (one.scenario, one.size) != about]
    for target in case.names:
        faults = {arm.strategy: arm.error for arm in case.observed if arm.target == target and arm.error is not None}
        loads = partial(loads_within, case, target)
        sights = openings(folder, names, wire=_has_wire(case, target))
        found = look_at(case, target, loads=loads, explain=True, sights=sights, faults=faults, say=lambda _: None)
        for number, strategy in enumerate(case.spec.strategies, start=1):
            where = f"{strategy} on {target}, {number} of {len(case.spec.strategies)}"
            yield StageStarted(stage="profiling", detail=where)
            looks.append(next(found))
            save_profile(looks, folder)
            for reason in filter(None, (looks[-1].error, *looks[-1].unseen)):
                yield Doubted(warning=Warned(code="not_profiled", text=f"{strategy} on {target}: {reason}"))


def loads_within(case: CaseUnderWay, target: str, strategy: str) -> int:
    """Return how many loads of a strategy to observe, so that observing the case takes no longer than its timing.

    The estimate is from loads with the collector on, as they are observed; a case that leaves no time for it has
    FEWEST_LOADS of each strategy.
    """
    arms = [
        arm for arm in case.finished().arms if (arm.kind, arm.target, arm.strategy) == ("strategy", target, strategy)
    ]
    samples = [samples for arm in arms for samples in arm.samples if samples.wall_ns]
    like = [each for each in samples if each.collector == "default"] or samples
    if not like:
        return FEWEST_LOADS
    load_s = statistics.median(wall for each in like for wall in each.wall_ns) / 1e9
    left_s = case.timings.spent.total_s - case.observing_s
    share_s = left_s / (len(case.names) * len(case.spec.strategies))
    other = OTHER_LOADS + (WIRE_LOADS if _has_wire(case, target) else 0)
    return max(FEWEST_LOADS, min(MOST_LOADS, int((share_s / load_s - other) / PAIR_LOADS)))


def _has_wire(case: CaseUnderWay, target: str) -> bool:
    """Whether bytes cross to a target; of one that is in the process the case's table has what its rows hold."""
    return case.fleet.targets[target].dialect != "sqlite"


def only_case(plan: Plan) -> CaseSpec:
    """Return the case of a plan that has one. Raises BenchError for several sizes."""
    if len(plan.specs) > 1:
        sizes = ", ".join(str(spec.size) for spec in plan.specs[:3])
        raise BenchError(f"A load is looked at in one size, and {sizes} were given.", remedy="Give one, as 1000x50.")
    return plan.specs[0]


@contextmanager
def brought_up(plan: Plan, asked: Asked, say: Say) -> Iterator[CaseUnderWay]:
    """Have the plan's case up and seeded on one of its targets for as long as the block runs."""
    sources = databases.find_sources([asked], run="profile", secrets=plan.secrets)
    for source in sources.values():
        for phrase in source.prepare():
            say(phrase)
    spec = replace(only_case(plan), targets=(asked,))
    case = CaseUnderWay(spec, plan.sampling)
    with ExitStack() as up:
        stage = pipeline.has_to_be_there(case)
        say(f"{stage.stage} {stage.detail} on {asked}")
        pipeline.bring_up(case, sources, up)
        yield case


def _looked(
    case: CaseUnderWay,
    target: str,
    worker: WorkerProcess,
    strategy: str,
    *,
    loads: int,
    explain: bool,
    verify: bool,
    sights: Mapping[str, Sight],
) -> Looked:
    about = _about(case, target, strategy)
    try:
        found = worker.ask("trace", strategy=strategy, explain=explain)
        if verify and not _is_equal(case, worker, strategy):
            return replace(about, error="It loads another graph than the dataset's: bench run says where they differ.")
        times = worker.ask("phases", strategy=strategy, loads=loads) if loads else None
    except LoadFailed as failure:
        case.fleet.check(target)
        return replace(about, error=f"The load raised {failure}")
    except WorkerDied as death:
        return replace(about, error=death.in_full, died=True)
    seen = replace(
        about,
        sendings=msgspec.convert(found["sendings"], tuple[Sending, ...]),
        plans=msgspec.convert(found["plans"], tuple[StatementPlan, ...]),
        times=msgspec.convert(times, Times | None),
    )
    return _seen_further(case, target, worker, seen, sights)


def _seen_further(
    case: CaseUnderWay, target: str, worker: WorkerProcess, looked: Looked, sights: Mapping[str, Sight]
) -> Looked:
    """Return what was seen with what each sight adds; one that fails takes nothing of the rest away."""
    for what, sight in sights.items():
        try:
            looked = sight(worker, looked)
        except LoadFailed as failure:
            case.fleet.check(target)
            looked = replace(looked, unseen=(*looked.unseen, f"{what} not seen: {failure}"))
        except WorkerDied as death:
            case.fleet.check(target)
            reason = f"{what} not seen: {death.in_full}"
            looked = replace(looked, unseen=(*looked.unseen, reason), died=death.pid == worker.pid)
            if looked.died:
                break
    return looked


def _about(case: CaseUnderWay, target: str, strategy: str) -> Looked:
    """Return what there is before anything was seen."""
    return Looked(
        scenario=find_scenario(case.spec.scenario).name,
        size=str(case.spec.size),
        target=target,
        driver=case.fleet.targets[target].driver,
        strategy=strategy,
    )


def _is_equal(case: CaseUnderWay, worker: WorkerProcess, strategy: str) -> bool:
    """Whether a strategy loads the dataset's own graph: a bill for less than that would be too small."""
    with TemporaryDirectory() as scratch:
        expected = case.dataset.fingerprint
        seen = worker.ask("observe", strategy=strategy, expected=expected, sent_to=f"{scratch}/sent")
    return bool(seen["equal"]) and not seen["further"]
