"""The cache of seeded SQLite files.

A dataset is a file, `<name>-<first 16 digits of its key>.sqlite3`, and beside it a note, the same with `.json`, that
holds the full key, the facts and the file's length. The file is loaded under another name, synced and renamed, and
only then the note is written: a file without a note that fits it counts for nothing, however it came to be.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import platformdirs
from filelock import FileLock, Timeout

from bench.databases.in_use import alone, mark_in_use
from bench.databases.protocol import CachedDataset, Seeded
from bench.errors import BenchError
from bench.model import DatasetFacts, Target

FOLDER_VARIABLE = "BENCH_CACHE_DIR"

CHECKED_BYTES = 200_000_000
"""Up to this length a kept file is read through before it is reused: 0.7 s for 194 MB, where seeding takes several.
A longer one would make every run wait; damage in it shows later, as an arm that is wrong."""

_BESIDE = (".bench.json", ".bench.partial", ".bench.lock")
_KEPT = (".sqlite3", ".json", ".partial", ".lock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is known of a file in the cache. created: ISO 8601, UTC."""

    key: str
    created: str
    facts: DatasetFacts


class SqliteCache:
    """A provider that keeps SQLite files in a folder: the user's cache folder, or what BENCH_CACHE_DIR names."""

    def __init__(self, folder: Path | None = None) -> None:
        chosen = folder or Path(os.environ.get(FOLDER_VARIABLE) or platformdirs.user_cache_path("orm-loading-bench"))
        self.folder = chosen.expanduser().absolute()

    def seeded(self, name: str, key: str, seed: Callable[[Path], DatasetFacts]) -> Seeded:
        """Return a target that holds the dataset of that key: the kept file, or one that `seed` makes at a path.

        Another process that wants the same dataset waits for this one. The folder counts as in use until this process
        ends, so that no other removes what workers may still open. What `seed` raises passes through, and leaves no
        file. Raises BenchError when the folder cannot be used.
        """
        path = self.folder / f"{name}-{key[:16]}.sqlite3"
        with self._usable():
            self.folder.mkdir(parents=True, exist_ok=True)
            mark_in_use(self.folder)
            return _kept_or_seeded(_Files.cached(path), key, seed, before=lambda: self._sweep(but=path))

    def cached(self) -> tuple[CachedDataset, ...]:
        """Return the datasets that are kept whole, by name. Raises BenchError when the folder cannot be read."""
        with self._usable():
            paths = sorted(self.folder.glob("*.sqlite3"))
        notes = ((path, _read_note(_Files.cached(path))) for path in paths)
        return tuple(
            CachedDataset(name=path.stem, path=path, file_bytes=note.facts.file_bytes, created=note.created)
            for path, note in notes
            if note is not None
        )

    def leftovers(self) -> tuple[Path, ...]:
        """Return the files of no whole dataset, by name: halves, and notes that fit no file. A lock is none.

        Raises BenchError when the folder cannot be read.
        """
        whole = {path for one in self.cached() for path in (one.path, one.path.with_suffix(".json"))}
        return tuple(path for path in self._kept() if path not in whole and path.suffix != ".lock")

    def kept_bytes(self) -> int:
        """Return the bytes that `clean` would free. Raises BenchError when the folder cannot be read."""
        with self._usable():
            return sum(path.stat().st_size for path in self._kept())

    def clean(self) -> int:
        """Remove all that is kept, leftovers too, and return the bytes that this freed.

        Raises BenchError, and removes nothing, while another process uses the folder, and when it cannot be used.
        """
        if not self.folder.is_dir():
            return 0
        with self._usable(), alone(self.folder):
            found = self._kept()
            freed = sum(path.stat().st_size for path in found)
            for path in found:
                path.unlink()
        return freed

    def _kept(self) -> list[Path]:
        """All that is ours in the folder, by name."""
        if not self.folder.is_dir():
            return []
        with self._usable():
            return sorted(path for path in self.folder.iterdir() if path.suffix in _KEPT and path.is_file())

    def _sweep(self, *, but: Path) -> None:
        """Remove what seedings of other datasets have left that were cut short; one under way holds its lock."""
        for partial in self.folder.glob("*.partial"):
            if partial.stem == but.stem:
                continue
            try:
                with FileLock(partial.with_suffix(".lock"), timeout=0):
                    partial.unlink(missing_ok=True)
            except Timeout:
                pass

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """Turn what the file system refuses into a sentence with the remedy."""
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise BenchError(
                    f"The disk of the cache folder {self.folder} is full.",
                    remedy=f"Free some space, or set {FOLDER_VARIABLE} to a folder on a larger disk.",
                ) from error
            raise BenchError(
                f"The cache folder {self.folder} cannot be used: {error.strerror or error}.",
                remedy=f"Set {FOLDER_VARIABLE} to a folder that you may write to.",
            ) from error


