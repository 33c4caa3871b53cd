"""What each way to take from a result does on no row, one row and several; `docs/scenarios.md` shows the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Result, create_engine, literal, select, union_all
from sqlalchemy.exc import MultipleResultsFound, NoResultFound

METHODS: dict[str, Callable[[Result[Any]], Any]] = {
    "all()": lambda result: result.all(),
    "scalars().all()": lambda result: result.scalars().all(),
    "first()": lambda result: result.first(),
    "scalar()": lambda result: result.scalar(),
    "one()": lambda result: result.one(),
    "scalar_one()": lambda result: result.scalar_one(),
    "one_or_none()": lambda result: result.one_or_none(),
    "scalar_one_or_none()": lambda result: result.scalar_one_or_none(),
}

DOCS = Path(__file__).parents[3] / "docs" / "scenarios.md"


def outcome(method: str, rows: int) -> str:
    """What the method gives for rows that hold 1, 2, and so on, in the words of the table."""
    numbers = [select(literal(number)) for number in range(1, rows + 1)] or [select(literal(1)).where(literal(0) == 1)]
    made = create_engine("sqlite://")
    try:
        with made.connect() as connection:
            found = METHODS[method](connection.execute(union_all(*numbers)))
    except (NoResultFound, MultipleResultsFound) as error:
        return f"raises {type(error).__name__}"
    finally:
        made.dispose()
    return str(found)


@pytest.mark.parametrize("method", METHODS)
def test_the_table_of_the_documentation_is_what_happens(method: str) -> None:
    row = " | ".join([f"`{method}`", *(f"`{outcome(method, rows)}`" for rows in (0, 1, 2))])

    assert f"| {row} |" in DOCS.read_text()
