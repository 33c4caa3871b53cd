"""Orders of a shop, as a user might have them, and scenarios of those that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ForeignKey, Select, String, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    joinedload,
    lazyload,
    mapped_column,
    relationship,
    selectinload,
)

from bench import RuleOfThumb, Scenario, Strategy, scenario_of


class Base(DeclarativeBase):
    """The shop's."""


class Product(Base):
    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(String(80))
    lines: Mapped[list[OrderLine]] = relationship(back_populates="order")


class OrderLine(Base):
    __tablename__ = "order_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    order: Mapped[Order] = relationship(back_populates="lines")
    product: Mapped[Product] = relationship()


class Elsewhere(DeclarativeBase):
    """Mapped, and in no database."""


class Customer(Elsewhere):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    orders: Mapped[list[TheirOrder]] = relationship()


class TheirOrder(Elsewhere):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    loyalty: Mapped[int]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))


CHOSEN = select(Order).where(Order.id > 2).order_by(Order.id)


def load(session: Session, strategy: Strategy) -> Sequence[Order]:
    if strategy.load is not None:
        return strategy.load(session)
    result = session.scalars(strategy.apply(CHOSEN))
    orders = (result.unique() if strategy.unique else result).all()
    for order in orders:
        for line in order.lines:
            _ = line.product
    return orders


def writes(session: Session) -> Sequence[Order]:
    orders = session.scalars(CHOSEN).all()
    orders[0].customer = "somebody else"
    session.flush()
    return orders


def fewer(statement: Select[Any]) -> Select[Any]:
    return statement.where(Order.id < 10).options(selectinload(Order.lines).selectinload(OrderLine.product))


LAZY = Strategy(
    name="lazy",
    summary="Everything when it is touched.",
    apply=lambda statement: statement.options(lazyload(Order.lines).lazyload(OrderLine.product)),
    statements=lambda shape: 1 + shape.parents + shape.at("lines.product").distinct,
    rows=lambda shape: shape.parents + shape.children + shape.at("lines.product").distinct,
)

RECENT = Scenario(
    name="recent_orders",
    question="Recent orders with their lines and products: how should they be loaded?",
    base=Base,
    entity=Order,
    paths=("lines.product",),
    load=load,
    strategies=(
        LAZY,
        Strategy(
            name="joined",
            summary="One statement.",
            apply=lambda statement: statement.options(joinedload(Order.lines).joinedload(OrderLine.product)),
            statements=lambda shape: 1,
            rows=lambda shape: shape.joined,
            unique=True,
        ),
        Strategy(
            name="selectin",
            summary="By IN lists.",
            apply=lambda statement: statement.options(selectinload(Order.lines).selectinload(OrderLine.product)),
            statements=lambda shape: 1 + shape.at("lines").lists + 1,
            rows=lambda shape: shape.parents + shape.children + shape.at("lines.product").distinct,
        ),
        Strategy(name="fewer", summary="Leaves an order out.", apply=fewer),
        Strategy(name="writing", summary="Changes an order.", load=writes),
    ),
    baseline="selectin",
    rule_of_thumb=RuleOfThumb(strategy="selectin", says="selectinload."),
)

BUILT = scenario_of(Order, "lines.product", parents=CHOSEN, names=["selectin+joined", "joined+joined"])

NOBODY = scenario_of(Order, "lines.product", parents=select(Order).where(Order.id > 1000), names=["selectin+joined"])

NOWHERE = scenario_of(Customer, "orders", parents=select(Customer), names=["selectin"])


def always_writes(session: Session, strategy: Strategy) -> Sequence[Order]:  # noqa: ARG001 - whichever it is
    return writes(session)


WRITING = Scenario(
    name="writing_orders",
    question="What if the load writes?",
    base=Base,
    entity=Order,
    paths=("lines.product",),
    load=always_writes,
    strategies=(LAZY,),
    baseline="lazy",
    rule_of_thumb=RuleOfThumb(strategy="lazy", says="lazyload."),
)
