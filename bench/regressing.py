"""The time tier of the gate: loads of a revision and of the work tree, side by side in pairs of fresh workers."""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from bench import databases, pipeline
from bench.case import CaseUnderWay
from bench.checking import SEED, UNTIMED, is_told, kept_up, spec_of, told_as
from bench.environments import Prepared, prepare
from bench.errors import BenchError
from bench.measure.events import CaseStarted, Event, StageStarted, Unit
from bench.measure.sampling import SamplingLoop
from bench.measure.schedule import Key
from bench.measure.timings import Timings
from bench.measure.warming import warm_loads
from bench.measure.workers import LoadFailed
from bench.model import Arm, Asked, AskedEnvironment, Counters, Sampling, Secrets
from bench.model.baseline import Place
from bench.reduce.compare_counts import compare_counts
from bench.reduce.pairing import grid, paired_medians, time_of
from bench.reduce.regression import UNFINISHED, Judged, Regression, TimedLoad, is_suspect, paired, verdicts
from bench.wanted import Wanted

PAIRS = 25
"""Pairs of workers unless told: with them a load of 220 rows shows +3.5 % in 80 of 100 (docs/performance.md)."""

THRESHOLD = 0.02
"""The slowdown that is let pass unless another is asked for."""

PAIR_S = 1.2
"""What the loads of a pair may take together: rounds are as many as fit, for starting its workers takes a second."""

LEAST_ROUNDS, MOST_ROUNDS = 2, 40
"""Rounds of a pair. What a pair of a small load scatters by is the noise of its rounds, so more of these help as much
as more pairs would, and cost a tenth: 3.4 % with 15, 2.0 % with 40, 1.7 % with 60 (docs/performance.md)."""

