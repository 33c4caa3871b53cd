"""Seeding: a dataset made, loaded and known by its facts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.connect import require
from bench.datasets.dataset import Dataset
from bench.datasets.graph import fingerprint as fingerprint_of
from bench.datasets.graph import lines
from bench.datasets.key import dataset_key
from bench.datasets.plan import graph_plan
from bench.datasets.reach import full_shape
from bench.datasets.space import require_space
from bench.datasets.sqlite_load import load_sqlite
from bench.model import DatasetFacts, DatasetOptions, Scenario, Size, Target


def seed_sqlite(
    scenario: Scenario, size: Size, options: DatasetOptions, path: Path, *, fingerprint: str = ""
) -> DatasetFacts:
    """Load the scenario's dataset into a new SQLite file at `path` and return its facts.

    The seconds are those of making and loading the rows and of the fingerprint. Raises BenchError when the disk cannot
    hold it, and when the scenario's classes, recipe and paths do not go together; then there is no file.
    """

    def load(dataset: Dataset) -> int:
        require_space(dataset, scenario.base.metadata, path)
        load_sqlite(dataset, scenario.base.metadata, path)
        return path.stat().st_size

    return _seed(scenario, size, options, "sqlite", load, fingerprint)


def seed_postgres(
    scenario: Scenario, size: Size, options: DatasetOptions, target: Target, *, fingerprint: str = ""
) -> DatasetFacts:
    """Load the scenario's dataset into the target's database, which has none of its tables yet; return its facts.

    Whatever driver the target is measured by, psycopg loads. `file_bytes` is the size of the whole database; the
    seconds are those of making and loading the rows, of keys, indexes and VACUUM, and of the fingerprint. Raises
    DatabaseUnavailable where the server cannot be reached or written to, BenchError where it is full and where the
    scenario's classes, recipe and paths do not go together; no password is in either.
    """

    def load(dataset: Dataset) -> int:
        require(replace(target, driver="psycopg"))
        from bench.datasets.postgres_load import load_postgres

        return load_postgres(dataset, scenario.base.metadata, target)

    return _seed(scenario, size, options, "postgresql", load, fingerprint)


def seed(
    scenario: Scenario, size: Size, options: DatasetOptions, target: Target, *, fingerprint: str = ""
) -> DatasetFacts:
    """Load the scenario's dataset into an empty target of any dialect; return its facts. Raises as those above do.

    fingerprint: the dataset's, where it is known from an earlier seeding; working it out takes as long as loading.
    """
    if target.dialect == "sqlite":
        return seed_sqlite(scenario, size, options, Path(target.database), fingerprint=fingerprint)
    return seed_postgres(scenario, size, options, target, fingerprint=fingerprint)


def _seed(
    scenario: Scenario,
    size: Size,
    options: DatasetOptions,
    dialect: str,
    load: Callable[[Dataset], int],
    known: str,
) -> DatasetFacts:
    """Have `load` load the dataset and return the bytes that it takes; return its facts."""
    began = time.perf_counter()
    plan = graph_plan(scenario)
    dataset = Dataset(scenario.recipe, size, options)
    file_bytes = load(dataset)
    return DatasetFacts(
        key=dataset_key(scenario, size, options, dialect),
        fingerprint=known or fingerprint_of(lines(dataset, plan)),
        shape=full_shape(dataset, plan),
        file_bytes=file_bytes,
        seed_s=time.perf_counter() - began,
    )
