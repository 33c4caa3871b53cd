"""Sights: what a profile can see of a load beside its bill, each apart from the others: calls, bytes, memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from bench.case import CaseUnderWay
from bench.errors import BenchError, WorkerDied
from bench.measure.flames import require_pyinstrument
from bench.measure.memray_graph import require_memray
from bench.measure.workers import WorkerProcess
from bench.model.calls import CallProfile
from bench.model.memory_use import MemoryUse
from bench.model.profile import Looked, SightName
from bench.model.wire import WireBytes

Sight = Callable[[WorkerProcess, Looked], Looked]
"""Adds to what was seen of a strategy, in the worker that saw it; raises as `WorkerProcess.ask` does."""

Opening = Callable[[CaseUnderWay, str], AbstractContextManager[Sight]]
"""Makes a sight ready for one target of a case that is up, by the target's name."""

FLAMES = "flames"
"""The folder within a profile's, or a run's, that holds flame graphs."""

NO_WIRE = "SQLite works in the process, so nothing crosses a wire."


def chosen(*, memory: bool, flames: bool, memray: bool) -> tuple[SightName, ...]:
    """Return what was asked for by options. Raises BenchError where what it takes is not installed."""
    asked: dict[SightName, bool] = {"memory": memory, "flames": flames, "memray": memray}
    names = tuple(name for name, is_asked in asked.items() if is_asked)
    require(names)
    return names


def require(names: Collection[SightName]) -> None:
    """Raise BenchError where what a sight takes is not installed."""
    if "flames" in names:
        require_pyinstrument()
    if "memray" in names:
        require_memray()


def openings(folder: Path, names: Collection[SightName], *, wire: bool = True) -> dict[str, Opening]:
    """Return what is seen of each load beside its bill, by what it is called: its bytes, and what was asked for.

    folder: keeps the files, those of flame graphs. Raises BenchError as `require` does.
    """
    return {
        **({"bytes": wire_bytes} if wire else {}),
        **({"calls": flames(folder)} if "flames" in names else {}),
        **({"memory": memory} if {"memory", "memray"} & set(names) else {}),
        **({"memory's flame graph": memory_flames(folder)} if "memray" in names else {}),
    }


def flames(folder: Path) -> Opening:
    """Return what counts and samples the calls of each load, and keeps its files in a folder within a profile's.

    Raises BenchError where pyinstrument is not installed.
    """
    require_pyinstrument()

    def called(worker: WorkerProcess, looked: Looked, stem: str) -> Looked:
        title = f"{looked.strategy}: {looked.scenario} {looked.size} on {looked.target}"
        where = str(folder.absolute())  # a worker may have another working folder
        found = worker.ask("call_profile", strategy=looked.strategy, folder=where, stem=stem, title=title)
        return replace(looked, calls=msgspec.convert(found, CallProfile))

    return _in_files(folder, called)


@contextmanager
def wire_bytes(case: CaseUnderWay, target: str) -> Iterator[Sight]:
    """Yield what counts the bytes of each load: those that cross to the target, and those that its rows hold.

    They are counted in a proxy on loopback, by a worker that reaches the target through it. Where that cannot be,
    what is seen says why.
    """
    if case.fleet.targets[target].dialect == "sqlite":
        yield partial(_held, uncounted=NO_WIRE)
        return
    with ExitStack() as stack:
        try:
            crossing = stack.enter_context(_crossing(case, target))
        except BenchError as error:
            case.fleet.check(target)
            yield partial(_held, uncounted=error.message)
            return
        yield crossing


@contextmanager
def memory(case: CaseUnderWay, target: str) -> Iterator[Sight]:
    """Yield what sees the memory of each load, in a fresh worker for each: its first load is a part of what is told."""

    def taken(_worker: WorkerProcess, looked: Looked) -> Looked:
        with case.worker(target, hash_seed=0) as fresh:
            found = fresh.ask("memory_use", strategy=looked.strategy)
        return replace(looked, memory=msgspec.convert(found, MemoryUse))

    yield taken


def memory_flames(folder: Path) -> Opening:
    """Return what draws who asked for each load's memory, in a folder within a profile's; it comes after `memory`.

    Raises BenchError where memray is not installed.
    """
    require_memray()

    def drawn(worker: WorkerProcess, looked: Looked, stem: str) -> Looked:
        file = f"{stem}.html"
        worker.ask("memory_flames", strategy=looked.strategy, html=str((folder / file).absolute()))
        return replace(looked, memory=looked.memory and replace(looked.memory, flame_graph=file))

    return _in_files(folder, drawn, ending="-memory")


def _in_files(folder: Path, sight: Callable[[WorkerProcess, Looked, str], Looked], *, ending: str = "") -> Opening:
    """Return what opens a sight that keeps files: it is told their name, from a profile's folder, less its ending."""

    @contextmanager
    def ready(_case: CaseUnderWay, _target: str) -> Iterator[Sight]:
        (folder / FLAMES).mkdir(exist_ok=True)
        yield lambda worker, looked: sight(worker, looked, f"{FLAMES}/{_free_stem(folder / FLAMES, name_of(looked))}")

    def name_of(looked: Looked) -> str:
        return f"{looked.scenario}-{looked.size}-{looked.target}-{looked.strategy}{ending}"

    return ready


@contextmanager
def _crossing(case: CaseUnderWay, target: str) -> Iterator[Sight]:
    from bench.databases.latency import relayed

    with relayed(case.fleet.targets[target]) as relay, ExitStack() as stack:
        workers = [stack.enter_context(case.worker(target, hash_seed=0, behind=relay.target))]

        def counted(_worker: WorkerProcess, looked: Looked) -> Looked:
            if not workers:
                workers.append(stack.enter_context(case.worker(target, hash_seed=0, behind=relay.target)))
            try:
                workers[0].ask("warm", strategy=looked.strategy)
                before = relay.passed()
                held = _rows(workers[0], looked)  # of the load whose bytes are counted: looking at rows sends nothing
                sent, received = (now - then for then, now in zip(before, relay.passed(), strict=True))
                workers[0].ask("disconnect")
            except WorkerDied:
                workers.clear()  # the next strategy has another
                raise
            return replace(
                looked,
                wire=replace(held, sent_bytes=sent, received_bytes=received, encrypted=relay.encrypted),
            )

        yield counted


def _held(worker: WorkerProcess, looked: Looked, *, uncounted: str) -> Looked:
    return replace(looked, wire=replace(_rows(worker, looked), uncounted=uncounted))


def _rows(worker: WorkerProcess, looked: Looked) -> WireBytes:
    return msgspec.convert(worker.ask("rows_held", strategy=looked.strategy), WireBytes)


def _free_stem(folder: Path, name: str) -> str:
    """Return a file's name without its ending, of letters and digits, that no file in the folder has."""
    stem = re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.") or "load"
    number = 1
    while (folder / f"{stem}.html").exists():
        number += 1
        stem = f"{stem.removesuffix(f'-{number - 1}')}-{number}"
    return stem
