"""Seeding: a dataset made, loaded and known by its facts."""

from __future__ import annotations

import time
from pathlib import Path

from bench.datasets.dataset import Dataset
from bench.datasets.graph import fingerprint, lines
from bench.datasets.key import dataset_key
from bench.datasets.plan import graph_plan
from bench.datasets.shape import shape
from bench.datasets.space import require_space
from bench.datasets.sqlite_load import load_sqlite
from bench.model import DatasetFacts, DatasetOptions, Scenario, Size


def seed_sqlite(scenario: Scenario, size: Size, options: DatasetOptions, path: Path) -> DatasetFacts:
    """Load the scenario's dataset into a new SQLite file at `path` and return its facts.

    The seconds are those of making and loading the rows and of the fingerprint. Raises BenchError when the disk cannot
    hold it, and when the scenario's classes, recipe and paths do not go together; then there is no file.
    """
    began = time.perf_counter()
    plan = graph_plan(scenario)
    dataset = Dataset(scenario.recipe, size, options)
    require_space(dataset, scenario.base.metadata, path)
    load_sqlite(dataset, scenario.base.metadata, path)
    return DatasetFacts(
        key=dataset_key(scenario, size, options, "sqlite"),
        fingerprint=fingerprint(lines(dataset, plan)),
        shape=shape(scenario.recipe, size, options),
        file_bytes=path.stat().st_size,
        seed_s=time.perf_counter() - began,
    )
