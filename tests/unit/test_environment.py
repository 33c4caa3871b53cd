"""Environments as they are asked for: their grammar, their names, what a revision's worker finds where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import make_case, make_run

from bench.environments.recipe import recipe_for
from bench.errors import BenchError
from bench.measure.surroundings import Surroundings
from bench.model import OWN, AskedEnvironment, EnvironmentFacts, parse_environments, parse_targets
from bench.pipeline import hold_environments

VERSIONS = st.from_regex(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}((a|b|rc)[0-9])?", fullmatch=True)


@given(st.lists(VERSIONS, min_size=1, max_size=4, unique=True))
def test_every_version_that_was_asked_for_is_an_environment_in_that_order(versions: list[str]) -> None:
    found = parse_environments(sqlalchemy=",".join(versions))

    assert found == tuple(AskedEnvironment(sqlalchemy=version) for version in versions)


@pytest.mark.parametrize("version", ["2.0.0", "2.1.0b1", "2.1.0rc12", "2.0.49.post1", "2.1.0.dev3", "./sqlalchemy"])
def test_a_version_that_is_one_release_or_a_source_tree_is_taken(version: str) -> None:
    assert parse_environments(sqlalchemy=version) == (AskedEnvironment(sqlalchemy=version),)


def test_versions_are_combined_with_one_another() -> None:
    found = parse_environments(sqlalchemy="installed,2.0.49", python="3.11,3.13")

    assert [str(one) for one in found] == [
        "sqlalchemy=installed python=3.11",
        "sqlalchemy=installed python=3.13",
        "sqlalchemy=2.0.49 python=3.11",
        "sqlalchemy=2.0.49 python=3.13",
    ]


def test_without_any_there_is_the_harness_s_own() -> None:
    assert parse_environments() == (OWN,)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"sqlalchemy": "two"}, "'two' is no version for --sqlalchemy. Give 2.0.49"),
        ({"sqlalchemy": "2.0.49,"}, "'' is no version for --sqlalchemy"),
        ({"sqlalchemy": ">=2.0"}, "'>=2.0' is no version"),
        ({"sqlalchemy": "2.0"}, "'2.0' is no version for --sqlalchemy. Give 2.0.49 in full (2.0 would be 2.0.0 alone)"),
        ({"sqlalchemy": "2.0.0,2.1"}, "'2.1' is no version for --sqlalchemy"),
        ({"sqlalchemy": "2.1b1"}, "'2.1b1' is no version for --sqlalchemy"),
        ({"driver_version": "3.2"}, "'3.2' is no version for --driver-version. Give 3.2.10 in full (3.2 would be"),
        ({"sqlalchemy": "2.0.49 --index-url=elsewhere"}, "is no version"),
        ({"driver_version": "./psycopg"}, "is no version for --driver-version"),
        ({"python": "2.7"}, "'2.7' is no version for --python"),
        ({"python": "python3.13"}, "is no version for --python"),
    ],
)
def test_what_is_no_version_is_refused_with_an_example(asked: dict[str, str], says: str) -> None:
    with pytest.raises(BenchError) as refused:
        parse_environments(**asked)

    assert says in str(refused.value)


def test_targets_of_several_environments_share_their_server() -> None:
    environments = parse_environments(sqlalchemy="2.0.49,2.1.9")

    targets, _ = parse_targets("postgres:17,sqlite", environments=environments)

    assert [str(asked) for asked in targets] == [
        "postgres:17 sqlalchemy=2.0.49",
        "postgres:17 sqlalchemy=2.1.9",
        "sqlite sqlalchemy=2.0.49",
        "sqlite sqlalchemy=2.1.9",
    ]
    assert len({asked.server for asked in targets}) == 2


def test_a_driver_that_belongs_to_python_has_no_version() -> None:
    (asked,), _ = parse_targets("sqlite", environments=parse_environments(driver_version="1.2.3"))

    with pytest.raises(BenchError, match="part of Python"):
        recipe_for(asked)


def test_a_folder_that_is_no_source_tree_is_refused(tmp_path: Path) -> None:
    (asked,), _ = parse_targets("sqlite", environments=parse_environments(sqlalchemy=f"{tmp_path}/"))

    with pytest.raises(BenchError, match="no source tree of SQLAlchemy"):
        recipe_for(asked)


def test_a_source_tree_is_another_environment_once_a_file_of_it_has_changed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "loading.py").write_text("one = 1")
    (asked,), _ = parse_targets("sqlite", environments=parse_environments(sqlalchemy=f"{tmp_path}/"))

    def digest() -> str:
        recipe = recipe_for(asked)
        assert recipe is not None
        return recipe.digest

    before = digest()
    assert digest() == before
    (tmp_path / "lib" / "loading.py").write_text("two = 2.0")
    assert digest() != before


def test_the_installed_versions_alone_need_no_environment() -> None:
    (asked,), _ = parse_targets("sqlite", environments=parse_environments(sqlalchemy="installed", python="installed"))

    assert recipe_for(asked) is None


def test_a_file_of_the_work_tree_is_that_of_the_revision() -> None:
    there = Surroundings(tree=Path("/revision"), instead_of=Path("/repository"))

    assert there.reference("/repository/app/loading.py:orders[limit=5]") == "/revision/app/loading.py:orders[limit=5]"
    assert there.reference("/elsewhere/loading.py:orders") == "/elsewhere/loading.py:orders"
    assert there.reference("one_to_many") == "one_to_many"
    assert Surroundings().reference("/repository/loading.py:orders") == "/repository/loading.py:orders"


def test_a_run_goes_on_only_in_the_environments_that_began_it() -> None:
    (asked,), _ = parse_targets("sqlite", environments=parse_environments(revision="main"))
    began = EnvironmentFacts(
        python="3.13.0", sqlalchemy="2.1.9", compiled=True, driver_version="3.13.0", sqlite="3.46.0", revision="a" * 40
    )
    case = make_case()
    case = replace(
        case,
        spec=replace(case.spec, targets=(asked,)),
        targets=(replace(case.targets[0], name=str(asked), environment=began),),
    )
    stored = make_run([case])

    hold_environments(stored, {asked: began})
    with pytest.raises(BenchError, match="sqlite revision=main is not what"):
        hold_environments(stored, {asked: replace(began, revision="b" * 40)})
