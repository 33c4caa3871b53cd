"""How many loads warm a driver: after them, every load finds statements and plans in the state that the next one will.

What has to settle, beside what the first load of all does in any case (compiling SQL, filling the server's catalogue
caches):

- When the driver prepares a statement. asyncpg does at its first execution, and SQLAlchemy keeps it for the
  connection's life. psycopg does at the sixth (`prepare_threshold` = 5 executions before it), counted from the last
  ROLLBACK: with each it forgets its counts, and what it had prepared is deallocated. A session that is closed without a
  commit, as after every load here, ends in a ROLLBACK. So psycopg starts every load afresh, prepares within the loads
  that send one text more than five times (lazy), and never in the others.
- Which plan the server uses for a prepared statement. It plans the first five executions for their parameters and then
  decides whether one plan does for all (`plan_cache_mode`, https://www.postgresql.org/docs/current/sql-prepare.html).
- A statement of SQLite is prepared when executed, and sqlite3 keeps it by its text.
"""

from __future__ import annotations

from bench.measure.timing import Load, Opened

CUSTOM_PLANS = 5
"""Executions of a prepared statement that the server plans for their own parameters before it may stop doing so."""

_LOADS = {"asyncpg": CUSTOM_PLANS + 1}


def warm_loads(driver: str) -> int:
    """Return how many loads are to be thrown away before the first that counts; a strategy's floor needs as many."""
    return _LOADS.get(driver, 1)


def warm_up(driver: str, opened: Opened, load: Load) -> int:
    """Load until every load finds what the one before found, in a process that may not have loaded yet.

    Returns how many loads that took: the first of all compiles.
    """
    loads = warm_loads(driver) + 1
    for _ in range(loads):
        with opened() as source:
            load(source)
    return loads
