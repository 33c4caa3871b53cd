"""How often the gate's time tier cries wolf, and what it sees: pairs of workers recorded, then judged in blocks.

    python scripts/selfbench_time_tier.py record PAIRS.jsonl --minutes 10 [--streams 2] [--neighbours 2]
    python scripts/selfbench_time_tier.py judge PAIRS.jsonl
    python scripts/selfbench_time_tier.py processors
    python scripts/selfbench_time_tier.py live --slower 0.10 --trials 30 [--size 1000x50]

A pair is two fresh workers of one load (20 customers with 10 orders each, selectin, SQLite), up at the same time, as
the time tier has them, each in as many rounds as it takes there. One of them also loads with a busy loop of 5 % and of
10 % of the load in it, calibrated in that worker. Each block of 25 pairs is one comparison: the same load against
itself, which must not fail, and against each of the slow ones, which must. Whatever is screened in is decided on the
next block, so that no pair is used twice for one verdict. A threshold of 0 shows what the rule is worth without the
slack that 2 % give it. Other tools' rules are applied to the same samples: to those of one pair, for a tool that runs
one process of each version, and to all of a block.

Recording goes on where a file was left off. A pair beside which others used more than QUIET of a CPU is thrown away,
whatever its times were, and taken again: so what is called quiet was. With neighbours, as many processes burn time in
bursts meanwhile. With streams, so many processors each have pairs of their own at the same time, to be done sooner:
less quiet than a comparison alone, so what holds there is not flattered (a pair says how many there were). `live` runs
the command itself, in a repository whose work tree is slower than its revision.
"""

from __future__ import annotations

import json
import lzma
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import fmean, geometric_mean, median, quantiles, stdev
from typing import Any

import click
from scipy.stats import beta
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.model import parse_sizes
from bench.reduce.regression import is_suspect, p_value, paired, power, rejected, smallest_detectable
from bench.regressing import MOST_ROUNDS, PAIRS, THRESHOLD
from scripts.other_rules import RULES
from scripts.paired_loads import KINDS, SIDES, SIZE, Pairs, busy, scenario_text, seen_usual_ns

QUIET = 0.1
"""Of a CPU that other processes may use beside a pair."""

MOST_SINGLE = 1_000
"""Pairs that other rules are applied to one by one."""

Pair = dict[str, Any]
"""A line of the file: see `scripts.paired_loads.Pairs.take`."""


@click.group()
def cli() -> None:
    """Record pairs of workers, or judge what was recorded."""


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--minutes", type=float, default=10.0, help="How long to go on.")
@click.option("--streams", type=int, default=1, help="Processors that take pairs of their own, at the same time.")
@click.option("--neighbours", type=int, default=0, help="Processes that burn time in bursts meanwhile.")
def record(file: Path, minutes: float, streams: int, neighbours: int) -> None:
    """Add pairs to a file for so long."""
    until = time.monotonic() + 60 * minutes
    with ExitStack() as stack:
        out = stack.enter_context(file.open("a", encoding="utf-8"))
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(streams)]
        pairs = [Pairs(folder, rounds=MOST_ROUNDS) for folder in folders]
        stack.enter_context(busy(neighbours))

        def stream(number: int) -> None:
            if streams > 1:
                os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[number]})  # this thread, and what it starts
            while time.monotonic() < until:
                pair = pairs[number].take()
                if neighbours or pair["others"] <= QUIET:
                    out.write(json.dumps({"streams": streams, **pair}) + "\n")
                    out.flush()

        with ThreadPoolExecutor(streams) as pool:
            list(pool.map(stream, range(streams)))  # an error of one is raised here


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
def judge(file: Path) -> None:
    """Print how many comparisons fail, of the same load and of slower ones, by our rule and by others.

    The file may be compressed by xz.
    """
    text = lzma.decompress(file.read_bytes()) if file.suffix == ".xz" else file.read_bytes()
    pairs = [json.loads(line) for line in text.splitlines()]
    heads = ["load", "ratio", "threshold", "comparisons", "fail", "share", "at the least", "at the most (95 %)"]
    print(f"{len(pairs):,} pairs; others used {fmean(pair['others'] for pair in pairs):.2f} CPUs meanwhile")
    print(tabulate(list(by_our_rule(pairs)), heads))
    print()
    print(tabulate(list(by_other_rules(pairs)), ["rule", "samples of", "comparisons", *KINDS]))
    if shown := paired([ratio(pair["same"]) for pair in pairs], THRESHOLD):
        scatter = shown.deviation
        least = smallest_detectable(scatter, PAIRS, THRESHOLD)
        print(f"\nscatter of a pair: {100 * scatter:.1f} %", end="; ")
        print(f"{PAIRS} pairs detect {100 * least:.1f} % and more in 80 of 100")
        for kind, sure in (("5 %", 0.80), ("10 %", 0.95)):
            print(f"{kind} in {100 * sure:.0f} of 100 takes {pairs_for(float(kind[:-2]) / 100, scatter, sure)} pairs")


@cli.command()
@click.option("--pairs", type=int, default=120, help="Of each kind.")
def processors(pairs: int) -> None:
    """Print what pairs of the same load differ by, on one processor and on whichever the scheduler takes, in turn."""
    logs: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as folder:
        taken = Pairs(Path(folder), rounds=MOST_ROUNDS)
        for together in pairs * [True, False]:
            logs[together].append(math.log(ratio(taken.take(together=together)["same"])))
    rows = []
    for together, found in logs.items():
        ends = quantiles(found, n=20)
        shown = (
            fmean(found),
            2 * stdev(found) / math.sqrt(pairs),
            stdev(found),
            ends[0],
            ends[-1],
            min(found),
            max(found),
        )
        rows.append(["one" if together else "any", *(f"{100 * value:+.1f} %" for value in shown)])
    print(f"{pairs} pairs of each kind, in turn; differences of their logarithms")
    print(tabulate(rows, ["processor", "mean", "+-", "scatter", "1 of 20 below", "1 of 20 above", "least", "most"]))


