"""What there is to know of a PostgreSQL target: its version, the settings that are not its defaults, its JIT."""

from __future__ import annotations

import importlib.metadata

from bench.connect import OWN_PROVIDERS, postgresql_arguments
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
    "search_path",
    "unix_socket_directories",
)
"""Settings that tell where a server lies or who asks, not how it works: they differ from run to run."""

_PLAIN_TEXTS = (
    "DateStyle",
    "IntervalStyle",
    "TimeZone",
    "backtrace_functions",
    "debug_io_direct",
    "default_table_access_method",
    "default_tablespace",
    "default_text_search_config",
    "jit_provider",
    "lc_messages",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "local_preload_libraries",
    "log_timezone",
    "server_encoding",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "wal_consistency_checking",
)
"""Settings whose value is free text that never holds a secret, as `primary_conninfo` and `archive_command` may."""

_CHANGED = """
    SELECT name, CASE WHEN %(own)s OR vartype <> 'string' OR name = ANY(%(plain)s) THEN current_setting(name)
                 ELSE '(not stored)' END
    FROM pg_settings
    WHERE source NOT IN ('default', 'override') AND setting IS DISTINCT FROM boot_val AND name <> ALL(%(where)s)
    ORDER BY name
"""
"""boot_val is what the build itself would have; `reset_val` would be what the configuration says."""

_JIT = "SELECT current_setting('jit'), pg_jit_available()"

_DISTRIBUTIONS = {"psycopg": "psycopg", "psycopg_async": "psycopg", "asyncpg": "asyncpg"}


def server_facts(target: Target) -> TargetFacts:
    """Return the facts of a PostgreSQL target of any provider.

    settings: those that differ from the build's own defaults, as the server shows them (`256MB`); on a server that is
    not ours the name only of texts that may hold a secret. For every server also `jit` and `pg_jit_available()`, which
    is off too where the build has no JIT. Raises DatabaseUnavailable, and BenchError for an option that the target's
    driver cannot take.
    """
    postgresql_arguments(target)  # what the driver cannot take is told before a worker is started
    own = target.provider in OWN_PROVIDERS
    asked = {"own": own, "plain": list(_PLAIN_TEXTS), "where": list(_WHERE_IT_LIES)}
    with connected(target) as connection:
        version = connection.execute("SHOW server_version").fetchone()
        settings = dict(connection.execute(_CHANGED, asked).fetchall())
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
