from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.any_run import any_run
from support.runs import make_run

from bench.errors import BenchError
from bench.model import Run, parse_target
from bench.record import FORMAT_VERSION, load, save

GOLDEN = Path(__file__).parents[2] / "data" / "run-v1.json"
GOLDEN_2 = GOLDEN.with_name("run-v2.json")

# A folder made once serves every example: each writes the whole file anew.
SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
FEW = settings(SHARED_FOLDER, max_examples=40)


def changed(folder: Path, **fields: Any) -> Path:
    document = json.loads(GOLDEN.read_text()) | fields
    (folder / "run.json").write_text(json.dumps(document))
    return folder


@FEW
@given(run=any_run())
def test_any_run_is_read_back_as_it_was_saved(run: Run, tmp_path: Path) -> None:
    save(run, tmp_path)
    assert load(tmp_path) == run


def test_a_file_of_the_first_format_stays_readable() -> None:
    run = load(GOLDEN)
    assert run.id == "20260102-030405-golden"
    assert [len(case.arms) for case in run.cases] == [13]
    assert run.cases[0].arms[0].samples[0].wall_ns[0] > 0


def test_a_run_of_the_first_format_has_one_target_that_every_arm_and_worker_names() -> None:
    run = load(GOLDEN)
    (case,) = run.cases
    assert run.format_version == FORMAT_VERSION
    assert case.spec.targets == run.planned[0].targets == (parse_target("sqlite"),)
    assert (case.targets[0].server_version, len(case.datasets)) == ("3.40.1", 1)
    assert {arm.target for arm in case.arms} == {worker.target for worker in case.workers} == {"sqlite"}


@pytest.mark.parametrize("text", ["postgres:17+asyncpg", "sqlite+aiosqlite"])
def test_every_target_that_the_first_format_could_name_is_read(text: str, tmp_path: Path) -> None:
    document = json.loads(GOLDEN.read_text())
    document["planned"][0]["target"] = text
    assert str(load(changed(tmp_path, planned=document["planned"])).planned[0].targets[0]) == text


def test_a_target_of_the_first_format_that_there_is_none_of_is_an_error_with_the_file(tmp_path: Path) -> None:
    document = json.loads(GOLDEN.read_text())
    document["cases"][0]["spec"]["target"] = "oracle"
    with pytest.raises(BenchError, match=r"run\.json' is not a run: There is no database 'oracle'"):
        load(changed(tmp_path, cases=document["cases"]))


@pytest.mark.parametrize("fields", [{"cases": 1}, {"planned": [1]}, {"cases": [{}]}, {"planned": None}])
def test_a_part_that_the_first_format_has_otherwise_is_an_error(fields: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="not as format version 1 has it"):
        load(changed(tmp_path, **fields))


def test_a_file_of_the_second_format_stays_readable() -> None:
    run = load(GOLDEN_2)
    (case,) = run.cases
    assert [str(asked) for asked in case.spec.targets] == [target.name for target in case.targets]
    assert [(target.name, target.clusters) for target in case.targets] == [("postgres:14", 5), ("postgres:18", 5)]
    assert {arm.target for arm in case.arms} == {"postgres:14", "postgres:18", "postgres:14 (twin)"}
    assert [arm.strategy for arm in case.arms if arm.jit] == ["joined"]
    assert case.targets[1].delay is None
    assert [len(dataset.fingerprint) for dataset in case.datasets] == [64, 64]


@pytest.mark.parametrize(
    ("sampling", "said"),
    [
        ({"workers": -1}, "it was to take -1 workers"),
        ({"workers": 0}, "it was to take 0 workers"),
        ({"rounds": -3}, "it was to take -3 rounds"),
        ({"budget_s": -60.0}, "its budget is -60 seconds"),
        ({"budget_s": 0.0}, "its budget is 0 seconds"),
    ],
)
def test_an_amount_that_cannot_be_sampled_is_an_error(sampling: dict[str, Any], said: str, tmp_path: Path) -> None:
    whole = json.loads(GOLDEN.read_text())["sampling"]
    with pytest.raises(BenchError, match=rf"is not a run: {said}\. Copy it again"):
        load(changed(tmp_path, sampling=whole | sampling))


@pytest.mark.parametrize("column", ["worker", "round"])
def test_a_worker_or_a_round_below_nought_is_an_error(column: str, tmp_path: Path) -> None:
    document = json.loads(GOLDEN.read_text())
    document["cases"][0]["arms"][0]["samples"][0][column][0] = -1
    with pytest.raises(BenchError, match="name a worker or a round below 0"):
        load(changed(tmp_path, cases=document["cases"]))


