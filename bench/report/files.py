"""Files that a report consists of, each written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from bench.errors import BenchError


def write_whole(path: Path, content: bytes) -> Path:
    """Write the file under a name of its own beside `path`, then give it that name."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return path


def write_files(folder: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write files, by their paths within a folder that a user named, and return where they are.

    Folders are made where they are not there. Raises BenchError where a file cannot be written.
    """
    written: list[Path] = []
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            written.append(write_whole(path, content))
    except OSError as error:
        where = error.filename2 or error.filename or folder
        raise BenchError(
            f"{str(where)!r} cannot be written: {error.strerror or error}.",
            remedy="Name a folder that you may write in, on a disk with room, with --output.",
        ) from error
    return tuple(written)
