"""A comparison as a page with charts: what differs first, no indicative time among verdicts, all in one folder."""

from __future__ import annotations

import dataclasses
import json
import re
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.pages import Parsed
from support.profiles import HASHED, looked
from support.runs import make_case, make_counters, make_environment, make_run, make_server, make_targets_case

from bench import record
from bench.cli import cli
from bench.model import Case, Run, StatementCount
from bench.reduce.compare import compare
from bench.reduce.compare_rows import Axis
from bench.report.charts.comparison import MOST_LANES, draw_comparison
from bench.report.compare import comparison_data, comparison_text
from bench.report.compare_write import comparison_files

TIMES = {"lazy": 6.0, "selectin": 2.0, "joined": 3.0}
MORE = "SELECT addresses.city FROM addresses WHERE addresses.id = ? AND '<b>' != '&'"


def changed() -> Case:
    case, counters = make_case(TIMES), make_counters("selectin")
    more = StatementCount(sql=MORE, executions=1000, rows=0, parameters=1000)
    other = dataclasses.replace(counters, statements=1003, by_statement=(*counters.by_statement, more))
    arms = (dataclasses.replace(arm, counters=other) if arm.name == "selectin" else arm for arm in case.arms)
    return dataclasses.replace(case, arms=tuple(arms))


def versions() -> Run:
    names = ("postgres:16", "postgres:18")
    return make_run((make_targets_case({name: {**TIMES, "joined": 3.0 + at} for at, name in enumerate(names)}),))


@cache
def files(what: str) -> dict[str, bytes]:
    runs: tuple[list[Run], Axis] = {
        "changed": (
            [
                make_run((make_case(TIMES),), id="a"),
                make_run((changed(),), id="b", environment=make_environment(host="x")),
            ],
            "run",
        ),
        "versions": ([versions()], "database"),
    }[what]  # type: ignore[assignment]
    return comparison_files(compare(*runs))


def text_of(page: bytes) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page.decode(), flags=re.DOTALL).split())


def test_what_differs_stands_before_counts_and_counts_before_times() -> None:
    page = files("changed")["compare.html"].decode()

    places = [page.index(f'<section id="{name}"') for name in ("facts", "counts", "indicative")]
    assert places == sorted(places)
    assert page.index("bench-host") < page.index("1,003 / 51,000")


def test_a_new_statement_is_on_the_page_with_its_sql_and_turns_into_no_markup() -> None:
    page = files("changed")["compare.html"].decode()

    assert "+ 1,000 times" in page
    assert "&#39;&lt;b&gt;&#39; != &#39;&amp;&#39;" in page
    assert "<b>" not in page


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_executed() -> None:
    for what in ("changed", "versions"):
        page = files(what)["compare.html"].decode()
        assert "<script" not in page
        assert not re.search(r"""(?:src|href)=["'](?!#)""", page.replace("xlink:href", "href"))
        assert "default-src 'none'" in page


def test_times_of_separate_runs_are_called_indicative_and_have_no_verdict() -> None:
    shown = files("changed")

    assert {name for name in shown if name.endswith(".png")} == {
        "charts/comparison-counts.png",
        "charts/comparison-indicative.png",
    }
    assert "no verdict is drawn from them" in text_of(shown["compare.html"])
    assert "sampled side by side" not in text_of(shown["compare.html"]).partition("Counts are exact")[0]


def test_times_side_by_side_have_a_chart_with_their_verdicts_and_equal_counts_none() -> None:
    (chart,) = draw_comparison(compare([versions()], "database")).values()

    assert chart.stem == "comparison-times"
    assert re.search(r"joined on postgresql 16.4 2.\d+ ms [^;]*; postgresql 18.4 1.3\dx", chart.alt)
    assert "lazy on postgresql 16.4" in chart.alt
    assert "postgresql 18.4 tie" in chart.alt
    assert "indicative" not in text_of(files("versions")["compare.html"]).partition("Counts are exact")[0]


def test_markdown_links_to_the_charts_that_were_written_and_json_is_the_same_data() -> None:
    shown = files("changed")

    linked = re.findall(r"!\[[^]]*\]\(([^)]+)\)", shown["compare.md"].decode())
    assert sorted(linked) == sorted(name for name in shown if name.endswith(".png"))
    assert json.loads(shown["compare.json"])["differing"] == {"Host": ["bench-host", "x"]}


