import dataclasses
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support.runs import make_arm, make_case, make_counters, make_run, make_target, without_samples

from bench.model import StatementCount
from bench.report.markdown import run_markdown
from bench.report.markup import escaped, fenced

GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = "</script><img src=x onerror=alert(1)> | `x` **b** [a](http://e.org) ~~s~~ _u_ $m$ & &lt; # \\"


def rendered(**fields):
    return GFM.render(run_markdown(make_run(**fields), charts={}))


def shown(markdown):
    """What a reader sees of it, as plain text."""
    return "".join(
        child.content for token in GFM.parse(markdown) for child in token.children or () if child.type == "text"
    )


def test_the_table_is_a_table_with_every_strategy_and_its_numbers_to_the_right():
    html = rendered()
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    assert cells[0] == [
        "strategy", "statements", "rows", "repeated", "time", "to best", "to floor", "collector on", "peak",
    ]  # fmt: skip
    assert cells[2][:4] == ["joined", "1", "50,000", "49,000"]
    assert [row[0] for row in cells[1:7]] == ["selectin", "joined", "lazy", "contains_eager", "subquery", "immediate"]
    assert 'style="text-align:right"' in rows[1]


def test_it_says_what_the_terminal_says():
    markdown = run_markdown(make_run(), charts={})
    for said in ("selectin is the fastest", "Noise floor: 4.0 %", "The rule of thumb says", "Sampled: 5 workers"):
        assert said in markdown


def test_an_image_stands_in_its_own_case_and_others_before_the_cases():
    run = make_run(make_case(size=size) for size in ("10x5", "10x50"))
    charts = {
        "Crossover by children": "charts/crossover.svg",
        "one_to_many 10x50 on sqlite: time by strategy": "charts/time b.svg",
        "one_to_many 10x5 on sqlite: time by strategy": "charts/time a.svg",
    }
    markdown = run_markdown(run, charts=charts)
    order = [
        markdown.index(piece)
        for piece in (
            "](charts/crossover.svg)",
            "## one_to_many 10x5 on sqlite",
            "](charts/time%20a.svg)",
            "## one_to_many 10x50 on sqlite",
            "](charts/time%20b.svg)",
        )
    ]
    assert order == sorted(order)
    assert markdown.count("![") == 3


def test_the_statements_of_each_strategy_are_folded_away_in_fences():
    markdown = run_markdown(make_run([make_case({"selectin": 10.0, "joined": 20.0})]), charts={})
    assert "<summary>What selectin sends: 3 statements</summary>" in markdown
    assert "Executed 2 times: 50,000 rows fetched, 1,000 bound parameters sent." in markdown
    fences = [token for token in GFM.parse(markdown) if token.type == "fence"]
    assert [token.info for token in fences] == ["sql"] * 3
    assert fences[-1].content.startswith("SELECT users.id, users.name, books_1.id")


def test_the_counts_are_folded_away_in_full():
    html = rendered(cases=[make_case({"selectin": 10.0, "joined": 20.0})])
    folded = html.partition("<summary>Counts</summary>")[2].partition("</details>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", folded, re.DOTALL)]
    assert rows == [
        [
            "strategy", "statements", "rows", "repeated", "distinct entities", "inflation", "bound parameters",
            "bytes (approximate)",
        ],
        ["selectin", "3", "51,000", "0", "51,000", "1.00", "1,000", "15.3 MB"],
        ["joined", "1", "50,000", "49,000", "51,000", "1.96", "0", "20.0 MB"],
    ]  # fmt: skip


def test_where_nothing_was_counted_there_are_no_counts():
    arms = [make_arm("joined", None, error="It raised.", fault="failed", counters=None)]
    assert "Counts" not in run_markdown(make_run([make_case({}, arms=arms)]), charts={})


def test_settings_and_environment_are_folded_away():
    markdown = run_markdown(make_run(), charts={})
    folded = markdown.partition("<summary>Settings and environment</summary>")[2]
    for fact in ("bench run --size 1000x50", "budget 60 s a case, seed 1", "journal_mode=off", "greenlet 3.5.6"):
        assert fact in folded


def test_statements_cannot_leave_their_fence():
    sql = "SELECT 1\n```\n</details><img onerror=x>\n````\nSELECT 2"
    counters = dataclasses.replace(
        make_counters("joined"), by_statement=(StatementCount(sql=sql, executions=1, rows=1, parameters=0),)
    )
    case = make_case({"selectin": 10.0}, arms=[make_arm("joined", 20.0, counters=counters)])
    contents = [
        token.content for token in GFM.parse(run_markdown(make_run([case]), charts={})) if token.type == "fence"
    ]
    assert f"{sql}\n" in contents


def test_hostile_text_is_shown_as_it_is_written_and_never_as_markup():
    case = make_case({"selectin": 10.0}, wrong={HOSTILE: HOSTILE}, target=make_target(name=HOSTILE))
    case = dataclasses.replace(case, scenario=dataclasses.replace(case.scenario, question=HOSTILE, rule_says=HOSTILE))
    markdown = run_markdown(make_run([case], label=HOSTILE, command=("bench", HOSTILE)), charts={HOSTILE: "a.svg"})
    html = GFM.render(markdown)
    outside = re.sub(r'(alt|title)="[^"]*"', "", html)
    assert not re.search(r"<(script|a |em|strong|s>|img src=x)", outside)
    assert "</script>" not in outside
    assert HOSTILE in shown(markdown)


def test_angle_brackets_and_ampersands_are_entities():
    assert escaped("<b> &lt;") == "&lt;b&gt; &amp;lt;"


@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" \\`*_[]<>|~$&#!()-+.1")))
def test_escaped_text_reads_as_it_was_written(text):
    inline = GFM.parse(f"- x {escaped(text)}")
    assert "".join(c.content for t in inline for c in t.children or ()) == f"x {' '.join(text.split())}".strip()


@given(st.text(alphabet="`a\n", max_size=30))
def test_a_fence_holds_whatever_stands_in_it(code):
    (fence,) = GFM.parse(fenced(code, "sql"))
    assert fence.type == "fence"
    assert fence.content.strip() == code.strip()


@pytest.mark.parametrize(
    "cases",
    [[], [without_samples(make_case())], [make_case({}, wrong={"joined": "It raised."})], [make_case({})]],
    ids=["no case", "nothing timed", "all wrong", "no arm"],
)
def test_a_run_without_results_still_has_a_report(cases):
    assert "Settings and environment" in run_markdown(make_run(cases), charts={})


@settings(max_examples=20)
@given(st.text(min_size=1, max_size=20))
def test_any_strategy_name_keeps_the_table_whole(name):
    html = rendered(cases=[make_case({"selectin": [[10.0]]}, wrong={f"x{name}": name})])
    body = html.partition("<table>")[2].partition("</table>")[0]
    assert {len(re.findall(r"<t[hd][ >]", row)) for row in body.split("</tr>")[:-1]} == {9}