def seeded_file(path: Path, key: str, seed: Callable[[Path], DatasetFacts]) -> Seeded:
    """Return a target that holds the dataset of that key in the file at `path`, with its note beside it.

    A file that is there and that no note of ours fits is the user's: it is never touched. Raises BenchError for it,
    and when the folder cannot be used; what `seed` raises passes through.
    """
    path = path.expanduser().absolute()
    files = _Files.beside(path)

    def refuse_theirs() -> None:
        if path.exists() and _read_note(files) is None:
            raise BenchError(
                f"{path} is there already, and was not seeded by this tool: it is left as it is.",
                remedy="Name a file that does not exist yet.",
            )

    try:
        refuse_theirs()  # before a lock is made beside it
        return _kept_or_seeded(files, key, seed, before=refuse_theirs)
    except OSError as error:
        raise BenchError(
            f"A dataset cannot be kept at {path}: {error.strerror or error}.",
            remedy="Name a file in a folder that is there, that you may write to, and that has room.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Files:
    """A kept file and what stands beside it."""

    path: Path
    note: Path
    partial: Path
    lock: Path

    @classmethod
    def cached(cls, path: Path) -> _Files:
        """In the cache: the same name with other endings."""
        return cls(path, *(path.with_suffix(ending) for ending in (".json", ".partial", ".lock")))

    @classmethod
    def beside(cls, path: Path) -> _Files:
        """Beside a file of the user's choosing: its whole name with endings that tell whose they are."""
        return cls(path, *(path.with_name(path.name + ending) for ending in _BESIDE))


def _kept_or_seeded(
    files: _Files, key: str, seed: Callable[[Path], DatasetFacts], *, before: Callable[[], None]
) -> Seeded:
    """Return the kept file of that key, or have `seed` make it; `before` is called before that."""
    with FileLock(files.lock):
        note = _read_note(files)
        reused = note is not None and note.key == key and _is_sound(files.path)
        if note is None or not reused:
            before()
            note = _seed(files, key, seed)
    return Seeded(target_of(files.path), note.facts, reused)


def _seed(files: _Files, key: str, seed: Callable[[Path], DatasetFacts]) -> Note:
    """Seed under another name, and give the file its own when it is whole and on the disk."""
    files.note.unlink(missing_ok=True)
    files.partial.unlink(missing_ok=True)
    try:
        facts = seed(files.partial)
        note = Note(key=key, created=datetime.now(UTC).isoformat(timespec="seconds"), facts=facts)
        _sync(files.partial)
        files.partial.replace(files.path)
        files.partial.write_bytes(msgspec.json.format(msgspec.json.encode(note), indent=1) + b"\n")
        _sync(files.partial)
        files.partial.replace(files.note)
    finally:
        files.partial.unlink(missing_ok=True)
    return note


def _read_note(files: _Files) -> Note | None:
    """Return the note of a file, or None where it does not fit the file, or either cannot be read."""
    try:
        note = msgspec.json.decode(files.note.read_bytes(), type=Note)
        return note if files.path.stat().st_size == note.facts.file_bytes else None
    except (OSError, msgspec.DecodeError):
        return None


def _is_sound(path: Path) -> bool:
    """Whether SQLite finds no damage in a file; beyond CHECKED_BYTES, whether it opens it and can read its schema."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if path.stat().st_size > CHECKED_BYTES:
                return True
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def target_of(path: Path) -> Target:
    """Return the target that a SQLite file is."""
    return Target(name="sqlite", dialect="sqlite", driver="pysqlite", provider="embedded", database=str(path))
