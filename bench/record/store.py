"""The run that is being measured, and the folder that it is kept in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from bench.errors import BenchError
from bench.model import Run
from bench.record.folders import unwritable
from bench.record.runfile import save


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep a run's folder to this process. Raises BenchError where another measures into it."""
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise BenchError(
            f"Another process is measuring into {str(folder)!r}.", remedy="Let it end, or interrupt it, then resume."
        ) from None
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        yield
    finally:
        lock.release()
        (folder / ".lock").unlink(missing_ok=True)


@dataclass(slots=True)
class Store:
    """Holds the latest state of a run. What is put is on disk when `put` returns.

    Where the disk refuses it, `put` raises BenchError, the file keeps the state before, and `run` is the new one all
    the same: what was measured can still be shown.
    """

    folder: Path
    run: Run

    def put(self, run: Run) -> None:
        """Take the run's new state, and write it."""
        self.run = run
        save(run, self.folder)
