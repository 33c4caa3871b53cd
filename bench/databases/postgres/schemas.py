"""Schemas of ours on a server that somebody else runs: made, marked, held while they are in use, and dropped.

A schema has a name that tells the run, and a comment by which it is known as ours. Whoever works in it holds an
advisory lock on its name: a run that finds one of ours that nobody holds knows that its owner was killed, and drops it.
The lock is taken before the schema is there for others to see, so that no run ever drops another's.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from contextlib import suppress

import psycopg
from psycopg import errors, sql

PREFIX = "bench_"

MARK = "A dataset of orm-loading-bench. Where its run was killed, the next run against this database drops it."

_LONGEST_RUN = 40
"""Characters of a run's name that go into a schema's: with the rest they are fewer than the server's 63 bytes."""

_PATTERN = f"^{PREFIX}[a-z0-9_]+_[0-9a-f]{{12}}$"

_PATIENCE = "30s"
"""How long dropping a schema waits for others who read in it, such as a backup."""

_OURS = """
    SELECT nspname FROM pg_namespace
    WHERE nspname ~ %s AND obj_description(oid, 'pg_namespace') = %s AND pg_has_role(nspowner, 'USAGE')
    ORDER BY nspname
"""

_BYTES = """
    SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relkind IN ('r', 'm')
"""


def new_name(run: str) -> str:
    """Return a name that no schema has, in which the run's can be read."""
    plain = re.sub(r"[^a-z0-9]+", "_", run.lower()).strip("_") or "run"
    return f"{PREFIX}{plain[:_LONGEST_RUN]}_{secrets.token_hex(6)}"


def quoted(schema: str) -> str:
    """Return a schema's name as it stands in `search_path`."""
    return f'"{schema}"'


def create(connection: psycopg.Connection, schema: str) -> None:
    """Make a schema that is known as ours, and hold it for as long as the connection lasts."""
    connection.execute("SELECT pg_advisory_lock(%s)", [_key(schema)])
    with connection.transaction():
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        connection.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(schema), sql.Literal(MARK)))


def drop(connection: psycopg.Connection, schema: str) -> None:
    """Drop a schema of ours with all that is in it. One that is not there any more is none."""
    with connection.transaction():
        connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(_PATIENCE)))
        connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL client_min_messages = 'warning'")
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


def sweep(connection: psycopg.Connection) -> list[str]:
    """Drop the schemas of ours that nobody holds, and return their names; one that somebody reads in is left."""
    dropped = []
    for (schema,) in connection.execute(_OURS, [_PATTERN, MARK]).fetchall():
        if not _held_now(connection, schema):
            continue
        try:
            with suppress(errors.LockNotAvailable, errors.InsufficientPrivilege):
                drop(connection, schema)
                dropped.append(schema)
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", [_key(schema)])
    return dropped


def size_of(connection: psycopg.Connection, schema: str) -> int:
    """Return the bytes of the tables in a schema, with their indexes."""
    row = connection.execute(_BYTES, [schema]).fetchone()
    assert row is not None
    return int(row[0])


def _held_now(connection: psycopg.Connection, schema: str) -> bool:
    """Take hold of a schema where nobody else has."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_key(schema)]).fetchone()
    return row is not None and bool(row[0])


def _key(schema: str) -> int:
    """Return the number by which a schema is locked: 64 bits of a digest of its name."""
    return int.from_bytes(hashlib.sha256(schema.encode()).digest()[:8], signed=True)
