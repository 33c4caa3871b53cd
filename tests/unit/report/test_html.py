"""What report.html promises: all of it in one file, in the order that a reader needs, for everybody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Literal

import msgspec
import pytest
from support.pages import Parsed
from support.runs import make_case, make_run, make_targets_case, typical_times, without_samples

from bench.model import Run, Sampling, Warned
from bench.reduce.across import by_case
from bench.reduce.crossover import crossovers
from bench.reduce.summaries import summarise_all
from bench.report.charts import draw
from bench.report.charts.draw import Charts, draw_charts
from bench.report.html import run_html
from bench.report.page import MOST_SAMPLES_LISTED


def page_of(run: Run) -> str:
    summaries = summarise_all(run)
    comparisons = {at: compared for at, (compared, _) in enumerate(by_case(run, summaries)) if compared}
    return run_html(run, draw_charts(summaries, crossovers(run, summaries=summaries), comparisons))


@cache
def usual() -> str:
    return page_of(make_run([make_case(warnings=[Warned(code="busy", text="The machine was busy.")])]))


@cache
def series() -> str:
    return page_of(make_run([make_case({"joined": ms, "selectin": 5.0}, size=f"10x{ms}") for ms in (2, 4, 8)]))


@cache
def targets() -> str:
    times = {"postgres:14": {"joined": 6.0, "selectin": 5.0}, "postgres:18": {"joined": 5.0, "selectin": 5.0}}
    cases = [make_targets_case(times, size=size, rounds=3) for size in ("10x2", "10x4")]
    return page_of(make_run(cases))


def test_every_element_that_is_opened_is_closed() -> None:
    for page in (usual(), series(), targets()):
        assert Parsed(page).open == []


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing() -> None:
    for page in (usual(), series(), targets()):
        parsed = Parsed(page)
        tags = {tag for tag, _ in parsed.elements}
        assert not tags & {"script", "link", "iframe", "object", "embed", "img", "form", "base", "audio", "video"}
        for _, attributes in parsed.elements:
            for name, value in attributes.items():
                assert not name.startswith("on")
                if name in ("href", "src", "xlink:href", "srcset", "action", "data"):
                    assert (value or "").startswith(("#", "data:image/png;base64,"))
        assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", page))
        assert "@import" not in page
        assert "@font-face" not in page


def test_the_page_forbids_the_browser_to_load_or_run_anything() -> None:
    policies = [meta["content"] for meta in Parsed(usual()).all("meta") if meta.get("http-equiv")]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_a_case_reads_from_the_question_over_the_findings_and_the_table_to_the_details() -> None:
    page = usual()
    places = [
        page.index(mark)
        for mark in (
            "how should a collection be loaded",
            "is the fastest, at",
            "<table",
            "Noise floor:",
            "<svg",
            "<summary>Statements sent",
            "<summary>Samples",
            "<summary>Command, environment",
        )
    ]
    assert places == sorted(places)


def test_a_run_of_several_cases_begins_with_the_crossover_then_lists_the_cases() -> None:
    page = series()
    places = [page.index(mark) for mark in ("Crossover: 10xn", 'id="contents"', 'id="case-1"', 'id="case-3"')]
    assert places == sorted(places)
    assert [link["href"] for link in Parsed(page).all("a")][:3] == ["#case-1", "#case-2", "#case-3"]


def test_what_compares_targets_comes_before_each_of_them_and_is_listed() -> None:
    page = targets()
    for number in (1, 2):
        marks = (f'id="targets-{number}"', f'id="case-{2 * number - 1}"', f'id="case-{2 * number}"')
        places = [page.index(mark) for mark in ('id="contents"', *marks)]
        assert places == sorted(places)
    links = [link["href"] for link in Parsed(page).all("a")]
    assert links[:6] == ["#targets-1", "#targets-2", "#case-1", "#case-2", "#case-3", "#case-4"]


def test_the_comparison_of_targets_has_its_table_its_findings_its_notes_and_its_chart() -> None:
    section = targets().partition('id="targets-1"')[2].partition("</section>")[0]
    parsed = Parsed(f"<section>{section}</section>")
    assert [
        header for header in ("strategy", "statements", "postgres:14", "postgres:18") if header not in parsed.text
    ] == []
    assert "postgres:18 takes 0.8" in parsed.text
    assert "Noise floor between targets:" in parsed.text
    assert len(parsed.all("svg")) == 1
    assert parsed.all("svg")[0]["role"] == "img"
    assert "Dataset:" not in parsed.text
    assert section.count('class="swatch"') == 2


def test_a_run_of_one_case_has_no_list_of_cases() -> None:
    assert 'id="contents"' not in usual()


def test_the_table_has_the_figures_and_every_header_its_scope() -> None:
    parsed = Parsed(usual())
    for expected in ("1,001", "51,000", "49,000", "97.5 MB", "fastest", "lazy", "contains_eager"):
        assert expected in parsed.text
    assert parsed.all("th")
    assert all(header.get("scope") in ("col", "row") for header in parsed.all("th"))
    assert parsed.text.count("The machine was busy.") == 1


def test_every_chart_is_named_for_those_who_cannot_see_it() -> None:
    charts = Parsed(usual()).all("svg")
    assert len(charts) == 3
    for chart in charts:
        assert chart["role"] == "img"
        assert "one_to_many 1000x50" in (chart["aria-label"] or "")


def test_every_identifier_is_there_once_and_every_reference_leads_to_one() -> None:
    for page in (usual(), series(), targets()):
        identifiers = re.findall(r'\bid="([^"]+)"', page)
        assert len(identifiers) == len(set(identifiers))
        wanted = re.findall(r'href="#([^"]+)"', page) + re.findall(r"url\(#([^)]+)\)", page)
        wanted += re.findall(r'aria-labelledby="([^"]+)"', page)
        assert set(wanted) <= set(identifiers)


def test_the_colours_of_the_charts_are_set_anew_for_a_dark_page() -> None:
    page = usual()
    used = set(re.findall(r"var\((--c[0-9a-f]{6}),", page))
    dark = page.partition("@media screen and (prefers-color-scheme: dark)")[2].partition("</style>")[0]
    assert used
    assert used <= set(re.findall(r"(--c[0-9a-f]{6}):", dark))
    drawn = page[page.index("<svg") :] + targets()[targets().index("<svg") :]
    assert not re.search(r"(?:fill|stroke)[:=]\W*#[0-9a-f]{6}", drawn), "a colour that a dark page cannot set"


def test_the_statements_that_were_sent_are_there_with_their_counts() -> None:
    text = Parsed(usual()).text
    assert "FROM users LEFT OUTER JOIN books AS books_1 ON users.id = books_1.user_id" in text
    assert "Executed 1,000 times: 50,000 rows fetched, 1,000 bound parameters sent." in text


def test_the_counts_are_there_folded_and_in_full() -> None:
    page = page_of(make_run([make_case({"selectin": 10.0, "joined": 20.0})]))
    folded = page.partition("<summary>Counts")[2].partition("</details>")[0]
    cells = [re.findall(r"<td[^>]*>([^<]*)", row) for row in folded.split("<tr")[2:]]
    assert cells == [
        ["3", "51,000", "0", "51,000", "1.00", "1,000", "15.3 MB"],
        ["1", "50,000", "49,000", "51,000", "1.96", "0", "20.0 MB"],
    ]


def test_the_samples_are_there_in_the_order_taken_and_cut_where_they_are_many() -> None:
    few = [[10.0, 12.5, 11.0]] * 5
    many = [[7.0] * MOST_SAMPLES_LISTED + [8.0] * 3] * 5
    text = Parsed(page_of(make_run([make_case({"selectin": few, "joined": many}, collectors={})]))).text
    assert "10 12.5 11" in text
    assert f"{'7 ' * MOST_SAMPLES_LISTED}and 3 more in run.json" in text


def test_command_environment_and_settings_are_there() -> None:
    text = Parsed(usual()).text
    for fact in ("bench run --size 1000x50", "greenlet 3.5.6", "journal_mode=off", "SQLAlchemy 2.1.9", "CLOCK_MONO"):
        assert fact in text


HOSTILE = """</script></style></svg>--><script>alert(1)</script><img src=x onerror="alert(1)">'"{{ 7*7 }}&amp;]]>"""
FIXED = {"status", "kind", "fault", "collector", "children", "order", "database"}
PROVIDERS = {"auto", "binaries", "docker"}


