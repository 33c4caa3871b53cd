"""Where runs are stored: a folder each, named by when it began and what it was called."""

from __future__ import annotations

import difflib
import errno
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from bench.errors import BenchError

RUN_FILE = "run.json"
RESULTS = Path("results")
LONGEST_LABEL = 60
"""Characters of a label in a folder's name; file systems take 255 bytes in all."""


def new_folder(results: Path, label: str, now: datetime) -> Path:
    """Make and return the folder of a new run: `<YYYYmmdd-HHMMSS>-<label>` by UTC, `-2`, `-3`, ... after it if taken.

    Making the folder is what claims its name, so two runs that begin in one second never share one. Raises BenchError
    where it cannot be made.
    """
    name = f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{slug(label)}"
    try:
        results.mkdir(parents=True, exist_ok=True)
        return _claim(results / name)
    except OSError as error:
        raise unwritable(results, error) from error


def slug(label: str) -> str:
    """Return the label as a part of a file's name: ASCII letters, digits, dot, underscore and hyphen; never empty."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._]+", "-", plain)[:LONGEST_LABEL].strip("-.") or "run"


def folder_of(name: str | Path, *, results: Path = RESULTS) -> Path:
    """Return the folder of a stored run, given as the folder, its run file or its name under `results`.

    Raises BenchError with the nearest names where there is none.
    """
    for candidate in (Path(name), results / name):
        if _holds(candidate):
            return candidate
        if candidate.name == RUN_FILE and _is_file(candidate):
            return candidate.parent
    raise _not_found(str(name), results)


def file_of(name: str | Path, *, results: Path = RESULTS) -> Path:
    """Return a stored run's file, given as the file under any name, or as `folder_of` takes it."""
    given = Path(name)
    return given if _is_file(given) else folder_of(name, results=results) / RUN_FILE


def unwritable(folder: Path, error: OSError) -> BenchError:
    """Return the error that says why nothing can be stored in a folder, and what to do about it."""
    remedy = {
        errno.ENOSPC: "Free some space on that disk, or name a folder on another one with --results.",
        errno.EDQUOT: "Free some of your quota on that disk, or name a folder on another one with --results.",
        errno.ENAMETOOLONG: "Name a shorter path with --results.",
    }.get(error.errno or 0, "Name a folder that you may write in with --results.")
    return BenchError(f"Nothing can be stored in {str(folder)!r}: {error.strerror or error}.", remedy=remedy)


def _claim(wanted: Path) -> Path:
    folder, number = wanted, 1
    while True:
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
            folder = wanted.with_name(f"{wanted.name}-{number}")
        else:
            return folder


def _holds(folder: Path) -> bool:
    return _is_file(folder / RUN_FILE)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for any file
        return False


def _not_found(name: str, results: Path) -> BenchError:
    known = sorted(_names(results), reverse=True)
    if not known:
        return BenchError(
            f"There is no run {name!r}, and none at all in {str(results)!r}.",
            remedy="Make one with bench run --size 1000x50, or name the folder that holds run.json.",
        )
    near = difflib.get_close_matches(name, known, n=3) or known[:3]
    return BenchError(f"There is no run {name!r}.", remedy=f"The nearest in {str(results)!r}: {', '.join(near)}.")


def _names(results: Path) -> Iterable[str]:
    try:
        return [path.name for path in results.iterdir() if _holds(path)]
    except OSError:
        return []
