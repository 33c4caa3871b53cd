"""What is said of mapped classes without a database is what a walk over real rows then sends."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    select,
)
from sqlalchemy.orm import (
    DeclarativeBase,
    DynamicMapped,
    Mapped,
    Session,
    joinedload,
    lazyload,
    mapped_column,
    relationship,
    selectinload,
    subqueryload,
)
from sqlalchemy.pool import StaticPool

from bench.cli import cli
from bench.doctor import Diagnosis, Walk, as_json, as_text, diagnose, mapped_under
from bench.errors import BenchError


class Base(DeclarativeBase):
    """Few are configured alike; every foreign key has an index."""


class Country(Base):
    __tablename__ = "countries"
    id: Mapped[int] = mapped_column(primary_key=True)


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    country_id: Mapped[int] = mapped_column(ForeignKey("countries.id"), index=True)
    country: Mapped[Country] = relationship(lazy="joined")
    orders: Mapped[list[Order]] = relationship(back_populates="shop")
    clerks: Mapped[list[Clerk]] = relationship(lazy="selectin")
    logs: DynamicMapped[Log] = relationship()


class Clerk(Base):
    __tablename__ = "clerks"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"), index=True)
    badges: Mapped[list[Badge]] = relationship(lazy="subquery")


class Badge(Base):
    __tablename__ = "badges"
    id: Mapped[int] = mapped_column(primary_key=True)
    clerk_id: Mapped[int] = mapped_column(ForeignKey("clerks.id"), index=True)


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"), index=True)
    shop: Mapped[Shop] = relationship(back_populates="orders", lazy="raise")
    lines: Mapped[list[Line]] = relationship(lazy="selectin")
    notes: Mapped[list[Note]] = relationship(lazy="joined")


class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)


class Log(Base):
    __tablename__ = "logs"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"), index=True)


MAPPERS = sorted(Base.registry.mappers, key=lambda mapper: mapper.class_.__name__)
OPTIONS = {"lazy": lazyload, "joined": joinedload, "selectin": selectinload, "subquery": subqueryload}


def put(session: Session, entity: Any, each: int, **owner: list[int]) -> list[int]:
    """Store so many rows for each owner and return their keys."""
    ((name, owners),) = owner.items()
    keys = range(1, len(owners) * each + 1)
    session.execute(insert(entity), [{"id": key, name: owners[(key - 1) // each]} for key in keys])
    return list(keys)


def filled(parents: int, each: int, further: int) -> Any:
    """A database with so many shops, orders and clerks of each, and lines, notes and badges of each of those."""
    made = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(made)
    with Session(made) as session:
        session.add(Country(id=1))
        session.flush()
        shops = put(session, Shop, parents, country_id=[1])
        orders = put(session, Order, each, shop_id=shops)
        clerks = put(session, Clerk, each, shop_id=shops)
        put(session, Log, each, shop_id=shops)
        for entity, name, owners in (
            (Line, "order_id", orders),
            (Note, "order_id", orders),
            (Badge, "clerk_id", clerks),
        ):
            put(session, entity, further, **{name: owners})
        session.commit()
    return made


def sent(made: Any, walk: Walk, *, word: str | None) -> int:
    """Statements of loading the class of a walk and touching its relationships, as configured or by one strategy."""
    first, *steps = walk.path.split(".")
    entity = next(mapper.class_ for mapper in MAPPERS if mapper.class_.__name__ == first)
    option, below = None, entity
    for step in steps:
        if word:
            make = OPTIONS[word] if option is None else getattr(option, OPTIONS[word].__name__)
            option = make(getattr(below, step))
        below = inspect(below).relationships[step].mapper.class_
    tally = count()
    with Session(made) as session:
        event.listen(made, "before_cursor_execute", hear := lambda *_: next(tally))
        found = session.scalars(select(entity).options(*([option] if option else []))).unique().all()
        for step in steps:
            reached = [getattr(one, step) for one in found]
            found = [below for one in reached if one for below in (one if hasattr(one, "__iter__") else [one])]
        event.remove(made, "before_cursor_execute", hear)
    return next(tally)


def walks(size: str) -> dict[str, Walk]:
    return {walk.path: walk for walk in diagnose(MAPPERS, size).walks}


@pytest.mark.parametrize("size", ["3x2", "502x2", "4x2x3", "503x2x1"])
def test_a_walk_sends_as_configured_what_was_said_without_a_database(size: str) -> None:
    numbers = [int(number) for number in size.split("x")]
    made = filled(numbers[0], numbers[1], numbers[-1])

    for path, walk in walks(size).items():
        if walk.configured is not None and not walk.at_most and path.startswith("Shop"):
            assert (path, sent(made, walk, word=None)) == (path, walk.configured)
    made.dispose()


def test_a_walk_sends_by_each_strategy_what_was_said() -> None:
    made, said = filled(503, 2, 1), walks("503x2x1")["Shop.clerks.badges"]

    for word in ("joined", "selectin", "subquery"):
        assert sent(made, said, word=word) == said.statements[word], word
    assert said.statements["lazy"] == 1 + 503 + 1006
    made.dispose()


def test_walks_are_as_long_as_the_size_and_meet_no_class_twice() -> None:
    assert list(walks("5x2x2")) == ["Shop.clerks.badges", "Shop.orders.lines", "Shop.orders.notes"]
    assert {"Order.shop", "Shop.country", "Shop.logs"} <= set(walks("5x2"))


def test_a_relationship_that_raises_has_no_count() -> None:
    assert walks("5x2")["Order.shop"].configured is None
    assert "Order.shop raises as configured" in as_text(diagnose(MAPPERS, "5x2"), width=120)


def test_collections_that_are_joined_unasked_are_named() -> None:
    diagnosis = diagnose(MAPPERS, "5x2")

    assert diagnosis.joined == ("Order.notes",)
    assert diagnosis.unindexed == ()
    assert {one.name: one.strategy for one in diagnosis.relationships}["Shop.logs"] == "dynamic"
    assert "Order.notes is a collection that is joined" in as_text(diagnosis, width=200)


class Bare(DeclarativeBase):
    """Foreign keys with and without what can be searched by."""


LINKS = Table(
    "links",
    Bare.metadata,
    Column("one_id", ForeignKey("ones.id"), primary_key=True),
    Column("two_id", ForeignKey("twos.id"), primary_key=True),
)


class One(Bare):
    __tablename__ = "ones"
    id: Mapped[int] = mapped_column(primary_key=True)
    twos: Mapped[list[Two]] = relationship(secondary=LINKS, back_populates="ones")


class Two(Bare):
    __tablename__ = "twos"
    id: Mapped[int] = mapped_column(primary_key=True)
    ones: Mapped[list[One]] = relationship(secondary=LINKS, back_populates="twos")
    threes: Mapped[list[Three]] = relationship(foreign_keys="Three.bare_id")


class Three(Bare):
    __tablename__ = "threes"
    __table_args__ = (
        Index("leading", "leading_id", "id"),
        Index("trailing", "id", "trailing_id"),
        Index("partial", "partial_id", sqlite_where=Column("id") > 5),
        ForeignKeyConstraint(["first", "second"], ["pairs.first", "pairs.second"]),
        Index("reversed", "second", "first"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    bare_id: Mapped[int] = mapped_column(ForeignKey("twos.id"))
    leading_id: Mapped[int] = mapped_column(ForeignKey("twos.id"))
    trailing_id: Mapped[int] = mapped_column(ForeignKey("twos.id"))
    partial_id: Mapped[int] = mapped_column(ForeignKey("twos.id"))
    unique_id: Mapped[int] = mapped_column(ForeignKey("twos.id"), unique=True)
    first: Mapped[int]
    second: Mapped[int]


class Pair(Bare):
    __tablename__ = "pairs"
    first: Mapped[int] = mapped_column(primary_key=True)
    second: Mapped[int] = mapped_column(primary_key=True)


def bare() -> Diagnosis:
    return diagnose(sorted(Bare.registry.mappers, key=lambda mapper: mapper.class_.__name__), "5x2")


def test_foreign_keys_that_begin_no_index_are_named_with_what_needs_them() -> None:
    found = {(key.table, *key.columns): key.needed_by for key in bare().unindexed}

    assert found == {
        ("links", "two_id"): ("Two.ones",),
        ("threes", "bare_id"): ("Two.threes",),
        ("threes", "trailing_id"): (),
        ("threes", "partial_id"): (),
    }


def test_each_missing_index_is_a_sentence() -> None:
    text = as_text(bare(), width=400)

    assert "threes.bare_id, a foreign key to twos, has no index: Two.threes reads the whole table" in text
    assert "threes.trailing_id, a foreign key to twos, has no index. No relationship looks for it" in text


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("size", ["1000x50", "100000x50x5"])
def test_no_line_is_wider_than_the_terminal_and_a_column_that_is_left_out_is_named(width: int, size: str) -> None:
    text = as_text(diagnose(MAPPERS, size), width=width)

    assert max(map(len, text.splitlines())) <= width
    assert ("columns also: subquery" in text) == (width == 60)


def test_json_has_what_the_text_is_made_of() -> None:
    plain = json.loads(as_json(bare()))

    assert [one["name"] for one in plain["relationships"]] == ["One.twos", "Two.ones", "Two.threes"]
    assert plain["walks"][0] == {
        "path": "One.twos",
        "configured": 6,
        "statements": {"lazy": 6, "joined": 1, "selectin": 2, "subquery": 2},
        "at_most": False,
    }


@pytest.mark.parametrize("size", ["5", "5x2,7x2", "5x1..3", "x", "1x1x1x1x1", "0x5"])
def test_what_is_no_one_size_is_refused(size: str) -> None:
    with pytest.raises(BenchError, match="SIZE") as refused:
        diagnose(MAPPERS, size)
    assert refused.value.remedy


OTHERS = """
from sqlalchemy.orm import DeclarativeBase, registry
from scenarios.one_to_many import Base, Book, User
class Nothing(DeclarativeBase): pass
of_hand = Base.registry
"""


@pytest.fixture
def others(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "others.py").write_text(OTHERS)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("name", ["others.py:Base", "others.py:User", "others.py:of_hand"])
def test_a_base_a_class_of_it_and_its_registry_name_the_same_classes(name: str) -> None:
    assert [mapper.class_.__name__ for mapper in mapped_under(name)] == ["Book", "User"]


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("others.py:Bas", "did you mean 'Base'?"),
        ("others.py:OTHERS", "There is no declarative base"),
        ("others.py:Nothing", "has no mapped classes"),
        ("others", "does not say which base"),
        ("no_such_module:Base", "There is no module"),
        ("nothing.py:Base", "There is no file"),
    ],
)
def test_what_is_no_base_is_refused_with_a_sentence_and_exit_code_2(name: str, says: str) -> None:
    done = CliRunner().invoke(cli, ["doctor", name])

    assert done.exit_code == 2
    assert says in done.output


@pytest.mark.usefixtures("others")
def test_the_command_ends_with_0_whatever_it_finds() -> None:
    done = CliRunner().invoke(cli, ["doctor", "others.py:Base", "--size", "100x5"])
    plain = CliRunner().invoke(cli, ["doctor", "others.py:Base", "--json"])

    assert done.exit_code == 0
    assert "User.books" in done.output
    assert plain.exit_code == 0
    assert json.loads(plain.output)["size"] == "1000x50"
