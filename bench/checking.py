"""The exact tier of the gate: what loads do, measured without a clock, for a baseline or against one."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench import databases, pipeline
from bench.case import CaseUnderWay
from bench.catalogue import find_scenario, sqlalchemy_version
from bench.errors import BenchError
from bench.measure.events import CaseStarted, Doubted, Event, StageStarted
from bench.measure.observing import sent_path
from bench.measure.workers import LoadFailed, WorkerProcess
from bench.model import Arm, CaseSpec, Counters, DatasetOptions, Sampling, Secrets, parse_sizes
from bench.model.baseline import AtPlace, Loaded, MadeWith, Place, SentText
from bench.reduce.gate import Now, name_of
from bench.reduce.sqltext import by_text, canonical, normalised
from bench.wanted import Wanted

SEED = 1
UNTIMED = Sampling(seed=SEED, budget_s=None, workers=1, rounds=1, quick=True)
"""What a case is made with whose timing is nobody's business, or that of who makes it."""

DIGITS = 12
"""Digits of a digest that the baseline has."""

MOST_TEXTS = 20
"""Texts of a load that the baseline has in full; of the others their number and a digest."""


def measure(wanted: Sequence[Wanted], secrets: Secrets, found: dict[Place, Now]) -> Generator[Event]:
    """Measure each place, and put what was seen into `found`; yield what happens meanwhile. No clock is looked at."""
    sources = databases.find_sources([one.asked for one in wanted], run="check", secrets=secrets)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-check-")))
        for source in sources.values():
            yield from (StageStarted(stage="preparing", detail=phrase) for phrase in source.prepare())
        kept = kept_up(sources, stack)
        for number, one in enumerate(wanted, start=1):
            case = CaseUnderWay(spec_of(one), UNTIMED)
            yield CaseStarted(number=number, of=len(wanted), spec=told_as(one, case.spec))
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            with ExitStack() as up:
                pipeline.bring_up(case, kept, up)
                if one.strategies:
                    yield from filter(is_told, pipeline.watch(case, scratch))
                found[one.place] = _now(one, case, scratch)


def kept_up(sources: databases.Sources, stack: ExitStack) -> databases.Sources:
    """Return the sources, each of which keeps its server up until the stack is left."""
    return {server: _Kept(source, stack) for server, source in sources.items()}


class _Kept:
    """A source whose server, once it is up, stays for all cases: nothing is timed, so none of them disturbs another."""

    fresh = False

    def __init__(self, source: Any, stack: ExitStack) -> None:
        self._source, self._stack = source, stack
        self._provider: databases.Provider | None = None

    def prepare(self) -> Iterator[str]:
        """Fetch nothing: that was done."""
        return iter(())

    def up(self) -> AbstractContextManager[databases.Provider]:
        """Bring it up where it is not."""
        if self._provider is None:
            self._provider = self._stack.enter_context(self._source.up())
        return nullcontext(self._provider)


def is_told(event: Event) -> bool:
    """Whether an event is worth telling: that a formula does not hold is not, where the baseline is what counts."""
    return not (isinstance(event, Doubted) and event.warning.code == "formula")


def spec_of(one: Wanted) -> CaseSpec:
    """Return what is measured of a place, whatever it is measured for."""
    levels = find_scenario(one.scenario).levels
    return CaseSpec(
        scenario=one.scenario,
        size=parse_sizes(one.place.size, levels=levels)[0],
        targets=(one.asked,),
        strategies=one.strategies,
        dataset=DatasetOptions(seed=SEED),
    )


def told_as(one: Wanted, spec: CaseSpec) -> CaseSpec:
    """Return what is measured under the name that the baseline has for it: a file by its path from there."""
    return replace(spec, scenario=one.place.scenario)


