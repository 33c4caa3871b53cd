"""Users with their books, more than memory should hold: how is a large result read a part at a time?

The answer is how many books each user has: what is loaded is counted and let go.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

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
    subqueryload,
)

from bench import (
    Column,
    Formula,
    Given,
    Integers,
    Numbered,
    Parameter,
    Parent,
    Pick,
    Recipe,
    RuleOfThumb,
    Scenario,
    Serial,
    Shape,
    Strategy,
    Table,
    Text,
    defaults,
)
from scenarios.formulas import always, each_once, in_lists, list_by_list, one_by_one

PARAMETERS = (Parameter(name="part", help="Users that are fetched at a time (`yield_per`).", default=200, low=1),)


class Base(DeclarativeBase):
    """The declarative base of this scenario alone."""


class User(Base):
    """The parent."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(80))
    bio: Mapped[str] = mapped_column(String)
    books: Mapped[list[Book]] = relationship()


class Book(Base):
    """The child."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    year: Mapped[int]
    summary: Mapped[str] = mapped_column(String)


RECIPE = Recipe(
    tables=(
        Table(
            name="users",
            level=0,
            columns=(
                Column(name="id", values=Serial()),
                Column(name="name", values=Pick(pool="name")),
                Column(name="email", values=Numbered(pattern="user{}@example.org")),
                Column(name="bio", values=Text()),
            ),
        ),
        Table(
            name="books",
            level=1,
            parent="users",
            columns=(
                Column(name="id", values=Serial()),
                Column(name="user_id", values=Parent()),
                Column(name="title", values=Pick(pool="title")),
                Column(name="year", values=Integers(low=1900, high=2025)),
                Column(name="summary", values=Text()),
            ),
        ),
    )
)


class Key(NamedTuple):
    """What is left of a user."""

    id: int


class Counted(Sequence[tuple[Key, int]]):
    """Users' keys and the numbers of their books, 16 bytes each."""

    def __init__(self, users: Iterable[User]) -> None:
        self._numbers = array("q")
        for user in users:
            self._numbers.extend((user.id, len(user.books)))

    def __len__(self) -> int:
        return len(self._numbers) // 2

    def __getitem__(self, place: Any) -> Any:
        return Key(self._numbers[2 * place]), self._numbers[2 * place + 1]


def load(session: Session, strategy: Strategy) -> Sequence[Any]:
    """Count every user's books."""
    assert strategy.load is not None
    return strategy.load(session)


def at_once(option: Any) -> Callable[[Session], Sequence[Any]]:
    """Read the whole result, then count."""
    return lambda session: Counted(session.scalars(select(User).options(option)).all())


def in_parts(option: Any, part: int) -> Callable[[Session], Sequence[Any]]:
    """Count while the result is read, so many users at a time."""
    statement: Select[Any] = select(User).options(option).execution_options(yield_per=part)
    return lambda session: Counted(session.scalars(statement))


def in_partitions(option: Any, part: int) -> Callable[[Session], Sequence[Any]]:
    """The same, each part a list in the hands of whoever reads."""
    statement: Select[Any] = select(User).options(option).execution_options(yield_per=part)

    def users(session: Session) -> Iterator[User]:
        for users in session.scalars(statement).partitions():
            yield from users

    return lambda session: Counted(users(session))


def lists_of_parts(part: int) -> Formula:
    """Statements where the users take one, and the books of each part one for every 500 of its users."""

    def statements(shape: Shape) -> int:
        whole, rest = divmod(shape.parents, part)
        return 1 + whole * in_lists(part) + in_lists(rest)

    return statements


def strategies(part: int) -> tuple[Strategy, ...]:
    """Return the strategies that read so many users at a time, and one that reads all."""
    return (
        Strategy(
            name="selectin_all",
            summary="All users and all books at once, by IN lists: memory grows with the result.",
            load=at_once(selectinload(User.books)),
            statements=list_by_list("books"),
            rows=each_once("books"),
        ),
        Strategy(
            name="selectin",
            summary="So many users at a time (`yield_per`), and their books by IN lists.",
            load=in_parts(selectinload(User.books), part),
            statements=lists_of_parts(part),
            rows=each_once("books"),
        ),
        Strategy(
            name="selectin_partitions",
            summary="The same by `partitions()`, each part a list.",
            load=in_partitions(selectinload(User.books), part),
            statements=lists_of_parts(part),
            rows=each_once("books"),
        ),
        Strategy(
            name="lazy",
            summary="So many users at a time (`yield_per`), and each one's books by a SELECT of their own.",
            load=in_parts(lazyload(User.books), part),
            statements=one_by_one("books"),
            rows=each_once("books"),
        ),
    )


def controls(part: int) -> tuple[Strategy, ...]:
    """Return what cannot be read in parts, for a user's rows may lie in two of them."""
    return tuple(
        Strategy(
            name=f"{name}_in_parts",
            summary=f"{name}load of a collection with `yield_per`: SQLAlchemy refuses.",
            load=in_parts(option, part),
            statements=always(1),
            rows=always(0),
            common=False,
        )
        for name, option in (("joined", joinedload(User.books)), ("subquery", subqueryload(User.books)))
    )


def make(given: Given) -> Scenario:
    """Return the scenario with so many users at a time."""
    part = given.number("part")
    return Scenario(
        name="streaming",
        question="Users with their books, more than memory should hold: how is a large result read a part at a time?",
        base=Base,
        entity=User,
        paths=("books",),
        counted=("books",),
        only=("User.id",),
        recipe=RECIPE,
        load=load,
        strategies=strategies(part),
        controls=controls(part),
        baseline="selectin",
        rule_of_thumb=RuleOfThumb(
            strategy="selectin",
            says="selectinload goes with yield_per; joinedload of a collection does not.",
        ),
        parameters=PARAMETERS,
        make=make,
    )


STREAMING = make(defaults(PARAMETERS))
