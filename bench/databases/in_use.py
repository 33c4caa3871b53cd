"""Who uses a cache folder: processes that do share a lock on it, and whoever empties it must hold the lock alone.

These are the kernel's own locks (flock), because they are shared or exclusive and end with the process that holds
them, however it ends. Linux and macOS have them.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import BenchError

_MARK = ".in-use"

_held: dict[tuple[int, int], int] = {}
"""The descriptor of each mark that this process holds, by device and inode: a process uses a folder until it ends."""


def mark_in_use(folder: Path) -> None:
    """Count the folder as used by this process until it ends; waits while another empties it. Raises OSError."""
    fcntl.flock(_descriptor(folder), fcntl.LOCK_SH)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep every other process out of the folder meanwhile. Raises BenchError when one uses it, and OSError."""
    descriptor = _descriptor(folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BenchError(
            f"Another command is using the datasets in {folder}; nothing was removed.",
            remedy="Wait until it has ended.",
        ) from None
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _descriptor(folder: Path) -> int:
    """Return this process's own descriptor of the folder's mark, opened once and never closed."""
    opened = os.open(folder / _MARK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    status = os.fstat(opened)
    known = _held.setdefault((status.st_dev, status.st_ino), opened)
    if known != opened:
        os.close(opened)
    return known