def _now(one: Wanted, case: CaseUnderWay, scratch: Path) -> Now:
    """Return what was seen of a case; its schema, the shapes of its plans and Python calls are asked of a worker."""
    target = case.names[0]
    equal = [arm for arm in case.observed if arm.error is None]
    sent = {arm.strategy: str(sent_path(scratch, arm)) for arm in equal}
    with case.worker(target, hash_seed=0) as worker:
        try:
            described = worker.ask("describe", sent=sent)
        except LoadFailed as failure:
            case.fleet.check(target)
            raise BenchError(
                f"The schema and plans of {name_of(one.place)} cannot be asked for: {failure}.",
                remedy="The user that connects has to own the tables.",
            ) from None
        counted = _calls(equal, case, worker)
    facts = case.fleet.facts[target]
    return Now(
        found=AtPlace(
            made_with=MadeWith(
                sqlalchemy=sqlalchemy_version(),
                server=f"{facts.dialect} {facts.server_version}{_with(described['collation'])}",
                driver=facts.driver,
                dataset=case.dataset.fingerprint[:DIGITS],
                calls_with=next((each.calls_with for each in counted.values()), ""),
            ),
            schema=tuple(described["schema"]),
            loads={
                arm.strategy: _loaded(arm, described["plans"][arm.strategy], counted[arm.strategy].calls)
                for arm in equal
                if not counted[arm.strategy].fault
            },
        ),
        faults={arm.strategy: _fault(arm) for arm in case.observed if arm.error is not None}
        | {strategy: each.fault for strategy, each in counted.items() if each.fault},
        left_out=one.left_out,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """A strategy's Python calls and what they hang on, or why there are none: it fails when it is run again."""

    calls: int = 0
    calls_with: str = ""
    fault: str = ""


def _calls(equal: Sequence[Arm], case: CaseUnderWay, worker: WorkerProcess) -> dict[str, _Counted]:
    """Count the Python calls of each strategy in one process: they are the same in every."""
    found: dict[str, _Counted] = {}
    for arm in equal:
        try:
            answer = worker.ask("calls", strategy=arm.strategy)
            found[arm.strategy] = _Counted(calls=answer["calls"], calls_with=answer["with"])
        except LoadFailed as failure:
            case.fleet.check(arm.target)
            found[arm.strategy] = _Counted(fault=f"fails when it is run again: {' '.join(str(failure).split())}")
    return found


def _with(collation: str) -> str:
    return f" with collation {collation}" if collation else ""


def _fault(arm: Arm) -> str:
    did = {"unequal": "does not load the dataset's own graph", "failed": "fails", "died": "takes its process down"}
    error = " ".join((arm.error or "").split())
    return f"{did.get(arm.fault, 'fails')}: {error}"


def _loaded(arm: Arm, plans: Sequence[tuple[str, Sequence[str]]], calls: int) -> Loaded:
    counters = arm.counters
    assert counters is not None
    shapes: dict[str, tuple[str, ...]] = {}
    for sql, lines in plans:
        shapes.setdefault(canonical(normalised(sql)), tuple(lines))
    return Loaded(
        statements=counters.statements,
        rows=counters.rows,
        repeated_rows=counters.repeated_rows,
        parameters=counters.parameters,
        bytes=counters.bytes,
        sent=_sent(counters, shapes),
        calls=calls,
    )


def _sent(counters: Counters, shapes: Mapping[str, tuple[str, ...]]) -> tuple[SentText, ...]:
    """Return what was sent by text. Of very many, which differ by their literals, the rest is told by a digest."""
    texts = sorted(by_text(counters.by_statement).items())
    sent = [SentText(sql=sql, times=each.executions, plan=shapes.get(sql, ())) for sql, each in texts[:MOST_TEXTS]]
    if rest := texts[MOST_TEXTS:]:
        digest = hashlib.sha256("\n".join(f"{each.executions} {sql}" for sql, each in rest).encode()).hexdigest()
        more = f"... and {len(rest):,} more texts, of digest {digest[:DIGITS]}"
        sent.append(SentText(sql=more, times=sum(each.executions for _, each in rest)))
    return tuple(sent)