@cli.command()
@click.option("--slower", type=float, default=0.10, help="Share of the load that the work tree takes longer.")
@click.option("--trials", type=int, default=30)
@click.option("--size", default=str(SIZE))
def live(slower: float, trials: int, size: str) -> None:
    """Run `bench check --against HEAD` so often, and print what it said and how long it took."""
    seen, took_s = 0, []
    for trial in range(1, trials + 1):
        with tempfile.TemporaryDirectory() as folder:
            found, seconds = one_check(Path(folder), slower, size)
        seen += found["failed"]
        took_s.append(seconds)
        (load,) = found["timed"]["loads"]
        last = load["decided"] or load["screened"]
        print(
            f"{trial}: {load['judged']}, {last['value']:.3f} ({last['low']:.3f} to {last['high']:.3f}), {seconds:.0f} s"
        )
    low, high = bounds(seen, trials)
    print(f"{seen} of {trials} failed ({low} to {high}), {median(took_s):.0f} s each, {max(took_s):.0f} s at the most")


def one_check(folder: Path, slower: float, size: str) -> tuple[dict[str, Any], float]:
    """Return the outcome of a check of a slower work tree, and how many seconds it took.

    What the load takes is seen before: a worker that sees it for itself has loaded five times more than one of a load
    as it was, and is a few per cent quicker for it at 20x10, which is no part of what was injected.
    """
    with tempfile.TemporaryDirectory() as aside:
        usual_ns = seen_usual_ns(Path(aside), parse_sizes(size, levels=2)[0])
    file = folder / "loading.py"
    file.write_text(scenario_text({"slowed": 0.0}, usual_ns), encoding="utf-8")
    who = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")
    for command in (("init", "-q"), ("add", "loading.py"), (*who, "commit", "-q", "-m", "as it was")):
        subprocess.run(["git", *command], cwd=folder, check=True)  # noqa: S607 - the git that is found
    file.write_text(scenario_text({"slowed": slower}, usual_ns), encoding="utf-8")
    check = ("check", "--against", "HEAD", "--scenario", "loading.py:now", "--size", size, "--json")
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "bench", *check], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return json.loads(done.stdout), time.monotonic() - begin


def by_our_rule(pairs: Sequence[Pair]) -> Iterator[list[object]]:
    """Yield a row for each load and threshold: how many comparisons fail."""
    for kind in KINDS:
        ratios = [ratio(pair[kind]) for pair in pairs]
        for threshold in (THRESHOLD, 0.0) if kind == "same" else (THRESHOLD,):
            outcomes = list(comparisons(ratios, threshold))
            failed, of = sum(outcomes), len(outcomes)
            yield [kind, f"{geometric_mean(ratios):.3f}", f"{100 * threshold:.0f} %", of, failed, *shares(failed, of)]


def by_other_rules(pairs: Sequence[Pair]) -> Iterator[list[object]]:
    """Yield a row for each rule and amount of samples: the share of comparisons that it calls slower."""
    blocks = [pairs[at : at + PAIRS] for at in range(0, len(pairs) - PAIRS + 1, PAIRS)]
    for samples, groups in (("one pair", [[pair] for pair in pairs[:MOST_SINGLE]]), (f"{PAIRS} pairs", blocks)):
        for name, rule in RULES.items():
            called = [
                sum(
                    rule(*([sample for pair in group for sample in pair[kind][side]] for side in SIDES))
                    for group in groups
                )
                for kind in KINDS
            ]
            yield [name, samples, len(groups), *(f"{100 * count / max(1, len(groups)):.1f} %" for count in called)]


def pairs_for(slowdown: float, deviation: float, sure: float) -> int:
    """Return how many pairs it takes to see a slowdown so surely at such a scatter."""
    return next((count for count in range(5, 1000) if power(slowdown, deviation, count, THRESHOLD) >= sure), 1000)


def ratio(times: dict[str, list[int]]) -> float:
    """A pair's figure, as the time tier has it: the median of the rounds' ratios."""
    return median(now / before for now, before in zip(times["now"], times["before"], strict=True))


def comparisons(ratios: Sequence[float], threshold: float) -> Iterator[bool]:
    """Yield whether each comparison fails: a block screens, and the next one decides where it was screened in."""
    blocks = [ratios[at : at + PAIRS] for at in range(0, len(ratios) - PAIRS + 1, PAIRS)]
    while blocks:
        first = blocks.pop(0)
        if not is_suspect(first, threshold):
            yield False
        elif blocks:
            yield bool(rejected({0: p_value(blocks.pop(0), threshold)}))


def shares(failed: int, of: int) -> tuple[str, str, str]:
    """The share that failed, with its bounds."""
    return (f"{100 * failed / of:.1f} %" if of else ""), *bounds(failed, of)


def bounds(failed: int, of: int) -> tuple[str, str]:
    """The ends of the 95 % interval of a share by Clopper and Pearson (1934)."""
    if not of:
        return "", ""
    low = float(beta.ppf(0.025, failed, of - failed + 1)) if failed else 0.0
    high = float(beta.ppf(0.975, failed + 1, of - failed)) if failed < of else 1.0
    return f"{100 * low:.1f} %", f"{100 * high:.1f} %"


if __name__ == "__main__":
    cli()
