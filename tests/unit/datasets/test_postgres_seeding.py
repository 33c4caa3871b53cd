from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    Date,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy import Column as ColumnOf
from sqlalchemy import Table as TableOf
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from support.publishing import PUBLISHING

from bench.connect import engine
from bench.datasets import (
    Dataset,
    blocks,
    dataset_key,
    fingerprint,
    full_shape,
    graph_lines,
    graph_plan,
    seed_postgres,
)
from bench.datasets.postgres_load import refuse_elsewhere
from bench.errors import BenchError, DatabaseUnavailable
from bench.model import (
    Column,
    DatasetOptions,
    Dates,
    Integers,
    Numbered,
    Parent,
    Pick,
    Recipe,
    Scenario,
    Serial,
    Size,
    Table,
    Text,
)
from scenarios.one_to_many import ONE_TO_MANY

if TYPE_CHECKING:  # pytest imports it as a plugin, and has to be the first to
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]

SIZE = Size((40, 6, 3))
OPTIONS = DatasetOptions(order="shuffled", children="uniform", childless=0.1)


class Base(DeclarativeBase):
    pass


class Shop(Base):
    """Of every kind of column and constraint that a recipe can fill, with names that want quoting."""

    __tablename__ = "The shops"
    __table_args__ = (
        UniqueConstraint("code", name="one code each"),
        CheckConstraint("small < 100", name="small it is"),
        Index("by name, backwards", "name", "100 %s key"),
        Index("ix %s unique", "code", "small", unique=True),
    )
    key: Mapped[int] = mapped_column("100 %s key", BigInteger, primary_key=True)
    small: Mapped[int] = mapped_column(SmallInteger)
    price: Mapped[Decimal]
    share: Mapped[float]
    name: Mapped[str] = mapped_column(String(80))
    code: Mapped[str]
    grade: Mapped[str] = mapped_column(CHAR(5))
    opened: Mapped[date] = mapped_column(Date)
    note: Mapped[str | None]


class Till(Base):
    __tablename__ = 'a "till"'
    id: Mapped[int] = mapped_column(primary_key=True)
    shop: Mapped[int] = mapped_column(ForeignKey(Shop.key, deferrable=True, ondelete="CASCADE"), index=True)


SHOP_COLUMNS = {
    "100 %s key": Serial(start=2**40),
    "small": Integers(low=-9, high=9),
    "price": Integers(low=-5, high=1_000_000),
    "share": Integers(low=0, high=3),
    "name": Pick(pool="name"),
    "code": Numbered(pattern="ö'\"\\{}\t%s"),
    "grade": Text(width=5),
    "opened": Dates(first="1969-12-01", days=60_000),
}


def table(name: str, level: int, parent: str | None, columns: dict[str, Any]) -> Table:
    return Table(
        name=name, level=level, parent=parent, columns=tuple(Column(name=one, values=columns[one]) for one in columns)
    )


SHOPS = replace(
    ONE_TO_MANY,
    name="shops",
    base=Base,
    entity=Shop,
    paths=(),
    recipe=Recipe(
        tables=(
            table("The shops", 0, None, SHOP_COLUMNS),
            table('a "till"', 1, "The shops", {"id": Serial(), "shop": Parent()}),
        )
    ),
)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.parametrize(("scenario", "size"), [(PUBLISHING, SIZE), (SHOPS, Size((50, 3)))])
def test_the_tables_hold_the_datasets_rows(
    scenario: Scenario, size: Size, postgres: PostgresForTests, database: str
) -> None:
    seed_postgres(scenario, size, OPTIONS, postgres.target(database))

    made: dict[str, list[tuple[object, ...]]] = {}
    names = {}
    for block in blocks(Dataset(scenario.recipe, size, OPTIONS)):
        names[block.table] = ", ".join(map(quoted, block.columns))
        made.setdefault(block.table, []).extend(block.tuples())
    assert made == {
        name: postgres.query(f"SELECT {columns} FROM {quoted(name)} ORDER BY 1", database=database)
        for name, columns in names.items()
    }


def test_tables_longer_than_a_block_lose_no_row(postgres: PostgresForTests, database: str) -> None:
    seed_postgres(ONE_TO_MANY, Size((4097, 2)), DatasetOptions(), postgres.target(database))

    assert postgres.query("SELECT count(*), count(DISTINCT id), max(id) FROM books", database=database) == [
        (8194, 8194, 8194)
    ]


SCHEMA = """
SELECT 'column', attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull::text,
       (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum)
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text, ''
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index', tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
"""


