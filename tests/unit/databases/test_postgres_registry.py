from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.databases.postgres import sweep
from bench.databases.postgres.places import cache_folder, notes_folder, open_to_others, temporary_root
from bench.databases.postgres.registry import noted
from bench.errors import DatabaseUnavailable

ROOT = Path(__file__).parents[3]

SYSTEM = Path("/tmp")  # noqa: S108 - the folder that is fallen back to

HOLDER = """
import sys
from pathlib import Path
from bench.databases.postgres.registry import noted

folder = Path(sys.argv[1])
with noted(folder):
    folder.mkdir()
    print("up", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "bench-pg-0123456789abcdef"


@pytest.fixture
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has a server's folder and its note, as long as it lives."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        yield child
        child.kill()


def note(of: Path, **changed: object) -> None:
    """Write a note that nobody holds."""
    written = {"host": platform.node(), "pid": 1, "folder": str(of), **changed}
    notes_folder().mkdir(parents=True, exist_ok=True)
    (notes_folder() / f"{of.name}.json").write_text(json.dumps(written))


def notes() -> list[Path]:
    return list(notes_folder().glob("*.json"))


def test_without_notes_there_is_nothing_to_sweep_and_nothing_is_made() -> None:
    assert sweep() == ()
    assert not cache_folder().exists()


@pytest.mark.usefixtures("holder")
def test_what_a_living_process_holds_is_left(folder: Path) -> None:
    assert sweep() == ()
    assert folder.is_dir()
    assert len(notes()) == 1


def test_what_a_killed_process_held_is_swept_once(holder: subprocess.Popen[str], folder: Path) -> None:
    holder.kill()
    holder.wait()

    assert sweep() == (folder,)
    assert not folder.exists()
    assert notes() == []
    assert sweep() == ()


def test_what_this_process_holds_is_left(folder: Path) -> None:
    with noted(folder):
        folder.mkdir()
        assert sweep() == ()
        assert folder.is_dir()
        folder.rmdir()
    assert notes() == []


def test_a_living_process_that_has_the_parents_number_by_now_keeps_nothing(folder: Path) -> None:
    folder.mkdir()
    note(folder, pid=os.getpid())

    assert sweep() == (folder,)


def test_a_note_of_another_machine_is_left(folder: Path) -> None:
    folder.mkdir()
    note(folder, host="elsewhere")

    assert sweep() == ()
    assert folder.is_dir()


@pytest.mark.parametrize("name", ["home", "bench-pg-ffffffffffffffff"])
def test_a_note_that_names_another_folder_than_its_own_removes_nothing(folder: Path, name: str) -> None:
    other = folder.with_name(name)
    other.mkdir()
    note(folder, folder=str(other))

    assert sweep() == ()
    assert other.is_dir()


@pytest.mark.parametrize("content", ["", '{"host": "', "[]"])
def test_a_note_that_was_cut_short_is_removed_and_stops_no_sweep(folder: Path, content: str) -> None:
    folder.mkdir()
    note(folder)
    (notes_folder() / "bench-pg-0000000000000000.json").write_text(content)

    assert sweep() == (folder,)
    assert notes() == []


def test_a_note_whose_folder_could_not_be_removed_stays_for_the_next_sweep(folder: Path) -> None:
    with noted(folder):
        folder.mkdir()

    assert sweep() == (folder,)


def test_a_cache_that_takes_no_note_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "file"))

    with pytest.raises(DatabaseUnavailable, match="No note of a server can be kept"), noted(folder):
        pass


@pytest.mark.parametrize("name", ["x" * 90, "a,b"])
def test_a_temporary_folder_in_which_no_socket_can_be_named_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    chosen = tmp_path / name
    chosen.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(chosen))

    assert temporary_root(for_others=False) == SYSTEM


def test_a_temporary_folder_that_is_closed_to_others_serves_our_own_user_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with tempfile.TemporaryDirectory(dir=SYSTEM, prefix="it's ") as chosen:
        monkeypatch.setattr(tempfile, "tempdir", chosen)
        assert temporary_root(for_others=False) == Path(chosen)
        assert temporary_root(for_others=True) == SYSTEM
        Path(chosen).chmod(0o755)
        assert temporary_root(for_others=True) == Path(chosen)


def test_what_is_not_there_is_not_open(tmp_path: Path) -> None:
    assert not open_to_others(tmp_path / "missing")
