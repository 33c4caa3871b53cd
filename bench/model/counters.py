"""Counters: what one load sent and fetched, exact on any machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementCount:
    """One distinct SQL text of a load: how often it was executed, and what that fetched and sent, in all."""

    sql: str
    executions: int
    rows: int
    parameters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What one load did, from the first statement to the end of the walk.

    statements: executions of SQL text. rows: rows that the driver handed over. repeated_rows: rows that carry an
    entity which an earlier row of the load carried already. entities: distinct entities (mapped class and primary
    key) in those rows. occurrences: entities in rows, each time they appear. parameters: bound parameters sent.
    bytes: an estimate of the content fetched (text and binary by their length in bytes, other values 8 bytes each).
    by_statement: the same by SQL text, in the order of first execution.
    """

    statements: int
    rows: int
    repeated_rows: int
    entities: int
    occurrences: int
    parameters: int
    bytes: int
    by_statement: tuple[StatementCount, ...]

    @property
    def inflation(self) -> float:
        """Occurrences over distinct entities: 1.0 when no row repeats an entity; 1.0 for an empty load too."""
        return self.occurrences / self.entities if self.entities else 1.0
