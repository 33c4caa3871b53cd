"""Runs compared: counts by equality, times with a verdict only where they were taken side by side."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from support.runs import (
    make_case,
    make_counters,
    make_environment,
    make_run,
    make_server,
    make_target,
    make_targets_case,
)

from bench.errors import BenchError
from bench.model import Arm, Case, Run, StatementCount
from bench.model.asked import parse_target
from bench.model.environment import AskedEnvironment, EnvironmentFacts
from bench.reduce.compare import Comparison, Row, compare

TIMES = {"lazy": 6.0, "selectin": 2.0, "joined": 3.0}


def a_run(name: str, *cases: Case, **environment: Any) -> Run:
    return make_run(cases or (make_case(TIMES),), id=name, environment=make_environment(**environment))


def with_counters(case: Case, strategy: str, **changes: Any) -> Case:
    def changed(arm: Arm) -> Arm:
        if arm.name != strategy or arm.counters is None:
            return arm
        return dataclasses.replace(arm, counters=dataclasses.replace(arm.counters, **changes))

    return dataclasses.replace(case, arms=tuple(map(changed, case.arms)))


def row_of(comparison: Comparison, **labels: str) -> Row:
    return next(row for row in comparison.rows if labels.items() <= dict(row.labels).items())


def test_equal_counts_are_told_to_be_equal_and_times_of_two_runs_get_no_verdict() -> None:
    comparison = compare([a_run("a"), a_run("b")])

    assert comparison.columns == ("A", "B")
    for row in comparison.rows:
        first, second = row.cells
        assert first
        assert second
        assert second.differs is not None
        assert not second.differs
        assert second.ratio is None
        assert not second.tied


def test_one_statement_more_is_told_with_its_text() -> None:
    before = make_case(TIMES)
    counters = make_counters("selectin")
    more = StatementCount(sql="SELECT 1 FROM addresses WHERE id = ?", executions=1000, rows=0, parameters=1000)
    after = with_counters(
        before, "selectin", statements=counters.statements + 1000, by_statement=(*counters.by_statement, more)
    )

    cell = row_of(compare([a_run("a", before), a_run("b", after)]), strategy="selectin").cells[1]

    assert cell
    assert cell.differs
    assert [(each.name, each.before, each.after) for each in cell.differs.figures] == [("statements", 3, 1003)]
    assert cell.differs.added == (("SELECT 1 FROM addresses WHERE id = ?", 1000),)
    assert cell.differs.gone == ()


def test_a_statement_sent_more_often_for_fewer_of_another_is_told_though_the_sum_is_the_same() -> None:
    before = make_case(TIMES)
    one, two = make_counters("selectin").by_statement
    swapped = (dataclasses.replace(one, executions=two.executions), dataclasses.replace(two, executions=one.executions))
    after = with_counters(before, "selectin", by_statement=swapped)

    cell = row_of(compare([a_run("a", before), a_run("b", after)]), strategy="selectin").cells[1]

    assert cell
    assert cell.differs
    assert not cell.differs.figures
    assert [sent for _, sent in cell.differs.resent] == [(1, 2), (2, 1)]


@pytest.mark.parametrize("figure", ["rows", "repeated_rows", "entities", "parameters", "bytes"])
def test_every_figure_that_differs_is_told(figure: str) -> None:
    before = make_case(TIMES)
    after = with_counters(before, "joined", **{figure: getattr(make_counters("joined"), figure) + 1})

    cell = row_of(compare([a_run("a", before), a_run("b", after)]), strategy="joined").cells[1]

    assert cell
    assert cell.differs
    assert [each.name for each in cell.differs.figures] == [figure]


def test_facts_that_differ_are_told_and_the_axis_is_not_one_of_them() -> None:
    runs = [a_run("a", sqlalchemy="2.0.49", host="one"), a_run("b", sqlalchemy="2.1.9", host="two", python="3.13.1")]

    by_run, by_version = compare(runs), compare(runs, "sqlalchemy")

    assert {fact.name: fact.values for fact in by_run.differing} == {
        "Host": ("one", "two"),
        "Python": ("3.11.7", "3.13.1"),
        "SQLAlchemy": ("2.0.49", "2.1.9"),
    }
    assert [fact.name for fact in by_version.differing] == ["Host", "Python"]
    assert by_version.columns == ("2.0.49", "2.1.9")


@pytest.mark.parametrize(
    ("changed", "fact"),
    [
        ({"scenario": {"digest": "6" * 64}}, "Scenario's file"),
        ({"datasets": {"fingerprint": "e" * 64}}, "Dataset's graph"),
        ({"targets": {"server_version": "3.45.0"}}, "Database"),
        ({"targets": {"settings": {"journal_mode": "wal"}}}, "Settings"),
    ],
)
def test_a_scenario_a_dataset_and_a_server_that_are_not_the_same_are_told(
    changed: dict[str, dict[str, Any]], fact: str
) -> None:
    before = after = make_case(TIMES)
    for name, fields in changed.items():
        value = getattr(before, name)
        new: Any = tuple(dataclasses.replace(one, **fields) for one in value) if isinstance(value, tuple) else None
        after = dataclasses.replace(after, **{name: new or dataclasses.replace(value, **fields)})

    assert [each.name for each in compare([a_run("a", before), a_run("b", after)]).differing] == [fact]


def test_runs_of_one_target_each_are_compared_whatever_it_is() -> None:
    sqlite = a_run("a", make_case(TIMES, target=make_target()))
    postgres = a_run("b", make_case(TIMES, target=make_server("postgres:17")))

    assert len(compare([sqlite, postgres]).rows) == len(TIMES)
    assert compare([sqlite, postgres], "database").columns == ("sqlite 3.40.1", "postgresql 17.4")


def test_targets_of_one_run_are_compared_with_intervals_and_a_verdict() -> None:
    case = make_targets_case(
        {"postgres:16": TIMES, "postgres:17": {**TIMES, "joined": 6.0}, "postgres:18": TIMES}, rounds=30
    )

    comparison = compare([make_run((case,))], "database")

    joined, lazy = row_of(comparison, strategy="joined"), row_of(comparison, strategy="lazy")
    slower = joined.cells[1]
    assert slower
    assert slower.ratio
    assert slower.ratio.low
    assert slower.ratio.low > 1.8
    assert not slower.tied
    assert all(cell and cell.tied for cell in lazy.cells[1:])


def test_strategies_of_one_run_are_compared_side_by_side_and_those_of_two_never_are() -> None:
    runs = [a_run("a"), a_run("b")]

    comparison = compare(runs, "strategy")

    assert [dict(row.labels)["run"] for row in comparison.rows] == ["A", "B"]
    for row in comparison.rows:
        assert len({cell.point.run for cell in row.cells if cell}) == 1
        assert sum(bool(cell and cell.ratio) for cell in row.cells) == len(TIMES) - 1


def test_sizes_of_one_run_were_not_sampled_side_by_side() -> None:
    comparison = compare([make_run((make_case(size="10x5"), make_case(size="20x5")))], "size")

    assert comparison.columns == ("10x5", "20x5")
    assert not any(cell and cell.ratio for row in comparison.rows for cell in row.cells)


def test_drivers_are_compared_within_their_database() -> None:
    case = make_targets_case({"postgres:17": TIMES, "postgres:17+asyncpg": TIMES})

    comparison = compare([make_run((case,)), a_run("b")], "driver")

    assert comparison.columns == ("psycopg", "asyncpg", "pysqlite")
    assert len(comparison.rows) == len(TIMES)
    assert all(row.cells[2] is None for row in comparison.rows)


def test_sqlite_in_memory_is_a_database_of_its_own() -> None:
    case = make_targets_case({"sqlite": TIMES, "sqlite:memory": TIMES, "postgres:18": TIMES})

    comparison = compare([make_run((case,))], "database")

    assert comparison.columns == ("sqlite 3.40.1", "sqlite:memory 3.40.1", "postgresql 18.4")
    assert len(comparison.rows) == len(TIMES)
    assert all(cell and cell.ratio for row in comparison.rows for cell in row.cells[1:])


@pytest.mark.parametrize(
    ("targets", "columns"),
    [
        (
            ("sqlite", "sqlite:x.db", "postgres:18"),
            ("sqlite 3.40.1 (sqlite)", "sqlite 3.40.1 (sqlite:x.db)", "postgresql 18.4"),
        ),
        (("postgres", "postgres:18"), ("postgresql 18.4 (postgres)", "postgresql 18.4 (postgres:18)")),
    ],
)
def test_targets_of_one_version_are_compared_under_the_names_that_they_were_asked_for_by(
    targets: tuple[str, ...], columns: tuple[str, ...]
) -> None:
    comparison = compare([make_run((make_targets_case(dict.fromkeys(targets, TIMES)),))], "database")

    assert comparison.columns == columns
    assert len(comparison.rows) == len(TIMES)
    assert all(cell and cell.ratio for row in comparison.rows for cell in row.cells[1:])


def test_a_version_that_was_asked_for_by_two_names_is_compared_with_itself() -> None:
    case = ran_in("postgres:17", sqlalchemy="2.1.9")
    first, second = case.spec.targets
    named = dataclasses.replace(second, environment=dataclasses.replace(second.environment, sqlalchemy="installed"))
    case = dataclasses.replace(case, spec=dataclasses.replace(case.spec, targets=(first, named)))

    comparison = compare([make_run((case,))], "sqlalchemy")

    assert comparison.columns == ("2.1.9 (2.1.9)", "2.1.9 (installed)")
    assert len(comparison.rows) == len(TIMES)


def test_drivers_are_compared_though_another_run_has_a_database_more() -> None:
    drivers = make_run((make_targets_case({"postgres:17": TIMES, "postgres:17+asyncpg": TIMES}),))
    databases = make_run((make_targets_case({"postgres:17": TIMES, "sqlite": TIMES, "sqlite:memory": TIMES}),), id="b")

    comparison = compare([drivers, databases], "driver")

    assert {dict(row.labels)["run"] for row in comparison.rows} == {"A"}
    assert all(cell and cell.ratio for row in comparison.rows for cell in row.cells[1:2])


def test_drivers_are_compared_on_each_of_two_servers_of_one_version() -> None:
    names = [f"postgresql{driver}://{host}/x" for host in ("a", "b") for driver in ("", "+asyncpg")]

    comparison = compare([make_run((make_targets_case(dict.fromkeys(names, TIMES)),))], "driver")

    assert len(comparison.rows) == 2 * len(TIMES)
    assert all(cell and cell.ratio for row in comparison.rows for cell in row.cells[1:])


def test_measurements_that_would_share_a_cell_are_told_apart_and_none_is_lost() -> None:
    runs = [
        a_run("a", git_revision="1" * 40, sqlalchemy="2.0.49"),
        a_run("b", git_revision="1" * 40, sqlalchemy="2.1.9"),
        a_run("c", git_revision="2" * 40, sqlalchemy="2.0.49"),
    ]

    comparison = compare(runs, "revision")

    shown = [cell for row in (*comparison.rows, *comparison.alone) for cell in row.cells if cell]
    assert len(shown) == 3 * len(TIMES)
    assert {dict(row.labels)["SQLAlchemy"] for row in comparison.rows} == {"2.0.49"}


def ran_in(name: str, **environment: str) -> Case:
    """A case of two targets that differ in what ran the load: the harness's own, and another."""
    case = make_targets_case({"sqlite": TIMES, "sqlite:memory": TIMES})
    own = {"python": "CPython 3.11.7", "sqlalchemy": "2.1.9", "driver_version": "3.3.9"}
    facts = [EnvironmentFacts(**(own | each), compiled=True, sqlite="") for each in ({}, environment)]
    asked = [AskedEnvironment(**{key: each[key] for key in environment}) for each in (own, environment)]
    targets = tuple(
        dataclasses.replace(
            make_server("postgres:17"), name=target.name, environment=ran, driver_version=ran.driver_version
        )
        for target, ran in zip(case.targets, facts, strict=True)
    )
    server = parse_target(name)
    spec = dataclasses.replace(
        case.spec, targets=tuple(dataclasses.replace(server, environment=environment) for environment in asked)
    )
    return dataclasses.replace(case, targets=targets, spec=spec)


