"""How long `bench --help` takes beside `python -c "import click"`: whole processes, in turn, as ratios.

Type: python scripts/selfbench_startup.py [--runs 21]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from bench.measure.surroundings import TREE

HELP = [sys.executable, "-m", "bench", "--help"]
CLICK = [sys.executable, "-c", "import click"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=21)
    runs = parser.parse_args().runs
    seconds(HELP), seconds(CLICK)
    pairs = [(seconds(HELP), seconds(CLICK)) for _ in range(runs)]
    ratios = sorted(ours / theirs for ours, theirs in pairs)
    print(f"bench --help: median {statistics.median(ours for ours, _ in pairs) * 1000:.0f} ms")
    print(f"import click: median {statistics.median(theirs for _, theirs in pairs) * 1000:.0f} ms")
    print(f"ratio: {ratios[0]:.2f} / {statistics.median(ratios):.2f} / {ratios[-1]:.2f} (min / median / max of {runs})")


def seconds(command: list[str]) -> float:
    """Return how long a command takes as a whole process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, cwd=TREE, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
