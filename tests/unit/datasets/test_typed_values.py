"""Values beyond numbers, texts and dates: they come back from a database as the recipe said, whatever its driver."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import JSON, DateTime, Enum, Float, ForeignKey, Interval, LargeBinary, Numeric, String, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from bench import (
    Bytes,
    Column,
    Cycle,
    Documents,
    Moments,
    Numbered,
    Parent,
    Place,
    Recipe,
    Serial,
    Table,
    Uuids,
    scenario_of,
)
from bench.connect import calling, engine
from bench.datasets import Dataset, dataset_key, first_difference, graph_lines, seed
from bench.errors import BenchError
from bench.measure import graph as measured
from bench.model import DatasetOptions, Size, Target, Values, plain_value

pytest_plugins = ["support.postgres"]

UNEVEN = DatasetOptions(children="uniform", childless=0.3, order="shuffled", seed=5)
SIZE = Size((30, 4))


class Base(DeclarativeBase):
    """Every type that has values of its own in Python."""


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


class Upper(TypeDecorator[str]):
    """Text that a database has in capitals."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Any) -> str | None:
        return value and value.upper()

    def process_result_value(self, value: str | None, _dialect: Any) -> str | None:
        return value and value.lower()


class Shelf(Base):
    __tablename__ = "shelves"
    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    boxes: Mapped[list[Box]] = relationship()


class Box(Base):
    __tablename__ = "boxes"
    label: Mapped[str] = mapped_column(String(20), primary_key=True)
    shelf_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("shelves.id"), primary_key=True, index=True)
    made: Mapped[datetime] = mapped_column(DateTime)
    sold: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    opens: Mapped[time]
    lasts: Mapped[timedelta] = mapped_column(Interval)
    text_id: Mapped[str] = mapped_column(Uuid(as_uuid=False))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    picture: Mapped[bytes] = mapped_column(LargeBinary)
    open: Mapped[bool]
    level: Mapped[Level] = mapped_column(Enum(Level))
    stored: Mapped[Level] = mapped_column(
        Enum(Level, name="stored_level", values_callable=lambda kind: [one.value for one in kind])
    )
    price: Mapped[Decimal] = mapped_column(Numeric(8, 3))
    weight: Mapped[float] = mapped_column(Float)
    place: Mapped[int]
    shout: Mapped[str] = mapped_column(Upper)


SOURCES: dict[str, Values] = {
    "label": Numbered(pattern="{}", digits=10),
    "shelf_id": Parent(),
    "made": Moments(first="2024-02-29T00:00:00", seconds=86_400),
    "sold": Moments(first="2025-01-01T00:00:00", seconds=2**32, utc=True),
    "opens": Cycle(values=(time(0), time(23, 59, 59))),
    "lasts": Cycle(values=(timedelta(0), timedelta(days=3, microseconds=1))),
    "text_id": Uuids(text=True),
    "facts": Documents(width=12),
    "picture": Bytes(width=7),
    "open": Cycle(values=(True, False)),
    "level": Cycle(values=(Level.LOW, Level.HIGH)),
    "stored": Cycle(values=(Level.LOW, Level.HIGH)),
    "price": Cycle(values=(Decimal("0.001"), Decimal("1.5"), Decimal(100))),
    "weight": Cycle(values=(0.5, 1024.25)),
    "place": Place(start=1),
    "shout": Cycle(values=("whisper", "murmur")),
}
RECIPE = Recipe(
    tables=(
        Table(name="shelves", level=0, columns=(Column(name="id", values=Uuids(), key=True),)),
        Table(
            name="boxes",
            level=1,
            parent="shelves",
            columns=tuple(
                Column(name=name, values=values, key=name in ("label", "shelf_id")) for name, values in SOURCES.items()
            ),
        ),
    )
)
SHELVES = replace(scenario_of(Shelf, "boxes", recipe=RECIPE), only=())
"""Every column compared."""


def hold(target: Target, options: DatasetOptions) -> None:
    seed(SHELVES, SIZE, options, target)
    made = engine(target)
    expected = tuple(graph_lines(SHELVES, SIZE, options))

    def load(number: int) -> list[str]:
        with Session(made) as session:
            return list(measured.graph_lines(SHELVES, SHELVES.load(session, SHELVES.strategies[number])))

    with calling(made) as call:
        for number in range(len(SHELVES.strategies)):
            assert first_difference(expected, call(partial(load, number))) is None
    made.dispose()


@pytest.mark.parametrize("options", [DatasetOptions(), UNEVEN], ids=["even", "uneven"])
def test_sqlite_returns_each_value_as_it_was_said(options: DatasetOptions, tmp_path: Path) -> None:
    path = str(tmp_path / "typed.sqlite3")
    hold(Target(name="sqlite", dialect="sqlite", driver="pysqlite", provider="embedded", database=path), options)


@pytest.fixture
def served(postgres: Any) -> Iterator[Target]:
    with postgres.database() as database:
        yield postgres.target(database)


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_postgresql_returns_each_value_as_it_was_said(driver: str, postgres: Any, database: str) -> None:
    hold(postgres.target(database, driver=driver), UNEVEN)


