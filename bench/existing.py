"""Existing data: the lazy load in one snapshot stands where a seeded dataset has its recipe.

The reference is taken in a worker before anything is measured, and once more at the end: others may write meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from bench.case import CaseUnderWay
from bench.errors import BenchError, WorkerDied
from bench.measure.events import Event
from bench.measure.workers import LoadFailed, WorkerProcess
from bench.model import DatasetFacts, Shape, Target, Warned
from bench.model.size import EXISTING

UNFORESEEN = "of existing data a formula knows what the lazy load reaches, and not what lies beside it."

UNEQUAL = Warned(
    code="dataset",
    text="Every strategy loads something other than the lazy load of the same moment. Does the query order what it "
    "limits?",
)


def is_existing(case: CaseUnderWay) -> bool:
    """Whether the case's data is there already."""
    return case.spec.size == EXISTING


def reference(case: CaseUnderWay, name: str, target: Target) -> DatasetFacts:
    """Return what a target holds of what the load reaches, by the lazy load in one snapshot. name: as it was asked for.

    Raises BenchError where tables or columns are lacking, where the load fails, and where it finds no parents.
    """
    began = time.perf_counter()
    found = _asked_for(case, name, target)
    if lacking := found["lacking"]:
        more = f", and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        raise BenchError(
            f"{name} lacks {', '.join(lacking[:5])}{more}, which {case.scenario.name} loads.",
            remedy="Name the database that has the data"
            + ("; a schema is chosen by ?options=-csearch_path%3DNAME." if target.dialect == "postgresql" else "."),
        )
    shape = msgspec.convert(found["shape"], Shape)
    if not shape.parents:
        raise BenchError(
            f"{case.scenario.name} finds no parents in {name}: there is nothing to load.",
            remedy="Choose others in the scenario's query (`parents`), or name the database that has the data.",
        )
    return DatasetFacts(
        key=f"existing-{found['fingerprint']}",
        fingerprint=found["fingerprint"],
        shape=shape,
        file_bytes=found["bytes"],
        seed_s=time.perf_counter() - began,
    )


def hold_alike(case: CaseUnderWay) -> None:
    """Hold the targets' data against each other. Raises BenchError where they differ: no time would be comparable."""
    found = {name: case.fleet.datasets[name] for name in case.names}
    first, *others = found
    for other in others:
        if found[other].fingerprint != found[first].fingerprint:
            raise BenchError(
                f"{first} and {other} do not hold the same data: {rows_text(found[first].shape)} there, "
                f"{rows_text(found[other].shape)} here, of which the first differs.",
                remedy="Only equal work is compared: measure each in a run of its own, or give them the same data.",
            )


def expected_lines(graph: Path) -> Iterator[str]:
    """Yield the reference's lines of the moment in which a worker wrote a graph to a file."""
    with graph.with_suffix(".reference").open(encoding="ascii") as file:
        yield from (line.rstrip("\n") for line in file)


def looked_at_again(case: CaseUnderWay) -> Iterator[Event]:
    """Take the reference of each target once more, and say where it is another than before the measuring."""
    for asked in {asked.server: asked for asked in case.spec.targets}.values():
        name, before = str(asked), case.fleet.datasets[str(asked)]
        try:
            target = replace(case.fleet.targets[name], driver=asked.server.driver)  # drivers spell values differently
            after = reference(case, name, target)
        except BenchError as error:
            text = f"Whether the data of {name} changed meanwhile could not be seen at the end: {error.message}"
            yield case.doubt(Warned(code="data_changed", text=text))
            continue
        if after.fingerprint != before.fingerprint:
            yield case.doubt(Warned(code="data_changed", text=_changed(name, before.shape, after.shape)))


def rows_text(shape: Shape) -> str:
    """Say how much there is: `1,000 parents and 6,000 rows`."""
    return f"{shape.parents:,} parent{'s' * (shape.parents != 1)} and {sum(shape.tables.values()):,} rows"


def _asked_for(case: CaseUnderWay, name: str, target: Target) -> dict[str, Any]:
    """Ask a worker of its own for the reference."""
    try:
        with WorkerProcess(case.spec.scenario, target, hash_seed=0) as worker:
            return worker.ask("reference")
    except LoadFailed as failure:
        raise BenchError(
            f"The lazy load, which the others are held against, failed on {name}: {_first(failure)}",
            remedy="Mend the load, or what the user may read; where it has to be another load, name a strategy lazy.",
        ) from None
    except WorkerDied as death:
        raise BenchError(
            f"The lazy load, which the others are held against, took its process down: {death.in_full}",
            remedy="Choose fewer parents: the graph is held in memory.",
        ) from None


def _first(failure: LoadFailed) -> str:
    """Return what was raised without SQLAlchemy's appendix: the statement and its parameters, which are the user's."""
    return f"{str(failure).partition('[SQL:')[0].strip().rstrip('.')}."


def _changed(name: str, before: Shape, after: Shape) -> str:
    same = rows_text(before) == rows_text(after)
    what = (
        f"{rows_text(before)} as before, and other values" if same else f"{rows_text(before)}, then {rows_text(after)}"
    )
    return (
        f"The data of {name} changed while it was measured: {what}. "
        "Each strategy was held against the lazy load of its own moment; counts and times are of data in between. "
        "Measure a copy, or at a quieter time."
    )