def poison(value: Any, key: str = "") -> Any:
    """The same with hostile text in every string that may hold any."""
    if isinstance(value, str) and key not in FIXED and value not in PROVIDERS:
        return value + HOSTILE
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [poison(each, key) for each in value]
    if isinstance(value, dict):
        free = key in ("settings", "packages")
        return {poison(name) if free else name: poison(each, name) for name, each in value.items()}
    return value


@cache
def poisoned() -> Run:
    cases = [
        make_case(
            {name: typical_times(size)[name] for name in ("lazy", "joined", "selectin")},
            size=size,
            rounds=3,
            wrong={"subquery": "User 3 differs."},
            warnings=[Warned(code="busy", text="Busy.")],
        )
        for size in ("100x2", "100x50")
    ]
    cases.append(
        make_targets_case({name: {"lazy": 9.0, "selectin": 5.0} for name in ("postgres:14", "sqlite")}, rounds=3)
    )
    return msgspec.convert(poison(msgspec.to_builtins(make_run(cases))), Run)


def test_hostile_text_in_any_string_of_the_run_file_comes_out_inert() -> None:
    page = page_of(poisoned())
    parsed = Parsed(page)
    assert parsed.open == []
    tags = {tag for tag, _ in parsed.elements}
    assert not tags & {"script", "img"}
    assert not any(name.startswith("on") for _, attributes in parsed.elements for name in attributes)
    assert "{{ 7*7 }}" in parsed.text
    assert "<script" not in page
    assert "alert(1)" in parsed.text
    for found in ("one_to_many", "selectin", "greenlet", "journal_mode", "User 3 differs.", "SELECT users.id"):
        assert re.search(re.escape(found) + r"[^<]{0,80}&lt;/script&gt;", page), found


