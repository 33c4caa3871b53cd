"""How often the gate's time tier cries wolf, and what it sees: pairs of workers recorded, then judged in blocks.

    python scripts/selfbench_time_tier.py record PAIRS.jsonl --minutes 10 [--neighbours 2]
    python scripts/selfbench_time_tier.py judge PAIRS.jsonl

A pair is two fresh workers of one load (20 customers with 10 orders each, selectin, SQLite), up at the same time, as
the time tier has them, each in as many rounds as it takes there. One of them also loads with a busy loop of 5 % and of
10 % of the load in it, calibrated in that worker. Each block of 25 pairs is one comparison: the same load against
itself, which must not fail, and against each of the slow ones, which must. Whatever is screened in is decided on the
next block, so that no pair is used twice for one verdict.
Recording goes on where a file was left off. With neighbours, as many processes burn time in bursts meanwhile.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import click
from scipy.stats import beta
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.reduce.regression import is_suspect, p_value, paired, rejected
from bench.regressing import MOST_ROUNDS, PAIRS, THRESHOLD
from scripts.paired_loads import KINDS, Pairs, busy


@click.group()
def cli() -> None:
    """Record pairs of workers, or judge what was recorded."""


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--minutes", type=float, default=10.0, help="How long to go on.")
@click.option("--neighbours", type=int, default=0, help="Processes that burn time in bursts meanwhile.")
def record(file: Path, minutes: float, neighbours: int) -> None:
    """Add pairs to a file for so long."""
    until = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as folder, file.open("a", encoding="utf-8") as out:
        pairs = Pairs(Path(folder), rounds=MOST_ROUNDS)
        with busy(neighbours):
            while time.monotonic() < until:
                out.write(json.dumps(pairs.take()) + "\n")
                out.flush()


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
def judge(file: Path) -> None:
    """Print how many comparisons fail, of the same load and of slower ones."""
    pairs = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    rows = []
    for kind in KINDS:
        outcomes = list(comparisons([ratio(pair[kind]) for pair in pairs]))
        failed = sum(outcomes)
        rows.append([kind, len(outcomes), failed, *bounds(failed, len(outcomes))])
    shown = paired([ratio(pair["same"]) for pair in pairs], THRESHOLD)
    print(tabulate(rows, ["load", "comparisons", "fail", "at the least", "at the most (95 %)"]))
    if shown:
        per_block = paired([ratio(pair["same"]) for pair in pairs][:PAIRS], THRESHOLD)
        print(f"{len(pairs):,} pairs; scatter of one: {100 * shown.deviation:.1f} %; ", end="")
        print(f"{PAIRS} pairs detect {100 * per_block.detectable:.1f} % and more" if per_block else "")


def ratio(times: dict[str, list[int]]) -> float:
    """A pair's figure, as the time tier has it: the median of the rounds' ratios."""
    return median(now / before for now, before in zip(times["now"], times["before"], strict=True))


def comparisons(ratios: Sequence[float]) -> Iterator[bool]:
    """Yield whether each comparison fails: a block screens, and the next one decides where it was screened in."""
    blocks = [ratios[at : at + PAIRS] for at in range(0, len(ratios) - PAIRS + 1, PAIRS)]
    while blocks:
        first = blocks.pop(0)
        if not is_suspect(first, THRESHOLD):
            yield False
        elif blocks:
            yield bool(rejected({0: p_value(blocks.pop(0), THRESHOLD)}))


def bounds(failed: int, of: int) -> tuple[str, str]:
    """The share that failed with its 95 % bounds by Clopper and Pearson (1934)."""
    if not of:
        return "", ""
    low = float(beta.ppf(0.025, failed, of - failed + 1)) if failed else 0.0
    high = float(beta.ppf(0.975, failed + 1, of - failed)) if failed < of else 1.0
    return f"{100 * low:.1f} %", f"{100 * high:.1f} %"


if __name__ == "__main__":
    cli()
