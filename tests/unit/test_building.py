"""Strategies that are built from a mapped class and paths: each loads the dataset's graph, and sends what it says."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy import Column as MappedColumn
from sqlalchemy import ForeignKey, Integer
from sqlalchemy import Table as MappedTable
from sqlalchemy.orm import (
    DeclarativeBase,
    DynamicMapped,
    Mapped,
    Session,
    deferred,
    mapped_column,
    relationship,
)

from bench import (
    Column,
    Integers,
    Parent,
    Recipe,
    Reference,
    Scenario,
    Serial,
    Shape,
    Strategy,
    Table,
    scenario_of,
    strategies_for,
)
from bench.building import MOST
from bench.connect import engine
from bench.datasets import first_difference, graph_lines, seed
from bench.errors import BenchError
from bench.measure import graph as measured
from bench.measure.statements import counting
from bench.model import Asked, DatasetFacts, DatasetOptions, Sampling, Secrets, Size, Target
from bench.plan import make_plan
from scenarios.composite_keys import COMPOSITE_KEYS
from scenarios.many_to_many import MANY_TO_MANY
from scenarios.many_to_one import MANY_TO_ONE
from scenarios.nested import NESTED
from scenarios.one_to_one import ONE_TO_ONE
from scenarios.two_collections import TWO_COLLECTIONS

EVEN, UNEVEN = DatasetOptions(), DatasetOptions(children="uniform", childless=0.3, order="shuffled", seed=5)


class Base(DeclarativeBase):
    pass


TAGGED = MappedTable(
    "tagged",
    Base.metadata,
    MappedColumn("order_id", ForeignKey("orders.id"), primary_key=True),
    MappedColumn("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)


class Maker(Base):
    __tablename__ = "makers"
    id: Mapped[int] = mapped_column(primary_key=True)


class Product(Base):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    maker_id: Mapped[int] = mapped_column(ForeignKey("makers.id"), index=True)
    maker: Mapped[Maker] = relationship()


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    price: Mapped[int]
    secret: Mapped[int] = deferred(mapped_column(Integer))
    voucher_id: Mapped[int | None] = mapped_column(ForeignKey("makers.id"))
    lines: Mapped[list[Line]] = relationship(back_populates="order")
    tags: Mapped[list[Tag]] = relationship(secondary=TAGGED)
    voucher: Mapped[Maker | None] = relationship()
    remarks: DynamicMapped[Remark] = relationship()


class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    order: Mapped[Order] = relationship(back_populates="lines")
    product: Mapped[Product] = relationship()
    serials: Mapped[list[Number]] = relationship()


class Number(Base):
    __tablename__ = "numbers"
    id: Mapped[int] = mapped_column(primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("lines.id"), index=True)


class Remark(Base):
    __tablename__ = "remarks"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))


ID = Column(name="id", values=Serial())
RECIPE = Recipe(
    tables=(
        Table(name="makers", level=0, each=7, columns=(ID,)),
        Table(name="tags", level=0, each=30, columns=(ID,)),
        Table(
            name="products",
            level=0,
            each=600,
            columns=(ID, Column(name="maker_id", values=Reference(table="makers"))),
        ),
        Table(
            name="orders",
            level=0,
            columns=(
                ID,
                Column(name="price", values=Integers(low=1, high=9)),
                Column(name="secret", values=Integers(low=1, high=9)),
                Column(name="voucher_id", values=Reference(table="makers")),
            ),
        ),
        Table(
            name="tagged",
            level=1,
            each=2,
            parent="orders",
            columns=(Column(name="order_id", values=Parent()), Column(name="tag_id", values=Reference(table="tags"))),
        ),
        Table(
            name="lines",
            level=1,
            parent="orders",
            columns=(
                ID,
                Column(name="order_id", values=Parent()),
                Column(name="product_id", values=Reference(table="products")),
            ),
        ),
        Table(
            name="numbers",
            level=2,
            parent="lines",
            columns=(ID, Column(name="line_id", values=Parent())),
        ),
    )
)

ORDERS = [
    scenario_of(Order, *paths, recipe=RECIPE, name=str(number))
    for number, paths in enumerate(
        [
            (Order.lines,),
            ("lines.product.maker",),
            ("Order.lines.product", "tags"),
            ("lines.serials", "lines.product"),
            ("voucher", "lines.serials"),
            ("lines.serials", "lines.product.maker", "tags"),
        ]
    )
]
"""Past 500 orders, lines and products there is more than one IN list of each."""

CATALOGUE = [
    scenario_of(one.entity, *one.paths, recipe=one.recipe, name=f"own {one.name}")
    for one in (COMPOSITE_KEYS, MANY_TO_MANY, MANY_TO_ONE, NESTED, ONE_TO_ONE, TWO_COLLECTIONS)
]

WHOLE = scenario_of(Order, "lines.serials", "lines.product.maker", "tags", recipe=RECIPE, name="whole", most=100)
"""Every mix there is of five steps."""

SIZES = {
    1: ((Size((1203,)), UNEVEN),),
    2: ((Size((7, 4)), EVEN), (Size((503, 2)), UNEVEN)),
    3: ((Size((5, 3, 2)), EVEN), (Size((503, 2, 1)), UNEVEN)),
}

CASES = [
    (scenario, size, options, strategy)
    for scenario in (*ORDERS, *CATALOGUE)
    for size, options in SIZES[scenario.levels]
    for strategy in scenario.strategies
] + [(WHOLE, Size((5, 3, 2)), UNEVEN, strategy) for strategy in WHOLE.strategies]


@pytest.fixture(scope="module")
def seeded() -> Iterator[Any]:
    """Where a dataset lies, seeded when it is asked for first, its facts and its graph."""
    by_name = {scenario.name: scenario for scenario in (*ORDERS, *CATALOGUE, WHOLE)}
    with TemporaryDirectory() as folder:

        @cache
        def dataset(name: str, size: Size, options: DatasetOptions) -> tuple[Target, DatasetFacts, tuple[str, ...]]:
            path = Path(folder) / f"{hash((name, size, options))}.sqlite3"
            target = Target(name="sqlite", dialect="sqlite", driver="pysqlite", provider="embedded", database=str(path))
            facts = seed(by_name[name], size, options, target)
            return target, facts, tuple(graph_lines(by_name[name], size, options))

        yield dataset


@pytest.mark.parametrize(
    ("scenario", "size", "options", "strategy"),
    CASES,
    ids=[f"{'-'.join(one.paths)}-{size}-{options.children}-{strategy.name}" for one, size, options, strategy in CASES],
)
def test_every_strategy_loads_the_graph_and_sends_what_its_formula_says(
    scenario: Scenario, size: Size, options: DatasetOptions, strategy: Strategy, seeded: Any
) -> None:
    target, facts, expected = seeded(scenario.name, size, options)
    made = engine(target)
    with Session(made) as session, counting(made) as tally:
        roots = scenario.load(session, strategy)
        counters = tally.counters()
        lines = list(measured.graph_lines(scenario, roots))
        further = tally.counters().statements - counters.statements
    made.dispose()

    inner = "joined_inner" in strategy.name and any(reached.empty for reached in facts.shape.reached)
    assert inner or first_difference(expected, lines) is None
    assert further == 0
    said = strategy.statements(facts.shape), strategy.rows(facts.shape)
    found = counters.statements, counters.rows
    assert said == tuple(None if formula is None else count for formula, count in zip(said, found, strict=True))


def known(scenario: Scenario, size: Size) -> set[str]:
    """The strategies of which both counts follow from the dataset's shape."""
    from bench.datasets.dataset import Dataset
    from bench.datasets.plan import graph_plan
    from bench.datasets.reach import full_shape

    shape = full_shape(Dataset(scenario.recipe, size, EVEN), graph_plan(scenario))
    return {one.name for one in scenario.strategies if None not in (one.statements(shape), one.rows(shape))}


