"""A threshold for some loads decides of these alone whether they are slower: from the command line to the exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.runs import make_counters

from bench import gating, regressing
from bench.cli import cli
from bench.regressing import Against, Found
from bench.wanted import Wanted

SLOWER = [1.034, 1.036, 1.035, 1.0345, 1.0355]
"""Of five pairs: 3.5 % slower, and that is sure."""

LOADS = {(name, strategy) for name in ("one_to_many", "first_page") for strategy in ("lazy", "selectin")}


@pytest.fixture(autouse=True)
def all_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every load takes as much longer as SLOWER says, in its first pairs and in those that decide."""

    def measure(wanted: Sequence[Wanted], _secrets: Any, _against: Against, found: Found) -> Iterator[Any]:
        for load in [(one.place, name) for one in wanted for name in one.strategies]:
            found.ratios[load] = found.fresh[load] = SLOWER
            found.times[load] = (1e6, 1.035e6)
            found.counters[load] = (make_counters("lazy"), make_counters("lazy"))
        yield from ()

    monkeypatch.setattr(regressing, "measure", measure)
    monkeypatch.setattr(gating, "find_commit", lambda name: (name, Path()))


@pytest.mark.parametrize(
    ("thresholds", "slower"),
    [
        (None, LOADS),
        ("5%", set()),
        ("first_page=5%,2%", {load for load in LOADS if load[0] != "first_page"}),
        ("2%,first_page=5%", {load for load in LOADS if load[0] != "first_page"}),
        ("first_page=5%", {load for load in LOADS if load[0] != "first_page"}),
        ("5%,selectin=2%", {load for load in LOADS if load[1] == "selectin"}),
        ("first_page=2%,5%,lazy=4%", {("first_page", "selectin")}),
    ],
)
def test_a_load_is_held_against_its_own_threshold(thresholds: str | None, slower: set[tuple[str, str]]) -> None:
    named = ["--scenario", "one_to_many,first_page", "--strategy", "lazy,selectin", "--pairs", "5", "--json", "-q"]
    given = ["--threshold", thresholds] if thresholds else []

    done = CliRunner().invoke(cli, ["check", "--against", "main", *named, *given])

    loads = json.loads(done.stdout)["timed"]["loads"]
    assert {(load["scenario"], load["strategy"]) for load in loads} == LOADS
    assert {(load["scenario"], load["strategy"]) for load in loads if load["judged"] == "slower"} == slower
    assert done.exit_code == bool(slower)
