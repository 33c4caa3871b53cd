"""Orders with a two-column key, and their lines: what does an IN list of pairs cost against a join?"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ForeignKeyConstraint, Index, String, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    joinedload,
    lazyload,
    mapped_column,
    relationship,
    selectinload,
    subqueryload,
)

from bench import (
    Column,
    Integers,
    Parent,
    Pick,
    Quotient,
    Recipe,
    Remainder,
    RuleOfThumb,
    Scenario,
    Serial,
    Strategy,
    Table,
    Text,
)
from scenarios.formulas import always, each_once, joined, list_by_list, one_by_one
from scenarios.indexes import with_or_without

ORDERS_OF_A_SHOP = 50


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class Order(Base):
    """The parent: a shop numbers its own orders."""

    __tablename__ = "orders"

    shop_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(String)
    lines: Mapped[list[Line]] = relationship()


class Line(Base):
    """The child, which names its order by both columns."""

    __tablename__ = "lines"
    __table_args__ = (
        ForeignKeyConstraint(["shop_id", "order_number"], ["orders.shop_id", "orders.number"]),
        Index("ix_lines_order", "shop_id", "order_number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int]
    order_number: Mapped[int]
    article: Mapped[str] = mapped_column(String(80))
    pieces: Mapped[int]


RECIPE = Recipe(
    tables=(
        Table(
            name="orders",
            level=0,
            columns=(
                Column(name="shop_id", values=Quotient(by=ORDERS_OF_A_SHOP)),
                Column(name="number", values=Remainder(by=ORDERS_OF_A_SHOP)),
                Column(name="customer", values=Pick(pool="name")),
                Column(name="note", values=Text()),
            ),
        ),
        Table(
            name="lines",
            level=1,
            parent="orders",
            columns=(
                Column(name="id", values=Serial()),
                Column(name="shop_id", values=Parent(column="shop_id")),
                Column(name="order_number", values=Parent(column="number")),
                Column(name="article", values=Pick(pool="word")),
                Column(name="pieces", values=Integers(low=1, high=99)),
            ),
        ),
    )
)


def load(session: Session, strategy: Strategy) -> Sequence[Order]:
    """Load every order and touch its lines."""
    result = session.scalars(strategy.apply(select(Order)))
    orders = (result.unique() if strategy.unique else result).all()
    for order in orders:
        order.lines  # noqa: B018 - the access is the load
    return orders


INDEXED = Scenario(
    name="composite_keys",
    question="Orders with a two-column key, and their lines: what does an IN list of pairs cost against a join?",
    base=Base,
    entity=Order,
    paths=("lines",),
    recipe=RECIPE,
    load=load,
    strategies=(
        Strategy(
            name="lazy",
            summary="One SELECT for the orders, then one for each order's lines, by both columns.",
            apply=lambda statement: statement.options(lazyload(Order.lines)),
            statements=one_by_one("lines"),
            rows=each_once("lines"),
        ),
        Strategy(
            name="joined",
            summary="One SELECT with a LEFT OUTER JOIN on both columns; each row repeats its order.",
            apply=lambda statement: statement.options(joinedload(Order.lines)),
            statements=always(1),
            rows=joined("lines"),
            unique=True,
        ),
        Strategy(
            name="selectin",
            summary="One SELECT for the orders, then one with an IN list of pairs for the lines of every 500.",
            apply=lambda statement: statement.options(selectinload(Order.lines)),
            statements=list_by_list("lines"),
            rows=each_once("lines"),
        ),
        Strategy(
            name="subquery",
            summary="One SELECT for the orders, then one for all lines, joined to the first as a sub-query.",
            apply=lambda statement: statement.options(subqueryload(Order.lines)),
            statements=always(2),
            rows=each_once("lines"),
        ),
    ),
    baseline="selectin",
    rule_of_thumb=RuleOfThumb(
        strategy="selectin",
        says="selectinload for collections: two or more queries with IN and no duplicated parents.",
    ),
)

COMPOSITE_KEYS = with_or_without(INDEXED, "ix_lines_order", of="the lines' foreign key of two columns has")
