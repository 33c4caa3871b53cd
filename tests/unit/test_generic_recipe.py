"""Rows that are made from what the mapped tables say: they are stored, loaded, and equal to what was said of them."""

from __future__ import annotations

import enum
import json
import uuid
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    ARRAY,
    JSON,
    DateTime,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    String,
    Time,
    UniqueConstraint,
    func,
)
from sqlalchemy import Column as MappedColumn
from sqlalchemy import Table as MappedTable
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    attribute_keyed_dict,
    mapped_column,
    relationship,
)
from sqlalchemy.types import TypeDecorator

from bench import Cycle, Integers, Numbered, Parent, Recipe, Reference, Scenario, Table, Text, recipe_for, scenario_of
from bench.connect import calling, engine
from bench.datasets import first_difference, graph_lines, seed
from bench.errors import BenchError
from bench.measure import graph as measured
from bench.model import DatasetOptions, Size, Target
from scenarios.nested import NESTED

pytest_plugins = ["support.postgres"]

EVEN, UNEVEN = DatasetOptions(), DatasetOptions(children="uniform", childless=0.3, order="shuffled", seed=5)


class Base(DeclarativeBase):
    """As applications have them: nothing in it was made for a benchmark."""


class Rank(enum.Enum):
    LOW = 1
    HIGH = 2


TAGGED = MappedTable(
    "tagged",
    Base.metadata,
    MappedColumn("post_id", ForeignKey("posts.id"), primary_key=True),
    MappedColumn("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(20), unique=True)


class Country(Base):
    __tablename__ = "countries"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(2))


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    born: Mapped[date]
    rank: Mapped[Rank]
    mood: Mapped[str] = mapped_column(Enum("good", "bad", name="mood"))
    active: Mapped[bool]
    fee: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    weight: Mapped[float]
    joined_at: Mapped[datetime] = mapped_column(server_default=func.current_timestamp())
    left_at: Mapped[datetime | None]
    country_id: Mapped[int] = mapped_column(ForeignKey("countries.id"))
    mentor_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))
    editor_id: Mapped[int | None] = mapped_column(ForeignKey("editors.id"))
    country: Mapped[Country] = relationship()
    editor: Mapped[Editor | None] = relationship()
    posts: Mapped[list[Post]] = relationship(back_populates="author")
    profile: Mapped[Profile | None] = relationship()


class Editor(Base):
    __tablename__ = "editors"
    id: Mapped[int] = mapped_column(primary_key=True)


class Profile(Base):
    __tablename__ = "profiles"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), unique=True)


class Post(Base):
    __tablename__ = "posts"
    __table_args__ = (UniqueConstraint("author_id", "title"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), index=True)
    title: Mapped[str] = mapped_column(String(50))
    size: Mapped[int]
    author: Mapped[Author] = relationship(back_populates="posts")
    tags: Mapped[list[Tag]] = relationship(secondary=TAGGED)


class AsList(TypeDecorator[dict[str, Any]]):
    """A document that the application keeps as text, and has a default for."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Any) -> str | None:
        return value if value is None else json.dumps(dict(value))

    def process_result_value(self, value: Any, _dialect: Any) -> Any:
        return {} if value is None else json.loads(value)


class Forum(Base):
    """Keyed by a text of the application's own, and named by its topics by another column."""

    __tablename__ = "forums"
    key: Mapped[str] = mapped_column(String(36), primary_key=True)
    handle: Mapped[str | None] = mapped_column(String(20), unique=True)
    rules: Mapped[dict[str, Any] | None] = mapped_column(AsList)
    topics: Mapped[set[Topic]] = relationship()
    settings: Mapped[dict[str, Setting]] = relationship(collection_class=attribute_keyed_dict("name"))
    banners: Mapped[list[Banner]] = relationship()


