"""`docs/scenarios.md` has every scenario, strategy and parameter as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.model import Scenario
from scenarios import SCENARIOS

LINES = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text().splitlines()
SIZES = {1: "1000", 2: "1000x50", 3: "100x20x5"}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_page_has_the_scenario_as_it_is(scenario: Scenario) -> None:
    names = ", ".join(strategy.name for strategy in scenario.strategies)

    assert (
        f"| {scenario.name} | {scenario.question} | `{scenario.usual or SIZES[scenario.levels]}` | {names} |" in LINES
    )
    for one in scenario.parameters:
        assert f"| {scenario.name} | `{one.name}` | {one.default} | {one.accepted} | {one.help} |" in LINES
