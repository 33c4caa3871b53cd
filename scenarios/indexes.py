"""A scenario without an index that its load needs, to be seen beside the one that has it: the parameter `index`."""

from __future__ import annotations

from dataclasses import replace

from bench import Given, Parameter, Scenario


def with_or_without(scenario: Scenario, *indexes: str, of: str) -> Scenario:
    """Return the scenario with the parameter `index`, which leaves out these indexes, named by what they are of.

    Everything else, the counts among it, is the same: what differs is how the database finds the rows.
    """
    parameter = Parameter(name="index", help=f"Whether {of} an index.", default="yes", choices=("yes", "no"))

    def make(given: Given) -> Scenario:
        others = Given({name: value for name, value in given.items() if name != parameter.name})
        plain = scenario.make(others) if scenario.make is not None else scenario
        unindexed = indexes if given[parameter.name] == "no" else ()
        return replace(
            plain,
            recipe=replace(plain.recipe, unindexed=unindexed),
            parameters=(*scenario.parameters, parameter),
            make=make,
        )

    return replace(scenario, parameters=(*scenario.parameters, parameter), make=make)
