"""What the gate is to measure: the places of a baseline that is there, or of one that is to be written."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.catalogue import find_scenario, is_available, scenario_names, select_strategies, sqlalchemy_version
from bench.errors import BenchError
from bench.model import Asked, Scenario, Secrets, Size, Strategy, parse_sizes, parse_targets
from bench.model.baseline import Baseline, Place

USUAL_SIZES = {1: "200", 2: "100x10", 3: "20x5x5"}
"""Sizes by how many numbers a scenario takes: small enough for seconds, with more parents than one statement needs."""

_COMMA = re.compile(r",(?![^\[]*\])")
"""A comma that is not within the brackets of a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A place to be measured: on which target, and by which strategies. scenario: as this process finds it.

    named: the strategies that were meant; those of them that there are no longer, or that cannot be had here
    (left_out: why), are not measured.
    """

    place: Place
    scenario: str
    asked: Asked
    named: tuple[str, ...]
    strategies: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)


def wanted_of(
    *, file: Path, scenario: str, sizes: str | None, strategies: str | None, databases: str, provider: Any
) -> tuple[list[Wanted], Secrets]:
    """Return what a command line asks to be written. Raises BenchError for a name or a size that there is none of."""
    targets, secrets = parse_targets(databases, provider=provider)
    found = [
        _to_write(name, size, asked, strategies, file)
        for name in scenario_names(scenario)
        for size in _sizes(find_scenario(name), sizes)
        for asked in targets
    ]
    _each_once(found)
    return found, secrets


def _sizes(scenario: Scenario, text: str | None) -> tuple[Size, ...]:
    usual = USUAL_SIZES.get(scenario.levels, "x".join(["5"] * scenario.levels))
    return parse_sizes(text or usual, levels=scenario.levels)


def _to_write(name: str, size: Size, asked: Asked, strategies: str | None, file: Path) -> Wanted:
    scenario = find_scenario(name)
    chosen = select_strategies(scenario, strategies)
    names = tuple(strategy.name for strategy in chosen if not _lacking(strategy, asked))
    if not names:
        raise BenchError(
            f"{chosen[0].name} {_lacking(chosen[0], asked)}: nothing of {scenario.name} is left on {asked}.",
            remedy="Name another strategy or another database.",
        )
    place = Place(scenario=_stored_name(name, file), database=database_name(asked), size=str(size))
    return Wanted(place=place, scenario=name, asked=asked, named=names, strategies=names)


def _lacking(strategy: Strategy, asked: Asked) -> str:
    """Why a strategy cannot be had on a target; empty where it can."""
    if not is_available(strategy):
        since = ".".join(map(str, strategy.since))
        return f"is left out: it needs SQLAlchemy {since}, and {sqlalchemy_version()} is installed"
    if strategy.dialects and asked.dialect not in strategy.dialects:
        return f"is left out: it is for {' and '.join(strategy.dialects)}"
    return ""


def wanted_by(
    baseline: Baseline, *, file: Path, only: str | None, databases: str | None, provider: Any
) -> tuple[list[Wanted], Secrets]:
    """Return what a baseline has to be measured, on the databases it names or on those that are asked for.

    Raises BenchError where `only` or the databases leave nothing of it.
    """
    chosen = _chosen(baseline, only)
    names = dict.fromkeys(place.database for place in chosen)
    targets, secrets = parse_targets(databases or ",".join(names), provider=provider)
    where: dict[str, Asked] = {}
    for asked in targets:
        name = _match(asked, list(names))
        if name in where:
            raise _twice(name)
        where[name] = asked
    found = [
        _as_stored(place, strategies, where[place.database], file)
        for place, strategies in chosen.items()
        if place.database in where
    ]
    return found, secrets


def database_name(asked: Asked) -> str:
    """The database as a baseline names it: `postgres:17`, without what any machine has its own of."""
    return str(replace(asked.server, url="", path="", image="", provider="auto", memory=False))


def _as_stored(place: Place, strategies: Sequence[str], asked: Asked, file: Path) -> Wanted:
    """Return what is to be measured again of a place; strategies that are not to be had any more are left out of it."""
    scenario = _found_name(place.scenario, file)
    found = _still_there(scenario, place)
    known, left_out = [], {}
    for name in strategies:
        try:
            (strategy,) = select_strategies(found, name)
        except BenchError:  # gone, or a control now: the check says so
            continue
        if lacking := _lacking(strategy, asked):
            left_out[name] = lacking
        else:
            known.append(name)
    return Wanted(
        place=place, scenario=scenario, asked=asked, named=tuple(strategies), strategies=tuple(known), left_out=left_out
    )


def _still_there(name: str, place: Place) -> Scenario:
    try:
        return find_scenario(name)
    except BenchError as error:
        raise BenchError(
            f"The baseline has loads of {place.scenario}. {error.message}",
            remedy="Bring it back, or remove its lines from the baseline.",
        ) from None


def _chosen(baseline: Baseline, only: str | None) -> dict[Place, list[str]]:
    """Return the loads that `only` names, all where it is None: patterns of scenarios, sizes, databases, strategies."""
    patterns = parts(only) if only is not None else ["*"]
    chosen = {
        place: [strategy for strategy in here.loads if is_named(place, strategy, patterns)]
        for place, here in baseline.items()
    }
    if not any(chosen.values()):
        has = dict.fromkeys(f"{place.scenario} {place.size} {place.database}" for place in baseline)
        raise BenchError(
            f"The baseline has no load {only!r}." if only is not None else "The baseline has no load.",
            remedy=f"It has {'; '.join(has)}." if has else "Write one with `bench baseline write`.",
        )
    return {place: strategies for place, strategies in chosen.items() if strategies}


def parts(text: str) -> list[str]:
    """Divide a list at its commas, but for those within the brackets of a name."""
    return [part.strip() for part in _COMMA.split(text)]


def is_named(place: Place, strategy: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns names a load: its scenario, its size, its database, its strategy, or some of them."""
    names = (place.scenario, place.size, place.database, strategy, f"{place.scenario} {place.size}",
             f"{place.scenario} {place.size} {strategy}")  # fmt: skip
    return any(pattern == name or fnmatch.fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _match(asked: Asked, names: Sequence[str]) -> str:
    """Return the baseline's database that a target stands for: the one of its name, or the only one of its kind."""
    own = database_name(asked)
    alike = [name for name in names if name.partition(":")[0] == asked.database]
    if own in names or len(alike) == 1:
        return own if own in names else alike[0]
    raise BenchError(
        f"The baseline has {'no load' if not alike else 'loads of several versions'} on {asked.database}.",
        remedy=f"It has loads on {', '.join(names)}: name one of them with --db, or write others.",
    )


def _stored_name(scenario: str, file: Path) -> str:
    """Return a scenario's name as the baseline has it: a file by its path from the baseline's folder."""
    path, ending, name = scenario.rpartition(".py:")
    if not ending:
        return scenario
    source = Path(os.path.relpath(Path(path + ".py").resolve(), file.resolve().parent))
    return f"{source.as_posix()}:{name}"


def _found_name(stored: str, file: Path) -> str:
    path, ending, name = stored.rpartition(".py:")
    return f"{(file.resolve().parent / (path + '.py')).resolve()}:{name}" if ending else stored


def _each_once(wanted: Sequence[Wanted]) -> None:
    places = [one.place for one in wanted]
    for at, place in enumerate(places):
        if place in places[:at]:
            raise _twice(f"{place.scenario} {place.size} on {place.database}")


def _twice(what: str) -> BenchError:
    return BenchError(f"{what} was asked for twice.", remedy="A baseline has one place for all drivers of a database.")
