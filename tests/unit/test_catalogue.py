from pathlib import Path

import pytest

from bench.catalogue import find_scenario, find_strategy, scenarios, select_strategies
from bench.errors import BenchError
from bench.model import Scenario, Shape
from scenarios.one_to_many import ONE_TO_MANY


def names(text: str | None) -> list[str]:
    return [strategy.name for strategy in select_strategies(ONE_TO_MANY, text)]


def test_without_a_choice_the_six_that_people_choose_between_are_run() -> None:
    assert names(None) == ["lazy", "joined", "selectin", "subquery", "immediate", "contains_eager"]


def test_all_is_every_strategy_and_no_control() -> None:
    assert set(names(None)) < set(names("all"))
    assert {"joined_inner", "selectin[50]", "selectin[5000]"} <= set(names("all"))
    assert "raise" not in names("all")


def test_strategies_come_in_the_order_named_and_each_once() -> None:
    assert names("joined, lazy,joined") == ["joined", "lazy"]


def test_a_chunk_size_makes_a_strategy_with_a_formula_of_its_own() -> None:
    shape = Shape(rows=(1000, 50_000), childless=(0,))

    assert find_strategy(ONE_TO_MANY, "selectin[100]").statements(shape) == 11
    assert find_strategy(ONE_TO_MANY, "selectin").statements(shape) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("joind", "did you mean 'joined'?"),
        ("selectin[0]", "from 1 to 999,999,999"),
        ("selectin[-3]", "from 1 to 999,999,999"),
        ("selectin[2.5]", "from 1 to 999,999,999"),
        ("selectin[99999999999]", "from 1 to 999,999,999"),
        ("selectin[1000000000]", "from 1 to 999,999,999"),
        ("all,lazy", "stands alone"),
        ("lazy, all", "stands alone"),
        ("selectin[]", "There is no strategy"),
        ("lazy[3]", "There is no strategy"),
        ("", "There is no strategy"),
        ("lazy,,joined", "There is no strategy ''"),
        ("raise", "is a control"),
        ("selectin[\uff11]", "There is no strategy"),
    ],
)
def test_what_is_no_strategy_is_refused_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(BenchError) as refused:
        names(text)

    assert says in str(refused.value)
    assert refused.value.remedy


@pytest.mark.parametrize("ending", ["raise SystemExit(3)", "import sys; sys.exit()", "1 / 0"])
def test_a_scenario_file_that_ends_or_fails_while_it_is_imported_is_refused_with_its_name(
    tmp_path: Path, ending: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(ending)

    with pytest.raises(BenchError, match=r"mine\.py cannot be imported: (SystemExit|ZeroDivisionError)") as refused:
        find_scenario(f"{file}:MINE")

    assert refused.value.remedy


def test_the_lines_of_the_users_that_led_to_an_error_are_shown_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outer_of_mine.py").write_text("\nimport inner_of_mine\n")
    (tmp_path / "inner_of_mine.py").write_text("\n\nopen('no such file')\n")
    monkeypatch.chdir(tmp_path)

    for reference in ("outer_of_mine.py:MINE", "outer_of_mine:MINE"):
        with pytest.raises(BenchError, match="FileNotFoundError") as refused:
            find_scenario(reference)

        shown = [line.strip() for line in str(refused.value).splitlines()[1:]]
        files = [line.partition(", in")[0] for line in shown if line.startswith("File ")]
        assert files == [
            f'File "{tmp_path / "outer_of_mine.py"}", line 2',
            f'File "{tmp_path / "inner_of_mine.py"}", line 3',
        ]
        assert "open('no such file')" in shown


def test_a_file_that_is_no_python_is_refused_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("\ndef broken(:\n")

    with pytest.raises(BenchError, match=r'SyntaxError(.|\n)*mine\.py", line 2'):
        find_scenario(f"{file}:MINE")


def test_a_module_that_lacks_another_of_a_name_like_its_own_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shopping_list.py").write_text("import shop\n")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(BenchError, match="shopping_list cannot be imported: ModuleNotFoundError"):
        find_scenario("shopping_list:MINE")


def test_an_unknown_scenario_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(BenchError, match="did you mean 'one_to_many'"):
        find_scenario("one_to_mny")


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
def test_every_scenarios_baseline_and_rule_name_strategies_that_it_has(scenario: Scenario) -> None:
    known = {strategy.name for strategy in scenario.strategies if strategy.common}

    assert {scenario.baseline, scenario.rule_of_thumb.strategy} <= known
    assert len({strategy.name for strategy in scenario.strategies}) == len(scenario.strategies)


def test_a_scenario_that_cannot_be_built_is_told_in_its_own_sentence_without_our_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unbuilt.py").write_text(
        "from bench import scenario_of\nfrom scenarios.nested import NESTED\nX = scenario_of(NESTED.entity, 'autors')\n"
    )
    monkeypatch.chdir(tmp_path)

    with pytest.raises(BenchError) as refused:
        find_scenario("unbuilt.py:X")

    assert refused.value.message == "unbuilt.py: Publisher has no relationship 'autors'; did you mean 'authors'?"
    assert refused.value.remedy == "Publisher has authors."
