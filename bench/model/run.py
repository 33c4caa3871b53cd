"""Run: everything that one command measured, as it is stored. Times are nanoseconds, sizes bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bench.model.asked import Asked
from bench.model.counters import Counters
from bench.model.environment import EnvironmentFacts
from bench.model.profile import SightName
from bench.model.recipe import DatasetOptions, Shape
from bench.model.size import Size

Collector = Literal["quiet", "default", "tuned"]
"""Garbage collection inside the clock: off; the interpreter's own thresholds; `TUNED_THRESHOLDS`."""

TUNED_THRESHOLDS = (50_000, 20, 100)
"""Collector thresholds that let a load of some ten thousand objects pass without a full collection."""

Kind = Literal["strategy", "twin", "floor"]

Fault = Literal["", "unequal", "failed", "died"]
"""Why an arm was not timed: it loaded another graph; the load raised; its worker ended. Empty where it was."""

TWIN_MARK = " (twin)"
"""Stands after the name of what is measured a second time under another name."""

FEWEST_WORKERS = 5
"""Workers without which a time has no interval: with fewer, Student's t is so wide that it would say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The timed loads of one arm under one collector policy, as columns of equal length, in the order taken.

    worker, round: where each was taken, counted from 0 (rounds within their worker). wall_ns: by the monotonic
    clock. cpu_ns: user and system time of the worker process. collections: full collections inside the clock.
    """

    collector: Collector
    worker: tuple[int, ...]
    round: tuple[int, ...]
    wall_ns: tuple[int, ...]
    cpu_ns: tuple[int, ...]
    collections: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One thing measured against others: a strategy, the baseline's twin (A/A), or a strategy's floor, on a target.

    name: unique among its target's (`selectin`, `selectin (twin)`, `selectin (floor)`). target: the name of one of the
    case's; for the twin that stands on a worker, and where there are fresh ones on a server, of its own, that of the
    target it repeats with TWIN_MARK after it. jit: whether the server compiles any of its statements, by EXPLAIN; None
    where there is no server to ask. error: why it was not timed: the
    first difference from the dataset's graph, or what it raised; None where it did equal work; fault: of which kind
    that is (empty in files from before there were kinds: then it counts as unequal). peak_bytes: the
    largest amount of Python memory that the load held, by tracemalloc. stopped_early: it lay so far above the best
    that it was not sampled beyond its minimum.
    """

    name: str
    kind: Kind
    strategy: str
    summary: str
    error: str | None = None
    fault: Fault = ""
    expected_statements: int | None = None
    expected_rows: int | None = None
    counters: Counters | None = None
    peak_bytes: int | None = None
    samples: tuple[Samples, ...] = ()
    stopped_early: bool = False
    target: str = ""
    jit: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSpec:
    """What a case was asked to measure: enough to measure it again, or to resume a run without it.

    targets: where, the one that the others are compared with first.
    """

    scenario: str
    size: Size
    targets: tuple[Asked, ...]
    strategies: tuple[str, ...]
    dataset: DatasetOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How much is sampled. budget_s: seconds of timing a case; None where workers and rounds are fixed."""

    seed: int
    budget_s: float | None
    workers: int | None = None
    rounds: int | None = None
    quick: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFacts:
    """What a report needs to know of a scenario, so that it can be drawn without importing it."""

    name: str
    question: str
    baseline: str
    rule_strategy: str
    rule_says: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedDelay:
    """The round-trip time that was added to a target, in ns, each measured by a loop of bare `SELECT 1`.

    asked_ns: what was asked for. added_ns: what a round trip takes longer than through the same proxy without a delay.
    proxy_ns: what that proxy itself adds to the way that goes straight to the server.
    """

    asked_ns: int
    added_ns: int
    proxy_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """The server that was measured. origin: whose build it is. settings: those that differ from its defaults.

    image: the digest of a container's. clusters: how many fresh servers the samples come from; 1 where all workers
    used the same one. delay: the round-trip time that was added. environment: what its workers ran in, where one was
    asked for; None where it was the harness's own, which `Run.environment` describes.
    """

    name: str
    dialect: str
    driver: str
    driver_version: str
    server_version: str
    provider: str
    origin: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    image: str = ""
    clusters: int = 1
    delay: AddedDelay | None = None
    environment: EnvironmentFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFacts:
    """The dataset as it was seeded, or of existing data what the lazy load reached in one snapshot.

    key: digest of all that decides its bytes. fingerprint: digest of its graph. seed_s: seconds that this took.
    """

    key: str
    fingerprint: str
    shape: Shape
    file_bytes: int
    seed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFacts:
    """A worker that took samples. live_objects: objects that the collector tracked before the first timed load.

    target: whose it was. Samples name their worker by its place among those of the same target, from 0: workers of one
    place were up at the same time.
    """

    pid: int
    hash_seed: int
    live_objects: int
    rounds: int
    ended: str = "finished"
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Where the timing of a case went, in seconds of wall time.

    total_s: from the first worker's start to the last one's end, less provisioning_s: starting and seeding the fresh
    servers of later workers, which no budget is charged for. starting_s, warming_s: starting workers, and loads
    that do not count. loading_s: inside the clock, the samples only. freeing_s, collecting_s: dropping results and
    `gc.collect()` between loads. What the sum leaves of the total is the harness's own.
    """

    total_s: float = 0.0
    starting_s: float = 0.0
    warming_s: float = 0.0
    loading_s: float = 0.0
    freeing_s: float = 0.0
    collecting_s: float = 0.0
    provisioning_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """A doubt about the numbers. code: one of `bench.record.warnings`; text: what was seen, and what to do."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A scenario at a size with its arms.

    targets, datasets: what each target of the spec was, in the same order, and what was seeded there. status: `wrong`
    when any arm did unequal work; `failed` when one could not be measured; `partial` when the case was cut short, or
    nothing of it could be timed.
    """

    spec: CaseSpec
    scenario: ScenarioFacts
    targets: tuple[TargetFacts, ...]
    datasets: tuple[DatasetFacts, ...]
    status: Literal["measured", "wrong", "failed", "partial"]
    arms: tuple[Arm, ...]
    workers: tuple[WorkerFacts, ...]
    warnings: tuple[Warned, ...] = ()
    timing: Spent = field(default_factory=Spent)
    observing_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What ran it, and on what. `git_revision` is that of the folder it was run in; empty where there is none."""

    host: str
    os: str
    cpu: str
    cpu_count: int
    memory_bytes: int
    load_1m: float
    python: str
    python_build: str
    sqlalchemy: str
    sqlalchemy_compiled: bool
    packages: dict[str, str]
    gc_thresholds: tuple[int, int, int]
    clock: str
    clock_resolution_ns: int
    git_revision: str
    git_dirty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything measured by one command. id: the name of its folder. created: ISO 8601, UTC.

    profile: whether each case was to be profiled after its timing, and sights: what else was asked for of each load;
    what came of it is not stored in here.
    """

    format_version: int
    id: str
    label: str
    created: str
    command: tuple[str, ...]
    status: Literal["running", "complete", "interrupted"]
    sampling: Sampling
    environment: Environment
    planned: tuple[CaseSpec, ...]
    cases: tuple[Case, ...] = ()
    profile: bool = False
    sights: tuple[SightName, ...] = ()
