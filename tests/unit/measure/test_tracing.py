"""Every statement of a load is told with its rows, who asked for it, what it loads, and the user's line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session
from support.library import library

from bench.catalogue import is_available
from bench.measure.statements import counting
from bench.measure.tracing import abbreviated, traced_load
from bench.model import Strategy
from bench.model.profile import Sending
from scenarios.one_to_many import ONE_TO_MANY, User

BOOKS = (3, 5, 1, 4, 2)
STRATEGIES = pytest.mark.parametrize(
    "strategy", [*filter(is_available, ONE_TO_MANY.strategies)], ids=lambda strategy: strategy.name
)


def sent(load: Callable[[Session], Any], engine: Engine | None = None) -> tuple[Sending, ...]:
    made = engine or library(*BOOKS)
    return traced_load(made, lambda: Session(made), load).sendings()


def by(name: str) -> tuple[Sending, ...]:
    strategy = next(one for one in ONE_TO_MANY.strategies if one.name == name)
    return sent(lambda session: ONE_TO_MANY.load(session, strategy))


@STRATEGIES
def test_executions_and_rows_are_those_that_counting_finds(strategy: Strategy) -> None:
    engine = library(*BOOKS)
    with Session(engine) as session, counting(engine) as tally:
        ONE_TO_MANY.load(session, strategy)

    found = sent(lambda session: ONE_TO_MANY.load(session, strategy), engine)

    assert [(one.sql, one.executions, one.rows) for one in found] == [
        (one.sql, one.executions, one.rows) for one in tally.counters().by_statement
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lazy", [("load", ("User",), False), ("lazy", ("User.books",), True)]),
        ("immediate", [("load", ("User",), False), ("lazy", ("User.books",), True)]),
        ("selectin", [("load", ("User",), False), ("eager", ("User.books",), False)]),
        ("subquery", [("load", ("User",), False), ("eager", ("User.books",), False)]),
        ("joined", [("load", ("User", "User.books"), False)]),
        ("contains_eager", [("load", ("User", "User.books"), False)]),
    ],
)
def test_who_asked_what_is_loaded_and_the_n_plus_one_are_named(name: str, expected: list[Any]) -> None:
    assert [(one.asking, one.paths, one.is_n_plus_one) for one in by(name)] == expected


def test_the_line_is_the_users_own_that_had_it_sent() -> None:
    users, books = by("lazy")

    source = (Path(__file__).parents[3] / "scenarios/one_to_many.py").read_text().splitlines()
    for one, code in ((users, "result = session.scalars"), (books, "user.books")):
        file, _, number = one.line.rpartition(":")
        assert file == "scenarios/one_to_many.py"
        assert source[int(number) - 1].strip() == one.code
        assert one.code.startswith(code)


def test_the_same_text_from_two_lines_is_told_apart() -> None:
    def load(session: Session) -> None:
        session.execute(text("SELECT 1"))
        session.execute(text("SELECT 1"))

    assert [one.executions for one in sent(load)] == [1, 1]


def test_a_loop_of_the_users_own_is_an_n_plus_one() -> None:
    def load(session: Session) -> None:
        for number in (1, 2, 3):
            session.get(User, number)

    (one,) = sent(load)
    assert (one.executions, one.rows, one.is_n_plus_one, one.parameters) == (3, 3, True, ("1",))


def test_rows_that_are_read_while_others_are_sent_count_for_their_own_statement() -> None:
    def load(session: Session) -> None:
        for _ in session.execute(text("SELECT id FROM users")).yield_per(2):
            session.execute(text("SELECT 1")).all()

    assert sorted((one.executions, one.rows) for one in sent(load)) == [(1, 5), (5, 5)]


def test_a_deferred_or_expired_column_is_asked_for_by_the_orm() -> None:
    def load(session: Session) -> None:
        user = session.get_one(User, 1)
        session.expire(user, ["name"])
        user.name  # noqa: B018 - the access is the load

    assert [one.asking for one in sent(load)] == ["load", "column"]


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ((), ((), 0)),
        (None, ((), 0)),
        ((1, "a"), (("1", "'a'"), 0)),
        ({"id_1": 7}, (("id_1=7",), 0)),
        (tuple(range(500)), (("0", "1", "2", "3", "4", "5"), 494)),
        (("x" * 500,), (("'" + "x" * 38 + "…",), 0)),
    ],
)
def test_parameters_are_shortened_and_what_is_left_out_is_counted(parameters: Any, shown: Any) -> None:
    assert abbreviated(parameters) == shown
