"""The baseline file: what is written is read again, equal baselines are equal texts, and damage is a sentence."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.model.baseline import AtPlace, Baseline, Loaded, MadeWith, Place, SentText
from bench.record.baseline import from_text, read_baseline, to_text, write_baseline

K = TypeVar("K")
V = TypeVar("V")

counts = st.integers(0, 2**53)
words = st.text(min_size=1, max_size=12)
sents = st.lists(
    st.builds(SentText, sql=words, times=counts, plan=st.lists(words, max_size=3).map(tuple)),
    max_size=4,
    unique_by=lambda one: one.sql,
)
loads = st.builds(
    Loaded,
    statements=counts,
    rows=counts,
    repeated_rows=counts,
    parameters=counts,
    bytes=counts,
    sent=sents.map(lambda found: tuple(sorted(found, key=lambda one: one.sql))),
    calls=st.none() | counts,
)
sizes = st.lists(st.integers(1, 2000), min_size=1, max_size=3).map(lambda found: "x".join(map(str, found)))
made = st.builds(MadeWith, sqlalchemy=words, server=words, driver=words, dataset=words, calls_with=st.just("") | words)


@st.composite
def baselines(draw: st.DrawFn) -> Baseline:
    """Baselines of which all sizes of a scenario on a database have one schema, as they have."""
    places = draw(st.lists(st.builds(Place, scenario=words, database=words, size=sizes), max_size=4, unique=True))
    schemas = {
        key: tuple(sorted(draw(st.lists(words, max_size=3, unique=True))))
        for key in {(place.scenario, place.database) for place in places}
    }
    return {
        place: AtPlace(
            made_with=draw(made),
            schema=schemas[place.scenario, place.database],
            loads=draw(st.dictionaries(words, loads, max_size=3)),
        )
        for place in places
    }


def a_baseline() -> Baseline:
    load = Loaded(
        statements=2,
        rows=1100,
        repeated_rows=0,
        parameters=100,
        bytes=86307,
        sent=(SentText(sql="SELECT 1", times=2, plan=("SCAN users",)),),
    )
    made_with = MadeWith(sqlalchemy="2.1.9", server="sqlite 3.40.1", driver="pysqlite", dataset="0123456789ab")
    return {
        Place(scenario="s", database="sqlite", size=size): AtPlace(
            made_with=made_with, schema=("CREATE INDEX i",), loads={"selectin": load, "lazy": load}
        )
        for size in ("100x10", "20x5")
    }


@given(baselines())
def test_what_is_written_is_read_again(baseline: Baseline) -> None:
    assert from_text(to_text(baseline)) == baseline


@given(baselines(), st.randoms(use_true_random=False))
def test_equal_baselines_are_equal_texts_whatever_the_order(baseline: Baseline, random: Random) -> None:
    other = {
        place: AtPlace(made_with=here.made_with, schema=here.schema, loads=shuffled(here.loads, random))
        for place, here in shuffled(baseline, random).items()
    }
    assert to_text(other) == to_text(baseline)


def shuffled(values: dict[K, V], random: Random) -> dict[K, V]:
    items = list(values.items())
    random.shuffle(items)
    return dict(items)


def read_or_refused(text: str) -> None:
    with suppress(BenchError):
        from_text(text)


@given(st.text(max_size=200))
def test_any_text_is_a_baseline_or_a_sentence(text: str) -> None:
    read_or_refused(text)
    read_or_refused('{"bench_baseline": 1}\n' + text)


@given(baselines(), st.integers(0, 5000), st.sampled_from(["", "x", "\n", "{}", "[]", "null", '"', "9"]))
def test_a_damaged_baseline_is_read_or_a_sentence(baseline: Baseline, at: int, inserted: str) -> None:
    text = to_text(baseline)
    read_or_refused(text[:at] + inserted + text[at + 1 :])


def test_a_changed_count_is_one_line_of_a_diff() -> None:
    before = to_text(a_baseline()).splitlines()
    after = to_text(a_baseline()).replace('"lazy", "load": {"statements": 2', '"lazy", "load": {"statements": 3', 1)

    assert sum(was != is_ for was, is_ in zip(before, after.splitlines(), strict=True)) == 1


def test_it_is_sorted_by_number_of_rows_and_has_a_schema_once() -> None:
    lines = [json.loads(line) for line in to_text(a_baseline()).splitlines()]

    assert [line.get("size") for line in lines] == [None, None, "20x5", "20x5", "20x5", "100x10", "100x10", "100x10"]
    assert [line.get("strategy") for line in lines[2:5]] == [None, "lazy", "selectin"]


def line(**changes: object) -> str:
    lines = [json.loads(text) for text in to_text(a_baseline()).splitlines()]
    return json.dumps({**lines[3], **changes})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        ('{"bench_baseline": 3}\n', "has format 3, and this program reads up to 2"),
        ('{"bench_baseline": true}\n', "its first line is not"),
        ("[1]\n", "its first line is not"),
        ('{"bench_baseline": 1}\n<<<<<<< HEAD\n', "line 2 is the mark of a merge conflict"),
        ('{"bench_baseline": 1}\n{"scenario": 1}\n', "line 2: Expected `str`"),
        ('{"bench_baseline": 1}\n{"scenario": "s", "database": "d"}\n', "line 2: it has to have one of"),
        ('{"bench_baseline": 1}\nnonsense\n', "line 2: it is not JSON"),
        ('{"bench_baseline": 1}\n' + line() + "\n", "line 2: the versions of its place are missing"),
        (to_text(a_baseline()) + line() + "\n", "line 9: its load was there before"),
        (to_text(a_baseline()) + line(unknown=1) + "\n", "line 9: Object contains unknown field"),
        (to_text(a_baseline()) + line(strategy="") + "\n", "line 9: a load is of a strategy"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "bench-baseline.jsonl"
    file.write_text(text)

    with pytest.raises(BenchError) as raised:
        read_baseline(file)

    assert says in str(raised.value)
    assert raised.value.remedy


def test_a_file_that_is_missing_or_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="There is no baseline"):
        read_baseline(tmp_path / "none")
    with pytest.raises(BenchError, match="cannot be read"):
        read_baseline(tmp_path)
    with pytest.raises(BenchError, match="cannot be written"):
        write_baseline(tmp_path / "none" / "file", a_baseline())


def test_windows_line_ends_are_read() -> None:
    assert from_text(to_text(a_baseline()).replace("\n", "\r\n")) == a_baseline()


def test_a_file_of_the_first_format_is_read_and_has_no_calls() -> None:
    lines = to_text(a_baseline()).splitlines()
    first = ['{"bench_baseline": 1}', *(line.replace(', "calls_with": ""', "") for line in lines[1:])]

    assert not any("calls" in line for line in first)
    assert from_text("\n".join(first)) == a_baseline()
