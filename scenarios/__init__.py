"""The catalogue: one question about loading a file; this tuple is the list."""

from bench import Scenario
from scenarios.composite_keys import COMPOSITE_KEYS
from scenarios.many_to_many import MANY_TO_MANY
from scenarios.many_to_one import MANY_TO_ONE
from scenarios.nested import NESTED
from scenarios.one_to_many import ONE_TO_MANY
from scenarios.one_to_one import ONE_TO_ONE
from scenarios.two_collections import TWO_COLLECTIONS
from scenarios.wide_parents import WIDE_PARENTS

SCENARIOS: tuple[Scenario, ...] = (
    ONE_TO_MANY,
    ONE_TO_ONE,
    MANY_TO_ONE,
    MANY_TO_MANY,
    NESTED,
    TWO_COLLECTIONS,
    WIDE_PARENTS,
    COMPOSITE_KEYS,
)
