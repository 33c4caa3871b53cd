"""The catalogue: one question about loading a file; this tuple is the list."""

from bench import Scenario
from scenarios.cold_statement import COLD_STATEMENT
from scenarios.composite_keys import COMPOSITE_KEYS
from scenarios.counts_only import COUNTS_ONLY
from scenarios.filtered_children import FILTERED_CHILDREN
from scenarios.first_page import FIRST_PAGE
from scenarios.many_to_many import MANY_TO_MANY
from scenarios.many_to_one import MANY_TO_ONE
from scenarios.nested import NESTED
from scenarios.newest_children import NEWEST_CHILDREN
from scenarios.one_by_key import ONE_BY_KEY
from scenarios.one_to_many import ONE_TO_MANY
from scenarios.one_to_one import ONE_TO_ONE
from scenarios.partly_used import PARTLY_USED
from scenarios.polymorphic import POLYMORPHIC
from scenarios.result_access import RESULT_ACCESS
from scenarios.streaming import STREAMING
from scenarios.tree import TREE
from scenarios.two_collections import TWO_COLLECTIONS
from scenarios.warm_session import WARM_SESSION
from scenarios.wide_parents import WIDE_PARENTS
from scenarios.writeonly_dynamic import WRITEONLY_DYNAMIC

SCENARIOS: tuple[Scenario, ...] = (
    ONE_TO_MANY,
    ONE_TO_ONE,
    MANY_TO_ONE,
    MANY_TO_MANY,
    NESTED,
    TWO_COLLECTIONS,
    FIRST_PAGE,
    ONE_BY_KEY,
    FILTERED_CHILDREN,
    NEWEST_CHILDREN,
    WIDE_PARENTS,
    TREE,
    POLYMORPHIC,
    COMPOSITE_KEYS,
    PARTLY_USED,
    WARM_SESSION,
    STREAMING,
    COUNTS_ONLY,
    RESULT_ACCESS,
    COLD_STATEMENT,
    WRITEONLY_DYNAMIC,
)
