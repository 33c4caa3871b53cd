"""The public command on a real SQLite, as a user types it."""

from __future__ import annotations

import json
import subprocess
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from support.command import Bench

from bench import record
from bench.model import Arm, Case, Run

PARENTS, CHILDREN = 1000, 5
BOOKS = PARENTS * CHILDREN


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Every strategy, one round: for the counts, among them those of parents in chunks."""
    bench = Bench(tmp_path_factory.mktemp("thousand"))
    done = bench("run", "--size", f"{PARENTS}x{CHILDREN}", "--strategy", "all", "--workers", "1", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    return stored(bench)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, str]:
    """A run of two small sizes with five workers, and what it printed."""
    bench = Bench(tmp_path_factory.mktemp("small"))
    few = ("--strategy", "lazy,joined,selectin", "--workers", "5", "--rounds", "3")
    done = bench("run", "--size", "20x2,20x9", *few, "--label", "two sizes")
    assert done.returncode == 0, done.stderr
    return bench, done.stdout


def stored(bench: Bench) -> Run:
    return record.load(str(bench.runs()[-1]), results=bench.results)


def strategies(case: Case) -> dict[str, Arm]:
    return {arm.name: arm for arm in case.arms if arm.kind == "strategy"}


@pytest.mark.parametrize(
    ("name", "statements", "rows", "repeated", "parameters"),
    [
        ("lazy", 1 + PARENTS, PARENTS + BOOKS, 0, PARENTS),
        ("immediate", 1 + PARENTS, PARENTS + BOOKS, 0, PARENTS),
        ("joined", 1, BOOKS, BOOKS - PARENTS, 0),
        ("joined_inner", 1, BOOKS, BOOKS - PARENTS, 0),
        ("contains_eager", 1, BOOKS, BOOKS - PARENTS, 0),
        ("subquery", 2, PARENTS + BOOKS, 0, 0),
        ("selectin", 1 + ceil(PARENTS / 500), PARENTS + BOOKS, 0, PARENTS),
        ("selectin[50]", 1 + ceil(PARENTS / 50), PARENTS + BOOKS, 0, PARENTS),
        ("selectin[5000]", 2, PARENTS + BOOKS, 0, PARENTS),
    ],
)
def test_a_thousand_users_with_five_books_are_counted_exactly(
    thousand: Run, name: str, statements: int, rows: int, repeated: int, parameters: int
) -> None:
    counters = strategies(thousand.cases[0])[name].counters

    assert counters is not None
    assert (counters.statements, counters.rows) == (statements, rows)
    assert (counters.repeated_rows, counters.parameters) == (repeated, parameters)
    assert counters.entities == PARENTS + BOOKS
    assert round(counters.inflation, 2) == (1.67 if repeated else 1.0)


def test_every_strategy_is_timed_with_its_floor_and_the_baseline_has_a_twin(thousand: Run) -> None:
    case = thousand.cases[0]

    assert case.status == "measured"
    assert [arm.strategy for arm in case.arms if arm.kind == "twin"] == ["selectin"]
    assert {arm.strategy for arm in case.arms if arm.kind == "floor"} == set(strategies(case))
    for arm in case.arms:
        quiet = next(samples for samples in arm.samples if samples.collector == "quiet")
        assert len(quiet.wall_ns) == 1
        assert min(quiet.wall_ns) > 0
    for arm in strategies(case).values():
        assert arm.peak_bytes is not None
        assert arm.peak_bytes > 1_000_000
        assert {samples.collector for samples in arm.samples} >= {"quiet", "default"}


def test_the_run_file_holds_what_a_reader_would_ask(small: tuple[Bench, str]) -> None:
    run = stored(small[0])

    assert run.status == "complete"
    assert run.id.endswith("-two-sizes")
    assert [str(case.spec.size) for case in run.cases] == ["20x2", "20x9"]
    assert run.command[:2] == ("bench", "run")
    for case in run.cases:
        assert len(case.workers) == 5
        assert len({worker.pid for worker in case.workers}) == 5
        assert all(worker.live_objects > 1000 for worker in case.workers)
        assert case.targets[0].server_version
        assert case.timing.total_s > case.timing.loading_s > 0


def test_every_round_of_every_worker_is_there_as_a_raw_sample(small: tuple[Bench, str]) -> None:
    for case in stored(small[0]).cases:
        for arm in case.arms:
            quiet = next(samples for samples in arm.samples if samples.collector == "quiet")
            expected = [(w, r) for w in range(5) for r in range(3) if arm.kind != "floor" or r == 0]
            assert list(zip(quiet.worker, quiet.round, strict=True)) == expected


def test_the_report_is_written_beside_the_run(small: tuple[Bench, str]) -> None:
    folder = small[0].runs()[0]

    assert {path.name for path in folder.iterdir()} == {"run.json", "report.md", "report.html", "charts"}
    assert {path.suffix for path in (folder / "charts").iterdir()} == {".svg", ".png"}


def test_the_terminal_shows_a_table_with_intervals_the_noise_floor_and_a_finding(small: tuple[Bench, str]) -> None:
    out = small[1]

    for word in ("selectin", "lazy", "noise floor", "rule of thumb", "20x9", "report.html"):
        assert word.lower() in out.lower(), word


def test_what_is_printed_fits_the_terminal(small: tuple[Bench, str]) -> None:
    bench = small[0]
    for columns in (80, 120):
        shown = bench("show", bench.runs()[0].name, COLUMNS=str(columns))
        tables = [line for line in shown.stdout.splitlines() if line.startswith((" ", "-", "|"))]
        assert shown.returncode == 0
        assert max(map(len, tables), default=0) <= columns


def test_show_gives_the_run_itself_to_a_program(small: tuple[Bench, str]) -> None:
    bench = small[0]

    shown: dict[str, Any] = json.loads(bench("show", bench.runs()[0].name, "--json").stdout)

    assert shown["format_version"] == record.FORMAT_VERSION
    assert len(shown["cases"]) == 2


def test_a_report_can_be_drawn_again_from_the_run_file_alone(small: tuple[Bench, str], tmp_path: Path) -> None:
    bench = small[0]
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    (copy / "run.json").write_bytes((bench.runs()[0] / "run.json").read_bytes())

    done = bench("report", str(copy))

    assert done.returncode == 0, done.stderr
    assert (copy / "report.html").exists()


def test_an_arm_that_loads_something_else_is_wrong_and_fails_the_command(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    done = bench("run", "--size", "20x3", "--childless", "0.25", "--strategy", "selectin,joined_inner", "--quick")

    assert done.returncode == 1
    case = stored(bench).cases[0]
    assert case.status == "wrong"
    wrong = strategies(case)["joined_inner"]
    assert wrong.samples == ()
    assert wrong.error is not None
    assert "missing" in wrong.error
    assert wrong.error in done.stdout.replace("\n", " ") or "missing" in done.stdout
    assert strategies(case)["selectin"].samples


def test_a_dry_run_measures_nothing_and_says_what_it_would(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    done = bench("run", "--size", "1000x50,10x5", "--dry-run")

    assert done.returncode == 0
    assert "2 cases" in done.stdout
    assert "51,000 rows" in done.stdout
    assert "60 s a case" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """A quick look, with -q."""
    return Bench(tmp_path_factory.mktemp("quick"))("run", "--size", "10x5", "--quick", "-q")


def test_a_quick_look_says_that_it_is_one_and_has_no_interval(quick: subprocess.CompletedProcess[str]) -> None:
    assert quick.returncode == 0, quick.stderr
    assert "quick" in quick.stdout.lower()
    assert "no interval" in quick.stdout.lower()


def test_quiet_keeps_standard_error_for_warnings_and_standard_output_for_results(
    quick: subprocess.CompletedProcess[str],
) -> None:
    assert "timing" not in quick.stderr
    assert "selectin" in quick.stdout


@pytest.mark.parametrize(
    ("options", "children"),
    [
        (("--children", "zipf", "--text-width", "200", "--seed", "9"), 20 * 6),
        (("--children", "uniform", "--order", "shuffled", "--childless", "0.5"), 10 * 6),
    ],
)
def test_every_dataset_option_gives_equal_work_and_counts_by_the_formulas(
    tmp_path: Path, options: tuple[str, ...], children: int
) -> None:
    bench = Bench(tmp_path)

    done = bench("run", "--size", "20x6", "--workers", "1", "--rounds", "1", *options)

    assert done.returncode == 0, done.stdout + done.stderr
    case = stored(bench).cases[0]
    assert case.status == "measured"
    assert not [warning for warning in case.warnings if warning.code == "formula"]
    assert case.datasets[0].shape.parents == 20
    assert abs(case.datasets[0].shape.children - children) <= children // 2
