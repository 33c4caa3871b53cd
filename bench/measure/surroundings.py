"""What a worker process is started in: an interpreter, where it imports from, and what it must then say of itself."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
"""The folder that holds the packages `bench` and `scenarios`: a checkout, or site-packages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a worker runs. path: the folders that imports are looked for in first.

    folder: the working folder; None for that of the harness. sqlalchemy, python: the versions that its greeting has to
    give; empty where any will do. tree, instead_of: a revision's tree, and the work tree that it stands for: no module
    may come from the second.
    """

    interpreter: str = sys.executable
    path: tuple[str, ...] = (str(TREE),)
    folder: str | None = None
    sqlalchemy: str = ""
    python: str = ""
    tree: Path | None = None
    instead_of: Path | None = None

    def reference(self, scenario: str) -> str:
        """Return a scenario's reference as it is found there: a file of the work tree is that of the revision's."""
        path, ending, name = scenario.rpartition(".py:")
        if not ending or self.tree is None or self.instead_of is None:
            return scenario
        file = Path(path + ".py")
        if not file.is_relative_to(self.instead_of):
            return scenario
        return f"{self.tree / file.relative_to(self.instead_of)}:{name}"


HERE = Surroundings()
"""The harness's own."""
