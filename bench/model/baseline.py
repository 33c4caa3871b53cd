"""Baseline: what loads did when they were last agreed to, all of it exact. It lives in the user's repository."""

from __future__ import annotations

from dataclasses import dataclass

FIGURES = ("statements", "rows", "repeated_rows", "parameters", "bytes")
"""The counters that are kept, as `Counters` names them."""

CALLS_TOLERANCE = 0.005
"""The share by which a load's Python calls may differ from the baseline's and be as they were.

For the same versions and code they are equal; a patch of Python's library may change them by as little.
"""

FEW_CALLS = 100
"""By how many they may differ however few they are: the same statement put together in another way takes some dozens.

A call more for each row is more than that wherever there are more rows.
"""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """Where loads are measured: a scenario by the name that finds it, a size, and a database as it is asked for.

    A scenario in a file is named from the baseline's own folder. Driver, URL and added delay are no part of a database.
    """

    scenario: str
    database: str
    size: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeWith:
    """What a place was measured with: what is comparable hangs on it.

    server: `postgresql 17.10 with collation C`. dataset: the first digits of the fingerprint of its graph, the same on
    every database. calls_with: what Python calls hang on besides, `CPython 3.11, psycopg 3.3.9`; empty where none were
    counted.
    """

    sqlalchemy: str
    server: str
    driver: str
    dataset: str
    calls_with: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentText:
    """A normalised SQL text of a load. times: its executions. plan: the shape of its plan, a step a line, indented.

    The plan is empty where the database did not explain it.
    """

    sql: str
    times: int
    plan: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What one strategy's load did. The figures are those of `Counters`; sent: by text.

    calls: of Python functions, None where they were not counted.
    """

    statements: int
    rows: int
    repeated_rows: int
    parameters: int
    bytes: int
    sent: tuple[SentText, ...]
    calls: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AtPlace:
    """All that was measured in a place. schema: a line for each column, key and index of the scenario's tables."""

    made_with: MadeWith
    schema: tuple[str, ...]
    loads: dict[str, Loaded]


Baseline = dict[Place, AtPlace]
"""What was measured, by place; a strategy's load by the strategy's name."""
