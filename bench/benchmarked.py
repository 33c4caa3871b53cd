"""The catalogue as benchmarks of pytest-benchmark: one process, one strategy after another, by the tool's own clock.

What it shares with a run of ours: the dataset, the check that the whole graph was loaded, the counts, warm loads, and
what is inside the clock. What it has not: fresh workers, shuffled rounds, intervals. This module asks for neither
pytest nor pytest-benchmark; `tests/benchmarks/test_catalogue.py` hands it the fixture.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bench.case import CaseUnderWay
from bench.catalogue import find_scenario, find_strategy, scenario_names, sqlalchemy_version
from bench.connect import calling
from bench.connect import engine as connect
from bench.errors import BenchError, GateFailed
from bench.measure.warming import warm_loads
from bench.model import DatasetOptions, Sampling, Scenario, Strategy, Target, parse_targets
from bench.plan import Plan, make_plan
from bench.profiling import brought_up
from bench.worker import Worker

USUAL_SIZES = {1: "500", 2: "100x10", 3: "20x5x4"}
"""What is measured where no size is asked for, by the numbers that a scenario's size has: small, for they are many."""

USUAL_ROUNDS = 10
MOST_ROUNDS = 100_000
SEED = 1

COUNTS = ("statements", "rows", "repeated_rows", "entities", "parameters", "bytes")


class Benchmark(Protocol):
    """What is used of pytest-benchmark's fixture."""

    group: str | None
    extra_info: dict[str, Any]

    def pedantic(self, target: Any, *, setup: Any, teardown: Any, rounds: Any, warmup_rounds: Any) -> Any:
        """Time a function with what `setup` gives it, round by round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the environment asks for: a case of each scenario, and how many rounds of each of its strategies."""

    plans: tuple[Plan, ...]
    rounds: int


def wanted(environ: Mapping[str, str]) -> Wanted:
    """Return what is to be measured, by the variables BENCH_SCENARIO, _SIZE, _STRATEGY, _DB, _DRIVER and _ROUNDS.

    Each is written as the option of `bench run` is; a scenario that takes a size of more or fewer numbers has its usual
    one. Raises BenchError for what that command would refuse, and for several databases, drivers or sizes.
    """
    names = scenario_names(environ.get("BENCH_SCENARIO") or "all")
    size = environ.get("BENCH_SIZE") or None
    levels = {find_scenario(name).levels for name in names}
    if size and _numbers(size) not in levels:
        raise BenchError(f"BENCH_SIZE: {size!r} is no size of any of these scenarios.", remedy="Write it as 100x10.")
    plans = tuple(_plan(name, size, environ) for name in names)
    several = next((plan for plan in plans if len(plan.specs) > 1 or len(plan.targets) > 1), None)
    if several:
        raise BenchError(
            "pytest-benchmark has one column: one size, one database and one driver at a time.",
            remedy="Name one in each of BENCH_SIZE, BENCH_DB and BENCH_DRIVER; compare the files that it saves.",
        )
    return Wanted(plans=plans, rounds=_rounds(environ.get("BENCH_ROUNDS") or str(USUAL_ROUNDS)))


@contextmanager
def seeded(plan: Plan) -> Iterator[CaseUnderWay]:
    """Have the one case of a plan up and seeded for as long as the block runs. Raises BenchError where it cannot be."""
    with brought_up(plan, plan.targets[0], lambda _: None) as case:
        yield case


def measure(benchmark: Benchmark, case: CaseUnderWay, strategy: str, *, rounds: int) -> None:
    """Check and count one load of a strategy, then have `benchmark` time it; counts and facts go to its `extra_info`.

    With an asynchronous driver all of it happens within one event loop, as an `AsyncSession` would have it: the clock
    runs from the first statement to the end of the walk, and never around a coroutine that nobody awaits.
    Raises GateFailed where another graph is loaded than the dataset's.
    """
    target = case.fleet.targets[case.names[0]]
    benchmark.group = f"{case.scenario.name} {case.spec.size}"
    benchmark.extra_info.update(_facts(case) | _counted(case, target, strategy))
    engine = connect(target)  # another than that which was observed
    load = _Load(case.scenario, find_strategy(case.scenario, strategy), engine)
    with calling(engine) as call:
        call(lambda: load.timed(benchmark, rounds=rounds, warm=warm_loads(target.driver)))


