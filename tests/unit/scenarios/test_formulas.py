"""Every strategy of every scenario loads the dataset's own graph with as many statements and rows as its formulas say.

A scenario that is named in SCENARIOS is tested here: on SQLite by both drivers and, where a server is at hand, on
PostgreSQL; with its parameters at their defaults and each at an end of what it may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from sqlalchemy.orm import Session

from bench.catalogue import find_scenario, is_available
from bench.connect import calling, engine
from bench.datasets import first_difference, graph_lines, graph_plan, key_attributes, seed
from bench.measure import graph as measured
from bench.measure.statements import counting
from bench.model import DatasetFacts, DatasetOptions, Parameter, Scenario, Size, Strategy, Target
from scenarios import SCENARIOS

if TYPE_CHECKING:  # pytest imports it as a plugin, and has to be the first to
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]

EVEN, UNEVEN = DatasetOptions(), DatasetOptions(children="uniform", childless=0.3, order="shuffled", seed=5)
ZIPF = DatasetOptions(children="zipf")
SIZES = {
    1: ((Size((7,)), EVEN), (Size((1203,)), UNEVEN)),
    2: ((Size((7, 3)), EVEN), (Size((503, 2)), UNEVEN), (Size((9, 5)), ZIPF)),
    3: ((Size((5, 3, 2)), EVEN), (Size((503, 2, 2)), UNEVEN), (Size((4, 600, 1)), UNEVEN)),
}
"""Past 500 parents there is a second IN list."""

SIZES_OF = {"tree": ((Size((7,)), EVEN), (Size((120,)), UNEVEN))}
"""Where the usual sizes are too large, or too small."""


OTHERS = {"depth": (1,), "children": (1,)}
"""Values of parameters, where those at the ends of what they may be would take too long."""


class Asked(NamedTuple):
    scenario: Scenario
    size: Size
    options: DatasetOptions
    strategy: Strategy

    def __str__(self) -> str:
        return f"{self.scenario.name}-{self.size}-{self.options.children}-{self.strategy.name}"


def variants(scenario: Scenario) -> Iterator[Scenario]:
    """The scenario as it is, and with each of its parameters at another value that it may have."""
    yield scenario
    for parameter in scenario.parameters:
        for value in OTHERS.get(parameter.name) or parameter.choices or _ends(parameter):
            if value != parameter.default:
                yield scenario.configured({parameter.name: value})


def _ends(parameter: Parameter) -> tuple[int, ...]:
    return parameter.low, min(parameter.high, 3 * int(parameter.default) + 1)


def _sizes(scenario: Scenario) -> Sequence[tuple[Size, DatasetOptions]]:
    return SIZES_OF.get(scenario.name, SIZES[scenario.levels])


def cases(*, few: bool = False) -> list[Asked]:
    """Every strategy to be tried; a few are those of each scenario at one size, and without an index."""
    return [
        Asked(scenario, size, options, strategy)
        for named in SCENARIOS
        for scenario in variants(named)
        if not few or scenario is named or scenario.recipe.unindexed
        for size, options in _sizes(named)[: 1 if few or scenario is not named else None]
        for strategy in scenario.strategies
        if is_available(strategy)
    ]


@cache
def expected(scenario: str, size: Size, options: DatasetOptions) -> tuple[str, ...]:
    return tuple(graph_lines(_named(scenario), size, options))


_named = cache(find_scenario)


class Found(NamedTuple):
    statements: int
    rows: int
    further: int
    lines: tuple[str, ...]


def observed(asked: Asked, target: Target) -> Found:
    """What a worker's `observe` does, in this process."""
    scenario, made = asked.scenario, engine(target)

    def observe() -> Found:
        with Session(made) as session:
            if scenario.prepare is not None:
                scenario.prepare(session)
            with counting(made) as tally:
                roots = scenario.load(session, asked.strategy)
                counters = tally.counters()
                lines = tuple(measured.graph_lines(scenario, roots))
                further = tally.counters().statements - counters.statements
        return Found(counters.statements, counters.rows, further, lines)

    with calling(made) as call:
        return call(observe)  # type: ignore[no-any-return]


