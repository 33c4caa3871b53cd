import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.runs import (
    make_arm,
    make_case,
    make_counters,
    make_run,
    make_samples,
    make_target,
    typical_times,
    without_samples,
)

from bench.model import Sampling, Warned
from bench.reduce.summaries import summarise
from bench.report.terminal import DROPPED_FIRST, case_table, run_text


def table_of(case, width=200, sampling=None):
    return case_table(summarise(case), width=width, sampling=sampling)


def row_of(table, name):
    return next(line for line in table.splitlines() if line.startswith(name + " "))


@pytest.mark.parametrize("width", [80, 100, 120, 160])
@pytest.mark.parametrize("sizes", [["1000x50"], ["10x1", "10x50"]])
def test_no_line_is_wider_than_the_terminal_and_no_row_is_wrapped(width, sizes):
    text = run_text(make_run(make_case(size=size) for size in sizes), width=width)
    assert max(map(len, text.splitlines())) <= width
    for name in typical_times():
        rows = [line.split()[:3] for line in text.splitlines() if line.startswith(f"{name} ")]
        for size in sizes:
            counters = make_counters(name, size)
            assert [name, f"{counters.statements:,}", f"{counters.rows:,}"] in rows


def test_a_wide_table_has_every_column():
    table = table_of(make_case(), width=140)
    assert table.splitlines()[0].split("  ")[0] == "strategy"
    header = table.splitlines()[0]
    for name in ("statements", "rows", "repeated", "time", "to best", "to floor", "collector on", "peak"):
        assert name in header
    assert "columns also" not in table


def test_columns_that_are_left_out_are_named_with_the_width_that_would_show_them():
    table = table_of(make_case(), width=80)
    assert "peak" not in table.splitlines()[0]
    (said,) = [line for line in table.splitlines() if "columns also" in line]
    needed = int(said.split()[1])
    assert "columns also" not in table_of(make_case(), width=needed)
    assert "columns also" in table_of(make_case(), width=needed - 1)


def test_columns_go_in_the_stated_order():
    gone: list[str] = []
    for width in range(140, 40, -1):
        header = table_of(make_case(), width=width).splitlines()[0]
        gone += [c.header for c in DROPPED_FIRST if f" {c.header}" not in header and c.header not in gone]
    assert gone == [column.header for column in DROPPED_FIRST]


def test_a_ratio_is_shortened_before_a_column_goes():
    full, short = table_of(make_case(), width=140), table_of(make_case(), width=120)
    assert "1.35x (1.31" in row_of(full, "joined")
    assert "1.35x ±3 %" in row_of(short, "joined")
    assert "peak" in short.splitlines()[0]


def test_rows_stand_fastest_first_with_their_exact_counts():
    table = table_of(make_case())
    names = [line.split()[0] for line in table.split("\n\n")[0].splitlines()[2:]]
    assert names == ["selectin", "joined", "lazy", "contains_eager", "subquery", "immediate"]
    assert row_of(table, "joined").split()[1:4] == ["1", "50,000", "49,000"]
    assert row_of(table, "lazy").split()[1:4] == ["1,001", "51,000", "0"]
    assert " fastest " in row_of(table, "selectin")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["lazy", "joined", "selectin", "contains_eager"], "joined 1.96, contains_eager 1.96; all others 1.00."),
        (["selectin", "joined"], "joined 1.96; selectin 1.00."),
        (["joined"], "joined 1.96."),
        (["selectin", "lazy"], "all 1.00."),
    ],
)
def test_inflation_stands_in_a_line_under_the_table(names, said):
    times = {name: 10.0 + at for at, name in enumerate(names)}
    table = table_of(make_case(times, wrong={"joined_inner": "User 7 is missing."}))
    assert f"Inflation (entities in rows / distinct entities): {said}" in table


def test_a_tie_is_shown_as_a_tie_without_a_number_that_claims_more():
    same = [[10.0]] * 5
    line = row_of(table_of(make_case({"selectin": same, "joined": same}, floor=None, collectors={})), "joined")
    assert " tie " in f"{line} "
    assert "x" not in line


def test_a_wrong_arm_has_no_time_and_its_reason_under_the_table():
    table = table_of(make_case(wrong={"joined_inner": "User 7 is missing."}))
    assert " WRONG" in row_of(table, "joined_inner")
    assert " ms" not in row_of(table, "joined_inner")
    assert "WRONG: joined_inner: User 7 is missing." in table


@pytest.mark.parametrize(
    ("fault", "word"), [("", "WRONG"), ("unequal", "WRONG"), ("failed", "FAILED"), ("died", "DIED")]
)
def test_why_an_arm_has_no_time_is_told_by_its_kind(fault, word):
    table = table_of(make_case({"selectin": 100.0}, arms=[make_arm("joined", None, error="It did not.", fault=fault)]))
    assert f" {word} " in f"{row_of(table, 'joined')} "
    assert f"{word}: joined: It did not." in table
    assert table.count("WRONG") == (2 if word == "WRONG" else 0)