@pytest.mark.parametrize("part", ["targets", "datasets"])
def test_a_target_without_its_facts_is_an_error(part: str, tmp_path: Path) -> None:
    document = json.loads(GOLDEN_2.read_text())
    document["cases"][0][part].pop()
    (tmp_path / "run.json").write_text(json.dumps(document))
    with pytest.raises(BenchError, match="its targets number 2, with facts of"):
        load(tmp_path)


@FEW
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_an_error_with_a_remedy(share: float, tmp_path: Path) -> None:
    whole = GOLDEN.read_bytes().rstrip()
    (tmp_path / "run.json").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BenchError, match=r"Copy it again|Check that it is"):
        load(tmp_path)


@settings(SHARED_FOLDER, max_examples=300)
@given(at=st.integers(0, 10**9), byte=st.integers(0, 255))
def test_a_file_with_any_byte_changed_is_a_run_or_an_error_with_a_remedy(at: int, byte: int, tmp_path: Path) -> None:
    damaged = bytearray(GOLDEN.read_bytes())
    damaged[at % len(damaged)] = byte
    (tmp_path / "run.json").write_bytes(damaged)
    try:
        found: Run | str = load(tmp_path)
    except BenchError as error:
        found = error.remedy
    assert isinstance(found, Run) or found


@given(st.binary())
@SHARED_FOLDER
def test_any_bytes_are_an_error_with_a_remedy(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(BenchError) as caught:
        load(tmp_path)
    assert caught.value.remedy


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000])
def test_a_file_nested_beyond_measure_is_an_error(content: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(BenchError):
        load(tmp_path)


def test_a_newer_format_is_named_with_what_is_read_and_the_remedy(tmp_path: Path) -> None:
    folder = changed(tmp_path, format_version=FORMAT_VERSION + 1, planned="something else by then")
    with pytest.raises(BenchError, match=rf"version {FORMAT_VERSION + 1}.*up to {FORMAT_VERSION}.*update"):
        load(folder)


def test_a_format_before_the_first_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="damaged"):
        load(changed(tmp_path, format_version=0))


def test_a_wrong_shape_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=re.escape("$.sampling.seed")):
        load(changed(tmp_path, sampling={"seed": "one", "budget_s": None}))


def test_a_json_file_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "x"}')
    with pytest.raises(BenchError, match="is not a run"):
        load(tmp_path / "package.json")


def test_columns_of_unequal_length_are_an_error(tmp_path: Path) -> None:
    document = json.loads(GOLDEN.read_text())
    document["cases"][0]["arms"][0]["samples"][0]["wall_ns"].append(1)
    with pytest.raises(BenchError, match="unequal length"):
        load(changed(tmp_path, cases=document["cases"]))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    changed(tmp_path)
    (tmp_path / "run.json").chmod(0)
    with pytest.raises(BenchError, match="cannot be read"):
        load(tmp_path)


def test_whoever_reads_while_a_run_is_saved_reads_the_one_before_whole(tmp_path: Path) -> None:
    save(make_run(), tmp_path)
    before = (tmp_path / "run.json").read_bytes()
    with (tmp_path / "run.json").open("rb") as reader:
        save(make_run(label="another"), tmp_path)
        assert reader.read() == before


def test_saving_leaves_nothing_but_the_run_file(tmp_path: Path) -> None:
    save(make_run(), tmp_path)
    save(make_run(label="another"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_run_file_gets_the_permissions_that_other_new_files_get(tmp_path: Path) -> None:
    save(make_run(), tmp_path)
    (tmp_path / "other").touch()
    assert (tmp_path / "run.json").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_save_that_fails_is_an_error_and_leaves_the_file_before(tmp_path: Path) -> None:
    before = make_run()
    save(before, tmp_path)
    (tmp_path / ".run.json.tmp").mkdir()  # stands in the way of the temporary file
    with pytest.raises(BenchError, match="--results"):
        save(make_run(label="another"), tmp_path)
    assert load(tmp_path) == before


def test_a_full_disk_is_an_error_that_names_the_disk(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / ".run.json.tmp").symlink_to(full)
    with pytest.raises(BenchError, match=r"No space left.*Free some space"):
        save(make_run(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_are_no_text_do_not_cost_a_run(tmp_path: Path) -> None:
    save(dataclasses.replace(make_run(), command=("bench", "--label", "caf\udce9")), tmp_path)
    assert load(tmp_path).command == ("bench", "--label", "caf?")
