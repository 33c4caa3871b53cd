"""How much of the timing of a run is the harness's own: neither loads nor what any honest loop would spend too.

    python scripts/selfbench_own_share.py             one run at 1000x50, 60 s of timing
    python scripts/selfbench_own_share.py --quick     a quick run: a look

One `bench run` is made, and what its timing spent is read from the run file. The aim is at most 10 % for the harness's
own part; the exit status is 1 where it is missed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import record
from bench.measure.surroundings import TREE

AIM = 0.10


def main() -> int:
    """Make a run and print what its timing spent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", default="sqlite")
    parser.add_argument("--size", default="1000x50")
    parser.add_argument("--quick", action="store_true", help="a quick run: a look")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        budget = ["--quick"] if asked.quick else ["--budget", "60s"]
        where = ["--db", asked.db, "--size", asked.size, "--results", folder]
        command = [sys.executable, "-m", "bench", "run", "-q", *where, *budget]
        subprocess.run(command, check=True, cwd=TREE, stdout=subprocess.DEVNULL)
        spent = record.load(str(next(Path(folder).iterdir())), results=Path(folder)).cases[0].timing
    parts = {
        "inside the clock": spent.loading_s,
        "starting workers": spent.starting_s,
        "warming up": spent.warming_s,
        "freeing results": spent.freeing_s,
        "collecting garbage": spent.collecting_s,
    }
    own = spent.total_s - sum(parts.values())
    print(f"timing of one case at {asked.size} on {asked.db}: {spent.total_s:.1f} s")
    for name, seconds in {**parts, "the harness's own": own}.items():
        print(f"  {name:20}{seconds:7.2f} s {seconds / spent.total_s:6.1%}")
    return 0 if own <= AIM * spent.total_s else 1


if __name__ == "__main__":
    sys.exit(main())
