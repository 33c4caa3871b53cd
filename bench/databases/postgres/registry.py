"""Which servers are up: a note for each, locked by the process that started it, so that none outlives it for long.

The lock is the kernel's (flock) and ends with its holder, however that ends. A process id with a start time says the
same less well: clocks are set while runs last, and ids mean something else in a container that shares the folder.

A server is not bound to its parent's life by the kernel (prctl's parent-death signal): that follows the thread which
started it, so a server started in a pool of threads would end with the thread. The next run sweeps instead.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.databases.postgres.places import FOLDER_PREFIX, notes_folder
from bench.databases.postgres.processes import end_processes
from bench.errors import DatabaseUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A server that is up, or was. host: the machine that it runs on. pid: the process that started it."""

    host: str
    pid: int
    folder: str


@contextmanager
def noted(folder: Path) -> Iterator[None]:
    """Keep a note of a server's folder, from before the folder is made until after it is gone.

    The note stays where the folder could not be removed. Raises DatabaseUnavailable when it cannot be written.
    """
    note = Note(host=platform.node(), pid=os.getpid(), folder=str(folder))
    path = notes_folder() / f"{folder.name}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _registry():
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.write(descriptor, msgspec.json.encode(note))
    except OSError as error:
        raise DatabaseUnavailable(
            f"No note of a server can be kept in {path.parent}: {error.strerror or error}.",
            remedy="Set BENCH_CACHE_DIR to a folder that you may write to.",
        ) from error
    try:
        yield
    finally:
        if not folder.exists():
            path.unlink(missing_ok=True)
        os.close(descriptor)


def sweep() -> tuple[Path, ...]:
    """Stop the servers whose parent is gone, remove their folders, and return these.

    One whose parent lives is never touched, nor one of another machine that shares the cache folder. What cannot be
    read or removed, because it is another user's, is left.
    """
    if not notes_folder().is_dir():
        return ()
    swept = []
    with suppress(OSError), ExitStack() as held:
        with _registry():
            orphans = [path for path in sorted(notes_folder().glob("*.json")) if take(path, held)]
        swept = [_end(path) for path in orphans]
    return tuple(folder for folder in swept if folder is not None)


def take(path: Path, held: ExitStack) -> bool:
    """Lock a note that nobody holds. All notes are locked meanwhile, so none is seen before its maker holds it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    held.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _end(path: Path) -> Path | None:
    """Stop what runs in a note's folder, and remove the folder, then the note.

    A note that was cut short has no folder yet. One that names another folder than its own was not written here.
    """
    try:
        note = msgspec.json.decode(path.read_bytes(), type=Note)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError:
        path.unlink(missing_ok=True)
        return None
    folder = Path(note.folder)
    if note.host != platform.node() or folder.name != path.stem or not folder.name.startswith(FOLDER_PREFIX):
        return None
    end_processes(folder)
    was_there = folder.exists()
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        return None
    path.unlink(missing_ok=True)
    return folder if was_there else None


@contextmanager
def _registry() -> Iterator[None]:
    """Hold the lock of all notes, for as long as it takes to make one or to look at them."""
    descriptor = os.open(notes_folder() / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
