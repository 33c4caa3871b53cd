"""Whether the Python calls of a load are the same in every process: fresh workers, each with another hash seed.

    python scripts/selfbench_gate_calls.py --scenario one_to_many,many_to_one --seeds 5 --db sqlite

The gate itself fixes the seed. What differs is printed with the smallest and the largest count; beside it stands by how
much the gate lets a load differ.
"""

from __future__ import annotations

import argparse
from collections import deque
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench import checking
from bench.case import CaseUnderWay
from bench.measure.workers import WorkerProcess
from bench.model import Secrets
from bench.model.baseline import CALLS_TOLERANCE, FEW_CALLS, Place
from bench.reduce.gate import Now, name_of
from bench.wanted import Wanted, wanted_of


def main() -> None:
    """Count every load in so many workers, and print those whose counts differ."""
    parser = argparse.ArgumentParser(description="Whether the Python calls of a load are the same in every process.")
    parser.add_argument("--scenario", default="one_to_many,many_to_one")
    parser.add_argument("--size", default=None)
    parser.add_argument("--strategy", default="all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--db", default="sqlite")
    asked = parser.parse_args()
    wanted, secrets = wanted_of(
        file=Path("unwritten"),
        scenario=asked.scenario,
        sizes=asked.size,
        strategies=asked.strategy,
        databases=asked.db,
        provider="auto",
    )
    found = [counted(wanted, secrets, seed) for seed in range(asked.seeds)]
    loads = list(found[0])
    differing = [load for load in loads if len({each[load] for each in found}) > 1]
    for load in differing:
        least, most = min(each[load] for each in found), max(each[load] for each in found)
        share = (most - least) / least
        print(f"{name_of(load[0])} {load[1]}: {least:,} to {most:,} calls, {1000 * share:.2f} per mille")
    print(
        f"{len(loads) - len(differing)} of {len(loads)} loads make the same number of calls with {asked.seeds} hash "
        f"seeds; the gate tolerates {1000 * CALLS_TOLERANCE:g} per mille, or {FEW_CALLS}."
    )


def counted(wanted: list[Wanted], secrets: Secrets, seed: int) -> dict[tuple[Place, str], int]:
    """Return the calls of each load, by workers of one hash seed."""
    start = CaseUnderWay.worker

    def seeded(case: CaseUnderWay, target: str, **_: Any) -> WorkerProcess:
        return start(case, target, hash_seed=seed)

    now: dict[Place, Now] = {}
    with patch.object(CaseUnderWay, "worker", seeded):
        deque(checking.measure(wanted, secrets, now), maxlen=0)
    return {
        (place, strategy): load.calls
        for place, here in now.items()
        for strategy, load in here.found.loads.items()
        if load.calls is not None
    }


if __name__ == "__main__":
    main()
