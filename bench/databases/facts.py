"""The facts of a target that is up, whatever database it is."""

from __future__ import annotations

from bench.databases import sqlite_facts
from bench.model import Target, TargetFacts


def facts_of(target: Target) -> TargetFacts:
    """Return the facts of a target that is up. Raises DatabaseUnavailable."""
    if target.dialect == "sqlite":
        return sqlite_facts.facts(target)
    from bench.databases.postgres import server_facts

    return server_facts(target)
