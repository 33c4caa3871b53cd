"""Data that is there already: measured as it is, by every driver, and nothing of it is written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.orm import Session
from support.command import Bench

from bench import databases, existing, pipeline, record
from bench.case import CaseUnderWay
from bench.catalogue import find_scenario
from bench.connect import calling
from bench.connect import engine as connect
from bench.errors import BenchError, DatabaseUnavailable
from bench.measure.reference import lacking
from bench.measure.snapshot import snapshot
from bench.model import Arm, CaseSpec, DatasetOptions, Sampling, Secrets, Target, parse_targets
from bench.model.size import EXISTING

if TYPE_CHECKING:  # pytest imports it as a plugin, and has to be the first to
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]

FILE = Path(__file__).parents[1] / "data" / "shop_loading.py"
SQLITE_DRIVERS = ("pysqlite", "aiosqlite")
POSTGRES_DRIVERS = ("psycopg", "psycopg_async", "asyncpg")

ORDERS, LINES, PRODUCTS = 8, 12, 3
"""Eight orders from the third on, of ten: with 0, 1, 2, 3, ... lines in turn, of three products."""

SAMPLING = Sampling(seed=1, budget_s=None, workers=1, rounds=1, quick=True)


def fill(made: Engine) -> None:
    shop = find_scenario(f"{FILE}:RECENT").base
    classes = {mapper.class_.__name__: mapper.class_ for mapper in shop.registry.mappers}
    shop.metadata.create_all(made)
    with Session(made) as session:
        session.add_all([classes["Product"](id=number, name=f"p{number}") for number in range(1, 5)])
        session.flush()
        session.add_all([classes["Order"](id=number, customer=f"c{number}") for number in range(1, 11)])
        session.flush()
        lines = [(order, nth % 3 + 1) for order in range(1, 11) for nth in range(order % 4)]
        session.add_all([classes["OrderLine"](order_id=order, product_id=product) for order, product in lines])
        session.commit()
    made.dispose()


@contextmanager
def filled(postgres: PostgresForTests) -> Iterator[tuple[str, Engine]]:
    """A database with orders in it: its URL, and an engine, of a user who may do everything there."""
    with postgres.database() as name:
        url = URL.create("postgresql+psycopg", "bench", postgres.password, "127.0.0.1", postgres.port, name)
        theirs = create_engine(url)
        fill(theirs)
        yield url.set(drivername="postgresql").render_as_string(hide_password=False), theirs
        theirs.dispose()


@pytest.fixture(scope="module")
def in_postgres(postgres: PostgresForTests) -> Iterator[str]:
    """The URL of such a database."""
    with filled(postgres) as (url, _):
        yield url


@pytest.fixture
def in_sqlite(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    fill(create_engine(f"sqlite:///{path}"))
    return path


def case_of(where: str, scenario: str = "RECENT", *, drivers: str | None = None) -> tuple[CaseUnderWay, Secrets]:
    targets, secrets = parse_targets(where, drivers=drivers, existing=True)
    reference = f"{FILE}:{scenario}"
    names = tuple(strategy.name for strategy in find_scenario(reference).strategies)
    spec = CaseSpec(scenario=reference, size=EXISTING, targets=targets, strategies=names, dataset=DatasetOptions())
    return CaseUnderWay(spec, SAMPLING), secrets


@contextmanager
def up(case: CaseUnderWay, secrets: Secrets) -> Iterator[CaseUnderWay]:
    sources = databases.find_sources(case.spec.targets, run="test", secrets=secrets)
    with ExitStack() as stack:
        pipeline.bring_up(case, sources, stack)
        yield case


def observed(case: CaseUnderWay, scratch: Path) -> dict[tuple[str, str], Arm]:
    list(pipeline.watch(case, scratch))
    return {(arm.target, arm.strategy): arm for arm in case.observed}


@pytest.fixture(scope="module")
def everywhere(
    in_postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[CaseUnderWay, dict[tuple[str, str], Arm]]]:
    """What is seen of the same orders by every driver of both databases."""
    folder = tmp_path_factory.mktemp("everywhere")
    fill(create_engine(f"sqlite:///{folder}/shop.db"))
    drivers = ",".join((*SQLITE_DRIVERS, *POSTGRES_DRIVERS))
    with up(*case_of(f"sqlite:{folder}/shop.db,{in_postgres}", drivers=drivers)) as case:
        yield case, observed(case, folder)


def test_the_same_rows_are_the_same_graph_on_both_databases_and_every_driver_counts_them_alike(
    everywhere: tuple[CaseUnderWay, dict[tuple[str, str], Arm]],
) -> None:
    case, seen = everywhere

    assert len(case.names) == 5
    assert case.dataset.shape.rows == (ORDERS, LINES)
    assert case.dataset.shape.tables == {"orders": ORDERS, "order_lines": LINES, "products": PRODUCTS}
    for name in case.names:
        for strategy in ("lazy", "joined", "selectin"):
            arm = seen[name, strategy]
            assert arm.error is None
            assert arm.counters is not None
            assert (arm.counters.statements, arm.counters.rows) == (arm.expected_statements, arm.expected_rows)
    assert seen[case.names[0], "lazy"].expected_statements == 1 + ORDERS + PRODUCTS
    assert not case.warnings


def test_a_strategy_that_loads_less_than_the_lazy_load_is_wrong_and_the_first_difference_is_told(
    everywhere: tuple[CaseUnderWay, dict[tuple[str, str], Arm]],
) -> None:
    case, seen = everywhere

    for name in case.names:
        arm = seen[name, "fewer"]
        assert arm.fault == "unequal"
        assert arm.error is not None and "10" in arm.error  # noqa: PT018 - the order that it leaves out


def test_a_load_that_writes_is_refused_by_the_database_of_a_user_who_may_and_is_said_to_write(
    everywhere: tuple[CaseUnderWay, dict[tuple[str, str], Arm]], in_postgres: str
) -> None:
    case, seen = everywhere

    for name in case.names:
        arm = seen[name, "writing"]
        assert arm.fault == "failed"
        assert arm.error is not None and "it writes, and may only read" in arm.error  # noqa: PT018
        assert "read-only transaction" in arm.error or "readonly database" in arm.error
    assert read_all(in_postgres, "SELECT customer FROM orders WHERE id = 3") == [("c3",)]


def test_a_scenario_whose_every_load_writes_ends_the_run_before_anything_is_measured(in_sqlite: Path) -> None:
    before = sha256(in_sqlite.read_bytes()).hexdigest()

    said = refusal(f"sqlite:{in_sqlite}", "WRITING")

    assert "The lazy load, which the others are held against, failed" in said
    assert "it writes, and may only read (attempt to write a readonly database)" in said
    assert sha256(in_sqlite.read_bytes()).hexdigest() == before


def test_a_query_that_finds_no_parents_is_an_error(in_sqlite: Path) -> None:
    assert f"finds no parents in sqlite:{in_sqlite}" in refusal(f"sqlite:{in_sqlite}", "NOBODY")


def test_tables_and_columns_that_are_not_there_are_named(in_sqlite: Path, in_postgres: str) -> None:
    said = refusal(f"sqlite:{in_sqlite}", "NOWHERE")

    assert "lacks customers, orders.loyalty, orders.customer_id, which customer_orders loads" in said
    there = create_engine(in_postgres.replace("postgresql://", "postgresql+psycopg://"))
    found = lacking(there, find_scenario(f"{FILE}:NOWHERE"))
    there.dispose()
    assert found == ["customers", "orders.loyalty", "orders.customer_id"]


def test_two_databases_that_do_not_hold_the_same_rows_are_not_compared(in_sqlite: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    other.write_bytes(in_sqlite.read_bytes())
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("UPDATE products SET name = 'another' WHERE id = 1")

    said = refusal(f"sqlite:{in_sqlite},sqlite:{other}", "BUILT")

    assert "do not hold the same data" in said
    assert "8 parents and 23 rows" in said


def refusal(where: str, scenario: str) -> str:
    with pytest.raises(BenchError) as caught, up(*case_of(where, scenario)):
        pass
    assert caught.value.exit_code == 2
    return caught.value.message


def read_all(url: str, sql: str) -> list[Any]:
    made = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with made.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(sql))]
    made.dispose()
    return found


def test_rows_that_change_under_way_are_said_to_change_and_no_strategy_is_blamed(
    postgres: PostgresForTests, tmp_path: Path
) -> None:
    with filled(postgres) as (asked, theirs), up(*case_of(asked, "BUILT")) as case:
        with theirs.begin() as connection:
            connection.execute(text("INSERT INTO orders (id, customer) VALUES (11, 'new'), (12, 'newer')"))

        arms = observed(case, tmp_path)
        list(existing.looked_at_again(case))

    assert [arm.error for arm in arms.values()] == [None, None]
    (said,) = [warning.text for warning in case.warnings if warning.code == "data_changed"]
    assert "8 parents and 23 rows, then 10 parents and 25 rows" in said


@pytest.mark.parametrize("driver", [*SQLITE_DRIVERS, *POSTGRES_DRIVERS])
def test_a_snapshot_sees_one_moment_while_others_write(
    driver: str, in_sqlite: Path, postgres: PostgresForTests
) -> None:
    with ExitStack() as stack:
        if driver in SQLITE_DRIVERS:
            theirs = create_engine(f"sqlite:///{in_sqlite}")
            with theirs.connect() as connection:
                connection.execute(text("PRAGMA journal_mode = wal"))
            stack.callback(theirs.dispose)
            open_one = theirs.connect()
            stack.callback(open_one.close)
            open_one.execute(text("INSERT INTO products VALUES (100, 'in the log')"))
            open_one.commit()
            asked = f"sqlite:{in_sqlite}"
        else:
            asked, theirs = stack.enter_context(filled(postgres))
        target = target_of(asked, driver, stack)
        made = connect(target)
        count = "SELECT count(*) FROM orders"

        def look() -> list[int]:
            with snapshot(made) as connection, Session(connection) as one, Session(connection) as other:
                found = [one.scalar(text(count))]
                with theirs.begin() as writing:
                    writing.execute(text("INSERT INTO orders (id, customer) VALUES (11, 'new')"))
                one.close()
                found.append(other.scalar(text(count)))
            with made.connect() as connection:
                return [*found, connection.scalar(text(count))]

        with calling(made) as call:
            assert call(look) == [10, 10, 11]


def target_of(asked: str, driver: str, stack: ExitStack) -> Target:
    """The target as a worker gets it."""
    ((one,), secrets) = parse_targets(asked, existing=True)
    provider = stack.enter_context(databases.find_sources([one], run="", secrets=secrets)[one.server].up())
    found: list[Target] = []

    def keep(target: Target) -> Any:
        found.append(target)
        raise KeyError  # nothing is to be measured

    with pytest.raises(KeyError):
        provider.seeded("", "", keep)
    return replace(found[0], driver=driver)


@pytest.mark.parametrize("driver", POSTGRES_DRIVERS)
@pytest.mark.parametrize(
    "first",
    ["SELECT 1", "SET default_transaction_read_only = off", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"],
)
def test_a_transaction_stays_read_only_whatever_its_session_was_set_to(
    driver: str, first: str, in_postgres: str
) -> None:
    with ExitStack() as stack:
        made = connect(target_of(in_postgres, driver, stack))

        def write() -> str:
            with made.connect() as connection:
                connection.execute(text(first))
                connection.commit()
                with pytest.raises(Exception, match="read-only transaction") as caught:
                    connection.execute(text("DELETE FROM orders"))
                return type(caught.value).__name__

        with calling(made) as call:
            assert call(write) in ("InternalError", "DBAPIError", "NotSupportedError")
    assert read_all(in_postgres, "SELECT count(*) FROM orders") == [(10,)]


@pytest.mark.parametrize("journal", ["delete", "wal", "wal, open"])
def test_a_file_keeps_its_bytes_and_time_and_nothing_is_left_beside_it(journal: str, in_sqlite: Path) -> None:
    with ExitStack() as stack:
        with closing(sqlite3.connect(in_sqlite)) as theirs:
            theirs.execute(f"PRAGMA journal_mode = {journal.partition(',')[0]}")
        rows = 23
        if journal.endswith("open"):  # what is in the log alone counts too
            theirs = stack.enter_context(closing(sqlite3.connect(in_sqlite)))
            theirs.execute("INSERT INTO orders (id, customer) VALUES (11, 'new')")
            theirs.commit()
            rows += 1
        before = state(in_sqlite)

        with up(*case_of(f"sqlite:{in_sqlite}", "BUILT")) as case:
            assert sum(case.dataset.shape.tables.values()) == rows
            for driver in SQLITE_DRIVERS:
                made = connect(replace(case.fleet.targets[case.names[0]], driver=driver))
                assert called(made, "SELECT count(*) FROM orders") == rows - 13
            assert state(in_sqlite) == before
        assert state(in_sqlite) == before


def called(made: Engine, sql: str) -> Any:
    """Ask by any driver."""

    def ask() -> Any:
        with made.connect() as connection:
            return connection.scalar(text(sql))

    with calling(made) as call:
        return call(ask)


def state(path: Path) -> dict[str, tuple[str, int]]:
    """Every file of the folder: its digest, and when it was written; but of the index that all who read share."""
    return {
        file.name: (sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
        if file.suffix != ".db-shm"
        else ("", 0)
        for file in path.parent.iterdir()
    }


def test_a_log_that_no_program_has_taken_up_is_refused(in_sqlite: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(in_sqlite)) as theirs:
        theirs.execute("PRAGMA journal_mode = wal")
        theirs.execute("INSERT INTO orders (id, customer) VALUES (11, 'new')")
        theirs.commit()
        copy = tmp_path / "copied"
        copy.mkdir()
        for ending in ("", "-wal"):
            (copy / f"shop.db{ending}").write_bytes((tmp_path / f"shop.db{ending}").read_bytes())

    assert "was not closed" in refusal(f"sqlite:{copy}/shop.db", "BUILT")


def test_a_file_that_is_written_to_while_it_is_read_as_unchanging_is_said_to_be(in_sqlite: Path) -> None:
    with closing(sqlite3.connect(in_sqlite)) as theirs:
        theirs.execute("PRAGMA journal_mode = wal")
    with up(*case_of(f"sqlite:{in_sqlite}", "BUILT")) as case:
        case.fleet.check(case.names[0])
        with closing(sqlite3.connect(in_sqlite)) as theirs, theirs:
            theirs.execute("DELETE FROM order_lines")

        with pytest.raises(DatabaseUnavailable, match="was written to while it was measured"):
            case.fleet.check(case.names[0])


def test_a_user_who_may_only_read_measures_from_the_command_line_and_nothing_is_changed(
    postgres: PostgresForTests, in_postgres: str, tmp_path: Path
) -> None:
    database = in_postgres.rpartition("/")[2].replace("%20", " ")
    postgres.query("CREATE ROLE reader LOGIN PASSWORD 'hunter2'")
    postgres.query("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", database=database)
    before = {what: postgres.query(sql, database=database) for what, sql in CHANGEABLE.items()}
    url = f"postgresql://reader:hunter2@127.0.0.1:{postgres.port}/{quote(database)}"
    bench = Bench(tmp_path)

    done = bench(
        "run", "--scenario", f"{FILE}:BUILT", "--existing", "--db", url, "--driver", "asyncpg", "--workers", "1",
        "--rounds", "1", "-q",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "existing data, only read: 8 parents chosen by the scenario's query, 23 rows reached" in done.stdout
    (folder,) = bench.runs()
    stored = (folder / "run.json").read_text()
    assert "hunter2" not in stored + done.stdout + done.stderr
    (case,) = json.loads(stored)["cases"]
    assert case["status"] == "measured"
    assert case["targets"][0]["settings"]["default_transaction_read_only"] == "on"
    assert case["datasets"][0]["shape"]["rows"] == [ORDERS, LINES]
    assert case["datasets"][0]["file_bytes"] > 0
    assert not [one for one in case["warnings"] if one["code"] in ("data_changed", "formula", "dataset")]
    assert {what: postgres.query(sql, database=database) for what, sql in CHANGEABLE.items()} == before
    assert "23 rows reached" in (folder / "report.md").read_text()
    goes_on_as_existing(folder)


def goes_on_as_existing(folder: Path) -> None:
    """A run that was cut short knows that its data is not to be seeded."""
    stored = record.load(folder)
    cut_short = replace(stored, status="interrupted", cases=())

    planned = pipeline.plan_of(pipeline.going_on(cut_short), Secrets(by_url={}))

    assert [spec.size for spec in planned.specs] == [EXISTING]
    assert all(asked.existing for asked in planned.targets)


CHANGEABLE = {
    "schemas": "SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace ORDER BY 1",
    "relations": "SELECT oid::regclass::text, reloptions::text, relacl::text, reltuples FROM pg_class "
    "WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
    "statistics": "SELECT tablename, attname FROM pg_stats WHERE schemaname = 'public' ORDER BY 1, 2",
    "orders": "SELECT xmin::text, orders.* FROM orders ORDER BY id",
    "lines": "SELECT xmin::text, order_lines.* FROM order_lines ORDER BY id",
    "products": "SELECT xmin::text, products.* FROM products ORDER BY id",
    "settings of roles": "SELECT setdatabase, setrole, setconfig::text FROM pg_db_role_setting ORDER BY 1, 2",
}
