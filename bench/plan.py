"""Plan: what one command is going to measure, worked out before anything is started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.catalogue import find_scenario, is_available, select_strategies, sqlalchemy_version
from bench.model import Asked, CaseSpec, DatasetOptions, Sampling, Secrets, Strategy, Warned, parse_sizes
from bench.model.run import FEWEST_WORKERS

SEEDED_ROWS_S = 400_000
OBSERVED_ENTITIES_S = 25_000
"""Rows seeded, and entities verified, counted and traced for one arm, in a second: cautious, for estimates alone."""

SAMPLED_ENTITY_S = 25e-6
"""Seconds of one timed entity of one arm, both collectors and the floor included, for estimates alone."""

WORKER_START_S = 0.5
REPORT_S = 3.0
"""Seconds of starting a worker, and of drawing and writing a run's report, for estimates alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The cases of a run in the order in which they are measured, and how much is sampled of each.

    command: the command line, without secrets. warnings: what was left out of it, and why. secrets: passwords that were
    given with the targets; a stored run has none.
    """

    specs: tuple[CaseSpec, ...]
    sampling: Sampling
    label: str
    command: tuple[str, ...]
    warnings: tuple[Warned, ...] = ()
    secrets: Secrets = Secrets(by_url={})  # noqa: RUF009 - immutable

    @property
    def targets(self) -> tuple[Asked, ...]:
        """Where its cases run, each once."""
        return tuple(dict.fromkeys(asked for spec in self.specs for asked in spec.targets))


def make_plan(
    *,
    scenario: str,
    sizes: str,
    targets: tuple[Asked, ...],
    secrets: Secrets,
    strategies: str | None,
    dataset: DatasetOptions,
    sampling: Sampling,
    label: str,
    command: tuple[str, ...],
) -> Plan:
    """Return the plan of what was asked for. Raises BenchError for a name or a size that there is none of."""
    found = find_scenario(scenario)
    chosen, left_out = _that_this_version_has(select_strategies(found, strategies))
    parsed = parse_sizes(sizes, levels=found.levels)
    specs = tuple(
        CaseSpec(
            scenario=where_found(scenario),
            size=size,
            targets=targets,
            strategies=tuple(strategy.name for strategy in chosen),
            dataset=dataset,
        )
        for size in parsed
    )
    default_label = f"{found.name}-{parsed[0]}" if len(parsed) == 1 else f"{found.name}-{len(parsed)}-sizes"
    return Plan(
        specs=specs,
        sampling=sampling,
        label=label or default_label,
        command=command,
        warnings=left_out,
        secrets=secrets,
    )


def where_found(reference: str) -> str:
    """Return a scenario's name as any process finds it: a file by its absolute path."""
    path, colon, name = reference.rpartition(":")
    return f"{Path(path).resolve()}:{name}" if colon else reference


def without(plan: Plan, done: Sequence[CaseSpec]) -> Plan:
    """Return the plan less the cases that are done."""
    return replace(plan, specs=tuple(spec for spec in plan.specs if spec not in done))


def estimate_s(spec: CaseSpec, sampling: Sampling) -> float:
    """Return roughly how many seconds a case takes, seeding and observing included, the report of the run left out.

    A budget holds for timing, unless the workers that were fixed, or the first one, take more for a round each.
    """
    servers, arms, rows = len(spec.targets), len(spec.strategies) * len(spec.targets), spec.size.rows
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


def _that_this_version_has(strategies: Sequence[Strategy]) -> tuple[tuple[Strategy, ...], tuple[Warned, ...]]:
    kept = tuple(strategy for strategy in strategies if is_available(strategy))
    missing = [strategy for strategy in strategies if strategy not in kept]
    return kept, tuple(
        Warned(
            code="strategy_left_out",
            text=f"{strategy.name} is left out: it needs SQLAlchemy {'.'.join(map(str, strategy.since))}, "
            f"and {sqlalchemy_version()} is installed.",
        )
        for strategy in missing
    )
