"""Looking at loads one by one, apart from any timing: what they send, how the database runs it, where the time goes.

Targets come up one after another, and strategies follow one another in one worker of each: what is found is no ranking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from tempfile import TemporaryDirectory

import msgspec

from bench import databases, pipeline
from bench.case import CaseUnderWay
from bench.catalogue import find_scenario
from bench.errors import BenchError, WorkerDied
from bench.measure.workers import LoadFailed, WorkerProcess
from bench.model import Asked, CaseSpec
from bench.model.profile import Looked, Sending, StatementPlan, Times
from bench.plan import Plan

Say = Callable[[str], None]


def look(plan: Plan, *, loads: int = 0, explain: bool = False, say: Say) -> Iterator[Looked]:
    """Yield what each strategy sends on each target, on request with plans, and with the parts of so many loads.

    say: told what is waited for.
    """
    for asked in only_case(plan).targets:
        with brought_up(plan, asked, say) as case:
            yield from look_at(case, str(asked), loads=lambda _: loads, explain=explain, say=say)


def look_at(
    case: CaseUnderWay, target: str, *, loads: Callable[[str], int], explain: bool, say: Say
) -> Iterator[Looked]:
    """Yield what each strategy of a case that is up sends on one of its targets, in a worker of its own.

    loads: how many to observe, by the strategy's name; 0 for none.
    """
    with ExitStack() as stack:
        worker: WorkerProcess | None = None
        for strategy in case.spec.strategies:
            if observed := loads(strategy):
                say(f"{strategy}, {observed} loads under observation and {observed} without")
            worker = worker or stack.enter_context(case.worker(target, hash_seed=0))
            looked = _looked(case, target, worker, strategy, loads=observed, explain=explain)
            if looked.died:
                worker = None  # the next strategy has another
            yield looked


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
    case: CaseUnderWay, target: str, worker: WorkerProcess, strategy: str, *, loads: int, explain: bool
) -> Looked:
    about = Looked(
        scenario=find_scenario(case.spec.scenario).name,
        size=str(case.spec.size),
        target=target,
        driver=case.fleet.targets[target].driver,
        strategy=strategy,
    )
    try:
        found = worker.ask("trace", strategy=strategy, explain=explain)
        if loads and not _is_equal(case, worker, strategy):
            return replace(about, error="It loads another graph than the dataset's: bench run says where they differ.")
        times = worker.ask("phases", strategy=strategy, loads=loads) if loads else None
    except LoadFailed as failure:
        case.fleet.check(target)
        return replace(about, error=f"The load raised {failure}")
    except WorkerDied as death:
        return replace(about, error=f"{death} {death.log}".strip(), died=True)
    return replace(
        about,
        sendings=msgspec.convert(found["sendings"], tuple[Sending, ...]),
        plans=msgspec.convert(found["plans"], tuple[StatementPlan, ...]),
        times=msgspec.convert(times, Times | None),
    )


def _is_equal(case: CaseUnderWay, worker: WorkerProcess, strategy: str) -> bool:
    """Whether a strategy loads the dataset's own graph: a bill for less than that would be too small."""
    with TemporaryDirectory() as scratch:
        expected = case.dataset.fingerprint
        seen = worker.ask("observe", strategy=strategy, expected=expected, sent_to=f"{scratch}/sent")
    return bool(seen["equal"]) and not seen["further"]
