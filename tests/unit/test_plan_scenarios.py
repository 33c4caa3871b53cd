"""Several scenarios, their parameters and their sizes in one plan."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.catalogue import configured, find_scenario, scenario_names
from bench.cli import cli
from bench.errors import BenchError
from bench.model import DatasetOptions, Sampling, parse_targets
from bench.plan import Plan, estimate_s, make_plan
from scenarios import SCENARIOS

A_MODULE = """
from dataclasses import replace
from scenarios.one_to_many import ONE_TO_MANY
{prints}
orders = replace(ONE_TO_MANY, name="orders")
"""


def plan(*scenarios: str, sizes: str | None = None, db: str = "sqlite", strategies: str | None = None) -> Plan:
    targets, secrets = parse_targets(db)
    return make_plan(
        scenarios=scenarios,
        sizes=sizes,
        targets=targets,
        secrets=secrets,
        strategies=strategies,
        dataset=DatasetOptions(),
        sampling=Sampling(seed=1, budget_s=1.0),
        label="",
        command=(),
    )


def test_all_is_the_whole_catalogue_each_at_its_usual_size() -> None:
    planned = plan(*scenario_names("all"))

    assert [spec.scenario for spec in planned.specs] == [scenario.name for scenario in SCENARIOS]
    for spec in planned.specs:
        assert len(spec.size.counts) == find_scenario(spec.scenario).levels


def test_beside_others_a_scenario_that_takes_another_kind_of_size_has_its_usual_one_and_says_so() -> None:
    planned = plan("one_to_many", "nested", sizes="10x5")

    assert [str(spec.size) for spec in planned.specs] == ["10x5", "100x20x5"]
    assert planned.warnings["one_to_many"] == ()
    (warning,) = planned.warnings["nested"]
    assert "nested takes a size of 3 numbers" in warning.text


def test_a_scenario_may_have_a_usual_size_of_its_own() -> None:
    planned = plan("one_to_many", "two_collections")

    assert [str(spec.size) for spec in planned.specs] == ["1000x50", "100x50"]


def test_an_estimate_knows_the_rows_that_a_parameter_multiplies() -> None:
    few, many = plan("tree[depth=1]", "tree[depth=6]", sizes="50").specs

    sampling = Sampling(seed=1, budget_s=None, workers=1, rounds=1)
    assert estimate_s(many, sampling) > 10 * estimate_s(few, sampling)


def test_alone_it_refuses_the_size_and_a_size_that_is_none_is_refused_for_all() -> None:
    with pytest.raises(BenchError, match="takes 3"):
        plan("nested", sizes="10x5")
    with pytest.raises(BenchError, match="ten"):
        plan("one_to_many", "nested", sizes="ten")


def test_a_list_of_names_is_divided_outside_of_brackets_only() -> None:
    assert scenario_names("a[x=1,y=2], b,a[x=1,y=2]") == ["a[x=1,y=2]", "b"]


def test_parameters_join_the_name_and_none_is_given_twice() -> None:
    assert configured("a", {}) == "a"
    assert configured("a[x=1]", {"y": 2}) == "a[x=1,y=2]"
    with pytest.raises(BenchError, match="x is given twice"):
        configured("a[x=1]", {"x": 2})


@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if one.parameters], ids=lambda one: one.name)
def test_parameters_are_options_where_the_scenario_is_named(scenario: object) -> None:
    from bench.model import Scenario

    assert isinstance(scenario, Scenario)
    told = CliRunner().invoke(cli, ["run", f"--scenario={scenario.name}", "--help"]).output

    for parameter in scenario.parameters:
        assert f"--{parameter.name.replace('_', '-')} " in told
        assert f"[default: {parameter.default}]" in " ".join(told.split())


def test_a_module_is_found_from_the_folder_that_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "apps_own_loading.py").write_text(A_MODULE.format(prints=""))
    (tmp_path / "broken_loading.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)

    assert find_scenario("apps_own_loading:orders").name == "orders"
    with pytest.raises(BenchError, match="no scenario in apps_own_loading 'order'; did you mean 'orders'"):
        find_scenario("apps_own_loading:order")
    with pytest.raises(BenchError, match="broken_loading cannot be imported: ZeroDivisionError"):
        find_scenario("broken_loading:orders")
    with pytest.raises(BenchError, match=r"There is no module 'nowhere\.at_all'"):
        find_scenario("nowhere.at_all:orders")
