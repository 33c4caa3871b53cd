from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from bench.datasets import dataset_key, key, pools
from bench.model import Column, DatasetOptions, Pick, Recipe, Scenario, Size
from scenarios.one_to_many import ONE_TO_MANY

SIZE, OPTIONS = Size((10, 5)), DatasetOptions()
KEY = dataset_key(ONE_TO_MANY, SIZE, OPTIONS, "sqlite")


def remapped(*, width: int = 80, index: bool = True, child: str = "Book", attribute: str = "name") -> Scenario:
    """Return a scenario like `one_to_many` with classes made anew, and differing where asked."""

    class Base(DeclarativeBase):
        pass

    owned = type(
        child,
        (Base,),
        {
            "__tablename__": "books",
            "__annotations__": {"id": Mapped[int], "title": Mapped[str], "year": Mapped[int], "summary": Mapped[str]},
            "id": mapped_column(primary_key=True),
            "user_id": mapped_column(ForeignKey("users.id"), index=index, nullable=False),
            "title": mapped_column(String(120)),
        },
    )
    user = type(
        "User",
        (Base,),
        {
            "__tablename__": "users",
            "__annotations__": {"id": Mapped[int], "email": Mapped[str], "bio": Mapped[str]},
            "id": mapped_column(primary_key=True),
            attribute: mapped_column("name", String(width), nullable=False),
            "email": mapped_column(String(80)),
            "bio": mapped_column(String),
            "books": relationship(owned),
        },
    )
    return replace(ONE_TO_MANY, base=Base, entity=user)


def with_recipe(change: Callable[[Recipe], Recipe]) -> Scenario:
    return replace(ONE_TO_MANY, recipe=change(ONE_TO_MANY.recipe))


def with_city(recipe: Recipe) -> Recipe:
    users, books = recipe.tables
    return Recipe(tables=(replace(users, columns=(*users.columns, Column(name="c", values=Pick(pool="city")))), books))


def with_other_pool(recipe: Recipe) -> Recipe:
    users, books = recipe.tables
    columns = tuple(
        replace(column, values=Pick(pool="city")) if column.name == "name" else column for column in users.columns
    )
    return Recipe(tables=(replace(users, columns=columns), books))


@pytest.mark.parametrize(
    ("scenario", "size", "options"),
    [
        (ONE_TO_MANY, Size((5, 10)), OPTIONS),
        (ONE_TO_MANY, SIZE, DatasetOptions(seed=2)),
        (ONE_TO_MANY, SIZE, DatasetOptions(text_width=33)),
        (ONE_TO_MANY, SIZE, DatasetOptions(children="zipf")),
        (ONE_TO_MANY, SIZE, DatasetOptions(childless=0.1)),
        (ONE_TO_MANY, SIZE, DatasetOptions(order="shuffled")),
        (with_recipe(with_city), SIZE, OPTIONS),
        (with_recipe(with_other_pool), SIZE, OPTIONS),
        (replace(ONE_TO_MANY, paths=()), SIZE, OPTIONS),
    ],
)
def test_whatever_decides_the_rows_or_the_graph_decides_the_key(
    scenario: Scenario, size: Size, options: DatasetOptions
) -> None:
    assert dataset_key(scenario, size, options, "sqlite") != KEY


def test_the_schema_and_the_names_of_classes_and_attributes_decide_the_key() -> None:
    made = [
        remapped(),
        remapped(width=81),
        remapped(index=False),
        remapped(child="Volume"),
        remapped(attribute="full_name"),
    ]
    keys = [dataset_key(scenario, SIZE, OPTIONS, "sqlite") for scenario in made]

    assert len(set(keys)) == len(made)
    assert keys[0] == dataset_key(remapped(), SIZE, OPTIONS, "sqlite")


def test_dialects_have_their_own() -> None:
    assert dataset_key(ONE_TO_MANY, SIZE, OPTIONS, "postgresql") != KEY


def test_the_pools_and_the_version_of_what_makes_the_rows_decide_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key, "VERSION", key.VERSION + 1)
    newer = dataset_key(ONE_TO_MANY, SIZE, OPTIONS, "sqlite")
    monkeypatch.undo()
    monkeypatch.setattr(pools, "digest", lambda: "of another file")

    assert len({KEY, newer, dataset_key(ONE_TO_MANY, SIZE, OPTIONS, "sqlite")}) == 3


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_another_process_finds_the_same_key(hash_seed: str) -> None:
    code = (
        "from bench.datasets import dataset_key; from bench.model import DatasetOptions, Size;"
        "from scenarios.one_to_many import ONE_TO_MANY;"
        "print(dataset_key(ONE_TO_MANY, Size((10, 5)), DatasetOptions(), 'sqlite'))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )

    assert printed.stdout.strip() == KEY