def test_a_row_whose_first_column_has_nothing_is_still_side_by_side() -> None:
    run = make_run(
        (make_case({"joined": 3.0, "selectin": 2.0}), make_case({"selectin": 1.0, "lazy": 2.0}, size="10x1"))
    )
    comparison = compare([run], "strategy")

    assert "indicative" not in comparison_text(comparison, width=100)
    small = next(row for row in comparison_data(comparison)["rows"] if row["labels"]["size"] == "10x1")
    assert [cell and cell["indicative"] for cell in small["cells"]].count(True) == 0
    assert set(draw_comparison(comparison)) == {"comparison-times", "comparison-counts"}


def test_names_of_any_kind_and_more_rows_than_a_chart_has_room_for_are_drawn() -> None:
    many = {f"selectin[{at}]": 2.0 + at / 100 for at in range(1, 90)} | {"\u4e2d$x$<b>" * 20: 3.0}
    runs = [make_run((make_case(many, rounds=2, floor=None),), id=name) for name in ("a", "b")]

    chart = draw_comparison(compare(runs))["comparison-indicative"]

    assert chart.alt.count("selectin[") == MOST_LANES // 2
    assert b"<b>" not in chart.svg


def test_what_was_wrong_or_not_timed_is_no_mark_in_a_chart() -> None:
    wrong = make_run((make_case({"selectin": 2.0}, wrong={"joined": "User 1: books differ"}),), id="b")
    comparison = compare([make_run((make_case(TIMES),), id="a"), wrong])

    page = text_of(comparison_files(comparison)["compare.html"])

    assert "1 / 50,000 WRONG" in page
    assert "joined B, WRONG: User 1: books differ" in page
    assert "joined" not in draw_comparison(comparison)["comparison-indicative"].alt


def test_a_chart_of_separate_runs_names_what_its_ratios_are_to_and_marks_only_that_as_the_baseline() -> None:
    fewer = make_run((make_case({"lazy": 6.0, "joined": 3.0}),), id="b")

    chart = draw_comparison(compare([make_run((make_case(TIMES),), id="a"), fewer]))["comparison-indicative"]

    assert b"ratio to lazy, in the same run and case" in chart.svg
    assert re.search(r"lazy on A baseline; B baseline", chart.alt)
    assert re.search(r"joined on A 0.\d+x [^;]*; B 0.\d+x", chart.alt)


def test_plans_that_differ_are_on_the_page_and_in_its_markdown() -> None:
    comparison = compare([make_run((make_case(TIMES),), id=name) for name in ("a", "b")])
    profiled = [("A", [looked("lazy")]), ("B", [looked("lazy", plan=HASHED)])]

    shown, without = comparison_files(comparison, profiled), comparison_files(comparison)

    page = Parsed(shown["compare.html"].decode())
    assert not page.open
    assert "lazy: plans of A on postgres:17 (-) and B on postgres:17 (+)" in page.text
    assert '<span class="new">' in shown["compare.html"].decode()
    assert "  + Hash Join" in shown["compare.md"].decode()
    assert "Plans" not in text_of(without["compare.html"])


def test_a_folder_is_written_where_it_was_named_and_said(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        record.save(make_run((make_case(TIMES, target=make_server("postgres:17")),), id=name), tmp_path / name)
    folder = tmp_path / "deep" / "er"
    arguments = ["compare", "a", "b", "--results", str(tmp_path), "--output", str(folder)]

    text, data = CliRunner().invoke(cli, arguments), CliRunner().invoke(cli, [*arguments, "--json"])

    assert (text.exit_code, data.exit_code) == (0, 0)
    assert f"Report: {folder}/compare.html" in text.output
    assert json.loads(data.output) == json.loads((folder / "compare.json").read_text())
    assert {path.name for path in folder.iterdir()} == {"compare.html", "compare.md", "compare.json", "charts"}


@pytest.mark.parametrize("below", ["file/below", "file"])
def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path, below: str) -> None:
    (tmp_path / "a").mkdir()
    record.save(versions(), tmp_path / "a")
    (tmp_path / "file").write_text("")
    arguments = ["compare", "a", "--by", "database", "--results", str(tmp_path), "--output", str(tmp_path / below)]

    ended = CliRunner().invoke(cli, arguments)

    assert ended.exit_code == 2
    assert "Traceback" not in ended.output
