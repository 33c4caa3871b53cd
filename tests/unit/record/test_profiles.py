"""A profile's file: what was stored is read again, whatever was seen; what is no profile is refused."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.model.profile import (
    Asking,
    Looked,
    Observed,
    Phases,
    PlanNode,
    Sending,
    StatementParts,
    StatementPlan,
    Times,
)
from bench.record.profiles import PROFILE_FILE, load_profile, save_profile

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
counts = st.integers(0, 10**12)
nodes = st.recursive(
    st.builds(PlanNode, operation=texts, detail=texts, rows=st.none() | st.floats(0, 1e9), loops=st.none() | counts),
    lambda below: st.builds(PlanNode, operation=texts, children=st.lists(below, max_size=2).map(tuple)),
    max_leaves=4,
)
sendings = st.builds(
    Sending, sql=texts, executions=counts, rows=counts, asking=st.sampled_from(get_args(Asking)),
    paths=st.lists(texts, max_size=2).map(tuple), line=texts, code=texts,
    parameters=st.lists(texts, max_size=2).map(tuple), more_parameters=counts,
)  # fmt: skip
roots = st.lists(nodes, max_size=2).map(tuple)
plans = st.builds(StatementPlan, sql=texts, roots=roots, jit=st.none() | st.booleans(), error=texts)
parts = st.builds(StatementParts, sql=texts, executions=counts, ns=st.fixed_dictionaries({"wait": counts}))
phases = st.builds(Phases, wall_ns=counts, statements=st.lists(parts, max_size=2).map(tuple))
times = st.builds(
    Times,
    observed=st.lists(st.builds(Observed, phases=phases, server_ns=st.none() | counts), max_size=2).map(tuple),
    unobserved_ns=st.lists(counts, max_size=2).map(tuple),
    silent=texts,
)
looked = st.builds(
    Looked, scenario=texts, size=texts, target=texts, driver=texts, strategy=texts, error=texts, died=st.booleans(),
    sendings=st.lists(sendings, max_size=2).map(tuple), plans=st.lists(plans, max_size=2).map(tuple),
    times=st.none() | times, calls=st.none(), wire=st.none(), memory=st.none(),
)  # fmt: skip


@given(looks=st.lists(looked, max_size=2))
def test_what_was_stored_is_read_again(looks: list[Looked], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("profile")
    save_profile(looks, folder)

    assert load_profile(folder) == tuple(looks)
    assert [path.name for path in folder.iterdir()] == [PROFILE_FILE]


def test_a_folder_without_a_profile_has_none(tmp_path: Path) -> None:
    assert load_profile(tmp_path) == ()


@pytest.mark.parametrize("stored", ["[" * 100_000, "", "[{", "{}", '[{"scenario": "s"}]', "\x00", "7"])
def test_what_is_no_profile_is_a_sentence(stored: str, tmp_path: Path) -> None:
    (tmp_path / PROFILE_FILE).write_text(stored)

    with pytest.raises(BenchError, match="is not a profile") as refused:
        load_profile(tmp_path)
    assert refused.value.remedy


def test_bytes_that_are_no_text_are_no_profile(tmp_path: Path) -> None:
    (tmp_path / PROFILE_FILE).write_bytes(b'[{"scenario": "\xff\xfe"}]')

    with pytest.raises(BenchError, match="is not a profile"):
        load_profile(tmp_path)


def test_a_folder_that_cannot_be_written_to_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="Nothing can be stored"):
        save_profile([], tmp_path / "gone")
