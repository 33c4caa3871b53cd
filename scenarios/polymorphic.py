"""Employees of three classes in joined tables: how should the columns of the sub-classes be loaded?"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, selectin_polymorphic, with_polymorphic

from bench import (
    Column,
    Cycle,
    Extends,
    Integers,
    Pick,
    Recipe,
    RuleOfThumb,
    Scenario,
    Serial,
    Shape,
    Strategy,
    Table,
    Text,
)
from scenarios.formulas import always, in_lists

KINDS = ("engineer", "manager", "employee")


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class Employee(Base):
    """The base class; a third of the rows are nothing more."""

    __tablename__ = "employees"
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "employee"}  # noqa: RUF012 - declared so

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(80))


class Engineer(Employee):
    """A third, with columns in a table of its own."""

    __tablename__ = "engineers"
    __mapper_args__ = {"polymorphic_identity": "engineer"}  # noqa: RUF012 - declared so

    id: Mapped[int] = mapped_column(ForeignKey("employees.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(80))
    notes: Mapped[str] = mapped_column(String)


class Manager(Employee):
    """The last third."""

    __tablename__ = "managers"
    __mapper_args__ = {"polymorphic_identity": "manager"}  # noqa: RUF012 - declared so

    id: Mapped[int] = mapped_column(ForeignKey("employees.id"), primary_key=True)
    budget: Mapped[int]
    office: Mapped[str] = mapped_column(String(80))


RECIPE = Recipe(
    tables=(
        Table(
            name="employees",
            level=0,
            columns=(
                Column(name="id", values=Serial()),
                Column(name="kind", values=Cycle(values=KINDS)),
                Column(name="name", values=Pick(pool="name")),
            ),
        ),
        Table(
            name="engineers",
            level=0,
            extends=Extends(table="employees", column="kind", value="engineer"),
            columns=(
                Column(name="id", values=Serial()),
                Column(name="language", values=Pick(pool="word")),
                Column(name="notes", values=Text()),
            ),
        ),
        Table(
            name="managers",
            level=0,
            extends=Extends(table="employees", column="kind", value="manager"),
            columns=(
                Column(name="id", values=Serial()),
                Column(name="budget", values=Integers(low=1, high=999_999)),
                Column(name="office", values=Pick(pool="city")),
            ),
        ),
    )
)


def load(session: Session, strategy: Strategy) -> Sequence[Employee]:
    """Load every employee and touch the columns of its own class."""
    employees = strategy.load(session) if strategy.load else session.scalars(strategy.apply(select(Employee))).all()
    for employee in employees:
        if isinstance(employee, Engineer):
            employee.language, employee.notes  # noqa: B018 - the access is the load
        elif isinstance(employee, Manager):
            employee.budget, employee.office  # noqa: B018 - the access is the load
    return employees


def load_joined(session: Session) -> Sequence[Employee]:
    """Load every employee with the tables of all sub-classes joined."""
    return session.scalars(select(with_polymorphic(Employee, "*"))).all()


def engineers(shape: Shape) -> int:
    """Rows of the one sub-class."""
    return shape.tables["engineers"]


def managers(shape: Shape) -> int:
    """Rows of the other."""
    return shape.tables["managers"]


def employees_and_more(shape: Shape) -> int:
    """Rows where each employee comes once, and once more from the table of its sub-class."""
    return shape.parents + engineers(shape) + managers(shape)


POLYMORPHIC = Scenario(
    name="polymorphic",
    question="Employees of three classes in joined tables: how should the columns of the sub-classes be loaded?",
    base=Base,
    entity=Employee,
    paths=(),
    recipe=RECIPE,
    load=load,
    strategies=(
        Strategy(
            name="lazy",
            summary="One SELECT for the base table, then one for each sub-class row when a column of it is touched.",
            statements=lambda shape: 1 + engineers(shape) + managers(shape),
            rows=employees_and_more,
        ),
        Strategy(
            name="with_polymorphic",
            summary="One SELECT with every sub-class's table in a LEFT OUTER JOIN.",
            load=load_joined,
            statements=always(1),
            rows=lambda shape: shape.parents,
        ),
        Strategy(
            name="selectin_polymorphic",
            summary="One SELECT for the base table, then one for every 500 rows of each sub-class.",
            apply=lambda statement: statement.options(selectin_polymorphic(Employee, [Engineer, Manager])),
            statements=lambda shape: 1 + in_lists(engineers(shape)) + in_lists(managers(shape)),
            rows=employees_and_more,
        ),
    ),
    baseline="selectin_polymorphic",
    rule_of_thumb=RuleOfThumb(
        strategy="selectin_polymorphic",
        says="selectin_polymorphic for sub-classes: no wide outer join, and a query or more for each sub-class.",
    ),
)
