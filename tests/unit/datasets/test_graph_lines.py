from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from support.publishing import PUBLISHING, UPWARDS

from bench.datasets import fingerprint, graph_lines, graph_plan, key_attributes, seed_sqlite
from bench.errors import BenchError
from bench.measure import graph as measured
from bench.model import Column, DatasetOptions, Parent, Recipe, Scenario, Serial, Size, Table
from scenarios.one_to_many import ONE_TO_MANY

OPTIONS = (
    DatasetOptions(),
    DatasetOptions(order="shuffled", childless=0.2),
    DatasetOptions(children="uniform", order="shuffled"),
    DatasetOptions(children="zipf", childless=0.5, seed=2**64 - 1),
)


def loaded_lines(scenario: Scenario, size: Size, options: DatasetOptions, path: Path) -> list[str]:
    """The lines that the measuring side finds in a seeded database, by lazy loads."""
    seed_sqlite(scenario, size, options, path)
    engine = create_engine(f"sqlite:///{path}")
    with Session(engine) as session:
        found = list(measured.graph_lines(scenario, session.scalars(select(scenario.entity)).all()))
    engine.dispose()
    return found


def test_a_line_is_written_to_the_letter() -> None:
    options = DatasetOptions(text_width=8)

    first = (
        '["User",[["bio","Recent p"],["email","user1@example.org"],["id",1],["name","Nicolas Ferguson"]],'
        '{"books":[["Book",[["id",1],["summary","senior k"],["title","Gutierrez\'s Impossible Bus"],["user_id",1],'
        '["year",1918]],{}]]}]'
    )
    second = (
        '["User",[["bio","miss. Wo"],["email","user2@example.org"],["id",2],["name","Evelyn Davila"]],'
        '{"books":[["Book",[["id",2],["summary","Window t"],["title","The Both Subject"],["user_id",2],'
        '["year",1914]],{}]]}]'
    )

    assert list(graph_lines(ONE_TO_MANY, Size((2, 1)), options)) == [first, second]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(
    ("scenario", "size"),
    [(ONE_TO_MANY, Size((30, 8))), (PUBLISHING, Size((10, 5, 3))), (UPWARDS, Size((6, 4, 3)))],
    ids=["two levels", "three levels and siblings", "from below"],
)
def test_the_graph_known_without_a_database_is_the_one_that_is_loaded(
    scenario: Scenario, size: Size, options: DatasetOptions, tmp_path: Path
) -> None:
    known = list(graph_lines(scenario, size, options))

    assert known == loaded_lines(scenario, size, options, tmp_path / "seeded.sqlite3")
    assert fingerprint(known) == measured.fingerprint(known)


def test_roots_are_made_a_block_at_a_time_and_come_out_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    options = DatasetOptions(order="shuffled", children="zipf", childless=0.1)
    at_once = list(graph_lines(PUBLISHING, Size((20, 6, 3)), options))

    monkeypatch.setattr("bench.datasets.graph.BLOCK_ENTITIES", 1)

    assert list(graph_lines(PUBLISHING, Size((20, 6, 3)), options)) == at_once


def test_a_fingerprint_does_not_change_between_releases() -> None:
    options = DatasetOptions(seed=7, order="shuffled", children="uniform", childless=0.1)

    assert (
        fingerprint(graph_lines(PUBLISHING, Size((50, 5, 4)), options))
        == "af02e87c914fc2e40ba811d6af84c7d16b08bdc41e538f4ef8ef49e2bacfaebe"
    )


def test_memory_does_not_grow_with_the_graph() -> None:
    def peak(size: Size) -> int:
        tracemalloc.start()
        for _ in graph_lines(ONE_TO_MANY, size, DatasetOptions(order="shuffled")):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(Size((10, 5)))
    assert peak(Size((12_000, 5))) < 1.5 * peak(Size((3_000, 5)))


def test_the_key_of_each_class_is_known_by_its_attribute() -> None:
    assert key_attributes(graph_plan(PUBLISHING)) == {
        "Publisher": "id",
        "Author": "number",
        "Prize": "id",
        "Work": "id",
    }


class Base(DeclarativeBase):
    pass


class Country(Base):
    __tablename__ = "countries"
    id: Mapped[int] = mapped_column(primary_key=True)
    capital: Mapped[Capital | None] = relationship(foreign_keys="Capital.country_id")
    twin: Mapped[Capital | None] = relationship(foreign_keys="Capital.twin_id", uselist=False, viewonly=True)


class Capital(Base):
    __tablename__ = "capitals"
    id: Mapped[int] = mapped_column(primary_key=True)
    country_id: Mapped[int] = mapped_column(ForeignKey("countries.id"))
    twin_id: Mapped[int | None] = mapped_column(ForeignKey("countries.id"))


ONE_TO_ONE = replace(
    ONE_TO_MANY,
    base=Base,
    entity=Country,
    paths=("capital",),
    recipe=Recipe(
        tables=(
            Table(name="countries", level=0, columns=(Column(name="id", values=Serial()),)),
            Table(
                name="capitals",
                level=1,
                parent="countries",
                columns=(Column(name="id", values=Serial()), Column(name="country_id", values=Parent())),
            ),
        )
    ),
)


def test_a_scalar_is_a_node_or_null(tmp_path: Path) -> None:
    options = DatasetOptions(childless=0.5)
    known = list(graph_lines(ONE_TO_ONE, Size((2, 1)), options))

    assert sorted(line.split('"capital":')[1] for line in known)[1] == "null}]"
    assert known == loaded_lines(ONE_TO_ONE, Size((2, 1)), options, tmp_path / "seeded.sqlite3")


def test_a_scalar_that_would_have_to_hold_several_is_an_error() -> None:
    with pytest.raises(BenchError, match=r"Country\.capital is one entity, but the dataset has up to 2 for one\."):
        list(graph_lines(ONE_TO_ONE, Size((2, 2)), DatasetOptions()))


def _reworked(**fields: Any) -> Scenario:
    return replace(ONE_TO_MANY, **fields)


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        (_reworked(paths=("boks",)), "User has no relationship 'boks'"),
        (_reworked(paths=("books.pages",)), "Book has no relationship 'pages'"),
        (_reworked(recipe=Recipe(tables=ONE_TO_MANY.recipe.tables[:1])), "its recipe has no table 'books'"),
        (replace(ONE_TO_ONE, paths=("twin",)), r"do not bear out Country\.twin"),
        (
            _reworked(
                paths=(),
                recipe=Recipe(tables=(Table(name="users", level=0, columns=(Column(name="no", values=Serial()),)),)),
            ),
            "the primary key of User is not its Serial column",
        ),
    ],
)
def test_paths_that_the_recipe_does_not_bear_out_say_so(scenario: Scenario, said: str) -> None:
    with pytest.raises(BenchError, match=said):
        graph_plan(scenario)