class _Load:
    """A load in the parts that `pedantic` takes: what comes before the clock, what is timed, what comes after."""

    def __init__(self, scenario: Scenario, strategy: Strategy, engine: Engine) -> None:
        self._scenario, self._strategy, self._engine = scenario, strategy, engine
        self._held: list[Any] = []
        self._session: Session | None = None

    def timed(self, benchmark: Benchmark, *, rounds: int, warm: int) -> None:
        """Have it timed, and close what is open afterwards in any case: the tool's `--benchmark-disable` does not."""
        try:
            benchmark.pedantic(
                self._run, setup=self._set_up, teardown=self._tear_down, rounds=rounds, warmup_rounds=warm
            )
        finally:
            self._tear_down()

    def _set_up(self) -> None:
        self._session = Session(self._engine)
        if self._scenario.prepare is not None:
            self._scenario.prepare(self._session)
        gc.collect()

    def _run(self) -> None:
        assert self._session is not None
        # Held, and not returned: the tool would free it while the next load's result is there too.
        self._held.append(self._scenario.load(self._session, self._strategy))

    def _tear_down(self) -> None:
        self._held.clear()
        if self._session is not None:
            self._session.close()
            self._session = None


def _counted(case: CaseUnderWay, target: Target, strategy: str) -> dict[str, Any]:
    """Return what one load of it counts. Raises GateFailed where that is another graph than the dataset's."""
    worker = Worker(case.spec.scenario, target)
    with TemporaryDirectory() as scratch, calling(worker.engine) as call:
        expected, sent_to = case.dataset.fingerprint, str(Path(scratch, "sent"))
        seen = call(lambda: worker.observer.observe(strategy=strategy, expected=expected, sent_to=sent_to))
    if not seen["equal"] or seen["further"]:
        raise GateFailed(
            f"{strategy} does not load the dataset's own graph, so its time means nothing.",
            remedy=f"Ask where they differ: bench run --scenario {case.spec.scenario} --strategy {strategy} --quick.",
        )
    return {name: seen["counters"][name] for name in COUNTS}


def _facts(case: CaseUnderWay) -> dict[str, Any]:
    facts = case.fleet.facts[case.names[0]]
    return {
        "target": facts.name,
        "database": f"{facts.dialect} {facts.server_version}".strip(),
        "driver": f"{facts.driver} {facts.driver_version}".strip(),
        "origin": facts.origin,
        "sqlalchemy": sqlalchemy_version(),
    }


def _plan(name: str, size: str | None, environ: Mapping[str, str]) -> Plan:
    levels = find_scenario(name).levels
    own = size if size and _numbers(size) == levels else USUAL_SIZES[min(levels, max(USUAL_SIZES))]
    targets, secrets = parse_targets(environ.get("BENCH_DB") or "sqlite", drivers=environ.get("BENCH_DRIVER") or None)
    return make_plan(
        scenarios=[name],
        sizes=own,
        targets=targets,
        secrets=secrets,
        strategies=environ.get("BENCH_STRATEGY") or None,
        dataset=DatasetOptions(seed=SEED),
        sampling=Sampling(seed=SEED, budget_s=None),
        label="",
        command=(),
    )


def _numbers(size: str) -> int:
    return len(size.partition(",")[0].split("x"))


def _rounds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MOST_ROUNDS):
        raise BenchError(f"BENCH_ROUNDS: {text!r} is no number of rounds.", remedy="Give a whole number, as 10.")
    return int(text)