@pytest.mark.parametrize("built", CATALOGUE, ids=lambda one: one.name)
def test_every_formula_of_the_catalogues_plain_shapes_is_derived(built: Scenario) -> None:
    assert known(built, SIZES[built.levels][0][0]) == {strategy.name for strategy in built.strategies}


def test_rows_of_joined_collections_are_not_known_where_a_third_one_is_loaded_otherwise() -> None:
    unheld = {one.name for one in WHOLE.strategies} - known(WHOLE, Size((5, 3, 2)))

    assert unheld == {
        one.name for one in WHOLE.strategies if one.name.startswith("joined+selectin+") and one.name.endswith("+joined")
    }  # the lines and the tags, which multiply each other, and not the serials


@pytest.mark.parametrize(
    ("paths", "name"),
    [
        (("lines.product",), "joined+lazy"),
        (("lines.product",), "selectin+subquery"),
        (("lines.order",), "selectin+joined"),
        (("voucher", "lines.product.maker"), "selectin+selectin+selectin+selectin"),
    ],
    ids=["a lazy step", "a subquery below IN lists", "the way back", "one class twice"],
)
def test_what_does_not_follow_from_the_dataset_is_not_held_against_a_formula(paths: tuple[str, ...], name: str) -> None:
    (strategy,) = strategies_for(Order, *paths, names=[name])

    assert strategy.name == name
    assert strategy.statements(Shape(rows=(1, 1), childless=(0,))) is None
    assert strategy.rows(Shape(rows=(1, 1), childless=(0,))) is None


def names(*paths: Any, **more: Any) -> list[str]:
    return [strategy.name for strategy in strategies_for(Order, *paths, **more)]


def test_mixes_are_called_as_in_the_catalogue() -> None:
    assert names("lines.serials") == [
        "lazy", "selectin+selectin", "joined+joined", "subquery+subquery", "immediate", "joined+selectin",
        "selectin+joined",
    ]  # fmt: skip
    assert names("lines") == ["lazy", "selectin", "joined", "subquery", "immediate"]


