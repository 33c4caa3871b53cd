"""A scenario of a user's own, whose text the tests of the gate change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ForeignKey, Select, String, func, select, text
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

from bench import Column, Numbered, Parent, Pick, Recipe, RuleOfThumb, Scenario, Serial, Strategy, Table


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(80))
    orders: Mapped[list[Order]] = relationship(back_populates="customer")


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    customer: Mapped[Customer] = relationship(back_populates="orders")


def statement() -> Select[Any]:
    return select(Customer).where(Customer.id > 0)


def load(session: Session, strategy: Strategy) -> Sequence[Customer]:
    customers = session.scalars(strategy.apply(statement())).unique().all()
    for customer in customers:
        customer.orders  # noqa: B018 - the access is the load
    return customers


GATED = Scenario(
    name="gated",
    question="Customers with their orders: is it loaded as it was?",
    base=Base,
    entity=Customer,
    paths=("orders",),
    recipe=Recipe(
        tables=(
            Table(
                name="customers",
                level=0,
                columns=(
                    Column(name="id", values=Serial()),
                    Column(name="email", values=Numbered(pattern="customer{}@example.org")),
                ),
            ),
            Table(
                name="orders",
                level=1,
                parent="customers",
                columns=(
                    Column(name="id", values=Serial()),
                    Column(name="customer_id", values=Parent()),
                    Column(name="title", values=Pick(pool="title")),
                ),
            ),
        )
    ),
    load=load,
    strategies=(
        Strategy(
            name="eager",
            summary="With the option.",
            apply=lambda statement: statement.options(selectinload(Customer.orders)),
            statements=lambda shape: 2,
            rows=lambda shape: shape.parents + shape.children,
        ),
        Strategy(
            name="lazy",
            summary="Without.",
            apply=lambda statement: statement.options(lazyload(Customer.orders)),
            statements=lambda shape: 1 + shape.parents,
            rows=lambda shape: shape.parents + shape.children,
        ),
    ),
    baseline="eager",
    rule_of_thumb=RuleOfThumb(strategy="eager", says="selectinload for collections."),
)
UNUSED = (func, joinedload, text)
