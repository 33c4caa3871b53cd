"""Blocks begin and end while other threads send statements: the threads notice nothing of it.

SQLAlchemy walks its listeners while it sends. Here it stops in the middle of that walk, in a listener of the
application's own with another one after it, until blocks have begun and ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.orm import Session

from bench.testing import count_statements
from scenarios.one_to_many import Base, User

LONG = 30.0
"""Seconds after which a thread that waits for the other gives up, and the test fails."""

TARGETS = ("the engine", "every engine", "every session")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path / 'shared.sqlite3'}")
    Base.metadata.create_all(made)
    with count_statements():
        pass  # the first block of a process adds what stays
    yield made
    made.dispose()


@pytest.fixture
def listens(engine: Engine) -> Iterator[Callable[[str, Callable[..., None]], None]]:
    """Add listeners as an application has them, and take them off again."""
    with ExitStack() as added:

        def listen(on: str, function: Callable[..., None]) -> None:
            target: Any = {"the engine": engine, "every engine": Engine, "every session": Session}[on]
            name = "do_orm_execute" if target is Session else "after_cursor_execute"
            event.listen(target, name, function)
            added.callback(event.remove, target, name, function)

        yield listen


def blocks(engine: Engine) -> None:
    """Begin and end blocks of every kind, side by side and in one another."""
    for sources in ((), (engine,), (engine.execution_options(isolation_level="AUTOCOMMIT"),)):
        with count_statements(*sources), count_statements(engine):
            pass


@pytest.mark.parametrize("on", TARGETS)
def test_a_thread_that_sends_notices_nothing_of_blocks_that_begin_and_end(
    on: str, engine: Engine, listens: Callable[[str, Callable[..., None]], None]
) -> None:
    halfway, go_on = Event(), Event()

    def wait(*_: object) -> None:
        halfway.set()
        assert go_on.wait(LONG)

    def send() -> None:
        with Session(engine) as session:
            session.scalars(select(User)).all()

    listens(on, wait)
    listens(on, lambda *_: None)
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(send)
        try:
            assert halfway.wait(LONG)
            blocks(engine)
        finally:
            go_on.set()

    assert sent.exception() is None


@pytest.mark.parametrize("on", TARGETS)
def test_nor_does_the_thread_itself_where_a_listener_counts(
    on: str, engine: Engine, listens: Callable[[str, Callable[..., None]], None]
) -> None:
    listens(on, lambda *_: blocks(engine))
    listens(on, lambda *_: None)
    with Session(engine) as session, count_statements(engine, exactly=1):
        session.scalars(select(User)).all()


def test_a_block_that_begins_or_ends_while_a_statement_is_told_leaves_the_others_theirs(
    engine: Engine, listens: Callable[[str, Callable[..., None]], None]
) -> None:
    outer = count_statements(engine)
    listens("the engine", lambda *_: outer.__exit__(None, None, None))
    with count_statements(engine, exactly=1), Session(engine) as session:
        first = outer.__enter__()
        session.scalars(select(User)).all()

    assert first.statements == 1
