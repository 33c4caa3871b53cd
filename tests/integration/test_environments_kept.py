"""Environments are built once and kept; one that is broken is built again, or it is said what is wrong with it.

They are built from wheels of what is installed here under a version of ours: no network is needed, and none is asked.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.command import Bench
from support.wheels import repack

from bench import record
from bench.environments import EnvironmentStore, Prepared, prepare
from bench.environments.recipe import recipe_for
from bench.errors import BenchError
from bench.model import Asked, parse_environments, parse_targets

OURS, INVALID, NONE = "9.9.9", "9.9.8", "9.9.7"
"""Versions of which there is a wheel, a file that is none, and nothing."""


def asked(database: str = "sqlite", **versions: str) -> Asked:
    (found,), _ = parse_targets(database, environments=parse_environments(**versions))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A cache that has the environment of SQLAlchemy 9.9.9, and where it was built from."""

    bench: Bench
    wheels: Path

    def prepared(self, target: Asked) -> Prepared:
        with prepare(target, EnvironmentStore(self.bench.cache)) as found:
            return found

    @property
    def home(self) -> Path:
        recipe = recipe_for(asked(sqlalchemy=OURS))
        assert recipe is not None
        return self.bench.cache / "environments" / recipe.digest

    @property
    def packages(self) -> Path:
        (found,) = self.home.glob("lib/python3.*/site-packages")
        return found


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    wheels = tmp_path_factory.mktemp("wheels")
    repack("sqlalchemy", OURS, wheels)
    (wheels / f"sqlalchemy-{INVALID}-py3-none-any.whl").write_text("no archive")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONPATH", raising=False)
        for name, value in (("NO_INDEX", "1"), ("FIND_LINKS", str(wheels))):
            patch.setenv(f"PIP_{name}", value)
            patch.setenv(f"UV_{name}", value)
        made = Kept(bench=Bench(tmp_path_factory.mktemp("kept")), wheels=wheels)
        assert made.prepared(asked(sqlalchemy=OURS)).facts.sqlalchemy == OURS
        yield made


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing can be installed any more."""
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))


@pytest.mark.usefixtures("no_packages")
def test_an_environment_that_is_kept_is_not_built_again(kept: Kept) -> None:
    again = kept.prepared(asked(sqlalchemy=OURS))

    assert (again.facts.sqlalchemy, Path(again.surroundings.interpreter)) == (OURS, kept.home / "bin" / "python")


def test_one_that_was_half_built_is_built_anew(kept: Kept) -> None:
    (kept.home / "built.json").unlink()
    (kept.packages / "rest.py").touch()

    assert kept.prepared(asked(sqlalchemy=OURS)).facts.sqlalchemy == OURS

    assert not (kept.packages / "rest.py").exists()
    assert (kept.home / "built.json").is_file()


def test_one_that_has_lost_a_part_is_built_anew_and_measured_in(kept: Kept) -> None:
    shutil.rmtree(kept.packages / "sqlalchemy" / "orm")

    done = kept.bench("run", "--size", "10x3", "--sqlalchemy", OURS, "--strategy", "selectin", "--workers", "1",
                      "--rounds", "1")  # fmt: skip

    assert done.returncode == 0, done.stderr
    (case,) = record.load(str(kept.bench.runs()[-1]), results=kept.bench.results).cases
    assert [target.environment.sqlalchemy for target in case.targets if target.environment] == [OURS]


def test_one_whose_driver_is_broken_is_built_anew(kept: Kept) -> None:
    repack("aiosqlite", OURS, kept.wheels)
    target = asked("sqlite+aiosqlite", driver_version=OURS)
    first = kept.prepared(target)
    (driver,) = Path(first.surroundings.interpreter).parents[1].glob("lib/*/site-packages/aiosqlite/core.py")
    driver.unlink()

    again = kept.prepared(target)

    assert again.facts == first.facts
    assert (again.facts.driver_version, again.facts.sqlalchemy != OURS) == (OURS, True)
    assert driver.is_file()


def test_an_environment_that_has_another_version_than_was_asked_for_is_not_measured_in(kept: Kept) -> None:
    init = kept.packages / "sqlalchemy" / "__init__.py"
    text = init.read_text()
    try:
        init.write_text(text.replace(f'__version__ = "{OURS}"', '__version__ = "9.9.90"'))
        with pytest.raises(BenchError) as refused:
            kept.prepared(asked(sqlalchemy=OURS))
    finally:
        init.write_text(text)

    assert str(refused.value).startswith(f"SQLAlchemy {OURS} was asked for, and 9.9.90 is what the environment has. Is")


@pytest.mark.parametrize(
    ("version", "says"),
    [(INVALID, f"sqlalchemy=={INVALID} cannot be installed: "), (NONE, "There is no such package to install: sqlalc")],
)
def test_what_cannot_be_installed_is_told_and_nothing_of_it_is_kept(kept: Kept, version: str, says: str) -> None:
    before = EnvironmentStore(kept.bench.cache).kept()

    with pytest.raises(BenchError) as refused:
        kept.prepared(asked(sqlalchemy=version))

    assert str(refused.value).startswith(says)
    assert EnvironmentStore(kept.bench.cache).kept() == before


@pytest.mark.usefixtures("no_packages")
def test_one_that_is_broken_and_cannot_be_built_again_says_why_where_and_what_to_do(kept: Kept) -> None:
    shutil.rmtree(kept.packages / "sqlalchemy" / "orm")  # the last test: nothing is kept after it

    with pytest.raises(BenchError) as refused:
        kept.prepared(asked(sqlalchemy=OURS))

    assert str(refused.value).startswith(
        f"The environment that was kept in {kept.home} did not work (ModuleNotFoundError: No module named "
        f"'sqlalchemy.orm'), and could not be built again. There is no such package to install: sqlalchemy=={OURS}."
    )
    assert refused.value.remedy == "Give a version that there is; without a network none can be found."