def values_of(values: Values, rows: int, *, key: bool = False) -> list[Any]:
    columns = (Column(name="it", values=values, key=key), *(() if key else (Column(name="id", values=Serial()),)))
    dataset = Dataset(Recipe(tables=(Table(name="things", level=0, columns=columns),)), Size((rows,)), UNEVEN)
    return dataset.values("things", "it", np.arange(rows))


def test_uuids_are_distinct_of_version_7_and_sort_as_the_rows_do() -> None:
    found = values_of(Uuids(), 5000, key=True)

    assert {(one.version, one.variant) for one in found} == {(7, uuid.RFC_4122)}
    assert sorted(set(found)) == found
    assert values_of(Uuids(text=True), 5000, key=True) == [str(one) for one in found]


def test_numbers_with_digits_sort_as_the_rows_do() -> None:
    found = values_of(Numbered(pattern="box {}", digits=10), 2000, key=True)

    assert found[0] == "box 0000000001"
    assert sorted(found) == found


@pytest.mark.parametrize("options", [DatasetOptions(), UNEVEN, DatasetOptions(children="zipf")])
def test_places_are_counted_anew_for_each_parent(options: DatasetOptions) -> None:
    dataset = Dataset(RECIPE, Size((50, 6)), options)
    rows = np.arange(dataset.rows["boxes"])
    by_parent: dict[Any, list[int]] = {}
    for parent, place in zip(
        dataset.values("boxes", "shelf_id", rows), dataset.values("boxes", "place", rows), strict=True
    ):
        by_parent.setdefault(parent, []).append(place)

    assert by_parent
    assert all(sorted(places) == list(range(1, len(places) + 1)) for places in by_parent.values())


@given(st.datetimes(timezones=st.timezones(no_cache=True)))
def test_a_moment_is_told_alike_in_every_zone(moment: datetime) -> None:
    try:
        elsewhere = moment.astimezone(timezone(timedelta(hours=-7, minutes=30)))
    except OverflowError:  # the first and the last day of the calendar
        return
    assert plain_value(moment) == plain_value(elsewhere)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_a_decimal_is_told_alike_however_many_zeros_a_database_keeps(value: Decimal) -> None:
    assert plain_value(value) == plain_value(Decimal(f"{value:f}00"))
    assert Decimal(plain_value(value)) == value


@pytest.mark.parametrize(
    "values",
    [
        Moments(first="soon", seconds=5),
        Moments(first="2025-01-01", seconds=0),
        Moments(first="9999-12-31", seconds=2**31),
    ],
)
def test_moments_that_cannot_be_drawn_are_refused_with_the_column(values: Values) -> None:
    with pytest.raises(BenchError, match=r"things\.it: .* cannot be drawn"):
        values_of(values, 3)


def test_a_key_that_does_not_sort_as_the_rows_are_numbered_is_refused() -> None:
    unsorted = Recipe(
        tables=(
            Table(name="shelves", level=0, columns=(Column(name="id", values=Numbered(pattern="{}"), key=True),)),
            RECIPE.tables[1],
        )
    )

    with pytest.raises(BenchError, match="rows of shelves do not sort by id"):
        dataset_key(scenario_of(Shelf, "boxes", recipe=unsorted), SIZE, UNEVEN, "sqlite")


def test_the_datasets_key_depends_on_such_values() -> None:
    def key(*levels: Level) -> str:
        boxes = RECIPE.tables[1]
        columns = tuple(
            Column(name=one.name, values=Cycle(values=levels) if one.name == "level" else one.values, key=one.key)
            for one in boxes.columns
        )
        changed = Table(name="boxes", level=1, parent="shelves", columns=columns)
        recipe = Recipe(tables=(RECIPE.tables[0], changed))
        return dataset_key(scenario_of(Shelf, "boxes", recipe=recipe), SIZE, UNEVEN, "sqlite")

    assert key(Level.LOW, Level.HIGH) == key(Level.LOW, Level.HIGH) != key(Level.HIGH, Level.LOW)


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (Cycle(values=(1, 2, 3)), r"UNIQUE .*; row 4 of places is the first: id=4, place=1\."),
        (None, r"NOT NULL .*; row 1 of places is the first: id=1\."),
    ],
    ids=["unique", "null"],
)
def test_a_recipe_that_breaks_a_constraint_is_told_with_its_first_row(
    place: Values | None, says: str, tmp_path: Path
) -> None:
    class Odd(DeclarativeBase):
        pass

    class Ranked(Odd):
        __tablename__ = "places"
        id: Mapped[int] = mapped_column(primary_key=True)
        place: Mapped[int] = mapped_column(unique=True)

    columns = (Column(name="id", values=Serial()), *([] if place is None else [Column(name="place", values=place)]))
    recipe = Recipe(tables=(Table(name="places", level=0, columns=columns),))
    scenario = replace(SHELVES, base=Odd, entity=Ranked, paths=(), recipe=recipe)
    path = tmp_path / "broken.sqlite3"
    target = Target(name="sqlite", dialect="sqlite", driver="pysqlite", provider="embedded", database=str(path))

    with pytest.raises(BenchError, match=says):
        seed(scenario, Size((9,)), DatasetOptions(), target)
    assert not path.exists()