@pytest.mark.parametrize(
    ("by", "environment", "columns"),
    [
        ("python", {"python": "3.13.1"}, ("3.11.7", "3.13.1")),
        ("sqlalchemy", {"sqlalchemy": "2.0.49"}, ("2.1.9", "2.0.49")),
        ("driver", {"driver_version": "3.2.10"}, ("psycopg 3.3.9", "psycopg 3.2.10")),
    ],
)
def test_environments_of_one_run_are_compared_side_by_side(
    by: Any, environment: dict[str, str], columns: tuple[str, ...]
) -> None:
    comparison = compare([make_run((ran_in("postgres:17", **environment),))], by)

    assert comparison.columns == columns
    assert len(comparison.rows) == len(TIMES)
    assert all(cell and cell.ratio for row in comparison.rows for cell in row.cells[1:])
    assert comparison.differing == ()


def test_the_harness_s_own_python_is_the_same_as_that_of_an_environment() -> None:
    own = make_case(TIMES, target=make_server("postgres:17"))
    runs = [
        make_run((ran_in("postgres:17", python="3.13.1"),)),
        make_run((own,), id="b", environment=make_environment(python="CPython 3.13.1")),
    ]

    assert compare(runs, "python").columns == ("3.11.7", "3.13.1")


@pytest.mark.parametrize("by", ["run", "python"])
def test_sqlite3_has_no_version_beside_python_s(by: Any) -> None:
    newer = make_case(TIMES, target=make_target(driver_version="3.13.1"))
    runs = [a_run("a"), a_run("b", newer, python="3.13.1")]

    told = {fact.name for fact in compare(runs, by).differing}

    assert told == ({"Python"} if by == "run" else set())


