"""SQLite files of the user's that hold their data already: nothing is seeded, and nothing of theirs is written.

A file is opened read-only, and `query_only` is set. One that keeps a write-ahead log and that no program has open is
read as unchanging: SQLite would otherwise make the log's two files beside it, and a reader cannot remove them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.databases.protocol import Provider, Seeded
from bench.databases.sqlite import target_of
from bench.errors import BenchError, DatabaseUnavailable
from bench.model import Asked, DatasetFacts, Target

HEADER_BYTES = 20
MAGIC = b"SQLite format 3\0"
WAL = b"\2\2"
"""What the last two bytes of a header are where a write-ahead log is kept."""


@dataclass(frozen=True, slots=True)
class ExistingFile:
    """A file that holds the user's data. Raises BenchError where there is none, and where it is no SQLite database."""

    asked: Asked
    fresh: bool = False

    def __post_init__(self) -> None:
        _options(self.path)

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.asked.path).expanduser().absolute()

    def prepare(self) -> Iterator[str]:
        """Nothing has to be fetched."""
        yield from ()

    @contextmanager
    def up(self) -> Iterator[Provider]:
        """Yield the provider; there is nothing to be brought up or torn down."""
        yield _File(self.path, _options(self.path), _written(self.path))


@dataclass(frozen=True, slots=True)
class _File:
    """The provider of one file. written: when it was, and its length, as it was taken up."""

    path: Path
    options: dict[str, str]
    written: tuple[int, int]
    image: str = ""

    def seeded(self, name: str, key: str, seed: Callable[[Target], DatasetFacts]) -> Seeded:  # noqa: ARG002 - its rows are its own
        """Return a target that may only read, and what `seed` finds to be there."""
        target = replace(target_of(self.path), read_only=True, options=self.options, settings={"query_only": "on"})
        return Seeded(target, replace(seed(target), file_bytes=self.written[1]), True)

    def fault(self) -> DatabaseUnavailable | None:
        """Return what to raise where a file that is read as unchanging was written to: what is read may be no data."""
        if not self.options or (self.path.exists() and _written(self.path) == self.written):
            return None
        return DatabaseUnavailable(
            f"{self.path} was written to while it was measured.",
            remedy="Measure a copy of it, or while the program that writes to it has it open.",
        )


def _options(path: Path) -> dict[str, str]:
    """Return how a file has to be opened beside read-only. Raises BenchError for one that cannot be."""
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError as error:
        raise BenchError(
            f"There is no existing data in {path}: {error.strerror or error}.",
            remedy="Name the file that has it, or leave --existing out to have one seeded.",
        ) from error
    if not header.startswith(MAGIC):
        raise BenchError(f"{path} is no SQLite database.", remedy="Name the file that has the data.")
    if header[18:20] != WAL:
        return {}
    log, index = (path.with_name(path.name + ending) for ending in ("-wal", "-shm"))
    if not log.exists() or not log.stat().st_size:
        return {"immutable": "1"}
    if index.exists():
        return {}
    raise BenchError(
        f"{path} was not closed: its write-ahead log holds changes that no program has taken up.",
        remedy="Have its own program open and close it once, or measure a copy of both files.",
    )


def _written(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size
