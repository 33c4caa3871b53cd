"""Memory: what a load holds, by who holds it: at its peak, and at its end with the result still in hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What of a load's memory was in use at one moment, bytes as Python's allocator gave them out (tracemalloc).

    Each block is counted once, for the first of these that holds it. entities_bytes: by the entities in the identity
    map: they themselves, their state, collections and values. rows_bytes: by the driver's and Core's rows, and by lists
    of them or of entities, beyond that. driver_bytes: by the driver's cursors and its own objects, beyond that. What
    none of them holds is told by whose code made it: sqlalchemy_bytes: SQLAlchemy's statements, caches and loaders;
    own_bytes: the code of the load, and of its models and events. total_bytes: all.
    """

    total_bytes: int
    entities_bytes: int
    rows_bytes: int
    driver_bytes: int
    sqlalchemy_bytes: int
    own_bytes: int

    @property
    def unclaimed_bytes(self) -> int:
        """What no part claims."""
        claimed = self.entities_bytes + self.rows_bytes + self.driver_bytes + self.sqlalchemy_bytes + self.own_bytes
        return self.total_bytes - claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUse:
    """The memory of one load whose statements are compiled, and of the first load of a fresh process.

    entities: how many were in the identity map at the end, of those that the load made; most_entities: at the peak.
    peak_bytes: the most that was in use at once by Python's allocator, beyond what was before. at_peak: the highest
    moment that could be looked at; its total is less than peak_bytes by what comes and goes within one function.
    retained: at the end, with the result and the session in hand. kept_bytes: what is left once both are gone: caches.

    What Python's allocator does not see: buffer_bytes: the most that the driver or the database took at once from the C
    library beside it (libpq's result), not always at the moment of the peak; None where it cannot be asked.
    process_peak_bytes: how far the resident memory of a fresh, connected process rose with its first load, all
    included: Python, C, the compiling of statements; None where the kernel does not say. flame_graph: memray's, a file
    in the profile's folder, relative to it; empty where there is none.
    """

    entities: int
    most_entities: int
    peak_bytes: int
    at_peak: Held
    retained: Held
    kept_bytes: int
    buffer_bytes: int | None = None
    process_peak_bytes: int | None = None
    flame_graph: str = ""

    @property
    def entity_bytes(self) -> float:
        """What an entity holds at the end, on average: itself, its state, collections and values; 0 without any."""
        return self.retained.entities_bytes / self.entities if self.entities else 0.0