def hold(asked: Asked, target: Target, facts: DatasetFacts) -> None:
    found, shape = observed(asked, target), facts.shape
    known = expected(asked.scenario.name, asked.size, asked.options)

    if not (asked.strategy.name == "joined_inner" and any(reached.empty for reached in shape.reached)):
        keys = key_attributes(graph_plan(asked.scenario))
        assert first_difference(known, found.lines, keys=keys) is None
    assert found.further == 0
    assert (found.statements, found.rows) == (asked.strategy.statements(shape), asked.strategy.rows(shape))


@pytest.fixture(scope="module")
def seeded() -> Iterator[Any]:
    """Where a dataset lies, seeded when it is asked for first, and its facts."""
    with TemporaryDirectory() as folder:

        @cache
        def dataset(scenario: str, size: Size, options: DatasetOptions) -> tuple[Target, DatasetFacts]:
            path = Path(folder) / f"{hash((scenario, size, options))}.sqlite3"
            target = Target(name="sqlite", dialect="sqlite", driver="pysqlite", provider="embedded", database=str(path))
            return target, seed(_named(scenario), size, options, target)

        yield dataset


@pytest.fixture(scope="module")
def served(postgres: PostgresForTests) -> Iterator[Any]:
    """The same on a server; the databases go when it goes."""
    opened = []

    @cache
    def dataset(scenario: str, size: Size, options: DatasetOptions) -> tuple[Target, DatasetFacts]:
        opened.append(postgres.database())
        target = postgres.target(opened[-1].__enter__())
        return target, seed(_named(scenario), size, options, target)

    yield dataset
    for database in opened:
        database.__exit__(None, None, None)


def on(dialect: str, *, few: bool = False) -> pytest.MarkDecorator:
    """Ask for what can be run there."""
    there = [one for one in cases(few=few) if not one.strategy.dialects or dialect in one.strategy.dialects]
    return pytest.mark.parametrize("asked", there, ids=str)


@on("sqlite")
def test_the_formulas_hold_on_sqlite(asked: Asked, seeded: Any) -> None:
    hold(asked, *seeded(asked.scenario.name, asked.size, asked.options))


@on("sqlite", few=True)
def test_the_formulas_hold_behind_an_asynchronous_driver(asked: Asked, seeded: Any) -> None:
    target, facts = seeded(asked.scenario.name, asked.size, asked.options)
    hold(asked, replace(target, driver="aiosqlite"), facts)


@pytest.mark.parametrize("name", ["one_by_key[key=8]", "first_page[offset=7]", "first_page[offset=6]"])
def test_the_formulas_hold_where_there_is_nothing_or_the_last_to_load(name: str, tmp_path: Path) -> None:
    scenario, size = find_scenario(name), Size((7, 3))
    target = Target(
        name="sqlite", dialect="sqlite", driver="pysqlite", provider="embedded", database=str(tmp_path / "f")
    )
    facts = seed(scenario, size, EVEN, target)

    assert facts.shape.at("").nodes == (1 if "6" in name else 0)
    for strategy in scenario.strategies:
        hold(Asked(scenario, size, EVEN, strategy), target, facts)


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
@on("postgresql", few=True)
def test_the_formulas_hold_on_postgresql(asked: Asked, driver: str, served: Any) -> None:
    target, facts = served(asked.scenario.name, asked.size, asked.options)
    hold(asked, replace(target, driver=driver), facts)


def test_every_scenario_has_names_that_can_be_asked_for_and_a_baseline_of_its_own() -> None:
    for scenario in SCENARIOS:
        names = [strategy.name for strategy in scenario.strategies]
        assert len(set(names)) == len(names)
        assert {scenario.baseline, scenario.rule_of_thumb.strategy} <= set(names)
        assert scenario.question.endswith("?")
