"""What was profiled, in a file beside a run or on its own: everything seen of each load, written after each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from bench.errors import BenchError
from bench.model.profile import Looked
from bench.record.folders import unwritable

PROFILE_FILE = "profile.json"


def plain(looked: Looked) -> dict[str, Any]:
    """Return what was seen as plain data, for JSON."""
    found = asdict(looked)
    for sending, kept in zip(found["sendings"], looked.sendings, strict=True):
        sending["is_n_plus_one"] = kept.is_n_plus_one
    return found


def save_profile(looks: Sequence[Looked], folder: Path) -> Path:
    """Store what was seen, so that at any moment either the file before or the new one is there, whole.

    Raises BenchError where it cannot be written.
    """
    path = folder / PROFILE_FILE
    written = folder / f"{PROFILE_FILE}.part"
    try:
        written.write_text(json.dumps([plain(looked) for looked in looks], indent=1), encoding="utf-8")
        written.replace(path)
    except OSError as error:
        raise unwritable(folder, error) from error
    return path


def load_profile(folder: Path) -> tuple[Looked, ...]:
    """Return what is stored in a folder; nothing where nothing was profiled.

    Raises BenchError for a file that cannot be read, or that is not what `save_profile` wrote.
    """
    path = folder / PROFILE_FILE
    try:
        stored = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise BenchError(
            f"{str(path)!r} cannot be read: {error.strerror or error}.", remedy="Check who may read it."
        ) from error
    try:
        return msgspec.json.decode(stored, type=tuple[Looked, ...])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BenchError(
            f"{str(path)!r} is not a profile: {error}.", remedy="Copy it again from where it came from, or remove it."
        ) from error
