"""A result that is read in parts: memory stays flat, and what cannot be read so is refused."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from bench.connect import engine
from bench.datasets import seed
from bench.model import DatasetOptions, Size, Strategy, Target
from scenarios.streaming import STREAMING as USUAL

STREAMING = USUAL.configured({"part": 50})


@contextmanager
def seeded(path: Path, size: Size) -> Iterator[Engine]:
    target = Target(name="sqlite", dialect="sqlite", driver="pysqlite", provider="embedded", database=str(path))
    seed(STREAMING, size, DatasetOptions(), target)
    made = engine(target)
    yield made
    made.dispose()


def peak_bytes(path: Path, size: Size, strategy: Strategy) -> int:
    with seeded(path, size) as made:
        for _ in range(2):  # the first load compiles its statements
            with Session(made) as session:
                tracemalloc.start()
                STREAMING.load(session, strategy)
                _, most = tracemalloc.get_traced_memory()
                tracemalloc.stop()
    return most


def named(name: str) -> Strategy:
    return next(strategy for strategy in STREAMING.strategies if strategy.name == name)


@pytest.mark.parametrize("name", ["selectin", "selectin_partitions"])
def test_memory_stays_flat_where_a_result_is_read_in_parts(name: str, tmp_path: Path) -> None:
    small = peak_bytes(tmp_path / "small", Size((150, 5)), named(name))
    large = peak_bytes(tmp_path / "large", Size((600, 5)), named(name))

    assert large < 1.5 * small


def test_memory_grows_with_the_result_where_it_is_read_at_once(tmp_path: Path) -> None:
    small = peak_bytes(tmp_path / "small", Size((150, 5)), named("selectin_all"))
    large = peak_bytes(tmp_path / "large", Size((600, 5)), named("selectin_all"))

    assert large > 3 * small


@pytest.mark.parametrize("strategy", STREAMING.controls, ids=lambda strategy: strategy.name)
def test_a_strategy_whose_rows_could_lie_in_two_parts_is_refused(strategy: Strategy, tmp_path: Path) -> None:
    with (
        seeded(tmp_path / "f", Size((3, 2))) as made,
        Session(made) as session,
        pytest.raises(InvalidRequestError, match="yield_per"),
    ):
        STREAMING.load(session, strategy)