@pytest.mark.parametrize("scenario", [ONE_TO_MANY, PUBLISHING, SHOPS], ids=lambda scenario: scenario.name)
def test_tables_keys_indexes_and_foreign_keys_are_just_those_that_are_mapped(
    scenario: Scenario, postgres: PostgresForTests, database: str
) -> None:
    seed_postgres(scenario, Size((3,) * scenario.levels), OPTIONS, postgres.target(database))
    with postgres.database() as other:
        made = engine(postgres.target(other))
        scenario.base.metadata.create_all(made)
        made.dispose()
        as_mapped = postgres.query(SCHEMA, database=other)

    seeded = postgres.query(SCHEMA, database=database)
    assert sorted(map(str, seeded)) == sorted(map(str, as_mapped))
    assert {kind for kind, *_ in seeded} == {"column", "constraint", "index"}


@pytest.fixture
def seeded(postgres: PostgresForTests, database: str) -> str:
    seed_postgres(ONE_TO_MANY, Size((200, 20)), OPTIONS, postgres.target(database))
    return database


def test_every_page_is_frozen_and_known_to_be_visible(postgres: PostgresForTests, seeded: str) -> None:
    pages = postgres.query(
        "SELECT relpages, relallvisible FROM pg_class WHERE relname IN ('users', 'books')", database=seeded
    )

    assert len(pages) == 2
    assert all(visible == every > 0 for every, visible in pages)
    postgres.query("CREATE EXTENSION pg_visibility", database=seeded)
    for name in ("users", "books"):
        frozen = postgres.query(f"SELECT all_frozen FROM pg_visibility_map_summary('{name}')", database=seeded)
        every = postgres.query(f"SELECT relpages FROM pg_class WHERE relname = '{name}'", database=seeded)
        assert frozen == every


def test_pages_of_wide_texts_that_are_stored_apart_are_known_to_be_visible_too(
    postgres: PostgresForTests, database: str
) -> None:
    seed_postgres(ONE_TO_MANY, Size((20, 5)), DatasetOptions(text_width=50_000), postgres.target(database))

    apart = postgres.query(
        "SELECT relpages, relallvisible FROM pg_class WHERE oid IN "
        "(SELECT reltoastrelid FROM pg_class WHERE relname IN ('users', 'books'))",
        database=database,
    )
    assert len(apart) == 2
    assert all(visible == every > 0 for every, visible in apart)


def test_the_first_read_writes_to_no_page(postgres: PostgresForTests, seeded: str) -> None:
    ((plan,),) = postgres.query(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM users JOIN books ON user_id = users.id", database=seeded
    )

    node = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    assert node["Shared Dirtied Blocks"] == 0
    assert node["Shared Hit Blocks"] + node["Shared Read Blocks"] > 0


def test_autovacuum_is_left_nothing_to_do_and_off_for_the_tables(postgres: PostgresForTests, seeded: str) -> None:
    options = postgres.query(
        "SELECT relname, reloptions FROM pg_class WHERE relname IN ('users', 'books')", database=seeded
    )

    assert sorted(options) == [("books", ["autovacuum_enabled=off"]), ("users", ["autovacuum_enabled=off"])]


def test_every_column_is_analysed(postgres: PostgresForTests, seeded: str) -> None:
    analysed = postgres.query("SELECT count(*) FROM pg_stats WHERE tablename IN ('users', 'books')", database=seeded)

    assert analysed == [(4 + 5,)]


def test_the_facts_are_those_of_the_dataset_and_its_database(postgres: PostgresForTests, database: str) -> None:
    facts = seed_postgres(PUBLISHING, SIZE, OPTIONS, postgres.target(database, "asyncpg"))

    assert facts.key == dataset_key(PUBLISHING, SIZE, OPTIONS, "postgresql")
    assert facts.key != dataset_key(PUBLISHING, SIZE, OPTIONS, "sqlite")
    assert facts.fingerprint == fingerprint(graph_lines(PUBLISHING, SIZE, OPTIONS))
    assert facts.shape == full_shape(Dataset(PUBLISHING.recipe, SIZE, OPTIONS), graph_plan(PUBLISHING))
    ((bytes_,),) = postgres.query("SELECT pg_database_size(current_database())", database=database)
    assert abs(facts.file_bytes - bytes_) < 1_000_000  # the catalogue grows a little at any moment


