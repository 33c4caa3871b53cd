"""The frozen domain types: no behaviour beyond identity and parsing, and no import of ours.

One file a subject: `size` (how much), `recipe` (which rows), `selection` (which of them a load returns), `parameter`
(what a user may vary), `scenario` (what is loaded and how), `asked` and `target` (where), `counters` (what was counted
exactly), `run` (everything that one command measured).
"""

from bench.model.asked import Asked, Secrets, parse_target, parse_targets
from bench.model.counters import Counters, StatementCount
from bench.model.environment import OWN, AskedEnvironment, EnvironmentFacts, parse_environments
from bench.model.parameter import Given, Parameter, defaults
from bench.model.recipe import (
    IN_LIST,
    Column,
    Cycle,
    DatasetOptions,
    Dates,
    Extends,
    Integers,
    Numbered,
    Parent,
    Pick,
    Quotient,
    Reached,
    Recipe,
    Reference,
    Remainder,
    Serial,
    Shape,
    Table,
    Text,
    Values,
)
from bench.model.run import (
    AddedDelay,
    Arm,
    Case,
    CaseSpec,
    DatasetFacts,
    Environment,
    Run,
    Samples,
    Sampling,
    ScenarioFacts,
    Spent,
    TargetFacts,
    Warned,
    WorkerFacts,
)
from bench.model.scenario import Family, Formula, RuleOfThumb, Scenario, Strategy, is_touched
from bench.model.selection import Selection, Where
from bench.model.size import Size, parse_sizes
from bench.model.target import Target

__all__ = [
    "IN_LIST",
    "OWN",
    "AddedDelay",
    "Arm",
    "Asked",
    "AskedEnvironment",
    "Case",
    "CaseSpec",
    "Column",
    "Counters",
    "Cycle",
    "DatasetFacts",
    "DatasetOptions",
    "Dates",
    "Environment",
    "EnvironmentFacts",
    "Extends",
    "Family",
    "Formula",
    "Given",
    "Integers",
    "Numbered",
    "Parameter",
    "Parent",
    "Pick",
    "Quotient",
    "Reached",
    "Recipe",
    "Reference",
    "Remainder",
    "RuleOfThumb",
    "Run",
    "Samples",
    "Sampling",
    "Scenario",
    "ScenarioFacts",
    "Secrets",
    "Selection",
    "Serial",
    "Shape",
    "Size",
    "Spent",
    "StatementCount",
    "Strategy",
    "Table",
    "Target",
    "TargetFacts",
    "Text",
    "Values",
    "Warned",
    "Where",
    "WorkerFacts",
    "defaults",
    "is_touched",
    "parse_environments",
    "parse_sizes",
    "parse_target",
    "parse_targets",
]
