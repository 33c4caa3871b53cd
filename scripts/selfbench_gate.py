"""How often the exact tier of the gate cries wolf: the same code checked again and again, in fresh processes each time.

    python scripts/selfbench_gate.py --checks 10 --scenario all

Each check measures every load of a baseline anew. A load that is told to differ is a false alarm. Beside their share
stands the upper end of its 95 % interval (Clopper and Pearson), which for none in n is about 3 / n.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from scipy.stats import beta

from bench import gating


def main() -> None:
    """Write a baseline in a folder of its own, check it so many times, and print what was told."""
    parser = argparse.ArgumentParser(description="How often the exact tier of the gate cries wolf.")
    parser.add_argument("--checks", type=int, default=10)
    parser.add_argument("--scenario", default="all")
    parser.add_argument("--size", default=None)
    parser.add_argument("--db", default="sqlite")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench-baseline.jsonl"
        said = gating.write(
            file=file,
            scenario=asked.scenario,
            sizes=asked.size,
            strategies=None,
            databases=asked.db,
            provider="auto",
            quiet=True,
        )
        print(said.partition(",")[0])
        loads = alarms = 0
        for number in range(1, asked.checks + 1):
            began = time.monotonic()
            checked = gating.check_now(file=file, only=None, databases=None, provider="auto", quiet=True)
            loads += len(checked.compared)
            alarms += len({(finding.place, finding.strategy) for finding in checked.findings})
            print(f"{number}: {alarms} of {loads} told to differ; {time.monotonic() - began:.1f} s", flush=True)
            for finding in checked.findings:
                print(f"  {finding.place.scenario} {finding.strategy} {finding.says}")
    print(f"{alarms} of {loads}: at most {beta.ppf(0.975, alarms + 1, loads - alarms):.2%} (95 %)")


if __name__ == "__main__":
    main()
