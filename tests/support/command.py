"""The command as a user runs it: a process of its own, a folder for results, a cache of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


OF_A_JOB = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE")
"""Variables by which a check speaks to GitHub: what a test checks is no news of the job that the test runs in."""


class Bench:
    """`bench` in a folder: datasets are cached beside the results, away from the user's own."""

    def __init__(self, folder: Path, *, cache: Path | None = None) -> None:
        self.folder = folder
        self.results = folder / "results"
        self.cache = cache or folder / "cache"

    def environment(self, **more: str) -> dict[str, str]:
        """The variables that the command sees."""
        return {
            **{name: value for name, value in os.environ.items() if name not in OF_A_JOB},
            "PYTHONPATH": str(ROOT),
            "BENCH_CACHE_DIR": str(self.cache),
            "COLUMNS": "120",
            "NO_COLOR": "1",
            **more,
        }

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """Start the command, and return while it runs."""
        return subprocess.Popen(
            [sys.executable, "-m", "bench", *arguments],
            cwd=self.folder,
            env=self.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        with self.start(*arguments, **more) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def runs(self) -> list[Path]:
        """The folders of stored runs, oldest first."""
        return sorted(self.results.iterdir()) if self.results.exists() else []
