"""The gate's outcome as people and machines of a CI read it: the reason first, and no text that turns into markup."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bench.model.baseline import Place
from bench.reduce.gate import Checked, Finding, Verdict
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

    assert found.startswith("::error file=app/loads.py,title=Loading has changed::")


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