def test_a_schema_that_the_targets_settings_name_is_where_the_tables_go(
    postgres: PostgresForTests, database: str
) -> None:
    postgres.query('CREATE SCHEMA "of a run"', database=database)
    target = postgres.target(database, settings={"search_path": '"of a run"'})

    seed_postgres(ONE_TO_MANY, Size((3, 2)), DatasetOptions(), target)

    found = postgres.query("SELECT schemaname, tablename FROM pg_tables WHERE tablename = 'books'", database=database)
    assert found == [("of a run", "books")]
    assert postgres.query('SELECT count(*) FROM "of a run".books', database=database) == [(6,)]


def test_memory_does_not_grow_with_the_rows_in_a_database(postgres: PostgresForTests) -> None:
    def peak(size: Size) -> int:
        with postgres.database() as name:
            tracemalloc.start()
            seed_postgres(ONE_TO_MANY, size, DatasetOptions(order="shuffled"), postgres.target(name))
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return most

    peak(Size((10, 5)))
    assert peak(Size((8_000, 5))) < 1.5 * peak(Size((2_000, 5)))


def with_column(scenario: Scenario, column: Column) -> Scenario:
    first, *others = scenario.recipe.tables
    columns = tuple(column if one.name == column.name else one for one in first.columns)
    return replace(scenario, recipe=Recipe(tables=(replace(first, columns=columns), *others)))


class Strict(DeclarativeBase):
    pass


class StrictUser(Strict):
    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    bio: Mapped[str]


class Other(Strict):
    __tablename__ = "others"
    id: Mapped[int] = mapped_column(primary_key=True)


class StrictBook(Strict):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("others.id"))
    title: Mapped[str]
    year: Mapped[int]
    summary: Mapped[str]


AMISS = replace(ONE_TO_MANY, base=Strict, entity=StrictUser, paths=())
"""Its books refer to a table that has no rows, and its users' names have to differ."""

GHOSTS = replace(
    ONE_TO_MANY,
    recipe=Recipe(tables=(*ONE_TO_MANY.recipe.tables, replace(ONE_TO_MANY.recipe.tables[0], name="ghosts"))),
)


@pytest.mark.parametrize(
    ("scenario", "size", "said"),
    [
        (AMISS, Size((3, 1)), r'"books_user_id_fkey" \(Key \(user_id\)=\(1\) is not present in table "others"'),
        (AMISS, Size((2000, 1)), r'could not create unique index "users_name_key" \(Key \(name\)='),
        (GHOSTS, Size((2, 2)), 'relation "ghosts" does not exist'),
        (
            with_column(SHOPS, Column(name="small", values=Integers(low=2**15, high=2**15))),
            Size((2, 1)),
            "out of bounds",
        ),
        (with_column(SHOPS, Column(name="small", values=Integers(low=200, high=200))), Size((2, 1)), "small it is"),
        (with_column(SHOPS, Column(name="grade", values=Text(width=6))), Size((2, 1)), "too long for type character"),
        (with_column(SHOPS, Column(name="opened", values=Text(width=6))), Size((2, 1)), "date"),
        (with_column(SHOPS, Column(name="code", values=Numbered(pattern="\0{}"))), Size((2, 1)), "0x00"),
    ],
)
def test_rows_that_do_not_fit_the_tables_are_an_error_and_leave_no_table(
    scenario: Scenario, size: Size, said: str, postgres: PostgresForTests, database: str
) -> None:
    with pytest.raises(BenchError, match=rf"The dataset's rows do not fit the tables: .*({said})") as caught:
        seed_postgres(scenario, size, DatasetOptions(), postgres.target(database))

    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    assert postgres.query("SELECT * FROM pg_tables WHERE schemaname = 'public'", database=database) == []


def test_tables_that_are_there_already_are_an_error_and_stay(postgres: PostgresForTests, seeded: str) -> None:
    with pytest.raises(
        BenchError, match=r'cannot be created in database .*: relation "users" already exists'
    ) as caught:
        seed_postgres(ONE_TO_MANY, Size((3, 2)), DatasetOptions(), postgres.target(seeded))

    assert "a schema" in caught.value.remedy
    assert postgres.query("SELECT count(*) FROM users", database=seeded) == [(200,)]


def test_a_user_without_the_right_to_create_tables_is_told_so(postgres: PostgresForTests, database: str) -> None:
    postgres.query("DROP ROLE IF EXISTS visitor; CREATE ROLE visitor LOGIN")
    postgres.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC", database=database)

    with pytest.raises(DatabaseUnavailable, match=r"The user 'visitor' may not create .* denied for schema") as caught:
        seed_postgres(ONE_TO_MANY, Size((3, 2)), DatasetOptions(), postgres.target(database, user="visitor"))

    assert "GRANT CREATE ON SCHEMA" in caught.value.remedy