Load = tuple[Place, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """What is asked of the time tier. revision: what the work tree is compared with. rounds: None for what fits.

    threshold: the slowdown that is let pass, for each load.
    """

    revision: str
    pairs: int
    rounds: int | None
    threshold: Mapping[Load, float]


@dataclass(slots=True)
class Found:
    """What was found so far. ratios: of each load, one figure a pair. fresh: the same, of the decision.

    unfinished: the same of loads whose first pairs were not all taken.
    """

    commit: str = ""
    dirty: bool = False
    ratios: dict[Load, list[float]] = field(default_factory=dict)
    unfinished: dict[Load, list[float]] = field(default_factory=dict)
    fresh: dict[Load, list[float]] = field(default_factory=dict)
    times: dict[Load, tuple[float, float]] = field(default_factory=dict)
    counters: dict[Load, tuple[Counters, Counters]] = field(default_factory=dict)
    not_compared: dict[Load, str] = field(default_factory=dict)
    broken: dict[Load, str] = field(default_factory=dict)


def measure(wanted: Sequence[Wanted], secrets: Secrets, against: Against, found: Found) -> Generator[Event]:
    """Measure every load of `wanted` in both revisions, and those that are screened in once more; fill `found`.

    Raises BenchError for a revision that cannot be had.
    """
    sources = databases.find_sources([one.asked for one in wanted], run="check", secrets=secrets)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-check-")))
        for source in sources.values():
            yield from (StageStarted(stage="preparing", detail=phrase) for phrase in source.prepare())
        prepared: dict[Asked, Prepared] = {}
        kept = kept_up(sources, stack)
        for asked in dict.fromkeys(one.asked for one in wanted):
            before = _before(asked, against)
            yield StageStarted(stage="preparing", detail=str(before.environment))
            prepared[before] = stack.enter_context(prepare(before))
            found.commit, found.dirty = prepared[before].facts.revision, prepared[before].dirty
        stage = _Stage(against=against, kept=kept, prepared=prepared, scratch=scratch, found=found)
        for number, one in enumerate(wanted, start=1):
            yield from stage.screen(one, number, len(wanted))
        suspects = suspects_of(found, against)
        again = [one for one in wanted if any(place == one.place for place, _ in suspects)]
        for number, one in enumerate(again, start=1):
            yield from stage.decide(one, number, len(again), suspects)


def regression(against: Against, found: Found) -> Regression:
    """Return the outcome of what was found, be that all or not."""
    judged: dict[Load, Judged] = verdicts(found.ratios, found.fresh, against.threshold)
    judged.update(dict.fromkeys(found.unfinished, UNFINISHED))
    seen = {*judged, *found.not_compared, *found.broken}
    return Regression(
        revision=against.revision,
        commit=found.commit,
        dirty=found.dirty,
        pairs=against.pairs,
        loads=tuple(_timed(load, found, against, verdict) for load, verdict in judged.items()),
        not_compared=found.not_compared,
        broken=found.broken,
        unreached=tuple(load for load in against.threshold if load not in seen),
    )


def suspects_of(found: Found, against: Against) -> list[Load]:
    """Return the loads that are decided on fresh pairs."""
    return [load for load, ratios in found.ratios.items() if is_suspect(ratios, against.threshold[load])]


def _timed(load: Load, found: Found, against: Against, judged: Judged) -> TimedLoad:
    first = found.unfinished[load] if judged == UNFINISHED else found.ratios[load]
    fresh, threshold = found.fresh.get(load), against.threshold[load]
    before, now = found.counters[load]
    before_ns, now_ns = found.times[load]
    return TimedLoad(
        place=load[0],
        strategy=load[1],
        threshold=threshold,
        before_ns=before_ns,
        now_ns=now_ns,
        pairs=len(fresh or first),
        screened=paired(first, threshold),
        decided=paired(fresh, threshold) if fresh else None,
        judged=judged,
        counts=compare_counts(before, now, same_dialect=True) or None,
    )


def _before(asked: Asked, against: Against) -> Asked:
    return replace(asked, environment=AskedEnvironment(revision=against.revision))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """Screens and decides the loads of one place after another."""

    against: Against
    kept: databases.Sources
    prepared: Mapping[Asked, Prepared]
    scratch: Path
    found: Found

    def screen(self, one: Wanted, number: int, of: int) -> Iterator[Event]:
        """See which loads do equal work in both, and time these."""
        with ExitStack() as up:
            case = self._case(one)
            yield CaseStarted(number=number, of=of, spec=told_as(one, case.spec))
            yield StageStarted(stage="seeding", detail=f"{case.spec.size.rows:,} rows")
            pipeline.bring_up(case, self.kept, up)
            if reason := self._lacking(case):
                self.found.not_compared.update({(one.place, name): reason for name in one.strategies})
                return
            yield StageStarted(stage="observing", detail="what each strategy sends, in both revisions")
            yield from filter(is_told, pipeline.watch(case, self.scratch))
            strategies = self._comparable(one, case)
            yield StageStarted(stage="timing", detail=f"{self.against.pairs} pairs of workers")
            yield from self._time(one, case, strategies, "pair")

    def decide(self, one: Wanted, number: int, of: int, suspects: Sequence[Load]) -> Iterator[Event]:
        """Time what was screened in once more, on fresh pairs."""
        strategies = [name for place, name in suspects if place == one.place]
        with ExitStack() as up:
            case = self._case(one)
            yield CaseStarted(number=number, of=of, spec=told_as(one, case.spec))
            pipeline.bring_up(case, self.kept, up)
            yield StageStarted(stage="timing", detail=f"{self.against.pairs} fresh pairs, to decide")
            yield from self._time(one, case, strategies, "fresh pair")

    def _case(self, one: Wanted) -> CaseUnderWay:
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        targets = (_before(one.asked, self.against), one.asked)
        return CaseUnderWay(replace(spec_of(one), targets=targets), UNTIMED, environments=self.prepared)

    def _lacking(self, case: CaseUnderWay) -> str:
        """Why the revision does not have the scenario at all; empty where it has."""
        prepared = case.prepared(case.names[0])
        assert prepared is not None
        around = prepared.surroundings
        there, ending, _ = around.reference(case.spec.scenario).rpartition(".py:")
        if ending and not (Path(around.folder or ".") / f"{there}.py").is_file():
            name = f"{Path(there).name}.py"
            return f"is new: {self.against.revision} has no {name}, so there is nothing to compare it with"
        try:
            with case.worker(case.names[0], hash_seed=0):
                return ""
        except BenchError as error:
            if "from the work tree" in error.message:
                raise
            return f"is not compared: {' '.join(error.message.split())}"

    def _comparable(self, one: Wanted, case: CaseUnderWay) -> list[str]:
        """Return the strategies that do equal work in both revisions, and note what is wrong with the others."""
        before, now = ({arm.strategy: arm for arm in case.observed if arm.target == name} for name in case.names)
        strategies = []
        for name in one.strategies:
            then, since = (" ".join((arm.error or "").split()) for arm in (before[name], now[name]))
            if then:
                self.found.not_compared[one.place, name] = f"is not compared, in {self.against.revision}: {then}"
                continue
            if since:
                self.found.broken[one.place, name] = f"does not load what it did in {self.against.revision}: {since}"
                continue
            strategies.append(name)
            was, is_ = before[name].counters, now[name].counters
            assert was is not None and is_ is not None
            self.found.counters[one.place, name] = (was, is_)
        return strategies

    def _time(self, one: Wanted, case: CaseUnderWay, strategies: Sequence[str], unit: Unit) -> Iterator[Event]:
        """Time what is the same work in both, in first pairs or in fresh ones; what is cut short keeps the first."""
        if not strategies:
            return
        arms = [
            Arm(name=name, kind="strategy", strategy=name, summary="", target=target)
            for target in case.names
            for name in strategies
        ]
        rounds = self.against.rounds or self._rounds(case, arms)
        warm = {name: warm_loads(case.fleet.targets[name].driver) for name in case.names}
        timings = Timings()
        loop = SamplingLoop(
            arms=arms,
            sampling=Sampling(seed=SEED, budget_s=None, workers=self.against.pairs, rounds=rounds),
            start=lambda hash_seed: pipeline.team(case, case.names, hash_seed),
            check=lambda target: case.fleet.check(target),
            scratch=self.scratch,
            clock=time.monotonic,
            seed=f"{time.time_ns()}/{one.place}/{unit}",  # another one each time: no order is lucky for ever
            warm=warm,
            timings=timings,
            quiet_only=True,
            unit=unit,
        )
        screening = unit == "pair"
        into = self.found.unfinished if screening else None  # fresh pairs decide when they are all there
        try:
            yield from loop.run()
            into = self.found.ratios if screening else self.found.fresh
        finally:
            timed: dict[Key, Arm] = {(arm.target, arm.strategy): timings.of(arm) for arm in arms}
            if into is not None:
                for name in strategies:
                    before, now = (timed[target, name] for target in case.names)
                    self._keep((one.place, name), before, now, into)

    def _keep(self, load: Load, before: Arm, now: Arm, into: dict[Load, list[float]]) -> None:
        if failed := before.error or now.error:
            self.found.not_compared[load] = f"is not compared: {failed}"
            into.pop(load, None)
            return
        then, since = grid(before, "quiet"), grid(now, "quiet")
        medians, _ = paired_medians(since, then)
        if not medians and into is self.found.unfinished:
            return
        into[load] = list(medians.values())
        was, is_ = time_of(then), time_of(since)
        self.found.times[load] = (was.value if was else math.nan, is_.value if is_ else math.nan)

    def _rounds(self, case: CaseUnderWay, arms: Sequence[Arm]) -> int:
        """Return how many rounds fit into PAIR_S, by loads that do not count."""
        with pipeline.team(case, case.names, 0) as team:
            spent_s = 0.0
            for arm in arms:
                try:
                    taken = [
                        team[arm.target].ask("time", strategy=arm.strategy, floor=False, collector="quiet")
                        for _ in range(3)
                    ]
                except LoadFailed:
                    continue
                spent_s += median((one["wall_ns"] + one["freeing_ns"] + one["collecting_ns"]) / 1e9 for one in taken)
        return max(LEAST_ROUNDS, min(MOST_ROUNDS, int(PAIR_S / spent_s) if spent_s else LEAST_ROUNDS))
