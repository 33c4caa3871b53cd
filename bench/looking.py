"""What `bench sql` and `bench profile` do, as functions that return data and text."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from bench import profiling, sights
from bench.catalogue import find_scenario
from bench.commands import width
from bench.errors import GateFailed
from bench.model import DatasetOptions, Sampling, parse_targets
from bench.model.profile import Looked
from bench.plan import Plan, make_plan
from bench.profiling import Say
from bench.record import environment, new_folder, redact
from bench.record.folders import unwritable
from bench.record.profiles import plain, save_profile
from bench.report import sent_statements
from bench.report.plan_text import differences_text
from bench.report.profile_text import target_text
from bench.report.units import listed

__all__ = ["plain", "profile", "sent_text", "statements"]

PROFILES = "profiles"
"""The folder within the results' that holds profiles: they are no runs."""

SMALL_SIZES = {1: "20", 2: "20x5", 3: "20x5x3"}
"""Enough to see what is sent, by how many numbers a scenario's sizes have."""


def statements(*, scenario: str, sizes: str | None, say: Say, **asked: Any) -> Iterator[Looked]:
    """Yield what each strategy sends on each target."""
    if asked.get("existing"):
        return profiling.look(plan(scenario=scenario, sizes=sizes, **asked), explain=False, say=say)
    size = sizes or SMALL_SIZES[min(find_scenario(scenario).levels, max(SMALL_SIZES))]
    return profiling.look(plan(scenario=scenario, sizes=size, **asked), explain=False, say=say)


def profile(
    *,
    label: str,
    results: Path,
    loads: int,
    explain: bool,
    flames: bool = False,
    wire: bool = True,
    memory: bool = False,
    memray: bool = False,
    say: Say,
    **asked: Any,
) -> Iterator[str]:
    """Profile each strategy on each target, keep what was found after each, and yield the text of it.

    flames: with what each load calls, its call tree and its flame graph. wire: with the bytes that cross it.
    memory: with what it holds; memray: and a flame graph of that.
    Raises GateFailed at the end where a strategy could not be profiled.
    """
    planned = plan(label=label, **asked)
    profiling.only_case(planned)
    asked_sights = sights.chosen(memory=memory, flames=flames, memray=memray)  # before there is a folder
    folder = new_folder(results / PROFILES, planned.label, datetime.now(UTC))
    seen = sights.openings(folder, asked_sights, wire=wire)
    looks: list[Looked] = []
    try:
        for _, of_target in groupby(
            profiling.look(planned, loads=loads, explain=explain, sights=seen, say=say), key=lambda one: one.target
        ):
            here = looks[:]
            for looked in of_target:
                looks.append(looked)
                save_profile(looks, folder)
            yield target_text(looks[len(here) :], width=width())
        if differences := differences_text(looks, width=width()):
            yield differences
    finally:
        if looks:
            save_profile(looks, folder)
            say(f"Profile: {drawn(looks, folder, planned)}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if failed := [looked.strategy for looked in looks if looked.error]:
        raise GateFailed(f"{listed(failed)} could not be profiled.", remedy="The reason stands above.")
    if partly := [looked.strategy for looked in looks if looked.unseen]:
        raise GateFailed(f"Not all of {listed(partly)} could be seen.", remedy="The reason stands above.")


def drawn(looks: Sequence[Looked], folder: Path, planned: Plan) -> str:
    """Write the report of what was found so far, and say where. Raises BenchError where it cannot be written."""
    from bench.report.profile_write import write_profile  # matplotlib takes a while, and `bench sql` needs none

    now = environment()
    facts = (
        ("Profile", folder.name),
        ("Command", " ".join(planned.command)),
        ("Versions", f"{now.python}, SQLAlchemy {now.sqlalchemy}"),
        ("Machine", f"{now.cpu}, {now.cpu_count} CPUs; {now.os}; load {now.load_1m:.2f}"),
    )
    try:
        write_profile(looks, folder, title=planned.label, facts=facts)
    except OSError as error:
        raise unwritable(folder, error) from error
    return f"{folder}/profile.html and profile.md; all that was seen in profile.json."


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
    existing: bool = False,
) -> Plan:
    """Return the plan of a command line's options: a case in which nothing is timed against anything."""
    targets, secrets = parse_targets(databases, drivers=drivers, provider=provider, rtt=rtt, existing=existing)
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


def sent_text(looked: Looked, *, full: bool) -> str:
    """Return what a strategy sent, as text for the terminal."""
    return sent_statements.sent_text(looked, width=width(), full=full)
