"""What a block of a test counts on PostgreSQL is the server's own account, by every driver and from new engines too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import ForeignKey, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

from bench.connect import calling, engine
from bench.testing import count_statements

if TYPE_CHECKING:  # pytest imports it as a plugin, and has to be the first to
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]

NO_STATEMENT = r"^(BEGIN|ROLLBACK|COMMIT|SAVEPOINT|RELEASE|DEALLOCATE|CLOSE|FETCH)"
"""What goes around statements, and the round trips of a cursor, whose statement is its DECLARE."""


class Base(DeclarativeBase):
    """Classes of these tests alone."""


class Shop(Base):
    """A shop, whose key a sequence gives."""

    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    orders: Mapped[list[Order]] = relationship()


class Order(Base):
    """An order."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))


def flushed(session: Session) -> None:
    session.add_all([Shop(name=f"new {number}", orders=[Order(), Order()]) for number in range(5)])
    session.flush()


def in_savepoints(session: Session) -> None:
    for number in range(3):
        with session.begin_nested():
            session.add(Shop(name=f"nested {number}"))


def some_in_conflict(session: Session) -> None:
    rows = [{"name": name} for name in ("shop 0", "other", "shop 1", "another")]
    session.scalars(postgres_insert(Shop).on_conflict_do_nothing().returning(Shop.id), rows).all()


WORK: dict[str, Callable[[Session], Any]] = {
    "lazy": lambda session: [shop.orders for shop in session.scalars(select(Shop))],
    "selectin": lambda session: session.scalars(select(Shop).options(selectinload(Shop.orders))).all(),
    "a flush": flushed,
    "savepoints": in_savepoints,
    "conflicts": some_in_conflict,
    "batches": lambda session: session.scalars(
        insert(Shop).returning(Shop.id), [{"name": f"{number}"} for number in range(2100)]
    ).all(),
    "one insert": lambda session: session.scalar(insert(Shop).values(name="one").returning(Shop.id)),
    "text": lambda session: session.execute(text("SELECT generate_series(1, 9)")).all(),
    "a sum": lambda session: session.scalar(select(func.count()).select_from(Shop)),
}


@pytest.mark.parametrize("driver", ["psycopg", "psycopg_async", "asyncpg"])
def test_statements_and_rows_are_those_that_the_server_counted(
    driver: str, postgres: PostgresForTests, database: str
) -> None:
    postgres.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    made = engine(postgres.target(database, driver))

    def prepare() -> None:
        with Session(made) as session:
            Base.metadata.create_all(session.connection())
            session.add_all([Shop(name=f"shop {number}", orders=[Order()] * 1) for number in range(4)])
            session.commit()
        made.dispose()  # what a driver asks a server in a new connection is part of the first block then

    def count(work: Callable[[Session], Any]) -> tuple[int, int]:
        with count_statements(made) as seen, Session(made) as session:
            work(session)
        return seen.statements, seen.rows

    def account() -> tuple[int, int]:
        """Calls and rows by the server's own count; rows that are changed without RETURNING are never fetched."""
        found = postgres.query(
            "SELECT query, calls, rows FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid "
            "WHERE datname = %s AND query !~* %s AND query !~* 'pg_catalog|pg_type|standard_conforming|TimeZone'",
            (database, NO_STATEMENT),
        )
        returned = [rows for query, _, rows in found if "SELECT" in query or "RETURNING" in query]
        return sum(calls for _, calls, _ in found), sum(returned)

    with calling(made) as call:
        call(prepare)
        for name, work in WORK.items():
            postgres.query("SELECT pg_stat_statements_reset()")
            counted = call(partial(count, work))
            assert (name, counted) == (name, account())