class Topic(Base):
    """With a column of each type that has values of its own."""

    __tablename__ = "topics"
    __table_args__ = (UniqueConstraint("handle", "number"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(ForeignKey("forums.handle"))
    number: Mapped[int]
    opened: Mapped[datetime]
    closed: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    hour: Mapped[time] = mapped_column(Time)
    hours: Mapped[time] = mapped_column(Time(timezone=True))
    lasts: Mapped[timedelta] = mapped_column(Interval)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    icon: Mapped[bytes] = mapped_column(LargeBinary)
    rate: Mapped[Decimal] = mapped_column(Numeric(3, 3))
    extra: Mapped[dict[str, Any]] = mapped_column(AsList)
    replies: Mapped[list[Reply]] = relationship()


class Reply(Base):
    """A key of two columns, one of them its topic's."""

    __tablename__ = "replies"
    place: Mapped[str] = mapped_column(String(64), primary_key=True)
    topic_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("topics.id"), primary_key=True)
    votes: Mapped[list[Vote]] = relationship()


class Vote(Base):
    """Belongs to both columns."""

    __tablename__ = "votes"
    __table_args__ = (ForeignKeyConstraint(["topic_id", "place"], ["replies.topic_id", "replies.place"]),)
    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[uuid.UUID]
    place: Mapped[str] = mapped_column(String(64))


class Setting(Base):
    __tablename__ = "settings"
    id: Mapped[int] = mapped_column(primary_key=True)
    forum_key: Mapped[str] = mapped_column(ForeignKey("forums.key"))
    name: Mapped[str | None] = mapped_column(String(30))


class Banner(Base):
    """At most one for each, though its forum has a list of them."""

    __tablename__ = "banners"
    id: Mapped[int] = mapped_column(primary_key=True)
    forum_key: Mapped[str] = mapped_column(ForeignKey("forums.key"), unique=True)


PATHS = [
    ("posts",),
    ("country", "posts"),
    ("editor", "profile", "posts.author"),
    ("profile", "posts"),
]
SCENARIOS = [scenario_of(Author, *paths, name="-".join(paths)) for paths in PATHS]
SCENARIOS += [
    scenario_of(Post, "tags", "author.country", name="tags"),
    scenario_of(Forum, "topics.replies.votes", "settings", "banners", name="forums"),
]


def hold(scenario: Scenario, size: Size, options: DatasetOptions, target: Target) -> None:
    seed(scenario, size, options, target)
    made = engine(target)

    def load() -> list[str]:
        with Session(made) as session:
            return list(measured.graph_lines(scenario, scenario.load(session, scenario.strategies[0])))

    with calling(made) as call:
        assert first_difference(tuple(graph_lines(scenario, size, options)), call(load)) is None
    made.dispose()


@pytest.mark.parametrize("options", [EVEN, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_was_said_of_the_rows_is_what_sqlite_returns(
    scenario: Scenario, options: DatasetOptions, tmp_path: Path
) -> None:
    path = tmp_path / "own.sqlite3"
    target = Target(name="sqlite", dialect="sqlite", driver="pysqlite", provider="embedded", database=str(path))
    hold(scenario, Size((20, 5, 3, 2)[: scenario.levels]), options, target)


@pytest.fixture
def served(postgres: Any) -> Iterator[Target]:
    with postgres.database() as database:
        yield postgres.target(database)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_was_said_of_the_rows_is_what_postgresql_returns(scenario: Scenario, served: Target) -> None:
    hold(scenario, Size((20, 5, 3, 2)[: scenario.levels]), UNEVEN, served)


def sources(recipe: Recipe, table: str) -> dict[str, Any]:
    found: Table = next(one for one in recipe.tables if one.name == table)
    return {column.name: column.values for column in found.columns}


def test_each_column_has_a_source_of_its_type_and_what_may_be_left_out_is() -> None:
    author = sources(recipe_for(Author, "posts"), "authors")

    assert set(author) == {"id", "email", "born", "rank", "mood", "active", "fee", "weight", "country_id"}
    assert author["rank"] == Cycle(values=(Rank.LOW, Rank.HIGH))
    assert author["email"] == Numbered(pattern="{}")
    assert author["country_id"] == Reference(table="countries")
    assert sources(recipe_for(Author, "posts"), "countries")["code"] == Text(width=2)
    assert "editor_id" in sources(recipe_for(Author, "editor"), "authors")


def test_what_the_recipe_cannot_say_as_it_is_loaded_is_left_out_of_the_comparison() -> None:
    (compared,) = [scenario.only for scenario in SCENARIOS if scenario.name == "posts"]

    left = {f"Author.{one.key}" for one in Author.__mapper__.column_attrs} - set(compared)
    assert left == {"Author.joined_at"}  # the server's own


def test_tables_are_as_large_as_the_size_says_or_as_was_asked_for() -> None:
    found = {table.name: (table.level, table.parent, table.each) for table in recipe_for(Post, "tags", each=30).tables}

    assert found == {
        "countries": (0, None, 30),
        "authors": (0, None, 30),
        "tags": (0, None, 30),
        "posts": (0, None, None),
        "tagged": (1, "posts", None),
    }
    assert sources(recipe_for(Post, "tags"), "tagged") == {"post_id": Parent(), "tag_id": Reference(table="tags")}


def test_a_source_that_is_given_for_a_column_is_used() -> None:
    recipe = recipe_for(Author, "posts", values={"posts.size": Integers(low=5, high=6)})

    assert sources(recipe, "posts")["size"] == Integers(low=5, high=6)


def test_a_catalogues_own_classes_have_a_generic_recipe_of_the_same_tables() -> None:
    found = recipe_for(NESTED.entity, *NESTED.paths)

    assert [(one.name, one.level, one.parent) for one in found.tables] == [
        (one.name, one.level, one.parent) for one in NESTED.recipe.tables
    ]


class Odd(DeclarativeBase):
    """What a generic recipe cannot satisfy."""


class Head(Odd):
    __tablename__ = "heads"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("heads.id"))
    children: Mapped[list[Head]] = relationship()
    moments: Mapped[list[Moment]] = relationship()
    places: Mapped[list[Place]] = relationship()
    rounds: Mapped[list[Round]] = relationship()
    texts: Mapped[list[Keyed]] = relationship()
    pairs: Mapped[list[Paired]] = relationship()


class Moment(Odd):
    __tablename__ = "moments"
    id: Mapped[int] = mapped_column(primary_key=True)
    head_id: Mapped[int] = mapped_column(ForeignKey("heads.id"))
    at: Mapped[list[int]] = mapped_column(ARRAY(Integer))


class Place(Odd):
    __tablename__ = "places"
    __table_args__ = (Index("one_place", "head_id", "position", unique=True),)
    id: Mapped[int] = mapped_column(primary_key=True)
    head_id: Mapped[int] = mapped_column(ForeignKey("heads.id"))
    position: Mapped[bool]


class Round(Odd):
    __tablename__ = "rounds"
    id: Mapped[int] = mapped_column(primary_key=True)
    head_id: Mapped[int] = mapped_column(ForeignKey("heads.id"))
    about_id: Mapped[int] = mapped_column(ForeignKey("abouts.id"))


class About(Odd):
    __tablename__ = "abouts"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))


