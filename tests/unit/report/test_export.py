"""A run in the formats of other tools: read here by the tools themselves, with the figures that they would compute."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_benchmark.stats import Stats
from support.runs import make_case, make_run, make_target, make_targets_case, without_samples

from bench import record
from bench.cli import cli
from bench.errors import BenchError
from bench.exporting import exported
from bench.model import Run
from bench.model.environment import EnvironmentFacts
from bench.report.export_csv import SAMPLES, SUMMARY, csv_files
from bench.report.export_pytest import compare_command, left_out, pytest_benchmark_files, statistics_of

TIMES = {"lazy": 6.0, "selectin": 2.0, "selectin[100]": 2.1, "joined": 3.0}
VERSIONS = ("postgres:16", "postgres:18")


def two_versions(**how: Any) -> Run:
    return make_run((make_targets_case(dict.fromkeys(VERSIONS, TIMES), **how),))


def stored(run: Run, results: Path) -> Path:
    (results / run.id).mkdir(parents=True)
    record.save(run, results / run.id)
    return results / run.id


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def benchmarks_of(content: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(content)["benchmarks"]
    return found


@given(st.lists(st.floats(min_value=1e-9, max_value=1e4), min_size=1, max_size=40))
@example([1.0])
@example([1.0, 2.0])
@example([1.0, 2.0, 3.0])
@example([0.1] * 3)
def test_figures_are_those_that_the_tool_computes_of_the_same_samples(data: list[float]) -> None:
    theirs = Stats()
    theirs.data.extend(data)

    ours = statistics_of(data)

    spread = ("outliers", "iqr_outliers", "stddev_outliers", "ld15iqr", "hd15iqr")  # next to a fence, rounding decides
    for field in set(Stats.fields) - set(spread):
        assert ours[field] == pytest.approx(getattr(theirs, field), rel=1e-9, abs=1e-15), field


@pytest.mark.parametrize("data", [[1.0, 2.0, 3.0, 4.0, 90.0], [5.0] * 9 + [1.0, 60.0], [1.0, 2.0, 3.0, 4.0], [3.0]])
def test_outliers_are_those_that_the_tool_counts(data: list[float]) -> None:
    theirs = Stats()
    theirs.data.extend(data)

    ours = statistics_of(data)

    for field in ("outliers", "ld15iqr", "hd15iqr"):
        assert ours[field] == getattr(theirs, field), field


def test_a_target_has_a_file_and_every_file_the_same_full_names() -> None:
    files = pytest_benchmark_files(two_versions())

    assert sorted(files) == ["postgres-16.json", "postgres-18.json"]
    names = [{one["fullname"] for one in benchmarks_of(content)} for content in files.values()]
    assert names[0] == names[1] == {f"bench::one_to_many[1000x50-{strategy}]" for strategy in TIMES}


def test_samples_are_all_there_in_seconds_and_counts_beside_them() -> None:
    run = make_run((make_case(TIMES),))
    arm = next(arm for arm in run.cases[0].arms if arm.name == "joined")
    quiet = next(samples for samples in arm.samples if samples.collector == "quiet")

    (content,) = pytest_benchmark_files(run).values()

    one = next(one for one in benchmarks_of(content) if one["params"]["strategy"] == "joined")
    assert one["stats"]["data"] == [wall_ns / 1e9 for wall_ns in quiet.wall_ns]
    assert one["options"]["disable_gc"] is True
    assert (one["extra_info"]["statements"], one["extra_info"]["rows"]) == (1, 50_000)
    assert one["extra_info"]["ratio_to_baseline"]["low"] > 1


def test_the_real_tool_pivots_them_by_version(tmp_path: Path) -> None:
    run = make_run((make_targets_case({"postgres:16": TIMES, "postgres:18": {**TIMES, "lazy": 12.0}}),))
    shown = exported(stored(run, tmp_path).name, formats=["pytest-benchmark"], results=tmp_path)
    command = shown.splitlines()[-1].partition("Side by side: pytest-benchmark ")[2].split()

    compared = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", *command], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert "4 tests, 2 sources" in compared.stdout
    assert "postgres-16 Median" in compared.stdout
    assert "postgres-18 Median" in compared.stdout
    lazy = next(line for line in compared.stdout.splitlines() if "1000x50-lazy" in line)
    before, after, percent = lazy.split()[1:]
    medians = [
        next(one["stats"]["median"] for one in benchmarks_of(content) if one["params"]["strategy"] == "lazy") * 1e3
        for content in pytest_benchmark_files(run).values()
    ]
    assert [float(before), float(after)] == pytest.approx(medians, abs=1e-4)
    assert float(percent.rstrip("%")) == pytest.approx(100 * (medians[1] / medians[0] - 1), abs=0.1)
    assert not compared.stderr


def test_the_collector_of_the_samples_is_chosen_and_said() -> None:
    (quiet,) = pytest_benchmark_files(make_run()).values()
    (default,) = pytest_benchmark_files(make_run(), collector="default").values()

    assert benchmarks_of(default)[0]["options"]["disable_gc"] is False
    assert benchmarks_of(default)[0]["stats"]["median"] > benchmarks_of(quiet)[0]["stats"]["median"]


def test_what_loaded_something_else_has_no_time_and_is_named() -> None:
    run = make_run((make_case(TIMES, wrong={"subquery": "User 1: books differ"}),))

    (content,) = pytest_benchmark_files(run).values()

    assert {one["params"]["strategy"] for one in benchmarks_of(content)} == set(TIMES)
    assert left_out(run) == ("subquery of one_to_many 1000x50 on sqlite (WRONG)",)


def test_names_of_files_are_plain_and_no_two_alike() -> None:
    names = ("sqlite:A/b", "sqlite:a-B", "sqlite:\u4e2d")
    cases = [make_case(TIMES, target=make_target(name=name)) for name in names]

    files = pytest_benchmark_files(make_run(cases))

    assert sorted(files) == ["sqlite-A-b.json", "sqlite-a-B-2.json", "sqlite.json"]


def test_whole_names_are_asked_for_where_short_ones_would_look_alike() -> None:
    def command(*names: str) -> str:
        return compare_command([Path("x y", f"{name}.json") for name in names])

    assert command("postgres-16", "postgres-18").endswith("=median 'x y/postgres-16.json' 'x y/postgres-18.json'")
    assert "--name=long" in command("postgres-17-asyncpg", "postgres-17", "postgres-17-psycopg_async")


def test_a_target_with_an_environment_of_its_own_is_said_to_have_run_in_that() -> None:
    own = EnvironmentFacts(
        python="CPython 3.13.1", sqlalchemy="2.0.49", compiled=True, driver_version="", sqlite="3.45", revision="a" * 40
    )
    names = ("sqlite:one", "sqlite:two")
    first, second = (make_case(TIMES, target=make_target(name=name)) for name in names)
    run = make_run((first, dataclasses.replace(second, targets=(make_target(name=names[1], environment=own),))))

    here, there = (json.loads(content) for content in pytest_benchmark_files(run).values())
    rows = {row["target"]: row for row in rows_of(csv_files(run)[SUMMARY])}

    assert here["machine_info"]["python_version"] == "3.11.7"
    assert there["machine_info"]["python_version"] == "3.13.1"
    assert there["commit_info"]["id"] == "a" * 40
    assert there["benchmarks"][0]["extra_info"]["sqlalchemy"] == "2.0.49"
    assert (rows[names[1]]["python"], rows[names[1]]["sqlalchemy"]) == ("3.13.1", "2.0.49")
    assert (rows[names[0]]["sqlalchemy"], rows[names[1]]["revision"]) == ("2.1.9", "a" * 40)


def test_csv_has_a_row_for_every_sample_of_every_arm() -> None:
    run = two_versions()
    case = run.cases[0]
    taken = sorted(wall_ns for arm in case.arms for samples in arm.samples for wall_ns in samples.wall_ns)

    rows = rows_of(csv_files(run)[SAMPLES])

    assert sorted(int(row["wall_ns"]) for row in rows) == taken
    assert {row["target"] for row in rows} == {"postgres:16", "postgres:18", "postgres:16 (twin)"}
    assert {row["kind"] for row in rows} == {"strategy", "twin", "floor"}
    assert {(row["parents"], row["children"], row["grandchildren"]) for row in rows} == {("1000", "50", "")}


def test_csv_has_a_row_for_every_strategy_with_its_counts_and_intervals() -> None:
    run = make_run((make_case(TIMES, wrong={"subquery": "User 1: title is 'a,\n\"b\"', not 'c'"}),))

    rows = {row["strategy"]: row for row in rows_of(csv_files(run)[SUMMARY])}

    assert set(rows) == {*TIMES, "subquery"}
    joined = rows["joined"]
    assert (joined["statements"], joined["rows"], joined["repeated_rows"]) == ("1", "50000", "49000")
    assert float(joined["quiet_ns_low"]) < float(joined["quiet_ns"]) < float(joined["quiet_ns_high"])
    assert rows["subquery"]["error"] == "User 1: title is 'a,\n\"b\"', not 'c'"
    assert rows["subquery"]["quiet_ns"] == ""


def test_it_is_written_beside_the_run_or_where_it_is_asked_to_be(tmp_path: Path) -> None:
    folder = stored(two_versions(), tmp_path / "results")
    arguments = ["export", folder.name, "--results", str(folder.parent)]

    beside = CliRunner().invoke(cli, arguments)
    elsewhere = CliRunner().invoke(cli, [*arguments, "--format", "csv", "--output", str(tmp_path / "a" / "b")])

    assert beside.exit_code == elsewhere.exit_code == 0
    assert sorted(path.name for path in (folder / "exports").iterdir()) == [
        "postgres-16.json",
        "postgres-18.json",
        SAMPLES,
        SUMMARY,
    ]
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == [SAMPLES, SUMMARY]
    assert "Side by side: pytest-benchmark compare --between=median" in beside.output
    assert "Side by side" not in elsewhere.output


def test_what_cannot_be_exported_is_a_sentence(tmp_path: Path) -> None:
    untimed = make_run((without_samples(make_case(TIMES)),), id="untimed")
    empty = dataclasses.replace(make_run(), id="empty", cases=())
    for run in (untimed, empty, dataclasses.replace(make_run(), id="whole")):
        stored(run, tmp_path)
    (tmp_path / "file").write_text("")

    with pytest.raises(BenchError, match="was timed with the collector quiet"):
        exported("untimed", formats=["pytest-benchmark"], results=tmp_path)
    with pytest.raises(BenchError, match="Nothing was measured in empty"):
        exported("empty", formats=["csv"], results=tmp_path)
    with pytest.raises(BenchError, match="cannot be written"):
        exported("whole", formats=["csv"], results=tmp_path, output=tmp_path / "file" / "below")
    with pytest.raises(BenchError, match="There is no run 'nowhere'"):
        exported("nowhere", formats=["csv"], results=tmp_path)
    assert SUMMARY in exported("untimed", formats=["csv"], results=tmp_path)
