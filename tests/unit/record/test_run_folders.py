from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.record import folder_of, new_folder
from bench.record.folders import LONGEST_LABEL, slug

NOON = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


def stored(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    return folder


def test_a_folder_is_named_by_its_time_in_utc_and_its_label(tmp_path: Path) -> None:
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    assert new_folder(tmp_path / "results", "first look", east) == tmp_path / "results" / "20260301-120005-first-look"


def test_runs_that_begin_in_the_same_second_get_folders_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: new_folder(tmp_path, "x", NOON), range(40)))
    assert {folder.name for folder in folders} == {"20260301-120005-x"} | {
        f"20260301-120005-x-{n}" for n in range(2, 41)
    }


@given(st.text())
def test_a_label_never_leads_out_of_the_results_folder(label: str) -> None:
    name = slug(label)
    assert name
    assert name.isascii()
    assert len(name) <= LONGEST_LABEL
    assert Path("results", f"20260301-120005-{name}").parent == Path("results")
    assert not set(name) & set("/\\\0: \n")


@pytest.mark.parametrize(
    ("label", "name"), [("", "run"), ("../../etc", "etc"), ("Änderung 2.1", "Anderung-2.1"), ("日本", "run")]
)
def test_labels_become_plain_names(label: str, name: str) -> None:
    assert slug(label) == name


def test_a_results_folder_that_is_a_file_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(BenchError, match=r"Nothing can be stored in .*results.*--results"):
        new_folder(tmp_path / "results", "x", NOON)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_results_folder_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BenchError, match="--results"):
        new_folder(tmp_path / "results", "x", NOON)


def test_a_results_folder_with_an_impossible_name_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="shorter path"):
        new_folder(tmp_path / ("x" * 300), "x", NOON)


def test_a_run_is_found_by_folder_file_and_name(tmp_path: Path) -> None:
    folder = stored(tmp_path / "results" / "20260301-120005-x")
    for name in (folder, str(folder), folder / "run.json", folder.name):
        assert folder_of(name, results=tmp_path / "results") == folder


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    stored(tmp_path / "20260301-120005-before")
    stored(tmp_path / "20260301-120005-after")
    with pytest.raises(BenchError, match=r"no run '20260301-120005-befor'.*: 20260301-120005-before"):
        folder_of("20260301-120005-befor", results=tmp_path)


@pytest.mark.parametrize("name", ["nowhere", "", "x" * 5000, "null\0byte", "/"])
def test_no_run_at_all_is_an_error_that_says_how_to_make_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BenchError, match="bench run --size"):
        folder_of(name, results=tmp_path / "results")