def test_a_driver_of_one_version_goes_by_its_name_alone() -> None:
    runs = [a_run("a", make_case(TIMES, target=make_server(name))) for name in ("postgres:17", "postgres:17+asyncpg")]

    assert compare(runs, "driver").columns == ("psycopg", "asyncpg")


def test_a_revision_with_changes_is_another_one() -> None:
    assert compare([a_run("a"), a_run("b", git_dirty=True)], "revision").columns == (
        "0123456789ab",
        "0123456789ab with changes",
    )


@pytest.mark.parametrize(
    ("runs", "by", "says"),
    [
        ([a_run("a")], "run", "has no other"),
        ([a_run("a"), a_run("b", make_case(TIMES, size="10x5"))], "run", "no arm that two of them have in common"),
        ([a_run("a"), a_run("b", make_case({"subquery": 2.0}))], "run", "no arm that two of them have in common"),
        ([a_run("a"), a_run("b")], "sqlalchemy", "all that was measured has 2.1.9"),
        ([a_run("a"), dataclasses.replace(a_run("b"), cases=())], "run", "Nothing was measured in b"),
        ([a_run(str(at)) for at in range(27)], "run", "more than can be compared"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(runs: list[Run], by: Any, says: str) -> None:
    with pytest.raises(BenchError, match=says) as raised:
        compare(runs, by)

    assert raised.value.remedy


def with_versions(*versions: str) -> Case:
    """A case of one SQLite by several versions of SQLAlchemy."""
    names = [f"sqlite sqlalchemy={version}" for version in versions]
    case = make_targets_case({"sqlite": TIMES, "sqlite:memory": TIMES})
    environments = [
        EnvironmentFacts(python="3.11.7", sqlalchemy=version, compiled=True, driver_version="", sqlite="3.40.1")
        for version in versions
    ]
    targets = [make_target(name=name, environment=facts) for name, facts in zip(names, environments, strict=True)]
    asked = [
        dataclasses.replace(parse_target("sqlite"), environment=AskedEnvironment(sqlalchemy=version))
        for version in versions
    ]
    renamed = dict(zip(("sqlite", "sqlite:memory"), names, strict=True))
    return dataclasses.replace(
        case,
        targets=tuple(targets),
        spec=dataclasses.replace(case.spec, targets=tuple(asked)),
        arms=tuple(dataclasses.replace(arm, target=renamed.get(arm.target, arm.target)) for arm in case.arms),
    )


@pytest.mark.parametrize(
    ("other", "by"),
    [
        (make_targets_case({"postgres:16": TIMES, "postgres:18": TIMES}), "database"),
        (with_versions("2.0.49", "2.0.40"), "sqlalchemy"),
    ],
)
def test_runs_that_share_a_load_but_no_target_are_told_so_with_an_axis_that_compares_them(other: Case, by: Any) -> None:
    runs = [a_run("a"), a_run("b", other)]

    with pytest.raises(BenchError, match="their targets differ") as raised:
        compare(runs)

    assert "A has one_to_many 1000x50 by lazy, selectin, joined on sqlite" in str(raised.value)
    assert raised.value.remedy == f"Compare them with --by {by}."
    assert compare(runs, by).rows


def test_targets_that_differ_in_name_only_are_no_missing_strategy() -> None:
    case = make_targets_case({"postgres:16": TIMES, "postgres:18": TIMES})
    runs = [a_run("a", case), a_run("b", make_targets_case({"postgres:16@npm": TIMES, "postgres:18@npm": TIMES}))]

    with pytest.raises(BenchError, match=r"share one_to_many 1000x50 .*: their targets differ") as raised:
        compare(runs)

    assert raised.value.remedy == "Compare them with --by database."
    assert compare(runs, "database").rows


def test_drivers_of_two_databases_are_refused_with_an_axis_that_compares_them() -> None:
    run = make_run((make_targets_case({"sqlite": TIMES, "postgres:18": TIMES}),))

    with pytest.raises(BenchError, match="two of pysqlite and psycopg") as raised:
        compare([run], "driver")

    assert raised.value.remedy == "Compare them with --by database."


@pytest.mark.parametrize(
    ("other", "also"),
    [
        (make_case(TIMES, size="10x5"), ", or these with --by size."),
        (make_case({"subquery": 2.0}), ", or these with --by strategy."),
        (make_case({"subquery": 2.0}, size="10x5"), "."),
    ],
)
def test_runs_of_other_loads_are_told_what_they_would_have_to_share(other: Case, also: str) -> None:
    with pytest.raises(BenchError) as raised:
        compare([a_run("a"), a_run("b", other)])

    assert raised.value.remedy == (
        f"Compare runs of one scenario at one size, with a strategy that both measured{also}"
    )


def test_a_wrong_arm_is_shown_as_wrong_and_not_compared() -> None:
    wrong = make_case({"selectin": 2.0}, wrong={"joined": "User 1: books differ"})

    cell = row_of(compare([a_run("a"), a_run("b", wrong)]), strategy="joined").cells[1]

    assert cell
    assert cell.point.row.quiet is None
    assert cell.ratio is None


FEWER = {name: TIMES[name] for name in ("lazy", "joined")}


@pytest.mark.parametrize(
    "other", [make_case(FEWER), make_case(FEWER, wrong={"selectin": "User 1: books differ"}, twin=False)]
)
def test_ratios_of_two_runs_are_to_a_strategy_that_was_timed_in_both(other: Case) -> None:
    comparison = compare([a_run("a"), a_run("b", other)])

    assert {row.baseline for row in comparison.rows if dict(row.labels)["strategy"] in FEWER} == {"lazy"}
    for cell in row_of(comparison, strategy="joined").cells:
        assert cell
        assert cell.to_baseline
        assert cell.to_baseline.low
        assert cell.to_baseline.value == pytest.approx(0.5, rel=0.05)
    assert not any(cell and cell.to_baseline for cell in row_of(comparison, strategy="lazy").cells)


def test_the_scenario_s_baseline_is_the_one_where_every_run_has_timed_it() -> None:
    comparison = compare([a_run("a"), a_run("b", make_case({"joined": 3.0, "selectin": 2.0}))])

    assert {row.baseline for row in comparison.rows} == {"selectin"}


def test_rows_that_cannot_all_have_one_baseline_have_one_each_that_their_columns_share() -> None:
    runs = [a_run("a", make_case(FEWER)), a_run("b"), a_run("c", make_case({"selectin": 2.0, "subquery": 3.0}))]

    rows = {dict(row.labels)["strategy"]: row for row in compare(runs).rows}

    assert rows["joined"].baseline == rows["lazy"].baseline == "lazy"
    assert rows["selectin"].baseline == "selectin"


def test_strategies_of_runs_without_one_in_common_have_no_ratio_to_one() -> None:
    (row,) = compare([a_run("a", make_case({"lazy": 6.0})), a_run("b", make_case({"joined": 3.0}))], "strategy").rows

    assert row.baseline is None
    assert not any(cell and cell.to_baseline for cell in row.cells)


def of_file(name: str, *scenarios: str) -> Run:
    """A run with a case of each scenario."""
    cases = [make_case(TIMES) for _ in scenarios]
    named = [
        dataclasses.replace(case, spec=dataclasses.replace(case.spec, scenario=scenario))
        for case, scenario in zip(cases, scenarios, strict=True)
    ]
    return a_run(name, *named)


def test_a_scenario_s_file_is_the_same_wherever_a_checkout_lies() -> None:
    here, there = of_file("a", "/home/me/app/loading.py:MINE"), of_file("b", "/runner/work/app/loading.py:MINE")

    assert {dict(row.labels)["scenario"] for row in compare([here, there]).rows} == {"loading.py:MINE"}


def test_files_of_one_name_in_one_run_are_told_apart_by_their_folders() -> None:
    here, there = (of_file(root, f"/{root}/a/loading.py:MINE", f"/{root}/b/loading.py:MINE") for root in ("me", "you"))
    comparison = compare([here, there])

    assert {dict(row.labels)["scenario"] for row in comparison.rows} == {"a/loading.py:MINE", "b/loading.py:MINE"}
    assert len(comparison.rows) == 2 * len(TIMES)
