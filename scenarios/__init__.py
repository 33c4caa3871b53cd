"""The catalogue: one question about loading a file; this tuple is the list."""

from bench import Scenario
from scenarios.many_to_one import MANY_TO_ONE
from scenarios.nested import NESTED
from scenarios.one_to_many import ONE_TO_MANY
from scenarios.two_collections import TWO_COLLECTIONS

SCENARIOS: tuple[Scenario, ...] = (
    ONE_TO_MANY,
    MANY_TO_ONE,
    NESTED,
    TWO_COLLECTIONS,
)
