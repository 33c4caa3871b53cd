"""The gate's outcome as people and machines of a CI read it: the reason first, and no text that turns into markup."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bench.model.baseline import Place
from bench.reduce.gate import NOTHING, Checked, Finding, Verdict, with_times
from bench.reduce.regression import Judged, Regression, TimedLoad, paired
from bench.report.gate import MOST_SHOWN, checked_markdown, checked_text
from bench.report.gate_ci import checked_data, github_annotations, junit_xml

PLACE = Place(scenario="one_to_many", database="sqlite", size="100x10")
SQL = "SELECT users.id\nFROM users WHERE users.name = '100 %, ``` </details> :: ]]>'"
texts = st.text(max_size=30)


def a_finding(
    verdict: Verdict = "worse", strategy: str = "selectin", says: str = "now sends 101 statements"
) -> Finding:
    return Finding(place=PLACE, strategy=strategy, verdict=verdict, says=says, code=(("New statement:", SQL),))


def a_check(*findings: Finding) -> Checked:
    compared = tuple((PLACE, name) for name in ("lazy", "selectin", "joined"))
    return Checked(findings=findings, compared=compared, notes=("A note.",))


def test_the_first_line_is_the_reason_on_any_width() -> None:
    for width in (40, 80, 120):
        lines = checked_text(a_check(a_finding(), a_finding("better", "lazy")), width=width).splitlines()

        assert lines[0].startswith("one_to_many 100x10 on sqlite: selectin")
        assert max(map(len, lines)) <= width


def test_what_is_as_it_was_is_counted() -> None:
    assert "3 loads compared, 2 as in the baseline" in checked_text(a_check(a_finding()), width=100)
    assert checked_text(a_check(), width=100).startswith("Everything is as in the baseline.")


def test_markdown_holds_any_sql_and_stays_within_a_comment() -> None:
    many = checked_markdown(a_check(*(a_finding(strategy=str(at)) for at in range(200))))
    html = MarkdownIt("commonmark").render(many)

    assert len(many) < 65_536
    assert html.count("<pre>") == MOST_SHOWN
    assert "170 more differences are not shown" in many


def test_markdown_of_a_pass_says_so() -> None:
    assert checked_markdown(a_check()).startswith("### Loading: passed")
    assert "bench baseline write" in checked_markdown(a_check(a_finding("better")))


def test_annotations_are_one_line_each_whatever_the_sql() -> None:
    found = list(github_annotations(a_check(a_finding(), a_finding("better"), a_finding("noted")), file="a,b:c.jsonl"))

    assert [line.partition(" ")[0] for line in found] == ["::error", "::notice", "::warning"]
    assert all("\n" not in line for line in found)
    assert "file=a%2Cb%3Ac.jsonl,title=Loading is worse::" in found[0]
    assert "SELECT users.id%0AFROM users WHERE users.name = '100 %25" in found[0]


def test_an_annotation_stands_at_the_users_own_scenario() -> None:
    own = Finding(
        place=Place(scenario="app/loads.py:LOADS", database="sqlite", size="1"),
        strategy="lazy",
        verdict="changed",
        says="now sends other SQL",
    )
    (found,) = github_annotations(a_check(own), file="bench-baseline.jsonl")

    assert found.startswith("::error file=app/loads.py,title=Loading is not what it was::")

    (found,) = github_annotations(a_check(own), file="checks/bench-baseline.jsonl")
    assert found.startswith("::error file=checks/app/loads.py,")


def test_junit_has_a_case_a_load_and_one_for_the_schema() -> None:
    lost = a_finding(strategy="", says="1 index gone from the schema: CREATE INDEX")
    suite = ET.fromstring(junit_xml(a_check(a_finding(), lost, a_finding("noted", "subquery"))))[0]  # noqa: S314 - ours

    assert {key: suite.attrib[key] for key in ("tests", "failures", "skipped")} == {
        "tests": "5",
        "failures": "2",
        "skipped": "1",
    }
    cases = {case.attrib["name"]: case for case in suite.findall("testcase")}
    assert list(cases) == ["lazy", "selectin", "joined", "schema", "subquery"]
    assert cases["selectin"][0].tag == "failure"
    assert SQL in str(cases["selectin"][0].text)
    assert len(cases["lazy"]) == 0


@given(texts, texts, texts)
def test_junit_is_xml_and_markdown_is_text_whatever_is_said(says: str, strategy: str, code: str) -> None:
    finding = Finding(place=PLACE, strategy=strategy, verdict="worse", says=says, code=((says, code),))

    ET.fromstring(junit_xml(a_check(finding)))  # noqa: S314 - our own
    assert all("\n" not in line for line in github_annotations(a_check(finding), file="f"))
    assert checked_markdown(a_check(finding))


def test_data_for_programs_says_whether_it_failed_and_why() -> None:
    data = checked_data(a_check(a_finding()))

    assert data["failed"] is True
    assert data["reason"].startswith("one_to_many 100x10 on sqlite: selectin")
    assert data["findings"][0]["code"] == [{"says": "New statement:", "code": SQL}]


def a_timed_load(strategy: str, judged: Judged, ratios: list[float]) -> TimedLoad:
    return TimedLoad(
        place=PLACE,
        strategy=strategy,
        threshold=0.02,
        before_ns=1e6,
        now_ns=1.2e6,
        pairs=len(ratios),
        screened=paired(ratios, 0.02),
        decided=None,
        judged=judged,
    )


SLOW, SAME = [1.20, 1.21, 1.19, 1.20, 1.22], [1.0, 1.001, 0.999, 1.0, 1.0]


def timed(*loads: TimedLoad) -> Regression:
    return Regression(revision="main", commit="0123456789abcdef", dirty=False, pairs=25, loads=loads, not_compared={})


def cut_short(*loads: TimedLoad, strict: bool = False) -> Checked:
    """What is known of an interrupted check: these loads, and two more that were not reached."""
    some = replace(timed(*loads), unreached=((PLACE, "immediate"), (PLACE, "subquery")))
    return replace(with_times(NOTHING, some, strict=strict), cut_short=True)


def test_a_check_that_was_cut_short_says_what_has_a_verdict_and_how_many_loads_have_none() -> None:
    checked = cut_short(
        a_timed_load("lazy", "same", SAME),
        a_timed_load("selectin", "undecided", SLOW),
        a_timed_load("joined", "unfinished", SLOW[:3]),
    )
    text = checked_text(checked, width=200)

    assert text.splitlines()[0] == (
        "Cut short. Of 5 loads to be timed 1 got a verdict, 1 is undecided, 1 has not all of its pairs, 2 were not "
        "reached. Of what was measured to its end nothing fails."
    )
    assert "Undecided\n- one_to_many 100x10 on sqlite: selectin takes 1.204x" in text
    assert "above 2 %: the fresh pairs of workers that decide are missing" in text
    rows = [line.split() for line in text.splitlines() if line.startswith("one_to_many")]
    assert [row[-1] for row in rows[:2]] == ["same", "undecided"]
    assert rows[2][-3:] == ["unfinished", "(3", "pairs)"]
    assert checked_markdown(checked).startswith("### Loading: cut short")


def test_what_is_undecided_or_was_not_reached_never_passes_nor_fails_unseen() -> None:
    loads = [a_timed_load("selectin", "undecided", SLOW), a_timed_load("joined", "unfinished", SLOW[:3])]
    checked = cut_short(*loads)
    suite = ET.fromstring(junit_xml(checked))[0]  # noqa: S314 - ours

    assert checked.failing == ()
    assert [finding.verdict for finding in cut_short(*loads, strict=True).failing] == ["undecided"]
    cases = {case.attrib["name"]: [part.tag for part in case] for case in suite.findall("testcase")}
    assert cases == {name: ["skipped"] for name in ("selectin", "joined", "immediate", "subquery")}
    data = checked_data(checked)
    assert (data["cut_short"], data["failed"]) == (True, False)
    assert [load["strategy"] for load in data["timed"]["unreached"]] == ["immediate", "subquery"]
    assert [load["judged"] for load in data["timed"]["loads"]] == ["undecided", "unfinished"]


def test_what_failed_before_the_check_was_cut_short_is_told_in_its_first_line() -> None:
    first = checked_text(cut_short(a_timed_load("lazy", "slower", SLOW)), width=400).splitlines()[0]

    assert first.startswith("Cut short. Of 3 loads to be timed 1 got a verdict, 2 were not reached. one_to_many 100x10")


def test_a_comparison_with_the_baseline_that_was_cut_short_counts_what_is_left() -> None:
    checked = replace(a_check(), cut_short=True, unreached=((PLACE, "subquery"),))

    assert checked_text(checked, width=200).splitlines()[0] == (
        "Cut short. 1 load was not compared with the baseline, 3 were. Of what was measured to its end nothing fails."
    )


def test_of_times_that_were_not_come_to_there_is_no_table_and_nothing_that_it_rests_on() -> None:
    text = checked_text(cut_short(), width=200)

    assert text == "Cut short. Of 2 loads to be timed 0 got a verdict, 2 were not reached."


def test_what_holds_for_the_baseline_hides_no_time_that_says_nothing() -> None:
    checked = with_times(a_check(), timed(a_timed_load("lazy", "undecided", SLOW)), strict=False)
    said = checked_text(checked, width=200).splitlines()[0]

    assert said == "Everything is as in the baseline. No load is seen to be slower than in main, 1 not decided."
