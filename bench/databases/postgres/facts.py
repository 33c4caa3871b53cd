"""What there is to know of a PostgreSQL target: its version, the settings that are not its defaults, its JIT."""

from __future__ import annotations

import importlib.metadata

from bench.databases.postgres.admin import connected
from bench.model import Target, TargetFacts

_WHERE_IT_LIES = (
    "application_name",
    "client_encoding",
    "config_file",
    "data_directory",
    "external_pid_file",
    "hba_file",
    "ident_file",
    "listen_addresses",
    "max_stack_depth",  # from the limit of the process; only 14 counts that as set
    "port",
    "unix_socket_directories",
)
"""Settings that tell where a server lies or who asks, not how it works: they differ from run to run."""

_CHANGED = """
    SELECT name, current_setting(name)
    FROM pg_settings
    WHERE source NOT IN ('default', 'override') AND setting IS DISTINCT FROM boot_val AND name <> ALL(%s)
    ORDER BY name
"""
"""boot_val is what the build itself would have; `reset_val` would be what the configuration says."""

_JIT = "SELECT current_setting('jit'), pg_jit_available()"

_DISTRIBUTIONS = {"psycopg": "psycopg", "psycopg_async": "psycopg", "asyncpg": "asyncpg"}


def server_facts(target: Target) -> TargetFacts:
    """Return the facts of a PostgreSQL target of any provider.

    settings: those that differ from the build's own defaults, as the server shows them (`256MB`), and for every server
    `jit` and `pg_jit_available()`, which is off too where the build has no JIT. Raises DatabaseUnavailable.
    """
    with connected(target) as connection:
        version = connection.execute("SHOW server_version").fetchone()
        settings = dict(connection.execute(_CHANGED, [list(_WHERE_IT_LIES)]).fetchall())
        jit = connection.execute(_JIT).fetchone()
    assert version is not None and jit is not None
    return TargetFacts(
        name=target.name,
        dialect=target.dialect,
        driver=target.driver,
        driver_version=importlib.metadata.version(_DISTRIBUTIONS[target.driver]),
        server_version=version[0],
        provider=target.provider,
        origin=target.origin,
        settings={**settings, "jit": jit[0], "pg_jit_available()": "on" if jit[1] else "off"},
    )
