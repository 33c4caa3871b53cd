"""Several scenarios in one run of the public command, and the table of winners that is made of stored runs."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import ROOT, Bench
from support.runs import make_catalogue_run

from bench.model import AddedDelay, Case, Run, Sampling
from bench.record import save

SCRIPT = ROOT / "scripts" / "where_each_wins.py"
PAGE = ROOT / "docs" / "loading-strategies.md"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, str]:
    """A quick look at two scenarios, and what it printed."""
    bench = Bench(tmp_path_factory.mktemp("two"))
    done = bench("run", "--scenario", "one_to_many,many_to_one", "--size", "20x5", "--quick")
    assert done.returncode == 0, done.stderr
    return bench, done.stdout


def test_two_scenarios_are_summed_up_first_and_in_every_report(two: tuple[Bench, str]) -> None:
    bench, printed = two
    (folder,) = bench.runs()

    assert printed.index("Summary: 2 scenarios on sqlite") < printed.index("one_to_many 20x5 on sqlite")
    summed_up = printed.partition("Summary:")[2].partition("Findings")[0]
    for scenario, rule in (("one_to_many", "selectin"), ("many_to_one", "joined")):
        assert re.search(
            rf"^{scenario} 20x5 +\S.* ~\S+ (ms|µs) +{rule}: cannot say +\S+ ~[\d.]+x$", summed_up, re.MULTILINE
        )
    markdown = (folder / "report.md").read_text()
    assert "## Summary: 2 scenarios on sqlite" in markdown
    assert "charts/summary-prices.png" in markdown
    assert (folder / "charts" / "summary-prices.png").is_file()
    assert 'id="scenario-2"' in (folder / "report.html").read_text()


def test_a_report_that_is_drawn_again_is_the_same(two: tuple[Bench, str]) -> None:
    bench, _ = two
    (folder,) = bench.runs()
    before = {name: (folder / name).read_bytes() for name in ("report.md", "report.html", "charts/summary-prices.svg")}

    assert bench("report", folder.name).returncode == 0

    assert before == {name: (folder / name).read_bytes() for name in before}


def winners(*arguments: str | Path, results: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments), "--results", str(results)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def delayed(case: Case) -> Case:
    """The case as its second target is measured with a millisecond added."""
    targets = tuple(
        dataclasses.replace(target, delay=AddedDelay(asked_ns=at * 10**6, added_ns=at * 1_020_000, proxy_ns=30_000))
        for at, target in enumerate(case.targets)
    )
    return dataclasses.replace(case, targets=targets)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stored runs: one on SQLite, one on PostgreSQL at two round-trip times, a quick look and one cut short."""
    folder = tmp_path_factory.mktemp("results")
    server = make_catalogue_run(targets=["postgres:17 rtt=0", "postgres:17 rtt=1ms"])
    runs = {
        "sqlite": make_catalogue_run(id="sqlite"),
        "postgres": dataclasses.replace(server, id="postgres", cases=tuple(map(delayed, server.cases))),
        "quick": make_catalogue_run(id="quick", sampling=Sampling(seed=1, budget_s=None, quick=True)),
        "cut": make_catalogue_run(id="cut", status="interrupted"),
    }
    for name, run in runs.items():
        keep(run, folder / name)
    return folder


def keep(run: Run, folder: Path) -> None:
    folder.mkdir()
    save(run, folder)


def test_the_table_of_winners_has_targets_beside_one_another_and_marks_contradictions(results: Path) -> None:
    done = winners("sqlite", "postgres", "--page", "-", results=results)

    assert done.returncode == 0, done.stderr
    header, _, *rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in header.split("|")[1:-1]] == [
        "scenario",
        "rule of thumb",
        "SQLite",
        "PostgreSQL at RTT 0 ms",
        "PostgreSQL at RTT 1 ms",
    ]
    cells = {row[0]: row[1:] for row in ([cell.strip() for cell in line.split("|")[1:-1]] for line in rows)}
    assert cells["one_to_many 1000x50"] == ["selectin"] * 4
    assert cells["first_page\\[limit=50\\] 1000x5"][1] == "selectin and subquery (tie)"
    for cell in cells["many_to_one 1000x50"][1:]:
        assert re.fullmatch(r"\*\*lazy\*\*, against the rule: joined takes 1\.\d+x \(\S+\)", cell)
    assert "Of 15 results the rule of thumb holds in 3 and is contradicted in 9." in done.stdout
    assert "RTT 1 ms: a round trip took 1.02 ms longer than without." in done.stdout


def test_only_what_stands_between_the_markers_is_replaced_and_always_by_the_same(results: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    before, _, rest = PAGE.read_text().partition("<!-- where each strategy wins: made by")
    after = rest.partition("<!-- where each strategy wins: end -->")[2]

    texts = []
    for _ in range(2):
        done = winners("sqlite", "postgres", "--page", page, results=results)
        assert done.returncode == 0, done.stderr
        texts.append(page.read_text())

    assert texts[0] == texts[1]
    assert texts[0].startswith(before)
    assert texts[0].endswith(after)
    assert "against the rule: joined takes" in texts[0]


def test_a_case_of_two_runs_is_the_later_ones(results: Path, tmp_path: Path) -> None:
    earlier = make_catalogue_run(id="earlier", created="2025-01-01T12:00:00+00:00")
    changed = tuple(dataclasses.replace(case, arms=case.arms[1:]) for case in earlier.cases)
    keep(dataclasses.replace(earlier, cases=changed), tmp_path / "earlier")

    both = winners("sqlite", tmp_path / "earlier", "--page", "-", results=results)
    alone = winners("sqlite", "--page", "-", results=results)

    assert both.stdout.splitlines()[:7] == alone.stdout.splitlines()[:7]


@pytest.mark.parametrize(
    ("run", "message"),
    [("quick", "is a quick look"), ("cut", "bench run --resume cut"), ("nosuch", "There is no run 'nosuch'")],
)
def test_what_allows_no_claim_is_refused_in_a_sentence(results: Path, tmp_path: Path, run: str, message: str) -> None:
    page = tmp_path / "page.md"
    page.write_text("unchanged")

    done = winners(run, "--page", page, results=results)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert page.read_text() == "unchanged"


@pytest.mark.parametrize("text", ["no markers", "<!-- where each strategy wins: end -->"])
def test_a_page_without_the_markers_is_left_alone(results: Path, tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)

    done = winners("sqlite", "--page", page, results=results)

    assert done.returncode == 2
    assert "has not both markers" in done.stderr
    assert page.read_text() == text
