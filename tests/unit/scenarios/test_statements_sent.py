"""What formulas cannot tell apart: the form of the statements that strategies send."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, ForeignKey, event, inspect, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from bench.catalogue import find_scenario, find_strategy, sqlalchemy_version
from bench.connect import engine
from bench.datasets import seed
from bench.measure.statements import Tally, counting
from bench.model import DatasetOptions, Size, Target


@contextmanager
def seeded(scenario: str, path: Path) -> Iterator[Engine]:
    found = find_scenario(scenario)
    target = Target(name="sqlite", dialect="sqlite", driver="pysqlite", provider="embedded", database=str(path))
    seed(found, Size((6, 2, 2)[: found.levels]), DatasetOptions(), target)
    made = engine(target)
    yield made
    made.dispose()


def sent(scenario: str, strategy: str, path: Path) -> list[str]:
    found = find_scenario(scenario)
    with seeded(scenario, path) as made, Session(made) as session, counting(made) as tally:
        found.load(session, find_strategy(found, strategy))
        return [" ".join(one.sql.split()) for one in tally.sent]


def counted(scenario: str, strategy: str, path: Path) -> Tally:
    found = find_scenario(scenario)
    with seeded(scenario, path) as made, Session(made) as session, counting(made) as tally:
        found.load(session, find_strategy(found, strategy))
        return tally


@pytest.mark.skipif(sqlalchemy_version().startswith("2.0."), reason="SQLAlchemy 2.0 joins the parents once more")
def test_selectin_of_a_link_table_leaves_the_parents_out_of_the_join(tmp_path: Path) -> None:
    assert "posts" not in sent("many_to_many", "selectin", tmp_path / "f")[1]
    assert "FROM posts AS posts_1 JOIN" in sent("many_to_many", "selectin_with_parent", tmp_path / "g")[1]


def test_selectin_of_the_one_side_has_no_join(tmp_path: Path) -> None:
    assert "JOIN" not in sent("many_to_one", "selectin", tmp_path / "f")[1]


def test_a_join_puts_the_limit_into_a_sub_query(tmp_path: Path) -> None:
    (statement,) = sent("first_page", "joined", tmp_path / "f")

    assert "LIMIT ? OFFSET ?) AS anon_1 LEFT OUTER JOIN" in statement


def test_joined_down_a_tree_is_what_a_join_depth_is(tmp_path: Path) -> None:
    class Base(DeclarativeBase):
        pass

    class Category(Base):
        __tablename__ = "categories"
        id: Mapped[int] = mapped_column(primary_key=True)
        parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
        word: Mapped[str]
        text: Mapped[str]
        children: Mapped[list[Category]] = relationship(lazy="joined", join_depth=3)

    configured = str(select(Category).where(Category.parent_id.is_(None)))

    (statement,) = sent("tree[depth=2]", "joined", tmp_path / "f")
    assert statement == " ".join(configured.split())


def test_an_in_list_of_a_two_column_key_is_one_of_pairs(tmp_path: Path) -> None:
    assert "(lines.shop_id, lines.order_number) IN (" in sent("composite_keys", "selectin", tmp_path / "f")[1]


def test_load_only_leaves_the_texts_with_the_server(tmp_path: Path) -> None:
    whole = counted("wide_parents", "joined", tmp_path / "f").bytes
    narrow = counted("wide_parents", "joined+load_only", tmp_path / "g").bytes

    assert whole > 20 * narrow


@pytest.mark.parametrize(
    ("scenario", "table", "index"),
    [
        ("first_page[index=no]", "users", "ix_users_joined"),
        ("one_by_key[index=no]", "books", "ix_books_user_id"),
        ("newest_children[index=no]", "posts", "ix_posts_newest"),
        ("tree[index=no]", "categories", "ix_categories_parent_id"),
    ],
)
def test_a_variant_without_an_index_has_none(scenario: str, table: str, index: str, tmp_path: Path) -> None:
    with seeded(scenario, tmp_path / "f") as made:
        assert index not in {each["name"] for each in inspect(made).get_indexes(table)}
    with seeded(scenario.partition("[")[0], tmp_path / "g") as made:
        assert index in {each["name"] for each in inspect(made).get_indexes(table)}


def test_a_cold_cache_compiles_anew_and_a_warm_one_does_not(tmp_path: Path) -> None:
    for scenario, compiled in (("cold_statement", 2), ("cold_statement[cache=warm]", 0)):
        found = find_scenario(scenario)
        with seeded(scenario, tmp_path / scenario) as made:
            for _ in range(2):
                with Session(made) as session:
                    if found.prepare is not None:
                        found.prepare(session)
                    before = set(made._compiled_cache or ())
                    found.load(session, find_strategy(found, "selectin"))
                    added = set(made._compiled_cache or ()) - before
            assert len(added) == compiled


@pytest.mark.parametrize(("scenario", "opened"), [("cold_statement", 1), ("cold_statement[connection=fresh]", 3)])
def test_a_connection_is_kept_unless_a_fresh_one_is_asked_for(scenario: str, opened: int, tmp_path: Path) -> None:
    found = find_scenario(scenario)
    connected: list[object] = []
    with seeded(scenario, tmp_path / "f") as made:
        event.listen(made, "connect", lambda connection, _record: connected.append(connection))
        for _ in range(3):
            with Session(made) as session:
                assert found.prepare is not None
                found.prepare(session)
                found.load(session, find_strategy(found, "selectin"))

    assert len(connected) == opened
