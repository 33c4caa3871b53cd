"""The catalogue: one question about loading a file; this tuple is the list."""

from bench import Scenario
from scenarios.one_to_many import ONE_TO_MANY

SCENARIOS: tuple[Scenario, ...] = (ONE_TO_MANY,)
