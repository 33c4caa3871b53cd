"""What a failure says: the reason first, what repeats before the rest, its line, and what would mend it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
from sqlalchemy import ForeignKey, create_engine, select, text, update
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
    selectinload,
)
from sqlalchemy.pool import StaticPool

from bench.testing import count_statements


class Base(DeclarativeBase):
    """Classes of these tests alone."""


class Shop(Base):
    """A shop."""

    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    note: Mapped[str] = mapped_column(default="n", deferred=True)
    orders: Mapped[list[Order]] = relationship(back_populates="shop")


class Order(Base):
    """An order."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))
    shop: Mapped[Shop] = relationship(back_populates="orders")
    lines: Mapped[list[Line]] = relationship()


class Line(Base):
    """A line of an order."""

    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))


@pytest.fixture
def session() -> Any:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    with Session(engine) as made:
        made.add_all([Shop(orders=[Order(lines=[Line()]) for _ in range(2)]) for _ in range(3)])
        made.commit()
        yield made
    engine.dispose()


def failure(session: Session, work: Callable[[Session], Any]) -> str:
    session.expunge_all()
    with pytest.raises(AssertionError) as failed, count_statements(session, exactly=0):
        work(session)
    return str(failed.value)


def walk(session: Session, *options: Any) -> None:
    for shop in session.scalars(select(Shop).options(*options)):
        for order in shop.orders:
            order.lines  # noqa: B018 - the access is the load


def test_the_reason_comes_first_then_what_repeats_most_of_all(session: Session) -> None:
    said = failure(session, walk)

    heads = [line for line in said.splitlines()[1:] if line and not line.startswith(" ")]
    assert said.splitlines()[0] == ("10 statements were sent, exactly 0 expected. N+1: Order.lines takes 6 statements.")
    assert heads == [
        "Shop.orders: sent 3 times, 6 rows (N+1)",
        "Order.lines: sent 6 times, 6 rows (N+1)",
        "Shop: sent once, 3 rows",
    ]
    assert re.search(r"tests/unit/testing/test_failure_text\.py:\d+  for order in shop\.orders:$", said, re.MULTILINE)


def test_the_whole_path_from_the_entity_that_is_selected_is_mended(session: Session) -> None:
    said = failure(session, lambda session: walk(session, selectinload(Shop.orders)))

    assert "N+1: Shop.orders.lines takes 6 statements." in said
    assert "on the statement that loads Shop:" in said
    assert ".options(selectinload(Shop.orders).selectinload(Order.lines))\n" in said


def test_what_is_mended_so_is_no_longer_one(session: Session) -> None:
    said = failure(session, lambda session: walk(session, selectinload(Shop.orders).selectinload(Order.lines)))

    assert said.startswith("3 statements were sent, exactly 0 expected.\n")
    assert "N+1" not in said


def test_a_reference_to_one_is_mended_too(session: Session) -> None:
    said = failure(session, lambda session: [order.shop for order in session.scalars(select(Order))])

    assert "on the statement that loads Order: .options(selectinload(Order.shop))" in said


def test_deferred_columns_and_loops_of_the_code_have_remedies_of_their_own(session: Session) -> None:
    said = failure(
        session,
        lambda session: [
            [shop.note for shop in session.scalars(select(Shop))],
            [session.execute(text("SELECT 1")) for _ in range(2)],
        ],
    )

    assert "undefer() or" in said
    assert "SELECT: sent 2 times, 0 rows (N+1)\n" in said
    assert "It is sent in a loop: ask once for all of them, with in_()." in said


def test_writes_that_repeat_are_no_n_plus_one(session: Session) -> None:
    said = failure(
        session,
        lambda session: [session.execute(update(Shop).where(Shop.id == number).values(note="x")) for number in (1, 2)],
    )

    assert "UPDATE: sent 2 times, 0 rows\n" in said
    assert "N+1" not in said


def test_of_many_statements_some_are_shown_and_the_others_counted(session: Session) -> None:
    said = failure(session, lambda session: [session.execute(text(f"SELECT {number}")) for number in range(30)])

    assert said.count("sent once") == 12
    assert said.endswith("... and 18 other statements.")


def test_a_template_is_named_with_its_own_line(session: Session, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<ul>\n{% for shop in shops %}\n<li>\n{{ shop.orders | length }}\n{% endfor %}\n")
    template = jinja2.Environment(loader=jinja2.FileSystemLoader(tmp_path), autoescape=True).get_template("page.html")

    said = failure(session, lambda session: template.render(shops=session.scalars(select(Shop)).all()))

    assert f"{page}:4  {{{{ shop.orders | length }}}}" in said


def test_no_line_is_wider_than_a_terminal_of_120_columns_has_room_for(session: Session) -> None:
    said = failure(session, lambda session: walk(session, selectinload(Shop.orders)))

    assert max(map(len, said.splitlines())) <= 115  # pytest sets two characters and a space before each


def test_what_was_seen_can_be_printed(session: Session) -> None:
    session.expunge_all()
    with count_statements(session) as seen:
        walk(session)

    assert repr(seen) == "<10 statements, 15 rows>"
    assert str(seen).startswith("10 statements, 15 rows. N+1: Order.lines takes 6 statements.\n\nShop.orders: sent 3")
