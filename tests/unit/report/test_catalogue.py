"""The summary of a run of several scenarios, in every kind of report."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.runs import make_case, make_catalogue_run, make_run, make_scenario, without_samples

from bench.model import Run
from bench.reduce.catalogue_summary import by_scenario, catalogue_summary
from bench.reduce.summaries import summarise_all
from bench.report.catalogue import HEADERS, summary_findings, summary_notes, summary_rows
from bench.report.catalogue_text import summary_table
from bench.report.charts.canvas import drawing
from bench.report.charts.draw import Charts, is_ours
from bench.report.charts.prices import MOST_ROWS, draw_prices
from bench.report.html import run_html
from bench.report.markdown import run_markdown
from bench.report.terminal import run_text
from bench.report.units import RANGE

INTERVAL = rf"[\d.]+{RANGE}[\d.]+"
TWO = ("sqlite", "postgres:17 rtt=1ms")
NAMES = st.text("abcdefghij_[]=+ -.:", min_size=1, max_size=60).map(lambda name: f"s{name}e")


@cache
def of_one() -> Run:
    return make_catalogue_run()


@cache
def of_two() -> Run:
    return make_catalogue_run(targets=TWO)


def wins_of(run):
    return catalogue_summary(by_scenario(run, summarise_all(run)))


def rows_of(run):
    return {(row.cells[0], row.cells[1]): row for row in summary_rows(run, wins_of(run))}


def test_a_row_says_who_wins_how_the_rule_fared_and_what_the_worst_choice_costs():
    rows = rows_of(of_one())

    holds = dict(zip(HEADERS, rows["one_to_many 1000x50", "sqlite"].cells, strict=True))
    assert holds["fastest"] == "selectin"
    assert holds["rule of thumb"] == "selectin: holds"
    assert re.fullmatch(rf"lazy 3\.\d+x \({INTERVAL}\)", holds["worst choice"])
    against = dict(zip(HEADERS, rows["many_to_one 1000x50", "sqlite"].cells, strict=True))
    assert against["fastest"] == "lazy"
    assert re.fullmatch(rf"joined: LOSES, 1\.\d+x \({INTERVAL}\)", against["rule of thumb"])
    tie = dict(zip(HEADERS, rows["first_page[limit=50] 1000x5", "sqlite"].cells, strict=True))
    assert tie["fastest"] == "selectin and subquery (tie)"
    assert tie["rule of thumb"] == "selectin: ties"


def test_exactly_the_contradictions_are_marked():
    marked = [title for (title, _), row in rows_of(of_one()).items() if row.contradicted]

    assert marked == ["many_to_one 1000x50", "nested 100x20x5", "one_to_one 1000"]


def test_the_findings_count_the_outcomes_and_tell_of_contradictions_and_the_dearest_choice():
    tally, against, dearest, sqlite = summary_findings(of_one(), wins_of(of_one()))

    assert tally == "Of 5 rows the rule of thumb holds in 1, is contradicted in 3 and ties in 1."
    assert against.startswith("It is contradicted by many_to_one 1000x50, where joined takes 1.5")
    assert dearest.startswith("The dearest choice is lazy for first_page[limit=50] 1000x5: ")
    assert sqlite.startswith("SQLite runs inside this process")


def test_contradictions_beyond_the_dearest_few_are_counted():
    _, against, *_ = summary_findings(of_two(), wins_of(of_two()))

    assert against.endswith("; 2 more are marked in the table.")
    assert against.count(" by ") == 4


def test_a_look_without_intervals_claims_nothing():
    cases = [make_scenario(name, make_case({"selectin": 5.0, "joined": 9.0}, workers=2)) for name in ("one", "other")]
    run = make_run(cases)

    (tally, *_), notes = summary_findings(run, wins_of(run)), summary_notes(wins_of(run))

    assert tally == "Of 2 rows none allows one to say whether the rule of thumb holds."
    assert not any("dearest" in line for line in summary_findings(run, wins_of(run)))
    assert any(line.startswith("~ no interval") for line in notes)
    assert all("~" in row.cells[3] and "~" in row.cells[5] for row in rows_of(run).values())


def test_what_is_wrong_is_named_and_not_ranked():
    notes = summary_notes(wins_of(of_two()))

    assert [line for line in notes if "WRONG" in line] == ["WRONG and not ranked: joined_inner in one_to_one 1000."]


def test_a_case_of_which_nothing_was_timed_has_a_row_that_says_so():
    run = make_run([make_scenario("one", make_case()), make_scenario("other", without_samples(make_case()))])

    assert rows_of(run)["other 1000x50", "sqlite"].cells[2:] == ("nothing was timed", "", "", "")
    assert "other 1000x50  nothing was timed" in run_text(run, width=120)


@pytest.mark.parametrize("targets", [("sqlite",), TWO])
@pytest.mark.parametrize("width", [50, 80, 120, 200])
def test_the_table_fits_and_loses_nothing(targets, width):
    run = make_catalogue_run(targets=targets)
    table = summary_table(run, wins_of(run), width=width)
    text = re.sub(r"\s", "", table)

    assert max(map(len, table.splitlines())) <= width
    for row in summary_rows(run, wins_of(run), short=True):
        assert text.count(row.cells[3].replace(" ", "")) >= 1
    assert text.count("LOSES") == 3 * len(targets)


@settings(max_examples=40, deadline=None)
@given(names=st.lists(NAMES, min_size=2, max_size=3, unique=True), width=st.integers(40, 160))
def test_no_name_of_a_scenario_makes_a_line_too_long(names, width):
    run = make_run(make_scenario(name, make_case({"selectin": 5.0, "joined": 9.0}, rounds=2)) for name in names)

    table = summary_table(run, wins_of(run), width=width)

    assert max(map(len, table.splitlines())) <= width


def test_a_figure_is_not_parted_from_its_percentage():
    table = summary_table(of_two(), wins_of(of_two()), width=80)

    assert not re.search(r"^\s*(±|%)", table, re.MULTILINE)
    assert len(re.findall(r"x ±[\d.]+ %", table)) == table.count("±") == 16


def test_crossovers_of_several_scenarios_are_told_apart():
    cases = [
        make_scenario(name, make_case({"joined": ms, "selectin": 5.0}, size=f"10x{ms}", rounds=2))
        for name in ("one", "other")
        for ms in (2, 9)
    ]
    text = run_text(make_run(cases), width=120)

    assert re.findall(r"^Crossover: .*", text, re.MULTILINE) == [
        "Crossover: one 10xn, by children",
        "Crossover: other 10xn, by children",
    ]


def test_the_terminal_has_the_summary_before_any_case_and_none_of_one_scenario():
    text = run_text(of_one(), width=120)

    assert text.index("Summary: 5 scenarios on sqlite") < text.index("one_to_many 1000x50 on sqlite\n===")
    assert "Summary" not in run_text(make_run(), width=120)


def test_markdown_leads_from_the_table_to_a_part_for_each_scenario():
    page = run_markdown(of_two(), charts={"Summary: price of each strategy, by scenario": "charts/summary-prices.png"})

    links = re.findall(r"\]\(#(scenario-\d)\)", page)
    assert links == [f"scenario-{at}" for at in range(1, 6) for _ in TWO]
    assert re.findall(r'<a id="(scenario-\d)"></a>', page) == list(dict.fromkeys(links))
    assert page.count("How should what many_to_one asks for be loaded?") == 1
    before_first_part = page.partition('<a id="scenario-1">')[0]
    assert "charts/summary-prices.png" in before_first_part


def test_markdown_of_one_scenario_is_without_parts():
    page = run_markdown(make_run(), charts={})

    assert "## one_to_many 1000x50 on sqlite" in page
    assert "scenario-1" not in page
    assert "### one_to_many" not in page


def test_every_link_of_the_page_leads_somewhere_and_every_case_is_led_to():
    page = run_html(of_two(), Charts())

    anchors = re.findall(r'\bid="([^"]+)"', page)
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert len(anchors) == len(set(anchors))
    assert links <= set(anchors)
    assert {f"case-{at + 1}" for at in range(10)} | {f"scenario-{at + 1}" for at in range(5)} | {"summary"} <= links


def test_the_cases_of_a_scenario_are_folded_within_its_section():
    page = run_html(of_two(), Charts())
    part = page[page.index('<section id="scenario-2"') : page.index('<section id="scenario-3"')]

    assert re.findall(r"<summary>((?:Targets of )?many_to_one 1000x50[^<]*)", part) == [
        "Targets of many_to_one 1000x50",
        "many_to_one 1000x50 on sqlite",
        "many_to_one 1000x50 on postgres:17 rtt=1ms",
    ]
    assert part.count("How should what many_to_one asks for be loaded?") == 1
    assert part.count('class="loses"') == len(TWO)


def test_the_chart_tells_the_worst_of_each_line_in_words():
    wins = wins_of(of_one())
    with drawing():
        chart = draw_prices(wins, {}, stem="summary-prices")

    assert chart is not None
    assert chart.alt.partition("each: ")[2].count(": ") == len(wins)
    assert "many_to_one 1000x50: selectin 2.2" in chart.alt
    assert is_ours(f"{chart.stem}.svg", [])
    assert is_ours(f"{chart.stem}.png", [])


def test_a_chart_of_more_lines_than_it_has_room_for_says_so():
    wins = wins_of(make_catalogue_run())
    with drawing():
        chart = draw_prices(wins * MOST_ROWS, {}, stem="summary-prices")

    assert chart is not None
    assert f"the first {MOST_ROWS} of {len(wins) * MOST_ROWS} rows" in chart.svg.decode()
    assert chart.alt.partition("each: ")[2].count(": ") == MOST_ROWS


def test_there_is_no_chart_where_nothing_was_timed():
    run = make_run(make_scenario(name, without_samples(make_case())) for name in ("one", "other"))

    with drawing():
        assert draw_prices(wins_of(run), {}, stem="summary-prices") is None
