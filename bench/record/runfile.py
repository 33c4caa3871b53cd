"""The run file: one JSON document, whole or not there at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bench.errors import BenchError
from bench.model import Case, Run, parse_target
from bench.record.folders import RESULTS, RUN_FILE, file_of, unwritable

# History of the format. An old file has to stay readable: a new field needs a default in `bench.model`, and a field
# that changes its meaning needs a new version here and a step that turns the old into the new.
#
# 1  The first: a Run as `bench.model.run` has it, raw samples as columns of equal length.
# 2  A case has several targets, asked for in `spec.targets` as fields where there was one text; `targets` and
#    `datasets` stand where `target` and `dataset` did, and every arm and worker names the target that it belongs to.
FORMAT_VERSION = 2

COPY_AGAIN = "Copy it again from where it came from."

T = TypeVar("T")


class Header(msgspec.Struct):
    """What has to be understood of a file before the rest is."""

    format_version: int


def save(run: Run, folder: Path) -> None:
    """Store the run in its folder, so that at any moment either the file before or the new one is there, whole.

    Raises BenchError where it cannot be written; the file before is then untouched.
    """
    temporary = (
        folder / f".{RUN_FILE}.tmp"
    )  # always the same, so that a kill leaves one at the most, until the next save
    try:
        try:
            with temporary.open("wb") as file:
                file.write(_encode(run))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(folder / RUN_FILE)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
        _sync_folder(folder)
    except OSError as error:
        raise unwritable(folder, error) from error


def load(name: str | Path, *, results: Path = RESULTS) -> Run:
    """Return a stored run, given as its folder, its file or its name under `results`.

    Raises BenchError where there is none, where it cannot be read, and where it is not a run that we understand.
    """
    path = file_of(name, results=results)
    try:
        stored = path.read_bytes()
    except OSError as error:
        raise BenchError(
            f"{str(path)!r} cannot be read: {error.strerror or error}.", remedy="Check who may read it."
        ) from error
    header = _decode(stored, Header, path)
    _check_version(header, path)
    run = _decode(stored, Run, path) if header.format_version == FORMAT_VERSION else _decode_old(stored, header, path)
    for problem in _problems(run):
        raise BenchError(f"{str(path)!r} is not a run: {problem}.", remedy=COPY_AGAIN)
    return run


def to_json(run: Run) -> str:
    """Return the run as JSON for a person or a program to read."""
    return msgspec.json.format(_encode(run), indent=2).decode()


def _encode(run: Run) -> bytes:
    try:
        return msgspec.json.encode(run) + b"\n"
    except UnicodeEncodeError:
        # An argument or an exception's text may hold bytes that are no text; better a run with a mark in their place.
        return msgspec.json.encode(_printable(msgspec.to_builtins(run))) + b"\n"


def _printable(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case list() | tuple():
            return [_printable(each) for each in value]
        case dict():
            return {_printable(key): _printable(each) for key, each in value.items()}
        case _:
            return value


def _decode(stored: bytes, into: type[T], path: Path) -> T:
    try:
        return msgspec.json.decode(stored, type=into)
    except msgspec.ValidationError as error:
        problem, remedy = f"is not a run: {error}", "Check that it is the run.json of a run."
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if not stored.strip() or "truncated" in str(error):
            problem, remedy = "ends before it should: it was cut short", COPY_AGAIN
        else:
            problem, remedy = f"is not JSON: {error}", "Check that it is the run.json of a run."
    raise BenchError(f"{str(path)!r} {problem}.", remedy=remedy)


def _check_version(header: Header, path: Path) -> None:
    if 1 <= header.format_version <= FORMAT_VERSION:
        return
    newer = header.format_version > FORMAT_VERSION
    raise BenchError(
        f"{str(path)!r} has format version {header.format_version}, and this program reads up to {FORMAT_VERSION}.",
        remedy="A later version wrote it: update orm-loading-bench."
        if newer
        else "Versions begin at 1: is it damaged?",
    )


def _decode_old(stored: bytes, header: Header, path: Path) -> Run:
    """Return a run of an earlier format, brought to this one step by step."""
    document = _decode(stored, dict[str, Any], path)
    try:
        for version in range(header.format_version, FORMAT_VERSION):
            document = STEPS[version](document)
        return msgspec.convert(document, Run)
    except (KeyError, TypeError, AttributeError):  # the step met something other than what its version has there
        problem = f"a part of it is not as format version {header.format_version} has it"
    except msgspec.ValidationError as error:
        problem = str(error)
    except BenchError as error:
        problem = error.message.rstrip(".")
    raise BenchError(f"{str(path)!r} is not a run: {problem}.", remedy="Check that it is the run.json of a run.")


def _to_2(document: dict[str, Any]) -> dict[str, Any]:
    """One target, given as text, becomes the first of several."""
    return document | {
        "format_version": 2,
        "planned": [_spec_to_2(spec) for spec in document["planned"]],
        "cases": [_case_to_2(case) for case in document.get("cases", ())],
    }


def _spec_to_2(spec: dict[str, Any]) -> dict[str, Any]:
    return _without(spec, "target") | {"targets": [msgspec.to_builtins(parse_target(spec["target"]))]}


def _case_to_2(case: dict[str, Any]) -> dict[str, Any]:
    name = {"target": case["target"]["name"]}
    return _without(case, "target", "dataset") | {
        "spec": _spec_to_2(case["spec"]),
        "targets": [case["target"]],
        "datasets": [case["dataset"]],
        "arms": [arm | name for arm in case["arms"]],
        "workers": [worker | name for worker in case["workers"]],
    }


def _without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


STEPS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _to_2}
"""What turns a document of a format version into one of the next."""


def _problems(run: Run) -> Iterator[str]:
    """Yield what the types let pass and nothing here could work with."""
    sampling = run.sampling
    if sampling.budget_s is not None and not sampling.budget_s > 0:
        yield f"its budget is {sampling.budget_s:g} seconds"
    for count, what in ((sampling.workers, "workers"), (sampling.rounds, "rounds")):
        if count is not None and count < 1:
            yield f"it was to take {count} {what}"
    for case in run.cases:
        where = f"{case.spec.scenario} {case.spec.size}"
        yield from (f"{problem} in {where}" for problem in _case_problems(case))


def _case_problems(case: Case) -> Iterator[str]:
    targets = len(case.spec.targets)
    if not targets or (len(case.targets), len(case.datasets)) != (targets, targets):
        yield f"its targets number {targets}, with facts of {len(case.targets)} and datasets of {len(case.datasets)}"
    for arm in case.arms:
        for taken in arm.samples:
            columns = (taken.worker, taken.round, taken.wall_ns, taken.cpu_ns, taken.collections)
            if len({len(column) for column in columns}) != 1:
                yield f"the samples of {arm.name} have columns of unequal length"
            if min((*taken.worker, *taken.round), default=0) < 0:
                yield f"the samples of {arm.name} name a worker or a round below 0"


def _sync_folder(folder: Path) -> None:
    """Make the renaming last through a power cut, where the file system lets a folder be synchronised."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
