"""What a load has to reach, held against counting in the graph itself."""

from __future__ import annotations

import json
from collections import defaultdict
from math import prod
from typing import Any

import pytest

from bench.datasets import Dataset, full_shape, graph_lines, graph_plan
from bench.model import DatasetOptions, Scenario, Size
from scenarios import SCENARIOS

OPTIONS = (DatasetOptions(), DatasetOptions(children="uniform", childless=0.3, order="shuffled", seed=5))


class Walk:
    """Counts nodes by path, as a reader of the graph would."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = defaultdict(int)
        self.nodes: dict[str, int] = defaultdict(int)
        self.empty: dict[str, int] = defaultdict(int)
        self.seen: dict[str, set[str]] = defaultdict(set)

    def node(self, node: list[Any], path: str) -> int:
        """Count a node and what hangs on it; return how many rows joining it all to it comes to."""
        self.nodes[path] += 1
        self.seen[path].add(json.dumps(node[:2]))
        related = [self.related(found, f"{path}.{name}".strip(".")) for name, found in node[2].items()]
        return prod(max(1, joined) for joined in related)

    def related(self, found: Any, path: str) -> int:
        if isinstance(found, int):
            joined = found
            self.nodes[path] += found
        else:
            nodes: list[Any] = found if found and isinstance(found[0], list) else [found] if found else []
            joined = sum(self.node(node, path) for node in nodes)
        self.asked[path] += 1
        self.empty[path] += 0 if joined else 1
        return joined


@pytest.mark.parametrize("options", OPTIONS, ids=["even", "uneven"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_is_reached_is_what_the_graph_has(scenario: Scenario, options: DatasetOptions) -> None:
    size = Size((40, 3, 2)[: scenario.levels])
    walk = Walk()
    joined = sum(walk.node(json.loads(line), "") for line in graph_lines(scenario, size, options))

    found = full_shape(Dataset(scenario.recipe, size, options), graph_plan(scenario))

    assert found.joined == joined
    for reached in found.reached:
        assert (reached.asked, reached.nodes, reached.empty) == (
            walk.asked[reached.path],
            walk.nodes[reached.path],
            walk.empty[reached.path],
        )
        if reached.path not in scenario.counted:
            assert reached.distinct == len(walk.seen[reached.path])
    assert {reached.path for reached in found.reached} == {"", *walk.nodes, *walk.asked}


def test_blocks_of_roots_add_up_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for scenario in SCENARIOS:
        dataset = Dataset(scenario.recipe, Size((40, 3, 2)[: scenario.levels]), OPTIONS[1])
        at_once = full_shape(dataset, graph_plan(scenario))
        with monkeypatch.context() as patched:
            patched.setattr("bench.datasets.graph.BLOCK_ENTITIES", 1)
            assert full_shape(dataset, graph_plan(scenario)) == at_once


def test_a_path_that_is_not_followed_has_no_numbers() -> None:
    scenario = SCENARIOS[0]
    found = full_shape(Dataset(scenario.recipe, Size((2, 2)), DatasetOptions()), graph_plan(scenario))

    with pytest.raises(KeyError, match="boks"):
        found.at("boks")