def test_a_database_that_is_read_only_is_said_to_be(postgres: PostgresForTests, database: str) -> None:
    target = postgres.target(database, settings={"default_transaction_read_only": "on"})

    with pytest.raises(DatabaseUnavailable, match="Nothing can be written to database"):
        seed_postgres(ONE_TO_MANY, Size((3, 2)), DatasetOptions(), target)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"host": "127.0.0.1", "password": "not-the-one"}, "password authentication failed"),
        ({"host": "127.0.0.1", "port": 1, "password": "not-the-one"}, "refused"),
        ({"host": "no-such-host.invalid", "password": "not-the-one"}, "no-such-host"),
        ({"database": "nowhere", "password": "not-the-one"}, 'database "nowhere" does not exist'),
    ],
)
def test_a_server_that_cannot_be_reached_is_said_so_without_the_password(
    fields: dict[str, Any], said: str, postgres: PostgresForTests
) -> None:
    target = postgres.target(fields.pop("database", "postgres"), **fields)

    with pytest.raises(DatabaseUnavailable, match=f"could not be reached.*{said}") as caught:
        seed_postgres(ONE_TO_MANY, Size((3, 2)), DatasetOptions(), target)

    assert "not-the-one" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_connection_that_is_lost_meanwhile_is_said_so_and_leaves_no_table(
    postgres: PostgresForTests, database: str
) -> None:
    copying = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND query LIKE 'COPY%%'"
    over = threading.Event()

    def cut() -> None:
        while not over.is_set() and not postgres.query(copying, (database,)):
            pass

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        with pytest.raises(DatabaseUnavailable, match="or the connection was lost: "):
            seed_postgres(ONE_TO_MANY, Size((20_000, 50)), DatasetOptions(), postgres.target(database))
    finally:
        over.set()
        thread.join()

    assert postgres.query("SELECT * FROM pg_tables WHERE schemaname = 'public'", database=database) == []


@pytest.fixture
def small_disk(postgres: PostgresForTests, database: str) -> Iterator[str]:
    """A tablespace on a file system of its own with one megabyte."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    disk = postgres.sockets.with_name("small disk")
    disk.mkdir()
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=False).returncode:
        pytest.skip("no small file system could be mounted")
    owner = postgres.sockets.stat()
    os.chown(disk, owner.st_uid, owner.st_gid)
    postgres.query(f"CREATE TABLESPACE small LOCATION '{disk}'")
    yield database
    postgres.query("DROP TABLESPACE small")
    subprocess.run(["umount", disk], check=True)  # noqa: S607 - wherever the system has it


def test_a_disk_that_fills_up_on_the_server_is_an_error_and_leaves_no_table(
    postgres: PostgresForTests, small_disk: str
) -> None:
    target = postgres.target(small_disk, settings={"default_tablespace": "small"})

    with pytest.raises(BenchError, match="The disk of the server was full before") as caught:
        seed_postgres(ONE_TO_MANY, Size((1000, 50)), DatasetOptions(), target)

    assert "smaller SIZE" in caught.value.remedy
    assert postgres.query("SELECT * FROM pg_tables WHERE schemaname = 'public'", database=small_disk) == []


def test_without_psycopg_the_error_names_the_extra(postgres: PostgresForTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(BenchError) as caught:
        seed_postgres(ONE_TO_MANY, Size((3, 2)), DatasetOptions(), postgres.target("postgres", "asyncpg"))

    assert "pip install 'orm-loading-bench[postgres]'" in caught.value.remedy


def test_the_package_of_datasets_loads_no_driver() -> None:
    code = "import sys, bench.datasets; print(*sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True
    )

    assert not {"psycopg", "asyncpg"} & set(printed.stdout.split())


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (TableOf("t", MetaData(), schema="theirs"), "names a schema"),
        (TableOf("t", MetaData(), ColumnOf("c", Enum("a", name="e", schema="theirs"))), "names a schema"),
        (TableOf("pg_class", MetaData()), "has a name of the server's own kind"),
    ],
)
def test_tables_outside_of_the_targets_own_schema_are_refused(table: TableOf, said: str) -> None:
    with pytest.raises(BenchError, match=said):
        refuse_elsewhere(table.metadata)
