"""Plan: what one command is going to measure, worked out before anything is started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.catalogue import find_scenario, is_available, select_strategies, sqlalchemy_version
from bench.errors import BenchError
from bench.model import (
    Asked,
    CaseSpec,
    DatasetOptions,
    Sampling,
    Scenario,
    Secrets,
    Size,
    Strategy,
    Warned,
    parse_sizes,
)
from bench.model.environment import INSTALLED
from bench.model.profile import SightName
from bench.model.run import FEWEST_WORKERS
from bench.model.scenario import NO_RECIPE
from bench.model.size import EXISTING

SEEDED_ROWS_S = 400_000
OBSERVED_ENTITIES_S = 25_000
"""Rows seeded, and entities verified, counted and traced for one arm, in a second: cautious, for estimates alone."""

SAMPLED_ENTITY_S = 25e-6
"""Seconds of one timed entity of one arm, both collectors and the floor included, for estimates alone."""

USUAL_SIZES = {1: "1000", 2: "1000x50", 3: "100x20x5"}
"""What is measured where no size is asked for, by the numbers that a scenario's size has."""

WORKER_START_S = 0.5
REPORT_S = 3.0
"""Seconds of starting a worker, and of drawing and writing a run's report, for estimates alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The cases of a run in the order in which they are measured, and how much is sampled of each.

    command: the command line, without secrets. warnings: what was left out of a scenario, and why, by its name.
    secrets: passwords that were given with the targets; a stored run has none. profile: whether each case is profiled
    after its timing; sights: what else is to be seen of each load then.
    """

    specs: tuple[CaseSpec, ...]
    sampling: Sampling
    label: str
    command: tuple[str, ...]
    warnings: Mapping[str, tuple[Warned, ...]] = field(default_factory=dict)
    secrets: Secrets = Secrets(by_url={})  # noqa: RUF009 - immutable
    profile: bool = False
    sights: tuple[SightName, ...] = ()

    @property
    def targets(self) -> tuple[Asked, ...]:
        """Where its cases run, each once."""
        return tuple(dict.fromkeys(asked for spec in self.specs for asked in spec.targets))


def make_plan(
    *,
    scenarios: Sequence[str],
    sizes: str | None,
    targets: tuple[Asked, ...],
    secrets: Secrets,
    strategies: str | None,
    dataset: DatasetOptions,
    sampling: Sampling,
    label: str,
    command: tuple[str, ...],
) -> Plan:
    """Return the plan of what was asked for: each scenario at each size, on all of the targets.

    sizes: None for the usual one of each scenario. Raises BenchError for a name or a size that there is none of.
    """
    existing = any(asked.existing for asked in targets)
    if existing and sizes is not None:
        raise BenchError("Existing data has the size that it has.", remedy="Leave --size out, or --existing.")
    specs: list[CaseSpec] = []
    warnings: dict[str, tuple[Warned, ...]] = {}
    for reference in scenarios:
        found = find_scenario(reference)
        chosen, left_out = _that_can_be_had(select_strategies(found, strategies), targets, found)
        parsed, replaced = ((EXISTING,), []) if existing else _sizes(found, sizes, alone=len(scenarios) == 1)
        remarks = [Warned(code="strategy_left_out", text=text) for text in found.remarks]
        warnings[where_found(reference)] = (*remarks, *left_out, *replaced)
        specs += [
            CaseSpec(
                scenario=where_found(reference),
                size=size,
                targets=targets,
                strategies=tuple(strategy.name for strategy in chosen),
                dataset=dataset,
            )
            for size in parsed
        ]
    return Plan(
        specs=tuple(specs),
        sampling=sampling,
        label=label or _label(scenarios, specs),
        command=command,
        warnings=warnings,
        secrets=secrets,
    )


def _sizes(scenario: Scenario, sizes: str | None, *, alone: bool) -> tuple[tuple[Size, ...], list[Warned]]:
    """Return the sizes of a scenario. Beside others, one that takes more or fewer numbers has its usual size."""
    if scenario.recipe == NO_RECIPE:
        raise BenchError(
            f"{scenario.name} has no recipe, so there are no rows to seed.",
            remedy="Name the database that holds its data, with --existing; or give the scenario a recipe.",
        )
    usual = scenario.usual or USUAL_SIZES[min(scenario.levels, max(USUAL_SIZES))]
    try:
        return parse_sizes(sizes or usual, levels=scenario.levels), []
    except BenchError:
        if alone or sizes is None:
            raise
        for levels in USUAL_SIZES:  # one that is wrong for every scenario is wrong usage
            with suppress(BenchError):
                parse_sizes(sizes, levels=levels)
                break
        else:
            raise
    text = (
        f"{scenario.name} takes a size of {scenario.levels} numbers, so it is measured at {usual} and not at {sizes}."
    )
    return parse_sizes(usual, levels=scenario.levels), [Warned(code="size_replaced", text=text)]


