"""A load under memray: a flame graph of what was in use when that was the most, by who asked for it, C included."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.errors import BenchError
from bench.measure.timing import Load, Opened


def require_memray() -> None:
    """Raise BenchError where memray is not installed, or does not work here."""
    try:
        import memray  # noqa: F401
    except ImportError as error:
        raise BenchError(
            f"Flame graphs of memory cannot be drawn by Python {platform.python_version()}: {error}.",
            remedy="Install what draws them with: pip install 'orm-loading-bench[memray]' (Linux and macOS).",
        ) from error


def memory_flames(opened: Opened, load: Load, *, html: Path) -> None:
    """Run the load, which has to be warm, under memray, and write its flame graph: one file that needs no other.

    Each object is followed for itself: the arenas that Python takes are asked for by whoever happens to need the next
    one. The result is held until tracing ends. Raises BenchError as `require_memray` does, and where memray fails.
    """
    require_memray()
    import memray

    with TemporaryDirectory() as scratch:
        traced = Path(scratch) / "load.bin"
        with opened() as source:
            with memray.Tracker(traced, trace_python_allocators=True):
                result = load(source)
            del result
        # --no-web has what the page needs put into it: otherwise a browser would fetch it from elsewhere.
        command = [
            sys.executable,
            "-m",
            "memray",
            "flamegraph",
            "--no-web",
            "--force",
            "--output",
            str(html),
            str(traced),
        ]
        drawn = subprocess.run(command, capture_output=True, text=True, check=False)
    if drawn.returncode:
        said = drawn.stderr.strip() or drawn.stdout.strip()
        raise BenchError(f"memray did not draw {html.name}: {said}", remedy="Profile without --memray.")
