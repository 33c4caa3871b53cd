"""The frozen domain types: no behaviour beyond identity and parsing, and no import of ours.

One file a subject: `size` (how much), `recipe` (which rows), `scenario` (what is loaded and how), `asked` and
`target` (where), `counters` (what was counted exactly), `run` (everything that one command measured).
"""

from bench.model.asked import Asked, Secrets, parse_target, parse_targets
from bench.model.counters import Counters, StatementCount
from bench.model.recipe import (
    Column,
    DatasetOptions,
    Dates,
    Integers,
    Numbered,
    Parent,
    Pick,
    Recipe,
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
from bench.model.scenario import Family, RuleOfThumb, Scenario, Strategy
from bench.model.size import Size, parse_sizes
from bench.model.target import Target

__all__ = [
    "AddedDelay",
    "Arm",
    "Asked",
    "Case",
    "CaseSpec",
    "Column",
    "Counters",
    "DatasetFacts",
    "DatasetOptions",
    "Dates",
    "Environment",
    "Family",
    "Integers",
    "Numbered",
    "Parent",
    "Pick",
    "Recipe",
    "RuleOfThumb",
    "Run",
    "Samples",
    "Sampling",
    "Scenario",
    "ScenarioFacts",
    "Secrets",
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
    "WorkerFacts",
    "parse_sizes",
    "parse_target",
    "parse_targets",
]
