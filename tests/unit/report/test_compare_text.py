"""A comparison is read on 80 columns, in a pull request and by a program; it says what its times are worth."""

from __future__ import annotations

import dataclasses
import json

import pytest
from markdown_it import MarkdownIt
from support.runs import make_case, make_counters, make_environment, make_run, make_server, make_targets_case

from bench import record
from bench.comparing import compared
from bench.errors import BenchError
from bench.model import Case, Run, StatementCount
from bench.reduce.compare import Comparison, compare
from bench.report.compare import comparison_data, comparison_markdown, comparison_text

TIMES = {"lazy": 6.0, "selectin": 2.0, "joined": 3.0, "joined_inner": 3.1, "contains_eager": 3.0}
LONG = "SELECT " + ", ".join(f"addresses.column_{at}" for at in range(60)) + " FROM addresses WHERE addresses.id = ?"


def one_more() -> Case:
    case = make_case(TIMES)
    counters = make_counters("selectin")
    more = StatementCount(sql=LONG, executions=1000, rows=0, parameters=1000)
    changed = dataclasses.replace(counters, statements=1003, by_statement=(*counters.by_statement, more))
    arms = tuple(dataclasses.replace(arm, counters=changed) if arm.name == "selectin" else arm for arm in case.arms)
    return dataclasses.replace(case, arms=arms)


def two_runs() -> Comparison:
    first = make_run((make_case(TIMES),), id="20260101-120000-before")
    second = make_run((one_more(),), id="20260102-120000-after", environment=make_environment(host="another"))
    return compare([first, second])


def targets() -> Run:
    names = ("postgres:14", "postgres:15", "postgres:16", "postgres:17", "postgres:18")
    return make_run((make_targets_case({name: {**TIMES, "joined": 3.0 + at} for at, name in enumerate(names)}),))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    "comparison",
    [two_runs(), compare([targets()], "database"), compare([targets()], "strategy"), compare([targets(), targets()])],
)
def test_it_fits_the_terminal(comparison: Comparison, width: int) -> None:
    assert max(map(len, comparison_text(comparison, width=width).splitlines())) <= width


def test_what_differs_stands_before_counts_and_counts_before_times() -> None:
    shown = comparison_text(two_runs(), width=100)

    places = [shown.index(word) for word in ("Host: A bench-host; B another", "1,003 / 51,000", "indicative")]
    assert places == sorted(places)


def test_a_new_statement_is_shown_with_how_often_it_is_sent() -> None:
    assert "+ 1,000 times: SELECT addresses.column_0" in comparison_text(two_runs(), width=100)
    assert LONG in comparison_markdown(two_runs())


def test_times_of_two_runs_are_ratios_to_their_own_baseline_and_no_verdict() -> None:
    shown = comparison_text(two_runs(), width=100)

    assert "no verdict is drawn" in " ".join(shown.split())
    assert "sampled side by side" not in shown
    assert " ms" not in shown.partition("What differs")[2]


def test_targets_of_one_run_have_intervals_and_ties() -> None:
    shown = comparison_text(compare([targets()], "database"), width=120)

    assert "sampled side by side" in shown
    assert "indicative" not in shown
    assert "tie" in shown


def test_a_strategy_that_an_interrupted_run_never_came_to_is_not_called_wrong() -> None:
    case = make_case(TIMES)
    never = dataclasses.replace(
        case, arms=tuple(dataclasses.replace(arm, counters=None, samples=()) for arm in case.arms), status="partial"
    )

    shown = comparison_text(
        compare([make_run((case,), id="a"), make_run((never,), id="b", status="interrupted")]), width=100
    )

    assert "WRONG" not in shown
    assert "not measured" in shown


def with_fewer() -> Comparison:
    """Two runs of which the second has not timed the scenario's baseline."""
    fewer = make_case({"lazy": 6.0, "joined": 3.0}, wrong={"selectin": "User 1: books differ"}, twin=False)
    return compare([make_run((make_case(TIMES),), id="a"), make_run((fewer,), id="b")])


def test_what_ratios_are_taken_to_is_named_and_only_that_is_called_the_baseline() -> None:
    shown = comparison_text(with_fewer(), width=100)

    assert "the ratio to lazy, in the same run and case" in " ".join(shown.split())
    times = shown.partition("indicative")[2].splitlines()
    assert [line.split()[0] for line in times if "baseline" in line.split()] == ["lazy"]
    data = comparison_data(with_fewer())
    joined = next(row for row in data["rows"] if row["labels"]["strategy"] == "joined")
    assert joined["baseline"] == "lazy"
    assert [cell["to_baseline"]["value"] for cell in joined["cells"]] == pytest.approx([0.5, 0.5], rel=0.05)


@pytest.mark.parametrize("width", [80, 120])
def test_rows_of_several_baselines_name_theirs_and_a_ratio_to_none_is_no_baseline(width: int) -> None:
    several = compare(
        [
            make_run((make_case({"lazy": 6.0, "joined": 3.0}),), id="a"),
            make_run((make_case(TIMES),), id="b"),
            make_run((make_case({"selectin": 2.0, "subquery": 3.0}),), id="c"),
        ]
    )
    none = compare([make_run((make_case({name: 2.0}),), id=name) for name in ("lazy", "joined")], "strategy")

    shown, unheld = comparison_text(several, width=width), comparison_text(none, width=width)

    assert max(map(len, shown.splitlines())) <= width
    joined = next(line for line in shown.partition("indicative")[2].splitlines() if line.startswith("joined"))
    assert joined.split()[1] == "lazy"
    assert "the strategy that its row names" in " ".join(shown.split())
    assert "no strategy in common that it could be taken to" in " ".join(unheld.split())
    assert "baseline" not in unheld


def test_markdown_is_tables_whatever_the_names() -> None:
    case = make_case(TIMES, target=make_server("postgres:17", origin="a|b <img src=x> `c`"))
    html = (
        MarkdownIt("commonmark")
        .enable("table")
        .render(comparison_markdown(compare([make_run(), make_run((case,), id="x|y")])))
    )

    assert html.count("<table>") == 3
    assert "<img" not in html


def test_data_for_programs_has_every_row_and_count() -> None:
    data = json.loads(json.dumps(comparison_data(two_runs())))

    assert data["differing"] == {"Host": ["bench-host", "another"]}
    selectin = next(row for row in data["rows"] if row["labels"]["strategy"] == "selectin")
    assert [cell["counters"]["statements"] for cell in selectin["cells"]] == [3, 1003]
    assert selectin["cells"][1]["differs"]["added"] == [[LONG, 1000]]
    assert selectin["cells"][1]["side_by_side"] is None


def test_stored_runs_are_compared_and_written(tmp_path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        record.save(make_run((make_case(TIMES),), id=name), tmp_path / name)
    markdown = tmp_path / "compared.md"

    shown = compared(["a", "b"], by="run", results=tmp_path, width=80, markdown=markdown)

    assert "same" in shown
    assert markdown.read_text().startswith("## Runs compared")
    assert json.loads(compared(["a", "b"], by="run", results=tmp_path, width=80, as_json=True))["by"] == "run"
    with pytest.raises(BenchError, match="named twice"):
        compared(["a", str(tmp_path / "a")], by="run", results=tmp_path, width=80)
    with pytest.raises(BenchError, match="named twice"):
        compared(["a", str(tmp_path / "a" / "run.json")], by="run", results=tmp_path, width=80)
    with pytest.raises(BenchError, match="cannot be written"):
        compared(["a", "b"], by="run", results=tmp_path, width=80, markdown=tmp_path / "none" / "x.md")