def test_characters_that_html_forbids_are_marked() -> None:
    run = make_run([without_samples(make_case())], label="a\x00b\x1b[31mc\x9f\ufffe")
    page = run_html(run, Charts())
    assert "a?b?[31mc??".replace("?", "\N{REPLACEMENT CHARACTER}") in page


def test_a_run_without_cases_says_so() -> None:
    assert "No case was measured." in Parsed(page_of(make_run([]))).text


def test_the_fastest_stands_out_only_where_that_is_claimed() -> None:
    assert '<tr class="best">' in usual()
    look = make_case({"selectin": 5.0, "joined": 9.0}, workers=2, rounds=2)
    assert '<tr class="best">' not in page_of(make_run([look]))


def test_a_wrong_arm_is_named_with_its_difference() -> None:
    wrong = make_case({"selectin": 5.0}, wrong={"joined_inner": "User 17 has no books."}, rounds=2)
    page = page_of(make_run([wrong]))
    assert "joined_inner is wrong and not ranked: User 17 has no books." in Parsed(page).text
    assert '<tr class="wrong">' in page


@pytest.mark.parametrize("status", ["interrupted", "running"])
def test_a_run_that_is_not_whole_says_how_much_of_it_stands_here(status: Literal["interrupted", "running"]) -> None:
    whole = make_run([without_samples(make_case(size=size)) for size in ("10x1", "10x2", "10x3")])
    part = replace(whole, cases=whole.cases[:2], status=status)
    assert "cases that stand here: 2 of 3" in Parsed(page_of(part)).text


def test_a_quick_look_says_that_it_is_one() -> None:
    run = make_run([without_samples(make_case())], sampling=Sampling(seed=1, budget_s=None, quick=True))
    assert "A quick look" in Parsed(page_of(run)).text


def test_every_target_of_a_case_counts_when_charts_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "MOST_CASES_DRAWN", 2)
    monkeypatch.setattr(draw, "FIRST_CASES_DRAWN", 1)
    monkeypatch.setattr(draw, "MOST_CROSSOVERS_DRAWN", 1)
    times = {name: {"selectin": 5.0} for name in ("postgres:14", "postgres:18")}
    run = make_run([make_targets_case(times, size=size, rounds=1, floor=None) for size in ("10x1", "20x2")])
    text = Parsed(page_of(run)).text
    assert "the first 1 of 4 cases, each on each of its targets and the first 1 of 2 comparisons of targets" in text


def test_a_run_of_many_cases_names_the_option_that_draws_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "MOST_CASES_DRAWN", 2)
    monkeypatch.setattr(draw, "FIRST_CASES_DRAWN", 1)
    run = make_run([without_samples(make_case(size=size)) for size in ("10x1", "20x2", "30x3")])
    page = page_of(run)
    assert "the first 1 of 3 cases" in Parsed(page).text
    assert "bench report 20260101-120000-sqlite --charts all" in Parsed(page).text
    assert page.count("<svg") == 1
    assert page.count("<summary>Statements sent") == 1
    assert all(f'id="case-{number}"' in page for number in (1, 2, 3))
