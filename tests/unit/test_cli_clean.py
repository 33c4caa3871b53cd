"""`bench clean` lists what it removes, counts it, and says so when there is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.cli import cli


def clean(*words: str) -> str:
    done = CliRunner().invoke(cli, ["clean", *words])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache, empty."""
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path))
    return tmp_path


def test_with_nothing_to_remove_it_says_so(cache: Path) -> None:
    (cache / "books.lock").touch()

    assert "there is nothing to remove" in clean("--yes")


def test_leftovers_are_listed_counted_and_removed(cache: Path) -> None:
    (cache / "books-1.partial").write_bytes(b"x" * 3000)
    (cache / "loans-2.sqlite3").write_bytes(b"x" * 2000)

    said = clean("--yes")

    assert "2 leftovers, 5.00 kB in all" in said
    assert "books-1.partial (left over)" in said
    assert "Removed 5.00 kB." in said
    assert [path for path in cache.iterdir() if path.suffix] == []


def test_one_dataset_is_told_in_the_singular_and_stays_without_a_yes(cache: Path) -> None:
    seed_one(cache)

    said = clean()

    assert said.startswith("1 seeded dataset, ")
    assert "Nothing was removed." in said
    assert (cache / "books-0000000000000000.sqlite3").exists()


def seed_one(folder: Path) -> None:
    from bench.databases import SqliteCache
    from bench.model import DatasetFacts, Shape

    def seed(path: Path) -> DatasetFacts:
        path.write_bytes(b"rows")
        return DatasetFacts(
            key="0" * 64, fingerprint="f", shape=Shape(rows=(1, 1), childless=(0,)), file_bytes=4, seed_s=0.1
        )

    SqliteCache(folder).seeded("books", "0" * 64, seed)
