"""What `bench sql` and `bench profile` do, as functions that return data and text."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from bench import profiling
from bench.catalogue import find_scenario
from bench.commands import width
from bench.model import DatasetOptions, Sampling, parse_targets
from bench.model.profile import Looked
from bench.plan import Plan, make_plan
from bench.profiling import Say
from bench.record import redact
from bench.report import sent_statements

SMALL_SIZES = {1: "20", 2: "20x5", 3: "20x5x3"}
"""Enough to see what is sent, by how many numbers a scenario's sizes have."""


def statements(*, scenario: str, sizes: str | None, say: Say, **asked: Any) -> Iterator[Looked]:
    """Yield what each strategy sends on each target."""
    size = sizes or SMALL_SIZES[min(find_scenario(scenario).levels, max(SMALL_SIZES))]
    return profiling.look(plan(scenario=scenario, sizes=size, **asked), explain=False, say=say)


def plan(
    *,
    scenario: str,
    sizes: str | None,
    databases: str,
    drivers: str | None,
    provider: Any,
    rtt: str | None,
    strategies: str | None,
    seed: int,
    label: str = "",
) -> Plan:
    """Return the plan of a command line's options: a case in which nothing is timed against anything."""
    targets, secrets = parse_targets(databases, drivers=drivers, provider=provider, rtt=rtt)
    return make_plan(
        scenarios=[scenario],
        sizes=sizes,
        targets=targets,
        secrets=secrets,
        strategies=strategies,
        dataset=DatasetOptions(seed=seed),
        sampling=Sampling(seed=seed, budget_s=None, workers=1, rounds=1, quick=True),
        label=label,
        command=("bench", *map(redact, sys.argv[1:])),
    )


def plain(looked: Looked) -> dict[str, Any]:
    """Return what was seen as plain data, for JSON."""
    found = asdict(looked)
    for sending, kept in zip(found["sendings"], looked.sendings, strict=True):
        sending["is_n_plus_one"] = kept.is_n_plus_one
    return found


def sent_text(looked: Looked, *, full: bool) -> str:
    """Return what a strategy sent, as text for the terminal."""
    return sent_statements.sent_text(looked, width=width(), full=full)
