"""What is asked for of data that is there already, and how much of it a load reaches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import ForeignKey, Select, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, mapped_column, relationship

from bench import Column, Recipe, Scenario, Serial, Table, scenario_of
from bench.catalogue import find_scenario
from bench.cli import cli
from bench.connect import engine
from bench.datasets import seed_sqlite
from bench.errors import BenchError
from bench.measure.graph import fingerprint
from bench.measure.reference import lacking, loaded, reference_strategy, tables_of
from bench.measure.snapshot import snapshot
from bench.model import DatasetOptions, Sampling, Size, Target, parse_targets
from bench.model.scenario import NO_RECIPE
from bench.model.size import EXISTING
from bench.plan import Plan, make_plan
from scenarios.one_to_many import ONE_TO_MANY, User

UNEVEN = DatasetOptions(children="uniform", childless=0.3, order="shuffled", seed=5)


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list[Book]] = relationship(lazy="raise", order_by="Book.id")


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author | None] = relationship(lazy="joined", overlaps="books")


BY_ID = select(Author).order_by(Author.id)


def planned(scenario: Scenario | str = "one_to_many", *, db: str = "sqlite:shop.db", **more: Any) -> Plan:
    targets, secrets = parse_targets(db, existing=more.pop("existing", True))
    return make_plan(
        scenarios=[scenario] if isinstance(scenario, str) else [],
        sizes=more.pop("sizes", None),
        targets=targets,
        secrets=secrets,
        strategies=None,
        dataset=DatasetOptions(),
        sampling=Sampling(seed=1, budget_s=None, workers=1, rounds=1),
        label="",
        command=(),
    )


def test_a_case_of_existing_data_has_no_size_of_its_own_and_says_so() -> None:
    plan = planned()

    (spec,) = plan.specs
    assert spec.size == EXISTING
    assert str(spec.size) == "(existing data)"
    assert spec.size.rows == 0
    assert [asked.existing for asked in spec.targets] == [True]
    assert plan.label == "one_to_many-existing"


def test_a_size_and_existing_data_exclude_each_other() -> None:
    with pytest.raises(BenchError, match="Existing data has the size that it has"):
        planned(sizes="10x10")


def test_options_that_say_which_rows_are_made_are_refused_beside_existing_data(tmp_path: Path) -> None:
    results = ["--results", str(tmp_path / "results")]
    done = CliRunner().invoke(
        cli, ["run", "--existing", "--db", "sqlite:shop.db", "--order", "shuffled", "--size", "5x5", *results]
    )

    assert done.exit_code == 2
    assert "--size, --order cannot be given with --existing" in done.stderr


@pytest.mark.parametrize("db", ["sqlite", "sqlite:memory", "postgres", "postgres:17", "docker:postgres:17"])
def test_a_database_that_is_made_for_the_run_holds_no_existing_data(db: str) -> None:
    with pytest.raises(BenchError, match="is made for the run, so there is no data in it"):
        parse_targets(db, existing=True)


@pytest.mark.parametrize("db", ["sqlite:shop.db", "sqlite:///shop.db", "postgresql://me@host/shop"])
def test_a_file_and_a_url_may_hold_existing_data_which_is_no_part_of_their_name(db: str) -> None:
    (plain,), _ = parse_targets(db)
    (there,), _ = parse_targets(db, existing=True)

    assert there == replace(plain, existing=True) != plain
    assert str(there) == str(plain)
    assert there.server.existing


def test_a_scenario_without_a_recipe_is_measured_on_existing_data_only(tmp_path: Path) -> None:
    file = tmp_path / "chosen.py"
    file.write_text(
        "from bench import scenario_of\nfrom scenarios.one_to_many import User\nfrom sqlalchemy import select\n"
        "CHOSEN = scenario_of(User, 'books', parents=select(User).where(User.id > 3))\n"
    )

    assert [spec.size for spec in planned(f"{file}:CHOSEN").specs] == [EXISTING]
    with pytest.raises(BenchError, match="has no recipe, so there are no rows to seed") as caught:
        planned(f"{file}:CHOSEN", existing=False)
    assert "--existing" in caught.value.remedy


def test_the_query_of_parents_is_what_each_strategy_adds_its_options_to() -> None:
    chosen = scenario_of(Author, "books", parents=BY_ID.where(Author.id > 3))

    assert chosen.recipe == NO_RECIPE
    made = create_engine("sqlite://")
    Base.metadata.create_all(made)
    with Session(made) as session:
        session.add_all([Author(id=number, books=[Book(id=number)]) for number in range(1, 6)])
        session.commit()
    for strategy in chosen.strategies:
        with Session(made) as session:
            found = chosen.load(session, strategy)
            assert [author.id for author in found] == [4, 5]
    made.dispose()


@pytest.mark.parametrize(
    "parents",
    [select(Author.id), select(Book), select(Author, Book), select(aliased(Author)), Author, "select authors"],
)
def test_a_query_that_does_not_select_the_entity_is_refused_with_what_to_write(parents: Any) -> None:
    with pytest.raises(BenchError, match="does not select Author") as caught:
        scenario_of(Author, "books", parents=parents)
    assert "select(Author)" in caught.value.remedy


@pytest.mark.parametrize(
    "parents", [select(Author).limit(5), select(Author).offset(5), select(Author).fetch(5), select(Author).slice(1, 5)]
)
def test_a_limit_without_an_order_may_choose_others_each_time_and_is_refused(parents: Select[Any]) -> None:
    with pytest.raises(BenchError, match="limits Author without an order"):
        scenario_of(Author, "books", parents=parents)

    scenario_of(Author, "books", parents=parents.order_by(Author.id))


def test_a_query_of_parents_and_a_recipe_exclude_each_other() -> None:
    recipe = Recipe(tables=(Table(name="authors", level=0, columns=(Column(name="id", values=Serial()),)),))

    with pytest.raises(BenchError, match="A recipe and a query of parents were both given for Author"):
        scenario_of(Author, "books", parents=BY_ID, recipe=recipe)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("one_to_many", (30, 4)),
        ("one_to_one", (30, 1)),
        ("many_to_one", (40, 5)),
        ("many_to_many", (30, 4)),
        ("nested", (12, 4, 3)),
        ("two_collections", (12, 4)),
        ("composite_keys", (12, 4)),
    ],
)
def test_what_is_counted_of_rows_that_are_there_is_what_the_recipe_says_of_them(
    name: str, counts: tuple[int, ...], tmp_path: Path
) -> None:
    scenario = find_scenario(name)
    path = tmp_path / "seeded.db"
    facts = seed_sqlite(scenario, Size(counts), UNEVEN if len(counts) > 1 else DatasetOptions(), path)
    made = engine(
        Target(name="s", dialect="sqlite", driver="pysqlite", provider="", database=str(path), read_only=True)
    )

    with snapshot(made) as connection:
        lines, shape = loaded(scenario, connection)
    made.dispose()

    assert fingerprint(lines) == facts.fingerprint
    assert {reached.path: reached for reached in shape.reached} == {
        reached.path: reached for reached in facts.shape.reached
    }
    assert shape.joined == facts.shape.joined
    assert shape.parents == facts.shape.at("").nodes
    assert shape.childless == facts.shape.childless[: len(shape.childless)]


def test_the_reference_is_lazy_whatever_the_mapping_says() -> None:
    chosen = scenario_of(Book, "author.books", parents=select(Book), names=["joined+selectin"])
    made = create_engine("sqlite://")
    Base.metadata.create_all(made)
    with Session(made) as session:
        session.add_all([Author(id=1, books=[Book(id=1), Book(id=2)]), Book(id=3), Author(id=2)])
        session.commit()

    with snapshot(made) as connection:
        _, shape = loaded(chosen, connection)
    made.dispose()

    assert reference_strategy(chosen).name == "lazy"
    author, books = shape.at("author"), shape.at("author.books")
    assert (author.asked, author.nodes, author.distinct, author.empty) == (3, 2, 1, 1)
    assert (books.asked, books.nodes, books.distinct, books.empty) == (2, 4, 2, 0)
    assert shape.joined == 5
    assert shape.tables == {"books": 3, "authors": 1}


def test_tables_along_the_paths_are_needed_and_links_between_them_too() -> None:
    assert [table.name for table in tables_of(find_scenario("many_to_many"))] == ["posts", "post_tags", "tags"]
    made = create_engine("sqlite://")
    Author.__table__.create(made)  # type: ignore[attr-defined]

    assert lacking(made, scenario_of(Author, "books", parents=BY_ID)) == ["books"]
    made.dispose()


def test_a_scenario_of_the_catalogue_has_its_own_lazy_load_for_a_reference() -> None:
    assert reference_strategy(ONE_TO_MANY) is next(one for one in ONE_TO_MANY.strategies if one.name == "lazy")
    assert ONE_TO_MANY.entity is User
