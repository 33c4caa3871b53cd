from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from support.publishing import PUBLISHING

from bench.datasets import (
    Dataset,
    blocks,
    dataset_key,
    fingerprint,
    full_shape,
    graph_lines,
    graph_plan,
    seed_sqlite,
)
from bench.datasets.space import needed_bytes
from bench.datasets.sqlite_load import load_sqlite
from bench.errors import BenchError
from bench.model import DatasetOptions, Scenario, Size
from scenarios.one_to_many import ONE_TO_MANY

SIZE = Size((40, 6, 3))
OPTIONS = DatasetOptions(order="shuffled", children="uniform", childless=0.1)


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def seeded(tmp_path: Path) -> Path:
    path = tmp_path / "seeded.sqlite3"
    seed_sqlite(PUBLISHING, SIZE, OPTIONS, path)
    return path


def test_the_tables_hold_the_datasets_rows(seeded: Path) -> None:
    made: dict[str, list[tuple[object, ...]]] = {}
    names = {}
    for block in blocks(Dataset(PUBLISHING.recipe, SIZE, OPTIONS)):
        names[block.table] = ", ".join(block.columns)
        made.setdefault(block.table, []).extend(tuple(map(_stored, row)) for row in block.tuples())

    assert made == {
        table: query(seeded, f"SELECT {columns} FROM {table} ORDER BY 1") for table, columns in names.items()
    }


def _stored(value: object) -> object:
    return value if isinstance(value, int | str) else str(value)


def test_blocks_longer_than_a_statement_lose_no_row(tmp_path: Path) -> None:
    facts = seed_sqlite(ONE_TO_MANY, Size((4097, 2)), DatasetOptions(), tmp_path / "f")

    assert query(tmp_path / "f", "SELECT count(*), max(id) FROM books") == [(8194, 8194)]
    assert facts.shape.rows == (4097, 8194)


def test_the_file_is_an_ordinary_one_with_a_rollback_journal(seeded: Path) -> None:
    assert query(seeded, "PRAGMA journal_mode") == [("delete",)]
    assert query(seeded, "PRAGMA integrity_check") == [("ok",)]
    assert [path.name for path in seeded.parent.iterdir()] == ["seeded.sqlite3"]


def test_the_file_can_be_read_where_nothing_can_be_written(seeded: Path) -> None:
    with closing(sqlite3.connect(f"{seeded.as_uri()}?mode=ro", uri=True)) as connection:
        assert connection.execute("SELECT count(*) FROM publishers").fetchone() == (40,)


def test_indexes_and_statistics_are_there(seeded: Path) -> None:
    indexes = {name for (name,) in query(seeded, "SELECT name FROM sqlite_master WHERE type = 'index'")}
    analysed = {name for (name,) in query(seeded, "SELECT idx FROM sqlite_stat1 WHERE idx IS NOT NULL")}

    assert indexes == analysed == {"ix_authors_publisher_id", "ix_prizes_holder_id", "ix_works_author_id"}


def test_the_facts_are_those_of_the_dataset_and_its_file(tmp_path: Path) -> None:
    facts = seed_sqlite(PUBLISHING, SIZE, OPTIONS, tmp_path / "f")

    assert facts.key == dataset_key(PUBLISHING, SIZE, OPTIONS, "sqlite")
    assert facts.fingerprint == fingerprint(graph_lines(PUBLISHING, SIZE, OPTIONS))
    assert facts.shape == full_shape(Dataset(PUBLISHING.recipe, SIZE, OPTIONS), graph_plan(PUBLISHING))
    assert facts.file_bytes == (tmp_path / "f").stat().st_size


def test_a_dataset_seeds_the_same_bytes_every_time(seeded: Path, tmp_path: Path) -> None:
    seed_sqlite(PUBLISHING, SIZE, OPTIONS, tmp_path / "again")

    assert (tmp_path / "again").read_bytes() == seeded.read_bytes()


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    def peak(size: Size) -> int:
        tracemalloc.start()
        seed_sqlite(ONE_TO_MANY, size, DatasetOptions(order="shuffled"), tmp_path / str(size))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(Size((10, 5)))
    assert peak(Size((8_000, 5))) < 1.5 * peak(Size((2_000, 5)))


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    bio: Mapped[str]


class Other(Base):
    __tablename__ = "others"
    id: Mapped[int] = mapped_column(primary_key=True)


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("others.id"))
    title: Mapped[str]
    year: Mapped[int]
    summary: Mapped[str]


AMISS = replace(ONE_TO_MANY, base=Base, entity=User, paths=())
"""Its books refer to a table that has no rows, and its users' names have to differ."""


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (Size((3, 1)), "Row 1 of table 'books' refers to a row of 'others' that is not there"),
        (Size((2000, 1)), r"rows do not fit the tables: UNIQUE constraint failed: users\.name"),
    ],
)
def test_rows_that_do_not_fit_the_tables_are_an_error_and_leave_no_file(size: Size, said: str, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=said):
        seed_sqlite(AMISS, size, DatasetOptions(), tmp_path / "f")

    assert not list(tmp_path.iterdir())


def test_a_table_that_is_not_mapped_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    users, books = ONE_TO_MANY.recipe.tables
    scenario = replace(
        ONE_TO_MANY, recipe=replace(ONE_TO_MANY.recipe, tables=(users, books, replace(users, name="ghosts")))
    )

    with pytest.raises(BenchError, match=r"could not be loaded into .*: no such table: ghosts"):
        seed_sqlite(scenario, Size((2, 2)), DatasetOptions(), tmp_path / "f")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("scenario", "size", "options"),
    [
        (ONE_TO_MANY, Size((2000, 20)), DatasetOptions()),
        (ONE_TO_MANY, Size((2000, 20)), DatasetOptions(order="shuffled", text_width=0)),
        (ONE_TO_MANY, Size((500, 2)), DatasetOptions(text_width=5000)),
        (PUBLISHING, Size((100, 10, 10)), DatasetOptions(children="zipf", childless=0.5)),
        (ONE_TO_MANY, Size((1, 1)), DatasetOptions()),
    ],
)
def test_the_space_needed_is_never_underestimated_nor_more_than_twice_what_it_is(
    scenario: Scenario, size: Size, options: DatasetOptions, tmp_path: Path
) -> None:
    facts = seed_sqlite(scenario, size, options, tmp_path / "f")

    needed = needed_bytes(Dataset(scenario.recipe, size, options), scenario.base.metadata)

    assert facts.file_bytes <= needed <= 2 * facts.file_bytes + 65_536


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with one megabyte."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small file system could be mounted: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", disk], check=True)  # noqa: S607 - wherever the system has it


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(small_disk: Path) -> None:
    with pytest.raises(BenchError) as caught:
        seed_sqlite(ONE_TO_MANY, Size((10_000, 50)), DatasetOptions(), small_disk / "f")

    assert "10000x50" in caught.value.message
    assert f"{small_disk} has 1.0 MB free" in caught.value.message
    assert "BENCH_CACHE_DIR" in caught.value.remedy
    assert not list(small_disk.iterdir())


def test_a_disk_that_fills_up_meanwhile_is_an_error_and_leaves_no_file(small_disk: Path) -> None:
    dataset = Dataset(ONE_TO_MANY.recipe, Size((1000, 50)), DatasetOptions())

    with pytest.raises(BenchError, match="The disk was full before the dataset was loaded") as caught:
        load_sqlite(dataset, ONE_TO_MANY.base.metadata, small_disk / "f")

    assert "BENCH_CACHE_DIR" in caught.value.remedy
    assert not list(small_disk.iterdir())
