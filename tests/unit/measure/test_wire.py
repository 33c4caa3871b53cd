"""What rows hold: widths of values in either format, and the bytes that repeat an entity."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload
from support.library import library

from bench.measure.wire import ROW_FRAME, VALUE_FRAME, binary_width, rows_held, text_width
from bench.model.wire import WireBytes
from scenarios.one_to_many import User

NOON = datetime.fromisoformat("2026-02-28T12:30:15.250")


@pytest.mark.parametrize(
    ("value", "text", "binary"),
    [
        (None, 0, 0),
        ("é", 2, 2),
        (True, 1, 1),
        (-120, 4, 4),
        (0.5, 3, 8),
        (b"\0\1\2", 8, 3),
        (NOON, 22, 8),
        (NOON.replace(microsecond=0, tzinfo=UTC), 22, 8),
        (date(2026, 2, 28), 10, 4),
        (time(12, 30), 8, 8),
        (timedelta(days=1), 14, 16),
        (UUID(int=7), 36, 16),
        (Decimal("12345.6000"), 10, 8 + 2 * 3),
        (Decimal("0.00"), 4, 8),
        (["a"], 5, 5),
    ],
)
def test_a_value_is_as_wide_as_it_is_sent(value: Any, text: int, binary: int) -> None:
    assert text_width(value, None) == text
    assert binary_width(value, None) == binary


def test_in_binary_a_number_is_as_wide_as_the_type_that_the_driver_names() -> None:
    assert [binary_width(7, oid) for oid in (21, 23, 20, None)] == [2, 4, 8, 4]


@given(st.text())
def test_text_is_as_wide_as_its_utf_8(text: str) -> None:
    text = text.encode(errors="ignore").decode()

    assert text_width(text, 25) == binary_width(text, 25) == len(text.encode())


def held(*options: Any) -> WireBytes:
    """Two users, of whom one has three books and the other one."""
    engine = library(3, 1)
    return rows_held(
        engine, lambda: Session(engine), lambda session: session.scalars(select(User).options(*options)).unique().all()
    )


USER = [len(value) + VALUE_FRAME for value in ("1", "User 1", "user1@example.org", "b" * 10)]


def test_a_join_repeats_the_parent_of_every_child_but_the_first_and_nothing_else() -> None:
    found = held(joinedload(User.books))

    assert found.rows == 4
    assert found.repeated_bytes == 2 * sum(USER)
    assert found.framing_bytes == 4 * ROW_FRAME + found.values * VALUE_FRAME
    assert found.repeated_share == pytest.approx(found.repeated_bytes / (found.content_bytes + found.framing_bytes))


def test_where_each_row_is_an_entity_of_its_own_nothing_repeats() -> None:
    assert held(selectinload(User.books)).repeated_bytes == 0


def test_nothing_at_all_repeats_nothing() -> None:
    engine = library()
    found = rows_held(engine, lambda: Session(engine), lambda session: session.scalars(select(User)).all())

    assert (found.rows, found.row_bytes, found.repeated_share) == (0, 0, 0.0)
