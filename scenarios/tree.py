"""Categories with their sub-categories, all the way down: which way of loading a hierarchy, and at what depth?

The size is that of the roots: `10` are 10 roots, 30 categories below them, then 90 and 270. How many sub-categories
each has, and how deep it goes, are parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ForeignKey, Select, String, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    joinedload,
    lazyload,
    mapped_column,
    relationship,
    selectinload,
)
from sqlalchemy.orm.attributes import set_committed_value

from bench import (
    Column,
    Given,
    Parameter,
    Parent,
    Pick,
    Recipe,
    RuleOfThumb,
    Scenario,
    Serial,
    Strategy,
    Table,
    Text,
    defaults,
)
from scenarios.formulas import all_joined, always, each_once, list_by_list, one_by_one

PARAMETERS = (
    Parameter(name="depth", help="Generations below the roots.", default=3, low=1, high=20),
    Parameter(name="children", help="Sub-categories of each category.", default=3, low=1, high=100),
    Parameter(
        name="index", help="Whether the foreign key to the parent has an index.", default="yes", choices=("yes", "no")
    ),
)


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class Category(Base):
    """A node: it belongs to another of its kind, or is a root."""

    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"), index=True)
    word: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(String)
    children: Mapped[list[Category]] = relationship()


ROOTS = select(Category).where(Category.parent_id.is_(None))


def load(session: Session, strategy: Strategy) -> Sequence[Category]:
    """Load the roots and walk the tree: every category is asked for its sub-categories, the last ones too."""
    if strategy.load is not None:
        return strategy.load(session)
    result = session.scalars(strategy.apply(ROOTS))
    roots = (result.unique() if strategy.unique else result).all()
    generation: Sequence[Category] = roots
    while generation:
        generation = [child for category in generation for child in category.children]
    return roots


def load_recursively(session: Session) -> Sequence[Category]:
    """Load all categories by one recursive statement, and put the tree together by hand."""
    found = ROOTS.with_only_columns(Category.id).cte("found", recursive=True)
    below = aliased(Category)
    found = found.union_all(select(below.id).join(found, below.parent_id == found.c.id))
    categories = session.scalars(select(Category).join(found, found.c.id == Category.id)).all()
    children: dict[int | None, list[Category]] = {}
    for category in categories:
        children.setdefault(category.parent_id, []).append(category)
    for category in categories:
        set_committed_value(category, "children", children.get(category.id, []))
    return children.get(None, [])


def joined_down(depth: int) -> Callable[[Select[Any]], Select[Any]]:
    """Add a joinedload for each generation."""
    option = joinedload(Category.children)
    for _ in range(depth - 1):
        option = option.joinedload(Category.children)
    return lambda statement: statement.options(option)


def strategies(generations: Sequence[str]) -> tuple[Strategy, ...]:
    """Return the strategies for the paths to each generation, the empty one below the last included."""
    return (
        Strategy(
            name="lazy",
            summary="One SELECT for the roots, then one for the sub-categories of each category, the last ones too.",
            apply=lambda statement: statement.options(lazyload(Category.children)),
            statements=one_by_one(*generations),
            rows=each_once(*generations),
        ),
        Strategy(
            name="selectin",
            summary="One SELECT for the roots, then one for every 500 of a generation (`recursion_depth=-1`).",
            apply=lambda statement: statement.options(selectinload(Category.children, recursion_depth=-1)),
            statements=list_by_list(*generations),
            rows=each_once(*generations),
        ),
        Strategy(
            name="joined",
            summary="One SELECT with the table joined once a generation; each row repeats the way from its root.",
            apply=joined_down(len(generations)),
            statements=always(1),
            rows=all_joined,
            unique=True,
        ),
        Strategy(
            name="recursive_cte",
            summary="One SELECT with a recursive WITH; the tree is put together in Python.",
            load=load_recursively,
            statements=always(1),
            rows=each_once(*generations),
        ),
    )


def recipe(depth: int, children: int, *, indexed: bool) -> Recipe:
    """Return the roots and so many generations below them, all in one table."""
    columns = (
        Column(name="id", values=Serial()),
        Column(name="word", values=Pick(pool="word")),
        Column(name="text", values=Text()),
    )
    below = (*columns, Column(name="parent_id", values=Parent()))
    return Recipe(
        tables=(
            Table(name="categories", level=0, columns=columns),
            *(
                Table(
                    name=f"categories of generation {generation}",
                    stored="categories",
                    level=1,
                    each=children,
                    parent=f"categories of generation {generation - 1}" if generation > 1 else "categories",
                    columns=below,
                )
                for generation in range(1, depth + 1)
            ),
        ),
        unindexed=() if indexed else ("ix_categories_parent_id",),
    )


def make(given: Given) -> Scenario:
    """Return the scenario with so many generations."""
    depth = given.number("depth")
    generations = tuple(".".join(["children"] * generation) for generation in range(1, depth + 2))
    return Scenario(
        name="tree",
        question="Categories with their sub-categories, all the way down: which way of loading, and at what depth?",
        base=Base,
        entity=Category,
        paths=generations[-1:],
        recipe=recipe(depth, given.number("children"), indexed=given["index"] == "yes"),
        load=load,
        strategies=strategies(generations),
        baseline="selectin",
        rule_of_thumb=RuleOfThumb(
            strategy="selectin",
            says="selectinload for nested data: a query or more for each level, and nothing duplicated.",
        ),
        parameters=PARAMETERS,
        make=make,
    )


TREE = make(defaults(PARAMETERS))
