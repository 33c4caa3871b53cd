"""The server's own COPY of files that lie ready beside it: the yardstick of the self-benchmarks of PostgreSQL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import MetaData, create_engine

from bench.databases.postgres.admin import connected
from bench.datasets import Dataset
from bench.datasets.postgres_load import load_postgres, take_off
from bench.model import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyFiles:
    """Where each table's rows lie ready, in the two formats; parents before children."""

    text: dict[str, Path]
    binary: dict[str, Path]


@contextmanager
def ready_files(dataset: Dataset, metadata: MetaData, admin: Target) -> Iterator[ReadyFiles]:
    """Have the server write the dataset's rows to files that it can read again, there while the block runs."""
    tables = [table.name for table in metadata.sorted_tables]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)  # the server, another user, writes there; nothing in it is secret
        files = ReadyFiles(
            text={table: folder / f"{table}.text" for table in tables},
            binary={table: folder / f"{table}.binary" for table in tables},
        )
        with database(admin) as target:
            load_postgres(dataset, metadata, target)
            with connected(target) as server:
                for table in tables:
                    server.execute(f"COPY {table} TO '{files.text[table]}'".encode())
                    server.execute(f"COPY {table} TO '{files.binary[table]}' (FORMAT binary)".encode())
        yield files


def copy_text(files: ReadyFiles, metadata: MetaData, target: Target) -> None:
    """Load text into tables that have their keys and indexes, in the way that comes to mind first."""
    with _created(metadata, target) as server:
        for table, path in files.text.items():
            server.execute(f"COPY {table} FROM '{path}'".encode())


def copy_binary(files: ReadyFiles, metadata: MetaData, target: Target) -> None:
    """Load binary into bare tables and add the keys afterwards: the least that the server can do."""
    with _created(metadata, target) as server:
        put_off = take_off(server, list(files.binary))
        for table, path in files.binary.items():
            server.execute(f"COPY {table} FROM '{path}' (FORMAT binary)".encode())
        for statement in put_off:
            server.execute(statement)


@contextmanager
def database(admin: Target) -> Iterator[Target]:
    """Yield a new database, made after a checkpoint, so that nobody pays for what another wrote."""
    name = sql.Identifier("selfbench")
    with connected(admin) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        server.execute("CHECKPOINT")
        try:
            yield replace(admin, database="selfbench")
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@contextmanager
def _created(metadata: MetaData, target: Target) -> Iterator[psycopg.Connection[Any]]:
    """Create the tables, and yield the connection in the same transaction; commit at the end."""
    with connected(target) as server:
        server.autocommit = False
        made = create_engine("postgresql+psycopg://", creator=lambda: server)
        with made.begin() as connection:
            metadata.create_all(connection, checkfirst=False)
            yield server
