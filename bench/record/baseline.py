"""The baseline file: JSON, a line a load, sorted, so that a change of it reads well in review.

The first line names the format. Of each place follow a line with the versions it was made with, a line for each part
of the schema, which all sizes have alike, and a line for each strategy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from bench.errors import BenchError
from bench.model.baseline import AtPlace, Baseline, Loaded, MadeWith, Place

# History of the format.
#
# 1  The first.
# 2  The Python calls of a load, and what they were counted with; of files without them they are not compared.
BASELINE_VERSION = 2

DEFAULT = Path("bench-baseline.jsonl")

_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_KEY = "bench_baseline"

RESTORE = "Take it back from an earlier commit, or remove it and write it anew with `bench baseline write`."
"""What to do about a file that `bench baseline write` would have to read too, to know what it is of."""


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    """A line of the file: one of `made_with`, `schema` and `load` is there, with what it is of."""

    scenario: str
    database: str
    size: str = ""
    strategy: str = ""
    made_with: MadeWith | None = None
    schema: str | None = None
    load: Loaded | None = None


def read_baseline(path: Path) -> Baseline:
    """Return a stored baseline. Raises BenchError where there is none, and for what it cannot understand."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BenchError(
            f"There is no baseline {str(path)!r}.", remedy="Write one with `bench baseline write`, and commit it."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise BenchError(f"{str(path)!r} cannot be read: {reason}.", remedy="Name another with --file.") from error
    try:
        return from_text(text)
    except BenchError as error:
        raise BenchError(f"{str(path)!r} is no baseline: {error.message}", remedy=error.remedy) from None


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Store a baseline, whole or not at all. Raises BenchError where it cannot be written."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_text(to_text(baseline), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise BenchError(
            f"{str(path)!r} cannot be written: {error.strerror or error}.", remedy="Name another with --file."
        ) from error


def to_text(baseline: Baseline) -> str:
    """Return the file's text: equal baselines give equal texts."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(baseline))


def from_text(text: str) -> Baseline:
    """Return the baseline of a file's text. Raises BenchError with the number of the line that is wrong."""
    lines = text.split("\n")  # and at nothing else: JSON keeps other separators of lines as they are
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    for number, line in numbered:
        if line.startswith(_CONFLICT):
            raise BenchError(
                f"line {number} is the mark of a merge conflict.",
                remedy="Keep either side, then write it again with `bench baseline write`.",
            )
    if not numbered:
        raise BenchError("it is empty.", remedy=RESTORE)
    _check_version(*numbered[0])
    return _gathered([(number, _parsed(number, line)) for number, line in numbered[1:]])


def _lines(baseline: Baseline) -> Iterator[dict[str, Any]]:
    yield {_KEY: BASELINE_VERSION}
    schemas: set[tuple[str, str]] = set()
    for place in sorted(baseline, key=_order):
        here = baseline[place]
        of = {"scenario": place.scenario, "database": place.database}
        if (place.scenario, place.database) not in schemas:  # that of the other sizes is the same
            schemas.add((place.scenario, place.database))
            yield from ({**of, "schema": part} for part in sorted(here.schema))
        of["size"] = place.size
        yield {**of, "made_with": asdict(here.made_with)}
        for strategy in sorted(here.loads):
            yield {**of, "strategy": strategy, "load": _plain(here.loads[strategy])}


def _order(place: Place) -> tuple[str, str, list[int], str]:
    counts = [int(count) for count in place.size.split("x") if count.isascii() and count.isdecimal()]
    return place.scenario, place.database, counts, place.size


def _plain(load: Loaded) -> dict[str, Any]:
    """The load with its figures first; calls and a plan that there are none of take no place."""
    found = asdict(load)
    del found["sent"]
    if found["calls"] is None:
        del found["calls"]
    found["sent"] = [
        {"times": one.times, "sql": one.sql, **({"plan": list(one.plan)} if one.plan else {})}
        for one in sorted(load.sent, key=lambda one: (one.sql, one.times))
    ]
    return found


def _check_version(number: int, line: str) -> None:
    header = _decoded(number, line)
    version = header.get(_KEY) if isinstance(header, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BenchError(f"its first line is not {json.dumps({_KEY: BASELINE_VERSION})}.", remedy="Name another file.")
    if version > BASELINE_VERSION:
        raise BenchError(
            f"it has format {version}, and this program reads up to {BASELINE_VERSION}.",
            remedy="A later version wrote it: update orm-loading-bench.",
        )


def _parsed(number: int, line: str) -> _Line:
    try:
        found = msgspec.convert(_decoded(number, line), _Line)
    except msgspec.ValidationError as error:
        raise _wrong(number, str(error)) from None
    if [found.made_with, found.schema, found.load].count(None) != 2:
        raise _wrong(number, "it has to have one of `made_with`, `schema` and `load`")
    if (found.load is None) != (not found.strategy) or (found.schema is None) != bool(found.size):
        raise _wrong(number, "a load is of a strategy and a size, versions are of a size, a schema of neither")
    return found


def _decoded(number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise _wrong(number, "it is not JSON") from None


def _gathered(lines: list[tuple[int, _Line]]) -> Baseline:
    schemas: dict[tuple[str, str], list[str]] = {}
    for _, line in lines:
        if line.schema is not None:
            schemas.setdefault((line.scenario, line.database), []).append(line.schema)
    baseline: Baseline = {}
    for number, line in lines:
        place = _place(line)
        if line.made_with is not None:
            if place in baseline:
                raise _wrong(number, "its place was there before")
            schema = tuple(schemas.get((line.scenario, line.database), ()))
            baseline[place] = AtPlace(made_with=line.made_with, schema=schema, loads={})
    for number, line in lines:
        if line.load is not None:
            _add(baseline, number, line, line.load)
    return baseline


def _add(baseline: Baseline, number: int, line: _Line, load: Loaded) -> None:
    here = baseline.get(_place(line))
    if here is None:
        raise _wrong(number, "the versions of its place are missing")
    if line.strategy in here.loads:
        raise _wrong(number, "its load was there before")
    here.loads[line.strategy] = load


def _place(line: _Line) -> Place:
    return Place(scenario=line.scenario, database=line.database, size=line.size)


def _wrong(number: int, what: str) -> BenchError:
    return BenchError(f"line {number}: {what}.", remedy=RESTORE)
