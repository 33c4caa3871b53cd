"""Bulk loading into PostgreSQL: rows by binary COPY into bare tables; keys, indexes and foreign keys after them.

Everything up to the last foreign key is one transaction: whatever fails leaves nothing behind. The rows are written
frozen, which COPY may do in a table of the same transaction, so nobody has to look up or write down later who can see
them. VACUUM has the same left to do for TOAST tables. It could not do it, and would say nothing, after a commit that
was not yet flushed (`synchronous_commit = off`): so this commit is a synchronous one, whatever the server's setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.pq import Format
from sqlalchemy import Connection, MetaData

from bench.connect import engine
from bench.datasets.binding import binding
from bench.datasets.columns import Spelling
from bench.datasets.dataset import Dataset
from bench.datasets.postgres_copy import Field, binary_copy
from bench.datasets.postgres_errors import explaining
from bench.errors import BenchError
from bench.model import Table, Target

CONSTRAINTS = """
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
       format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint
WHERE conrelid = ANY(%s::regclass[]) AND contype = ANY(%s)
ORDER BY conrelid::regclass::text, conname
"""
"""What drops each constraint of some kinds, and what adds it again, in the server's own words."""

INDEXES = """
SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
FROM pg_index
WHERE indrelid = ANY(%s::regclass[])
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)
ORDER BY indexrelid::regclass::text
"""
"""The same for the indexes that no constraint keeps."""

TEXT, UUID_TYPE = 25, 2950
"""The object identifiers of types `text` and `uuid`; the second's binary dumper takes no text."""

KEYS, FOREIGN_KEYS = ["p", "u", "x"], ["f"]


def load_postgres(dataset: Dataset, metadata: MetaData, target: Target) -> int:
    """Create the tables in the target's database, load every row, and return the size of the database in bytes.

    Memory stays flat. At the end all keys, indexes and foreign keys are there and verified, the tables are vacuumed,
    frozen and analysed, and autovacuum is off for them: nothing of the loading is left to be done while something is
    timed. Raises DatabaseUnavailable or BenchError, as `explaining` words it; the tables are then not there, unless
    the connection was lost after the last row.
    """
    refuse_elsewhere(metadata)
    made = engine(replace(target, driver="psycopg"))
    try:
        with explaining(target):
            with made.begin() as connection:
                fill(connection, dataset, metadata)
            with closing(made.raw_connection()) as raw:
                server: Any = raw.driver_connection
                return _settle(server, metadata)
    finally:
        made.dispose()


def refuse_elsewhere(metadata: MetaData) -> None:
    """Raise BenchError for tables that would be made, or looked for, in another schema than the target's own.

    A target on a user's server is one schema: nothing outside of it may be touched.
    """
    for table in metadata.sorted_tables:
        if table.schema or any(getattr(column.type, "schema", None) for column in table.columns):
            raise BenchError(
                f"The table {table.name!r}, or a type in it, names a schema: a dataset is loaded into one of its own.",
                remedy="Leave the schema out of the scenario's mapped classes.",
            )
        if table.name.startswith("pg_"):  # the server looks for such a name among its own tables first
            raise BenchError(
                f"The table {table.name!r} has a name of the server's own kind.",
                remedy="Name it without pg_ in the scenario's mapped classes.",
            )


def fill(connection: Connection, dataset: Dataset, metadata: MetaData) -> None:
    """Create the tables, copy every row into them, and add keys, indexes and foreign keys, in one transaction."""
    of_nothing = [one for table in metadata.tables.values() for one in table.indexes if not len(one.expressions)]
    for one in of_nothing:
        one.ddl_if(callable_=lambda *_, **__: False)  # of no column: a mapping may have it, a database may not
    metadata.create_all(connection, checkfirst=False)
    server: Any = connection.connection.driver_connection
    server.execute("SET LOCAL client_encoding = 'UTF8'; SET LOCAL synchronous_commit = on")
    for index in dataset.recipe.unindexed:
        server.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(index)))
    put_off = take_off(server, _names(server, metadata))
    for table in dataset.recipe.tables:
        bindings = {
            column.name: binding(metadata, table.stored_in, column.name, connection.dialect) for column in table.columns
        }
        _copy(server, dataset, table, bindings)
    for statement in put_off:
        server.execute(statement)


def _names(server: psycopg.Connection[Any], metadata: MetaData) -> list[str]:
    """Return the names of the tables, quoted."""
    return [sql.Identifier(*filter(None, (one.schema, one.name))).as_string(server) for one in metadata.sorted_tables]


def take_off(server: psycopg.Connection[Any], tables: list[str]) -> list[bytes]:
    """Drop what is slower kept up than made at the end, and return what makes it: keys, indexes, foreign keys.

    The tables were created whole, and the server is asked what they have: so they end up just as they are mapped.
    """
    foreign_keys = server.execute(CONSTRAINTS, (tables, FOREIGN_KEYS)).fetchall()
    keys = server.execute(CONSTRAINTS, (tables, KEYS)).fetchall()
    indexes = server.execute(INDEXES, (tables,)).fetchall()
    for drop, _ in foreign_keys + keys + indexes:
        server.execute(drop.encode())
    return [add.encode() for _, add in keys + indexes + foreign_keys]


def _copy(server: psycopg.Connection[Any], dataset: Dataset, table: Table, bindings: Mapping[str, Spelling]) -> None:
    columns = sql.SQL(",").join(sql.Identifier(column.name) for column in table.columns)
    names = {"table": sql.Identifier(table.stored_in), "columns": columns}
    with server.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT {columns} FROM {table} LIMIT 0").format(**names))
        fields = [
            Field(
                name=column.name,
                type_oid=column.type_code,
                spell=_spelling(server, column.type_code, bindings[column.name]),
            )
            for column in cursor.description or ()
        ]
        statement = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT binary, FREEZE)").format(**names)
        with cursor.copy(statement) as copy:
            for block in binary_copy(dataset, table, fields):
                copy.write(block)


def _spelling(server: psycopg.Connection[Any], type_oid: int, bind: Spelling) -> Spelling:
    """Return how a value of a type is written, once bound: psycopg's own dumper's bytes, their number before them.

    A type that psycopg has no dumper for (`char(5)`, an enumeration) is given text, which is what such types receive.
    """
    try:
        dumper = server.adapters.get_dumper_by_oid(type_oid, Format.BINARY)
    except psycopg.ProgrammingError:
        dumper = server.adapters.get_dumper_by_oid(TEXT, Format.BINARY)
    dump: Any = dumper(object, server).dump

    def spell(value: Any) -> bytes:
        bound = bind(value)
        data = bytes(dump(UUID(bound) if type_oid == UUID_TYPE and isinstance(bound, str) else bound))
        return len(data).to_bytes(4, "big") + data

    return spell


def _settle(server: psycopg.Connection[Any], metadata: MetaData) -> int:
    """Do now what the server would do by itself later, and return the bytes of the database."""
    server.autocommit = True
    names = _names(server, metadata)
    for name in names:
        server.execute(f"ALTER TABLE {name} SET (autovacuum_enabled = off)".encode())
    server.execute(f"VACUUM (FREEZE, ANALYZE) {', '.join(names)}".encode())
    row = server.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(row[0])
