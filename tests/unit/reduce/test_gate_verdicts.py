"""What a difference from the baseline is: worse, another, better, or not to be judged."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.baseline import CALLS_TOLERANCE, FEW_CALLS, FIGURES, AtPlace, Loaded, MadeWith, Place, SentText
from bench.reduce.gate import Checked, Now, check

PLACE = Place(scenario="one_to_many", database="sqlite", size="100x10")
MADE = MadeWith(
    sqlalchemy="2.1.9", server="sqlite 3.40.1", driver="pysqlite", dataset="0123456789ab", calls_with="CPython 3.11"
)
INDEX = "CREATE INDEX ix ON books (user_id)"
USERS = SentText(sql="SELECT users.id FROM users", times=1, plan=("SCAN users",))
BOOKS = SentText(sql="SELECT books.id FROM books WHERE books.user_id IN (?, ...)", times=1, plan=("SCAN books",))


def a_load(**changes: Any) -> Loaded:
    values: dict[str, Any] = {
        "statements": 2,
        "rows": 1100,
        "repeated_rows": 10,
        "parameters": 100,
        "bytes": 86307,
        "sent": (USERS, BOOKS),
        "calls": 20_000,
    }
    return Loaded(**{**values, **changes})


def compared(
    now: Loaded, *, made: MadeWith = MADE, schema: tuple[str, ...] = (INDEX,), before: Loaded | None = None
) -> Checked:
    stored = AtPlace(made_with=MADE, schema=(INDEX,), loads={"selectin": before or a_load()})
    found = AtPlace(made_with=made, schema=schema, loads={"selectin": now})
    return check({PLACE: stored}, {PLACE: Now(found=found, faults={}, left_out={})})


def verdicts(checked: Checked) -> list[str]:
    return [finding.verdict for finding in checked.findings]


def test_what_is_equal_is_no_finding() -> None:
    assert compared(a_load()).findings == ()


@given(
    st.dictionaries(st.sampled_from(FIGURES), st.integers(0, 200_000), min_size=1),
    st.sampled_from([(USERS, BOOKS), (BOOKS, USERS), (USERS,), (USERS, dataclasses.replace(BOOKS, times=3))]),
)
def test_no_difference_is_silent_and_more_of_anything_fails(
    figures: dict[str, int], sent: tuple[SentText, ...]
) -> None:
    before, now = a_load(), a_load(**figures, sent=sent)
    more = any(getattr(now, name) > getattr(before, name) for name in FIGURES)
    differs = any(getattr(now, name) != getattr(before, name) for name in FIGURES) or set(sent) != {USERS, BOOKS}

    checked = compared(now)

    assert bool(checked.findings) == differs
    assert bool(checked.failing) >= more


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"statements": 101}, "worse"),
        ({"statements": 101, "rows": 100, "repeated_rows": 0}, "worse"),
        ({"statements": 1, "repeated_rows": 900}, "changed"),
        ({"rows": 1000}, "better"),
        ({"rows": 1101}, "worse"),
        ({"bytes": 90000}, "worse"),
        ({"parameters": 99}, "changed"),
        ({"parameters": 101}, "worse"),
        ({"sent": (USERS, dataclasses.replace(BOOKS, sql=BOOKS.sql + " ORDER BY books.id"))}, "changed"),
        ({"sent": (USERS, dataclasses.replace(BOOKS, plan=("SEARCH books",)))}, "changed"),
        ({"sent": (dataclasses.replace(USERS, times=2), BOOKS)}, "changed"),
        ({"calls": 20_101}, "worse"),
        ({"calls": 19_899}, "better"),
        ({"calls": 30_000, "statements": 101}, "worse"),
        ({"calls": 10_000, "rows": 1000}, "better"),
    ],
)
def test_what_a_difference_amounts_to(changes: dict[str, Any], verdict: str) -> None:
    assert verdicts(compared(a_load(**changes))) == [verdict]


@pytest.mark.parametrize(
    ("schema", "verdict"),
    [
        ((), "worse"),
        ((INDEX, "CREATE INDEX iy ON books (year)"), "better"),
        ((INDEX, "CREATE TRIGGER t"), "changed"),
        (("CREATE INDEX ix ON books (user_id, year)",), "changed"),
    ],
)
def test_what_a_difference_of_the_schema_amounts_to(schema: tuple[str, ...], verdict: str) -> None:
    assert verdicts(compared(a_load(), schema=schema)) == [verdict]


@pytest.mark.parametrize(
    ("version", "changes", "fails"),
    [
        ({"sqlalchemy": "2.0.49"}, {"sent": (USERS,)}, False),
        ({"sqlalchemy": "2.0.49"}, {"bytes": 90000}, False),
        ({"sqlalchemy": "2.0.49"}, {"statements": 3}, True),
        ({"sqlalchemy": "2.0.49"}, {"rows": 1101}, True),
        ({"server": "sqlite 3.45.0"}, {"sent": (USERS, dataclasses.replace(BOOKS, plan=("SEARCH",)))}, False),
        ({"server": "sqlite 3.45.0"}, {"sent": (USERS,)}, True),
        ({"driver": "aiosqlite"}, {"bytes": 90000}, False),
        ({"driver": "aiosqlite"}, {"sent": (USERS,)}, True),
    ],
)
def test_what_hangs_on_a_version_that_differs_is_told_and_not_judged(
    version: dict[str, str], changes: dict[str, Any], fails: bool
) -> None:
    checked = compared(a_load(**changes), made=dataclasses.replace(MADE, **version))

    assert bool(checked.failing) == fails
    assert checked.findings
    assert checked.notes


def test_casts_make_no_difference_between_drivers_and_one_within_a_driver() -> None:
    cast = a_load(sent=(USERS, dataclasses.replace(BOOKS, sql=BOOKS.sql.replace("?", "?::INTEGER"))))

    assert verdicts(compared(cast)) == ["changed"]
    assert compared(cast, made=dataclasses.replace(MADE, driver="aiosqlite")).findings == ()


def test_the_reason_comes_first_and_improvements_last() -> None:
    stored = AtPlace(made_with=MADE, schema=(INDEX,), loads={"a": a_load(), "b": a_load(), "c": a_load()})
    loads = {"a": a_load(rows=1000), "b": a_load(parameters=99), "c": a_load(statements=101)}
    found = AtPlace(made_with=MADE, schema=(INDEX,), loads=loads)

    checked = check({PLACE: stored}, {PLACE: Now(found=found, faults={}, left_out={})})

    assert [finding.strategy for finding in checked.findings] == ["c", "b", "a"]
    assert [finding.strategy for finding in checked.better] == ["a"]


def test_a_load_that_is_wrong_now_fails_and_one_that_cannot_be_had_does_not() -> None:
    stored = AtPlace(made_with=MADE, schema=(), loads={"a": a_load(), "b": a_load(), "c": a_load()})
    now = Now(
        found=AtPlace(made_with=MADE, schema=(), loads={}),
        faults={"a": "fails: ValueError"},
        left_out={"b": "is left out: it needs SQLAlchemy 9.0"},
    )

    found = {finding.strategy: finding for finding in check({PLACE: stored}, {PLACE: now}).findings}

    assert {name: finding.verdict for name, finding in found.items()} == {"a": "worse", "b": "noted", "c": "worse"}
    assert "no longer" in found["c"].says


@pytest.mark.parametrize("calls", [20_000, 20_100, 19_900, None])
def test_python_calls_within_the_tolerance_are_as_they_were(calls: int | None) -> None:
    assert CALLS_TOLERANCE == 0.005
    assert compared(a_load(calls=calls)).findings == ()


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ({"calls_with": "CPython 3.13"}, "made with CPython 3.11, and this is CPython 3.13: Python calls are not"),
        ({"sqlalchemy": "2.0.49", "calls_with": "CPython 3.13"}, "and Python calls are not compared."),
        ({"driver": "aiosqlite", "calls_with": "CPython 3.11, aiosqlite 0.22.1"}, "and Python calls are not compared."),
    ],
)
def test_python_calls_of_other_versions_are_not_compared_and_it_is_said_in_one_line(
    version: dict[str, str], says: str
) -> None:
    checked = compared(a_load(calls=30_000), made=dataclasses.replace(MADE, **version))

    assert checked.findings == ()
    assert len(checked.notes) == 1
    assert says in checked.notes[0]


def test_a_baseline_without_python_calls_says_how_it_comes_to_have_them() -> None:
    old = AtPlace(made_with=dataclasses.replace(MADE, calls_with=""), schema=(), loads={"lazy": a_load(calls=None)})
    now = AtPlace(made_with=MADE, schema=(), loads={"lazy": a_load()})

    checked = check({PLACE: old}, {PLACE: Now(found=now, faults={}, left_out={})})

    assert checked.findings == ()
    assert checked.notes == (
        "The baseline of one_to_many on sqlite has no Python calls: they are compared once it is written again.",
    )


def test_more_python_calls_are_told_beside_what_is_better_and_not_beside_what_fails_already() -> None:
    better = compared(a_load(calls=30_000, statements=1))
    other = compared(a_load(calls=30_000, parameters=99))

    assert verdicts(better) == ["worse", "better"]
    assert verdicts(other) == ["changed"]
    assert better.failing[0].says == "now calls Python functions 30,000 times, baseline 20,000 (+50.0 %)"


def test_of_few_python_calls_some_dozens_are_as_few() -> None:
    assert FEW_CALLS == 100
    assert compared(a_load(calls=2_100), before=a_load(calls=2_000)).findings == ()
    assert verdicts(compared(a_load(calls=2_101), before=a_load(calls=2_000))) == ["worse"]
