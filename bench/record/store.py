"""The run that is being measured, and the folder that it is kept in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.model import Run
from bench.record.runfile import save


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
