"""The facts of a target that is up, whatever database it is."""

from __future__ import annotations

from bench.databases import sqlite_facts
from bench.model import Asked, Target, TargetFacts

_DIALECTS = {"sqlite": "sqlite", "postgres": "postgresql"}


def dialect_of(asked: Asked) -> str:
    """Return SQLAlchemy's name of the database's dialect."""
    return _DIALECTS[asked.database]


def facts_of(target: Target) -> TargetFacts:
    """Return the facts of a target that is up. Raises DatabaseUnavailable."""
    if target.dialect == "sqlite":
        return sqlite_facts.facts(target)
    from bench.databases.postgres import server_facts

    return server_facts(target)
