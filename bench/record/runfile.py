"""The run file: one JSON document, whole or not there at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bench.errors import BenchError
from bench.model import Run
from bench.record.folders import RESULTS, RUN_FILE, file_of, unwritable

# History of the format. An old file has to stay readable: a new field needs a default in `bench.model`, and a field
# that changes its meaning needs a new version here and a step that turns the old into the new.
#
# 1  The first: a Run as `bench.model.run` has it, raw samples as columns of equal length.
FORMAT_VERSION = 1

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
    _check_version(_decode(stored, Header, path), path)
    run = _decode(stored, Run, path)
    _check_columns(run, path)
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
            problem, remedy = "ends before it should: it was cut short", "Copy it again from where it came from."
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


def _check_columns(run: Run, path: Path) -> None:
    for case in run.cases:
        for arm in case.arms:
            for taken in arm.samples:
                columns = (taken.worker, taken.round, taken.wall_ns, taken.cpu_ns, taken.collections)
                if len({len(column) for column in columns}) != 1:
                    raise BenchError(
                        f"{str(path)!r} is not a run: the samples of {arm.name} in {case.spec.scenario} "
                        f"{case.spec.size} have columns of unequal length.",
                        remedy="Copy it again from where it came from.",
                    )


def _sync_folder(folder: Path) -> None:
    """Make the renaming last through a power cut, where the file system lets a folder be synchronised."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
