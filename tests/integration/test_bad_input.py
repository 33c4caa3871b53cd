"""Bad input gets a sentence with the remedy and exit code 2, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.command import Bench

from bench.cli import cli


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--size", "0x5"), "is not a size"),
        (("--size", "x"), "is not a size"),
        (("--size=-1x3",), "is not a size"),
        (("--size", "1e9x1e9"), "is not a size"),
        (("--size", "1000x50x3"), "takes 2"),
        (("--size", "\uff11000x5"), "plain digits"),
        (("--size", "1000000000x1000000000"), "the most that a dataset may have"),
        (("--scenario", "one_to_mny"), "did you mean 'one_to_many'"),
        (("--strategy", "selectn"), "did you mean 'selectin'"),
        (("--strategy", "raise"), "is a control"),
        (("--db", "sqllite"), "did you mean 'sqlite'"),
        (("--budget", "0"), "is not a budget"),
        (("--budget", "soon"), "is not a budget"),
        (("--budget=-5s",), "is not a budget"),
        (("--budget", "9s", "--rounds", "3"), "not both"),
        (("--budget", "soon"), "seconds, minutes or hours"),
        (("--budget", "25h"), "more than 24 hours"),
        (("--rounds", "10001"), "not in the range"),
        (("--workers", "1001"), "not in the range"),
        (("--quick", "--budget", "9s"), "--quick"),
        (("--rounds", "0"), "0 is not in the range"),
        (("--childless", "1"), "1.0 is not in the range"),
        (("--childless", "nan"), "nan is not a number"),
        (("--children", "random"), "'random' is not one of"),
        (("--resume", "nothing-like-it"), "nothing-like-it"),
        *(
            (("--resume", "stored", *words), f"so {words[0]} cannot be given with it")
            for words in (
                ("--size", "1000x50"),
                ("--scenario", "one_to_many"),
                ("--strategy", "lazy"),
                ("--db", "sqlite"),
                ("--seed", "1"),
                ("--budget", "60s"),
                ("--rounds", "3"),
                ("--workers", "5"),
                ("--quick",),
                ("--children", "fixed"),
                ("--childless", "0"),
                ("--order", "clustered"),
                ("--text-width", "32"),
                ("--label", "x"),
                ("--dry-run",),
            )
        ),
    ],
)
def test_what_a_run_cannot_be_asked_for_is_refused(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    results = tmp_path / "results"

    done = CliRunner().invoke(cli, ["run", *arguments, "--results", str(results)])

    assert done.exit_code == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not results.exists()


@pytest.mark.parametrize("command", ["show", "report"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"format_version": 1, "id": "x"', "run.json"),
        (b"", "run.json"),
        (b"not json at all", "JSON"),
        (json.dumps({"format_version": 999}).encode(), "later version"),
        (b'{"format_version": 1}', "run.json"),
        (b"[1, 2]", "run.json"),
    ],
)
def test_a_run_file_that_cannot_be_read_is_named_with_the_remedy(
    tmp_path: Path, command: str, content: bytes, says: str
) -> None:
    (tmp_path / "run.json").write_bytes(content)

    done = CliRunner().invoke(cli, [command, str(tmp_path)])

    assert done.exit_code == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A folder with one small stored run."""
    bench = Bench(tmp_path_factory.mktemp("stored"))
    assert bench("run", "--size", "5x2", "--quick", "-q").returncode == 0
    return bench


def test_a_run_that_there_is_none_of_is_refused_with_the_nearest_name(bench: Bench) -> None:
    name = bench.runs()[0].name

    done = bench("show", name[:-1])

    assert done.returncode == 2
    assert name in done.stderr


def test_a_complete_run_is_not_resumed(bench: Bench) -> None:
    done = bench("run", "--resume", bench.runs()[0].name)

    assert done.returncode == 2
    assert "complete" in done.stderr


def test_a_results_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("mine")

    done = Bench(tmp_path)("run", "--size", "5x2", "--quick")

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert (tmp_path / "results").read_text() == "mine"


def test_a_cache_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("mine")

    done = Bench(tmp_path)("run", "--size", "5x2", "--quick")

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "BENCH_CACHE_DIR" in done.stderr