class Keyed(Odd):
    __tablename__ = "keyed"
    id: Mapped[float] = mapped_column(primary_key=True)
    head_id: Mapped[int] = mapped_column(ForeignKey("heads.id"))


class Paired(Odd):
    __tablename__ = "paired"
    __table_args__ = (ForeignKeyConstraint(["one", "other"], ["two_keys.one", "two_keys.other"]),)
    id: Mapped[int] = mapped_column(primary_key=True)
    head_id: Mapped[int] = mapped_column(ForeignKey("heads.id"))
    one: Mapped[int]
    other: Mapped[int]


class TwoKeys(Odd):
    __tablename__ = "two_keys"
    one: Mapped[int] = mapped_column(primary_key=True)
    other: Mapped[int] = mapped_column(primary_key=True)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("moments", "moments.at may not be NULL, and nothing makes values of ARRAY(Integer())"),
        ("places", "places has to be unique by head_id, position (one_place)"),
        ("rounds", "go round in a circle: rounds -> abouts -> rounds"),
        ("texts", "keyed.id is a primary key of Double()"),
        ("pairs", "paired.one is part of a foreign key"),
        ("children", "Head.children leads to heads once more"),
    ],
)
def test_what_cannot_be_satisfied_is_refused_with_the_column_or_constraint_and_what_to_do(path: str, says: str) -> None:
    with pytest.raises(BenchError) as refused:
        recipe_for(Head, path)

    assert says in str(refused.value)
    assert refused.value.remedy


def test_a_constraint_is_satisfied_by_a_source_that_the_user_gives() -> None:
    recipe = recipe_for(Head, "places", values={"places.position": Cycle(values=tuple(range(50)))})

    assert sources(recipe, "places")["position"] == Cycle(values=tuple(range(50)))


def test_a_source_for_a_column_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(BenchError, match=r"posts\.sise: the recipe has no such column"):
        recipe_for(Author, "posts", values={"posts.sise": Integers(low=1, high=2)})


class Worn(DeclarativeBase):
    """As mappings are that migrations have outgrown: `create_all` would not make all of it."""


class Experiment(Worn):
    __tablename__ = "experiments"
    __table_args__ = (UniqueConstraint("workspace", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    workspace: Mapped[str] = mapped_column(String(20), server_default="default")
    name: Mapped[str] = mapped_column(String(20))
    trials: Mapped[list[Trial]] = relationship()


class Trial(Worn):
    __tablename__ = "trials"
    __table_args__ = (Index("of_nothing"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id"), index=True)


class Footnote(Worn):
    """Refers to what is no key; no row of it is made."""

    __tablename__ = "footnotes"
    id: Mapped[int] = mapped_column(primary_key=True)
    about: Mapped[str] = mapped_column(ForeignKey("experiments.workspace"))


def test_what_an_application_maps_and_never_creates_so_is_no_hindrance(tmp_path: Path) -> None:
    path = str(tmp_path / "worn.sqlite3")
    target = Target(name="sqlite", dialect="sqlite", driver="pysqlite", provider="embedded", database=path)
    hold(scenario_of(Experiment, "trials"), Size((20, 5)), EVEN, target)
