"""Times the report of a run with many cases: reading the run file, reducing it, drawing it, writing the pages.

    python scripts/selfbench_report.py [--cases 2000] [--repeats 5]

The run is made up: ten arms a case (six strategies, three floors and a twin), five workers of four rounds each. It is
stored as a run file, then each repeat reads it and writes its report in a fresh process, start-up included.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from bench.model import Arm, Case, Run  # noqa: E402 - found by the path set above
from bench.record.runfile import load, save  # noqa: E402

PARENTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
CHILDREN = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50)
ARMS = 10
WORKERS, ROUNDS = 5, 4


def make_large_run(cases: int) -> Run:
    """A run of that many cases: grids of 10 x 10 sizes, each grid on a scenario of its own."""
    from support.runs import make_run

    return make_run([_case(at) for at in range(cases)], id="selfbench", label="selfbench")


def _case(at: int) -> Case:
    from support.runs import make_case, typical_times

    grid, place = divmod(at, len(PARENTS) * len(CHILDREN))
    size = f"{PARENTS[place // len(CHILDREN)]}x{CHILDREN[place % len(CHILDREN)]}"
    times = {name: ms * (1 + at / 1e5) for name, ms in typical_times(size).items()}  # no two cases have a figure alike
    case = make_case(times, size=size, workers=WORKERS, rounds=ROUNDS)
    spec = dataclasses.replace(case.spec, scenario=f"scenario_{grid + 1}")
    return dataclasses.replace(case, spec=spec, arms=_ten(case.arms))


def _ten(arms: tuple[Arm, ...]) -> tuple[Arm, ...]:
    floors = [arm for arm in arms if arm.kind == "floor"]
    others = [arm for arm in arms if arm.kind != "floor"]
    return (*others, *floors[: ARMS - len(others)])


def time_stages(folder: Path) -> None:
    """One repeat, in a process of its own: print the seconds of each stage as JSON."""
    marks = [("start", time.perf_counter())]

    def mark(stage: str) -> None:
        marks.append((stage, time.perf_counter()))

    run = load(folder)
    mark("decode the run file")
    from bench.reduce.crossover import crossovers
    from bench.reduce.summaries import summarise_all
    from bench.report.charts.draw import draw_charts
    from bench.report.html import run_html
    from bench.report.write import collector_paused, markdown_page

    mark("import matplotlib and Jinja2")
    with collector_paused():
        summaries = summarise_all(run)
        series = crossovers(run, summaries=summaries)
    mark("reduce")
    charts = draw_charts(summaries, series)
    mark("draw the charts")
    with collector_paused():
        markdown_page(run, charts, summaries, series)
        mark("report.md")
        run_html(run, charts, summaries=summaries, crossovers=series)
        mark("report.html")
    stages = {name: after - before for (_, before), (name, after) in pairwise(marks)}
    print(json.dumps(stages))


def time_whole(folder: Path) -> None:
    """One repeat of what `bench report` does."""
    from bench.report.write import write_report

    write_report(load(folder), folder)


def main() -> None:
    """Build the run, time the repeats, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--stages", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--whole", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.stages:
        time_stages(chosen.stages)
    elif chosen.whole:
        time_whole(chosen.whole)
    else:
        _repeat(chosen.cases, chosen.repeats)


def _repeat(cases: int, repeats: int) -> None:
    print(f"load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        save(make_large_run(cases), folder)
        print(f"{cases:,} cases, run.json of {(folder / 'run.json').stat().st_size / 1e6:.1f} MB")
        whole = []
        stages: dict[str, list[float]] = {}
        for _ in range(repeats):
            before = time.perf_counter()
            _fresh("--whole", folder)
            whole.append(time.perf_counter() - before)
            for stage, seconds in json.loads(_fresh("--stages", folder)).items():
                stages.setdefault(stage, []).append(seconds)
        print(f"{'stage':<32}{'min':>8}{'median':>8}{'max':>8}{'share':>8}")
        all_stages = sum(median(times) for times in stages.values())
        for stage, times in stages.items():
            _line(stage, times, median(times) / all_stages)
        _line("whole process, files written", whole)
        for page in sorted(folder.glob("report.*")):
            print(f"{page.name}: {page.stat().st_size / 1e6:.1f} MB")
        print(f"charts: {len(list((folder / 'charts').iterdir()))} files")


def _fresh(option: str, folder: Path) -> str:
    command = [sys.executable, __file__, option, str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _line(name: str, times: list[float], share: float | None = None) -> None:
    part = f"{share:>8.0%}" if share is not None else ""
    print(f"{name:<32}{min(times):>7.2f}s{median(times):>7.2f}s{max(times):>7.2f}s{part}")


if __name__ == "__main__":
    main()
