"""How exact the bill of a load is: a known cost in one part, how much that part moves by, and how much any other.

    python scripts/selfbench_bill.py [--driver psycopg] [--amount-ms 150] [--pairs 15]

Loads with the cost and without are taken in turn, and what is shown is the median over pairs, as a share of what was
put in. Aims: the part of its own within 5 % of 1, any other within 2 % of 0; the exit status is 1 where one is missed.
A cost is slept, and added latency waits for two programs to wake up, so both are a little longer than asked for: `of
the whole` is the part's own move as a share of the whole load's, which has that in it. It takes a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.planted_costs import DRIVERS, OWN_PART, WHOLE, Pair, median_moved, through, through_proxy
from scripts.selfbench_timing import seeded

OWN, OTHERS = 0.05, 0.02
HEADINGS = ("cost", "driver", "its own part", "moved", "of the whole", "worst other", "", "aims")


def main() -> int:
    """Measure and print; the exit status is 0 where the aims are kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--driver", choices=DRIVERS, nargs="+", default=DRIVERS)
    parser.add_argument("--postgres", default="postgres", help="the server, as postgres:17; the newest unless told")
    parser.add_argument("--size", default="10x3")
    parser.add_argument("--amount-ms", type=int, default=150, help="what each cost is")
    parser.add_argument("--pairs", type=int, default=15)
    asked = parser.parse_args()
    print(f"{asked.amount_ms} ms put in, {asked.pairs} pairs of loads each, load average {os.getloadavg()[0]:.1f}")
    began = time.monotonic()
    rows = [row for driver in asked.driver for row in measured(driver, asked)]
    print(tabulate(rows, HEADINGS, disable_numparse=True))
    print(f"(took {time.monotonic() - began:.0f} s)")
    return 0 if {row[-1] for row in rows} == {"kept"} else 1


def measured(driver: str, asked: argparse.Namespace) -> list[list[str]]:
    """Return the rows of a driver, one for each cost that can be planted there."""
    database = "sqlite" if driver == "pysqlite" else asked.postgres
    way = through if driver == "pysqlite" else through_proxy
    amount_ns = asked.amount_ms * 1_000_000
    rows = []
    with seeded(database, asked.size, driver) as target, way(target) as bench:
        for plant, own in OWN_PART.items():
            if driver in own:
                with plant(bench) as planted:
                    pairs = bench.pairs(planted, amount_ns, asked.pairs)
                name = plant.__name__.replace("_", " ")
                rows.append([name, driver, own[driver], *shown(pairs, own[driver], amount_ns)])
    return rows


def shown(pairs: list[Pair], own: str, amount_ns: int) -> list[str]:
    """Return what moved, and whether the aims are kept."""
    moved = {part: median_moved(pairs, part) / amount_ns for part in pairs[0].slow if part != WHOLE}
    of_whole = median_moved(pairs, own, of=WHOLE)
    of_own = moved.pop(own)
    worst = max(moved, key=lambda part: abs(moved[part]))
    kept = abs(of_own - 1) <= OWN and abs(moved[worst]) <= OTHERS
    return [f"{of_own:.3f}", f"{of_whole:.3f}", f"{moved[worst]:+.4f}", worst, "kept" if kept else "MISSED"]


if __name__ == "__main__":
    sys.exit(main())