def test_an_inner_join_is_built_where_the_key_may_not_be_null_and_flagged_where_it_may() -> None:
    inner = {name for name in names("lines.product") if "joined_inner" in name}
    assert inner == {"selectin+joined_inner", "joined+joined_inner"}

    assert not [name for name in names("voucher") if "joined_inner" in name]
    (remark,) = scenario_of(Order, "voucher", recipe=RECIPE).remarks
    assert "joined_inner does not fit Order.voucher: voucher_id may be NULL" in remark
    with pytest.raises(BenchError, match="voucher_id may be NULL"):
        names("voucher", names=["joined_inner"])
    with pytest.raises(BenchError, match="a collection may be empty"):
        names("lines", names=["joined_inner"])


def test_too_many_are_cut_by_their_distance_from_the_rule_of_thumb_and_said() -> None:
    long = ("lines.serials", "lines.product.maker", "tags")
    found = scenario_of(Order, *long, recipe=RECIPE)

    assert len(found.strategies) == MOST
    rule = "selectin+selectin+joined+joined+selectin"
    assert found.baseline == rule == found.rule_of_thumb.strategy
    mixed = [name for name in names(*long) if len(set(name.split("+"))) > 1]
    apart = [sum(one != other for one, other in zip(name.split("+"), rule.split("+"), strict=True)) for name in mixed]
    assert max(apart) <= 2
    assert sum(one == 1 for one in apart) == 7  # three collections with one other word, two to-one steps with two
    (remark,) = found.remarks
    assert remark.startswith("16 of 75 mixes of strategies are measured: those that are the same at each step, and")
    assert remark.endswith(f"those that depart from {rule} at the fewest.")
    assert len(names(*long, most=100)) == 75


def test_remarks_are_told_with_the_plan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "from bench import scenario_of\nfrom scenarios.nested import NESTED\n"
        "OWN = scenario_of(NESTED.entity, 'authors.books', recipe=NESTED.recipe, most=5)\n"
    )
    monkeypatch.chdir(tmp_path)

    plan = make_plan(
        scenarios=["own.py:OWN"],
        sizes="5x2x2",
        targets=(Asked(database="sqlite", driver="pysqlite"),),
        secrets=Secrets(by_url={}),
        strategies=None,
        dataset=EVEN,
        sampling=Sampling(seed=1, budget_s=1.0),
        label="",
        command=(),
    )

    assert [warning.text[:22] for told in plan.warnings.values() for warning in told] == ["5 of 7 mixes of strate"]


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        (("lines.prodct",), "Line has no relationship 'prodct'; did you mean 'product'?"),
        (("lins",), "Order has no relationship 'lins'; did you mean 'lines'?"),
        (("price",), "Order.price is no relationship, but a column."),
        (("nothing_like_it",), "Order.nothing_like_it is no relationship."),
        (("lines..product",), "is no relationship"),
        (("remarks",), "lazy='dynamic': no loader option applies"),
        ((), "No relationship of Order was named."),
        (("",), "No relationship of Order was named."),
    ],
)
def test_a_path_that_cannot_be_loaded_is_refused_with_the_nearest_name(paths: tuple[str, ...], says: str) -> None:
    with pytest.raises(BenchError) as refused:
        strategies_for(Order, *paths)

    assert says in str(refused.value)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("selectn+joined", "did you mean 'selectin'?"),
        ("selectin", "has 1 words, but there are 2 steps: lines, lines.product"),
        ("raise+raise", "There is no strategy 'raise'"),
    ],
)
def test_a_name_that_is_no_mix_is_refused(name: str, says: str) -> None:
    with pytest.raises(BenchError) as refused:
        names("lines.product", names=[name])

    assert says in str(refused.value)
    assert refused.value.remedy


@pytest.mark.parametrize("entity", [int, Base, "Order", None])
def test_what_is_not_mapped_is_refused_with_a_sentence(entity: Any) -> None:
    with pytest.raises(BenchError, match="is not a mapped class"):
        strategies_for(entity, "lines")


def test_classes_whose_relationships_cannot_be_resolved_are_refused_with_what_sqlalchemy_says() -> None:
    class Other(DeclarativeBase):
        pass

    class Lonely(Other):
        __tablename__ = "lonely"
        id: Mapped[int] = mapped_column(primary_key=True)
        friend_id: Mapped[int] = mapped_column(ForeignKey("lonely.id"))
        friend = relationship("NobodyAtAll")

    with pytest.raises(BenchError, match="NobodyAtAll"):
        strategies_for(Lonely, "friend")


def test_a_deferred_column_is_none_of_what_objects_are_compared_by() -> None:
    assert set(ORDERS[0].only) == {"Order.id", "Order.price", "Order.voucher_id"}