MARK = "~ no interval: sampled in fewer than 5 workers."


def test_the_mark_is_explained_where_only_the_collector_or_a_floor_carries_it():
    ten = [[10.0]] * 5
    fewer: list[list[float | None]] = [[33.0], [33.0], [None], [None], [None]]
    arm = make_arm("selectin", ten)
    rarely = dataclasses.replace(arm, samples=(*arm.samples, make_samples(fewer, collector="default")))
    floor = make_arm("selectin", fewer, kind="floor")
    for arms in ([rarely], [arm, floor]):
        table = table_of(make_case({}, arms=arms))
        assert "~33.0 ms" in table
        assert MARK in table
    assert "~" not in table_of(make_case({}, arms=[arm]))


def test_every_time_has_an_interval_or_the_mark_that_there_is_none():
    table = table_of(make_case(workers=2))
    assert "~200 ms" in row_of(table, "selectin")
    assert "~ no interval: sampled in fewer than 5 workers." in table


def test_the_noise_floor_stands_under_every_table():
    assert "Noise floor: 4.0 % (selectin against itself: 0.96" in table_of(make_case())
    assert "Noise floor: unknown; selectin against itself" in table_of(make_case(workers=2))
    assert "no A/A pair" in table_of(make_case(twin=False))


def test_what_was_sampled_stands_under_the_table_with_live_objects_and_floors():
    table = table_of(make_case(), sampling=Sampling(seed=42, budget_s=60.0))
    assert "Sampled: 5 workers x 8 rounds, shuffled from seed 42." in table
    assert "with 61,200 live objects before the load" in table
    assert "Floor (the same statements through the bare driver): selectin 54 ms (52" in table


def test_a_quick_look_is_said_to_be_one():
    assert "a quick look" in table_of(make_case(workers=1), sampling=Sampling(seed=1, budget_s=None, quick=True))


def test_a_worker_that_died_an_arm_that_stopped_and_a_warning_are_told():
    case = make_case(
        {"selectin": 100.0},
        arms=[make_arm("lazy", 900.0, stopped_early=True)],
        warnings=[Warned(code="busy", text="The machine is busy.\nWait.")],
    )
    died = dataclasses.replace(case.workers[1], ended="killed by SIGKILL", rounds=3)
    table = table_of(dataclasses.replace(case, workers=(case.workers[0], died), status="partial"))
    said = "Sampled less, having taken more than twice the quickest's time in every round until then: lazy."
    assert said in table
    assert "Worker 2 ended early: killed by SIGKILL." in table
    assert "2 workers x 3 to 8 rounds" in table
    assert "This case was cut short" in table
    assert "Warning: The machine is busy. Wait." in table


def test_a_run_says_what_was_measured_where():
    text = run_text(make_run(), width=120)
    for fact in ("sqlite 3.40.1 by pysqlite 3.11.7", "Python 3.11.7, SQLAlchemy 2.1.9", "2026-01-01 12:00 UTC"):
        assert fact in text
    assert "1,000 parents, 50,000 children; children fixed, stored clustered" in text
    assert "Users with their books: how should" in text


def test_several_sizes_begin_with_the_crossover():
    text = run_text(make_run(make_case(size=f"1000x{n}", workers=7) for n in (1, 5, 20, 50)), width=100)
    assert text.index("Crossover: 1000xn, by children") < text.index("one_to_many 1000x1 on sqlite")
    assert "children per parent on, selectin beats joined" in text
    assert "joined and contains_eager (tie)" in text


@pytest.mark.parametrize(
    "run",
    [
        make_run([]),
        make_run([without_samples(make_case())], status="interrupted"),
        make_run([make_case({}, wrong={"joined": "It raised."})]),
        make_run([make_case({})]),
        make_run([without_samples(make_case(size="10x1")), make_case(size="10x5", workers=1)]),
    ],
    ids=["no case", "nothing timed", "all wrong", "no arm", "half of a series"],
)
@pytest.mark.parametrize("width", [1, 80, 120])
def test_a_run_without_results_is_still_printed(run, width):
    assert run.id in run_text(run, width=width)


@settings(max_examples=30)
@given(st.text(min_size=1), st.text(), st.text())
def test_no_text_of_a_run_can_steer_the_terminal(name, error, question):
    case = make_case({"selectin": [[10.0]]}, wrong={name: error}, target=make_target(name=name))
    case = dataclasses.replace(case, scenario=dataclasses.replace(case.scenario, question=question, rule_says=error))
    assert all(character == "\n" or character.isprintable() for character in run_text(make_run([case]), width=80))
