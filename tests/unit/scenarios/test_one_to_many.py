import pytest
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session
from support.library import library

from bench.catalogue import is_available
from bench.measure.graph import fingerprint, graph_lines
from bench.model import Strategy
from scenarios.one_to_many import ONE_TO_MANY


def graph(strategy: Strategy, *books_of_each: int) -> str:
    with Session(library(*books_of_each)) as session:
        return fingerprint(graph_lines(ONE_TO_MANY, ONE_TO_MANY.load(session, strategy)))


def strategy(name: str) -> Strategy:
    return next(one for one in (*ONE_TO_MANY.strategies, *ONE_TO_MANY.controls) if one.name == name)


@pytest.mark.parametrize(
    "name", [one.name for one in ONE_TO_MANY.strategies if is_available(one) and one.name != "joined_inner"]
)
def test_every_strategy_loads_the_same_graph_with_childless_parents_too(name: str) -> None:
    assert graph(strategy(name), 3, 0, 2) == graph(strategy("lazy"), 3, 0, 2)


def test_an_inner_join_loses_parents_without_children_and_no_others() -> None:
    assert graph(strategy("joined_inner"), 3, 1, 2) == graph(strategy("lazy"), 3, 1, 2)
    assert graph(strategy("joined_inner"), 3, 0, 2) != graph(strategy("lazy"), 3, 0, 2)


def test_the_control_refuses_to_load() -> None:
    with pytest.raises(InvalidRequestError, match="raise"):
        graph(strategy("raise"), 1)
