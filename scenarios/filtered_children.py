"""Orders with those of their items that are still open: how should only some of the children be loaded?

A fourth of the items are open. The answer is the same whether the database filters them or Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    contains_eager,
    joinedload,
    lazyload,
    mapped_column,
    relationship,
    selectinload,
    subqueryload,
    with_loader_criteria,
)

from bench import (
    Column,
    Cycle,
    Integers,
    Parent,
    Pick,
    Recipe,
    RuleOfThumb,
    Scenario,
    Selection,
    Serial,
    Shape,
    Strategy,
    Table,
    Text,
    Where,
)
from scenarios.formulas import always, each_once, joined, list_by_list, one_by_one
from scenarios.indexes import with_or_without

STATES = ("open", "paid", "sent", "returned")


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class Order(Base):
    """The parent."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(String)
    items: Mapped[list[Item]] = relationship()


class Item(Base):
    """The child, which is open or is not."""

    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    state: Mapped[str] = mapped_column(String(20))
    article: Mapped[str] = mapped_column(String(80))
    pieces: Mapped[int]


OPEN = Item.state == "open"

RECIPE = Recipe(
    tables=(
        Table(
            name="orders",
            level=0,
            columns=(
                Column(name="id", values=Serial()),
                Column(name="customer", values=Pick(pool="name")),
                Column(name="note", values=Text()),
            ),
        ),
        Table(
            name="items",
            level=1,
            parent="orders",
            columns=(
                Column(name="id", values=Serial()),
                Column(name="order_id", values=Parent()),
                Column(name="state", values=Cycle(values=STATES)),
                Column(name="article", values=Pick(pool="word")),
                Column(name="pieces", values=Integers(low=1, high=99)),
            ),
        ),
    )
)


def load(session: Session, strategy: Strategy) -> Sequence[Any]:
    """Load every order and touch its open items."""
    if strategy.load is not None:
        return strategy.load(session)
    result = session.scalars(strategy.apply(select(Order)))
    orders = (result.unique() if strategy.unique else result).all()
    for order in orders:
        order.items  # noqa: B018 - the access is the load
    return orders


def load_all_and_filter(session: Session) -> Sequence[Any]:
    """Load every item, and leave out what is not open in Python."""
    orders = session.scalars(select(Order).options(selectinload(Order.items))).all()
    return [(order, [item for item in order.items if item.state == "open"]) for order in orders]


def all_rows(shape: Shape) -> int:
    """Rows where each order and each item, open or not, comes once."""
    return shape.parents + shape.children


INDEXED = Scenario(
    name="filtered_children",
    question="Orders with those of their items that are still open: how should only some of the children be loaded?",
    base=Base,
    entity=Order,
    paths=("items",),
    selections=(Selection(path="items", where=Where(column="state", is_="==", value="open")),),
    recipe=RECIPE,
    load=load,
    strategies=(
        Strategy(
            name="lazy",
            summary="One SELECT for the orders, then one for each order's open items (`Order.items.and_(...)`).",
            apply=lambda statement: statement.options(lazyload(Order.items.and_(OPEN))),
            statements=one_by_one("items"),
            rows=each_once("items"),
        ),
        Strategy(
            name="joined",
            summary="One SELECT with a LEFT OUTER JOIN whose ON has the condition (`Order.items.and_(...)`).",
            apply=lambda statement: statement.options(joinedload(Order.items.and_(OPEN))),
            statements=always(1),
            rows=joined("items"),
            unique=True,
        ),
        Strategy(
            name="selectin",
            summary="The open items by IN lists, with the condition beside the list (`Order.items.and_(...)`).",
            apply=lambda statement: statement.options(selectinload(Order.items.and_(OPEN))),
            statements=list_by_list("items"),
            rows=each_once("items"),
        ),
        Strategy(
            name="subquery",
            summary="One SELECT for the orders, then one for the open items of all of them.",
            apply=lambda statement: statement.options(subqueryload(Order.items.and_(OPEN))),
            statements=always(2),
            rows=each_once("items"),
        ),
        Strategy(
            name="contains_eager",
            summary="The LEFT OUTER JOIN with its condition written in the statement.",
            apply=lambda statement: statement.outerjoin(Order.items.and_(OPEN)).options(contains_eager(Order.items)),
            statements=always(1),
            rows=joined("items"),
            unique=True,
        ),
        Strategy(
            name="selectin_criteria",
            summary="The IN lists, with the condition on every appearance of the class (`with_loader_criteria`).",
            apply=lambda statement: statement.options(selectinload(Order.items), with_loader_criteria(Item, OPEN)),
            statements=list_by_list("items"),
            rows=each_once("items"),
            common=False,
        ),
        Strategy(
            name="selectin_all",
            summary="All items by IN lists; what is not open is left out in Python.",
            load=load_all_and_filter,
            statements=list_by_list("items"),
            rows=all_rows,
        ),
    ),
    baseline="selectin",
    rule_of_thumb=RuleOfThumb(
        strategy="selectin",
        says="selectinload with `relationship.and_()`: the database filters, and nothing is duplicated.",
    ),
)

FILTERED_CHILDREN = with_or_without(INDEXED, "ix_items_order_id", of="the items' foreign key has")
