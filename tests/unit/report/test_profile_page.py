"""What profile.html promises: the bill of every strategy, folded detail, nothing from elsewhere; and its charts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from support.pages import Parsed
from support.profiles import BOOKS, HASHED, looked
from support.runs import make_case, make_run

from bench.model.calls import CallProfile, FunctionCalls
from bench.model.memory_use import Held, MemoryUse
from bench.model.profile import Looked
from bench.model.wire import WireBytes
from bench.report.charts.draw import draw_profiles, is_ours
from bench.report.plan_changes import plan_changes_markdown, plan_changes_text
from bench.report.profile_write import profile_page, write_profile
from bench.report.write import write_report


def failed(strategy: str) -> Looked:
    return Looked(scenario="one_to_many", size="1000x50", target="postgres:17", driver="psycopg", strategy=strategy,
                  error="The load raised ValueError: <b>no</b>")  # fmt: skip


def page_of(looks: Sequence[Looked]) -> str:
    return profile_page(looks, draw_profiles(looks), title="<i>mine</i>", facts=[("Command", "bench profile")])


@cache
def usual() -> str:
    later = [looked(name, "postgres:18", plan=HASHED) for name in ("joined", "lazy")]
    return page_of([looked("lazy"), failed("raise"), *later])


def test_what_is_opened_is_closed_and_nothing_comes_from_elsewhere() -> None:
    parsed = Parsed(usual())

    assert parsed.open == []
    assert not {tag for tag, _ in parsed.elements} & {"script", "link", "iframe", "img", "object", "i", "b"}
    links = [value or "" for _, each in parsed.elements for name, value in each.items() if name in ("href", "src")]
    assert [link for link in links if "://" in link] == []
    identifiers = re.findall(r'\bid="([^"]+)"', usual())
    assert len(identifiers) == len(set(identifiers))


def test_all_detail_is_folded_and_the_charts_are_not() -> None:
    page = usual()

    assert "<details open" not in page
    folded = re.sub(r"<details.*</details>", "", page, flags=re.DOTALL)
    assert BOOKS.split()[0] not in Parsed(folded).text
    assert len(Parsed(page).all("svg")) == 4


def test_a_bill_adds_up_to_the_load_and_the_price_stands_beside_it() -> None:
    row = page_of([looked("lazy")]).partition("<tbody>")[2].partition("</tr>")[0]
    cells = re.findall(r'<td[^>]*>([^<]*)<span class="interval">([^<]*)|<td[^>]*>([^<]*)', row)

    assert [value or alone for value, _, alone in cells] == [
        "20.0", "1.0", "3.0", "2.0", "2.0", "0.0", "9.0", "1.0", "2.0", "0.0", "+0.0 %",
    ]  # fmt: skip


def test_a_statement_has_its_path_its_count_its_line_its_time_its_sql_and_its_plan() -> None:
    text = Parsed(page_of([looked("lazy")])).text

    assert "1. User.books, by a loader, for one entity; N+1: sent 3 times, once for each entity, 6 rows" in text
    assert "17.0 ms, 85 % of the load" in text
    for told in ("a.py:7 user.books", "WHERE ? = books.user_id", "parameters of the first: 1", "└── Nested Loop"):
        assert told in text
    assert "Not explained: permission denied." in text


def test_a_strategy_that_failed_says_why_beside_the_others() -> None:
    text = Parsed(usual()).text

    assert "raise not profiled" in text
    assert "The load raised ValueError: <b>no</b>" in text
    assert "Not profiled: raise; the reason stands with each." in text


def test_plans_that_differ_between_targets_are_shown_as_a_difference_on_the_later_one() -> None:
    first, _, second = usual().partition('id="profile-2"')

    assert "Plans that differ" not in first
    assert "lazy: plans of postgres:17 (-) and postgres:18 (+)" in second
    assert '<span class="gone">  - Nested Loop' in second
    assert '<span class="new">  + Hash Join' in second


def test_twenty_strategies_have_a_chart_line_each_and_sentences_stay_short() -> None:
    names = [f"strategy_{number}" for number in range(20)]
    page = page_of([looked(name) for name in names])
    chart = page.partition("<svg")[2].partition("</svg>")[0]

    assert [name for name in names if name not in re.sub(r"aria-label=\"[^\"]*\"", "", chart)] == []
    findings = re.findall(r"<li>(.*?)</li>", page.partition('class="findings"')[2].partition("</ul>")[0], re.DOTALL)
    assert all(len(re.sub(r"<[^>]+>", "", finding)) < 300 for finding in findings)
    assert "20 strategies" in findings[0]
    assert "14 more" in findings[1]


def test_memory_bytes_and_calls_are_told_where_they_were_seen_and_nowhere_else() -> None:
    held = Held(
        total_bytes=900, entities_bytes=500, rows_bytes=200, driver_bytes=100, sqlalchemy_bytes=50, own_bytes=20
    )
    function = FunctionCalls(name="_instance", place="orm.py:1", calls=77, own_share=0.5, share=0.75)
    seen = replace(
        looked("lazy"),
        memory=MemoryUse(entities=5, most_entities=5, peak_bytes=7000, at_peak=held, retained=held, kept_bytes=3,
                         flame_graph="lazy memory.html"),
        wire=WireBytes(rows=3, values=6, content_bytes=80, framing_bytes=20, repeated_bytes=25, uncounted="no wire"),
        calls=CallProfile(calls=4321, versions="v", html="lazy.html",
                          functions=(function,)),
    )  # fmt: skip
    page = page_of([seen, looked("joined")])
    text = Parsed(page).text

    for told in ("7.00 kB", "500 bytes", "30 bytes", "25 %", "4,321", "_instance", "orm.py:1", "75 %"):
        assert told in text
    assert "Not counted: no wire" in text
    assert {link["href"] for link in Parsed(page).all("a")} == {"lazy.html", "lazy%20memory.html"}
    without = Parsed(page_of([looked("joined")])).text
    assert not [word for word in ("Memory", "Bytes on the wire", "Calls") if word in without]


def test_bytes_that_crossed_stand_beside_those_of_rows_and_without_a_wire_have_no_column() -> None:
    held = WireBytes(rows=3, values=6, content_bytes=80, framing_bytes=20, repeated_bytes=25)
    crossed = Parsed(page_of([replace(looked("lazy"), wire=replace(held, received_bytes=140, sent_bytes=30))])).text
    within = Parsed(page_of([replace(looked("lazy"), wire=replace(held, uncounted="no wire"))])).text

    assert "received" in crossed
    assert "140 bytes" in crossed
    assert "Bytes of the rows" in within
    assert "received" not in within
    assert "100 bytes" in within


def test_what_could_not_be_seen_says_why_and_takes_nothing_of_the_rest_away() -> None:
    page = page_of([replace(looked("lazy"), unseen=("memory not seen: <killed>",)), looked("joined")])
    text = Parsed(page).text

    assert "Not all could be seen of lazy; the reason stands with each." in text
    assert "memory not seen: <killed>" in text
    assert "17.0 ms, 85 % of the load" in text


def test_the_report_of_a_run_has_the_memory_the_bytes_and_the_files_of_its_profile_folded(tmp_path: Path) -> None:
    run = make_run([make_case({"lazy": 5.0})])
    held = Held(total_bytes=1, entities_bytes=1, rows_bytes=0, driver_bytes=0, sqlalchemy_bytes=0, own_bytes=0)
    seen = replace(
        looked("lazy", run.cases[0].targets[0].name),
        memory=MemoryUse(entities=5, most_entities=5, peak_bytes=7000, at_peak=held, retained=held, kept_bytes=3,
                         flame_graph="flames/lazy memory.html"),
        wire=WireBytes(rows=3, values=6, content_bytes=80, framing_bytes=20, repeated_bytes=25, received_bytes=140),
    )  # fmt: skip

    paths = write_report(run, tmp_path, looks=[seen])

    html, markdown = paths.html.read_text(), paths.markdown.read_text()
    assert "<details open" not in html
    shown = html.partition("<summary>Profile <small>")[2]
    for told in ("Memory at its peak", "7.00 kB", "Bytes on the wire", "140 bytes", 'href="flames/lazy%20memory.html"'):
        assert told in shown
    assert "- lazy: [memory flame graph](flames/lazy%20memory.html)" in markdown
    assert "bytes of one load" in markdown


def test_the_report_of_a_run_has_the_profile_of_each_case_folded_in_both_of_its_pages(tmp_path: Path) -> None:
    run = make_run([make_case({"lazy": 5.0, "joined": 6.0}), make_case({"lazy": 5.0}, size="10x5")])
    target = run.cases[0].targets[0].name

    paths = write_report(run, tmp_path, looks=[looked("lazy", target)])

    html, markdown = paths.html.read_text(), paths.markdown.read_text()
    assert html.count("<summary>Profile <small>") == 1
    assert html.index('id="case-1"') < html.index("<summary>Profile <small>") < html.index('id="case-2"')
    assert Parsed(html).open == []
    assert markdown.count("<summary>Profile: where the time of a load goes</summary>") == 1
    drawn = [path.name for path in paths.charts if "-bill" in path.name]
    assert len(drawn) == 4
    assert all(is_ours(name, ["one_to_many"]) for name in drawn)
    images = re.findall(r"\]\(([^)]*-bill[^)]*)\)", markdown)
    assert images
    assert all((tmp_path / image).is_file() for image in images)

    write_report(run, tmp_path)

    assert not list((tmp_path / "charts").glob("*-bill*"))


def test_a_profile_is_three_files_and_charts(tmp_path: Path) -> None:
    write_profile([looked("lazy")], tmp_path, title="mine")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["charts", "profile.html", "profile.md"]
    assert sorted(path.suffix for path in (tmp_path / "charts").iterdir()) == [".png", ".png", ".svg", ".svg"]


def test_plans_of_two_runs_are_held_against_each_other_on_the_same_target() -> None:
    before = [looked("lazy"), looked("lazy", "postgres:18")]
    after = [looked("lazy", "postgres:18"), looked("lazy", plan=HASHED), looked("joined")]

    text = plan_changes_text([("A", before), ("B", after)], width=80)

    assert "Those of 1 load differ, of 2 held against each other." in text
    assert "lazy: plans of A on postgres:17 (-) and B on postgres:17 (+)" in text
    assert "- Nested Loop" in text
    assert "+ Hash Join" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "```text" in plan_changes_markdown([("A", before), ("B", after)])


def test_runs_on_different_targets_and_the_targets_of_one_run_are_compared_too() -> None:
    one, other = [looked("lazy")], [looked("lazy", "postgres:18", plan=HASHED)]

    assert "A on postgres:17 (-) and B on postgres:18 (+)" in plan_changes_text([("A", one), ("B", other)], width=80)
    assert "postgres:17 (-) and postgres:18 (+)" in plan_changes_text([("A", one + other)], width=80)


def test_a_run_without_a_profile_is_named_and_without_any_nothing_is_said() -> None:
    assert "B has no profile" in plan_changes_text([("A", [looked("lazy")]), ("B", ())], width=80)
    assert plan_changes_text([("A", ()), ("B", ())], width=80) == ""
    assert "None differs, of 1 load." in plan_changes_text([("A", [looked("lazy")]), ("B", [looked("lazy")])], width=80)