def _label(scenarios: Sequence[str], specs: Sequence[CaseSpec]) -> str:
    if len(scenarios) > 1:
        return f"{len(scenarios)}-scenarios"
    name = find_scenario(scenarios[0]).name
    if specs[0].size == EXISTING:
        return f"{name}-existing"
    return f"{name}-{specs[0].size}" if len(specs) == 1 else f"{name}-{len(specs)}-sizes"


def where_found(reference: str) -> str:
    """Return a scenario's name as any process finds it: a file by its absolute path."""
    path, ending, name = reference.rpartition(".py:")
    return f"{Path(path + '.py').resolve()}:{name}" if ending else reference


def without(plan: Plan, done: Sequence[CaseSpec]) -> Plan:
    """Return the plan less the cases that are done."""
    return replace(plan, specs=tuple(spec for spec in plan.specs if spec not in done))


def estimate_s(spec: CaseSpec, sampling: Sampling) -> float:
    """Return roughly how many seconds a case takes, seeding and observing included, the report of the run left out.

    A budget holds for timing, unless the workers that were fixed, or the first one, take more for a round each.
    """
    servers, arms, rows = len(spec.targets), len(spec.strategies) * len(spec.targets), _rows(spec)
    observing = servers * (WORKER_START_S + rows / SEEDED_ROWS_S) + arms * rows / OBSERVED_ENTITIES_S
    workers = sampling.workers or FEWEST_WORKERS
    round_s = arms * rows * SAMPLED_ENTITY_S
    rounds = (sampling.rounds or 1) + 1  # one warms up; a worker takes one more however little of the budget is left
    least_s = workers * (WORKER_START_S + rounds * round_s)
    if sampling.budget_s is None:
        return observing + least_s
    if sampling.workers is None:
        least_s /= workers  # a budget that is too short buys fewer workers, but never less than one
    return observing + max(sampling.budget_s, least_s)


def _rows(spec: CaseSpec) -> int:
    """Return the rows of a case's tables: parameters of a scenario may multiply those that its size names."""
    from bench.datasets.shape import rows_of_tables

    with suppress(BenchError):  # what cannot be made is told where it is made
        return max(
            spec.size.rows,
            sum(rows_of_tables(find_scenario(spec.scenario).recipe, spec.size, spec.dataset).values()),
        )
    return spec.size.rows


def _that_can_be_had(
    strategies: Sequence[Strategy], targets: Sequence[Asked], scenario: Scenario
) -> tuple[tuple[Strategy, ...], list[Warned]]:
    """Return the strategies that SQLAlchemy's version and all of the databases have, and what is said of the others.

    Raises BenchError where none is left.
    """
    dialects = {asked.dialect for asked in targets}
    versions = [asked.environment.sqlalchemy for asked in targets]
    kept, warnings = [], []
    for strategy in strategies:
        lacking = sorted(dialects - set(strategy.dialects)) if strategy.dialects else []
        if not any(_may_be_had(strategy, version) for version in versions):
            needed = ".".join(map(str, strategy.since))
            has = ", ".join(dict.fromkeys(v if v not in ("", INSTALLED) else sqlalchemy_version() for v in versions))
            reason = f"it needs SQLAlchemy {needed}, and {has} is what there is"
        elif lacking:
            reason = f"it sends what {' and '.join(lacking)} has not"
        else:
            kept.append(strategy)
            continue
        text = f"{strategy.name} of {scenario.name} is left out: {reason}."
        warnings.append(Warned(code="strategy_left_out", text=text))
    if not kept:
        raise BenchError(
            f"No strategy of {scenario.name} that was asked for can be measured: {warnings[0].text}",
            remedy="Ask for others: see `bench list`.",
        )
    return tuple(kept), warnings


def _may_be_had(strategy: Strategy, version: str) -> bool:
    """Whether a version that was asked for has what a strategy uses; of a source tree that is seen when it is built."""
    if "/" in version:
        return True
    return is_available(strategy, None if version in ("", INSTALLED) else version)
