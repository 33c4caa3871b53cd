"""How often the gate's time tier cries wolf, and what it sees: pairs of workers recorded, then judged in blocks.

    python scripts/selfbench_time_tier.py record PAIRS.jsonl --minutes 10 [--neighbours 2]
    python scripts/selfbench_time_tier.py judge PAIRS.jsonl

A pair is two fresh workers of one load (one_to_many 20x10, selectin), up at the same time, as the time tier has them.
One of them also loads with a busy loop of 5 % and of 10 % of the load in it, calibrated in that worker. Each block of
25 pairs is one comparison: the same load against itself, which must not fail, and against each of the slow ones, which
must. Whatever is screened in is decided on the next block, so that no pair is used twice for one verdict.
Recording goes on where a file was left off. With neighbours, as many processes burn time in bursts meanwhile.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import click
from scipy.stats import beta
from tabulate import tabulate

from bench.databases import SqliteCache
from bench.databases.sqlite import target_of
from bench.datasets import dataset_key, seed
from bench.measure.workers import WorkerProcess
from bench.model import DatasetOptions, Size, Target
from bench.reduce.regression import is_suspect, p_value, paired, rejected
from bench.regressing import PAIRS, THRESHOLD
from scenarios.one_to_many import ONE_TO_MANY

SIZE, ROUNDS = Size((20, 10)), 5
KINDS = {"same": 0.0, "5 % slower": 0.05, "10 % slower": 0.10}

SCENARIO = '''
import time
from dataclasses import replace
from scenarios.one_to_many import ONE_TO_MANY

(selectin,) = [one for one in ONE_TO_MANY.strategies if one.name == "selectin"]
SHARES = {"selectin": 0.0, "slower_5": 0.05, "slower_10": 0.10}
usual_ns = None

def calibrated(session):
    """What a load takes in this process: a busy loop is a share of that."""
    global usual_ns
    if usual_ns is None:
        taken = []
        for _ in range(9):
            begin = time.perf_counter_ns()
            ONE_TO_MANY.load(session, selectin)
            taken.append(time.perf_counter_ns() - begin)
            session.expunge_all()
        usual_ns = sorted(taken)[len(taken) // 2]
    return usual_ns

def prepare(session):
    calibrated(session)
    session.rollback()

def load(session, strategy):
    found = ONE_TO_MANY.load(session, strategy)
    until = time.perf_counter_ns() + SHARES[strategy.name] * usual_ns
    while time.perf_counter_ns() < until:
        pass
    return found

paired = replace(
    ONE_TO_MANY, name="paired", load=load, prepare=prepare,
    strategies=tuple(replace(selectin, name=name) for name in SHARES),
)
'''

NEIGHBOUR = """
import random, time
while True:
    until = time.perf_counter() + random.uniform(0.05, 0.5)
    while time.perf_counter() < until:
        pass
    time.sleep(random.uniform(0.05, 0.5))
"""


@click.group()
def cli() -> None:
    """Record pairs of workers, or judge what was recorded."""


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--minutes", type=float, default=10.0)
@click.option("--neighbours", type=int, default=0)
def record(file: Path, minutes: float, neighbours: int) -> None:
    """Add pairs to a file for so long."""
    until = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as folder, busy(neighbours), file.open("a", encoding="utf-8") as out:
        scenario = Path(folder) / "paired.py"
        scenario.write_text(SCENARIO, encoding="utf-8")
        target = seeded(Path(folder))
        while time.monotonic() < until:
            out.write(json.dumps(one_pair(f"{scenario}:paired", target)) + "\n")
            out.flush()


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
def judge(file: Path) -> None:
    """Print how many comparisons fail, of the same load and of slower ones."""
    pairs = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    rows = []
    for kind in KINDS:
        outcomes = list(comparisons([pair[kind] for pair in pairs]))
        failed = sum(outcomes)
        rows.append([kind, len(outcomes), failed, *bounds(failed, len(outcomes))])
    shown = paired([pair["same"] for pair in pairs], THRESHOLD)
    print(tabulate(rows, ["load", "comparisons", "fail", "at the least", "at the most (95 %)"]))
    if shown:
        per_block = paired([pair["same"] for pair in pairs][:PAIRS], THRESHOLD)
        print(f"{len(pairs):,} pairs; scatter of one: {100 * shown.deviation:.1f} %; ", end="")
        print(f"{PAIRS} pairs detect {100 * per_block.detectable:.1f} % and more" if per_block else "")


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


def one_pair(scenario: str, target: Target) -> dict[str, float]:
    """Return the ratios of one pair, each the median over rounds, the order shuffled in each."""
    seed_ = random.getrandbits(32)
    taken: dict[str, list[int]] = {name: [] for name in ("before", *KINDS)}
    arms = [
        ("before", 0, "selectin"),
        ("same", 1, "selectin"),
        ("5 % slower", 1, "slower_5"),
        ("10 % slower", 1, "slower_10"),
    ]
    with ExitStack() as stack:
        workers = [WorkerProcess(scenario, target, hash_seed=seed_) for _ in range(2)]
        for worker in workers:
            stack.push(worker)
        for worker in workers:
            worker.__enter__()
        for round_number in range(ROUNDS + 1):
            for name, at, strategy in random.sample(arms, len(arms)):
                sample = workers[at].ask("time", strategy=strategy, floor=False, collector="quiet")
                if round_number:
                    taken[name].append(sample["wall_ns"])
    return {
        kind: median(now / before for now, before in zip(taken[kind], taken["before"], strict=True)) for kind in KINDS
    }


def seeded(folder: Path) -> Target:
    """A file with the books."""
    options = DatasetOptions()
    kept = SqliteCache(folder / "cache").seeded(
        "paired",
        dataset_key(ONE_TO_MANY, SIZE, options, "sqlite"),
        lambda empty: seed(ONE_TO_MANY, SIZE, options, target_of(empty), fingerprint=""),
    )
    return kept.target


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Have neighbours that burn time in bursts meanwhile."""
    neighbours = [subprocess.Popen([sys.executable, "-c", NEIGHBOUR]) for _ in range(count)]
    try:
        yield
    finally:
        for each in neighbours:
            each.kill()
            each.wait()


if __name__ == "__main__":
    cli()
