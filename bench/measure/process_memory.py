"""Memory as the C library and the kernel see it: what Python's own allocator does not account for."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

SMALL_BLOCK = 512
"""Bytes up to which Python takes a block from arenas of its own, and not from the C library."""

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"
"""What the kernel is told to begin the peak of a process's resident memory anew (proc(5))."""

_WORD = ctypes.sizeof(ctypes.c_size_t)


class _MallInfo(ctypes.Structure):
    """What mallinfo2(3) returns."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"
        )
    )  # fmt: skip


def c_allocation() -> Callable[[], int] | None:
    """Return what tells the bytes that are in use of the C library's allocator; None where it cannot be asked.

    That is glibc from 2.33 on, and a Python whose large blocks alone come from there.
    """
    if "PYTHONMALLOC" in os.environ or sys.flags.dev_mode:
        return None
    try:
        mallinfo = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return None
    mallinfo.restype = _MallInfo

    def in_use() -> int:
        info = mallinfo()
        return int(info.uordblks + info.hblkhd)

    return in_use


def c_block(size: int) -> int:
    """Return what the C library takes for a block of Python's: a word of its own, in steps of two; none of a small."""
    return (size + _WORD + 2 * _WORD - 1) // (2 * _WORD) * (2 * _WORD) if size > SMALL_BLOCK else 0


def resident_rise(work: Callable[[], None]) -> int | None:
    """Run the work, and return how far the process's resident memory rose meanwhile, bytes; None where nothing says.

    Where the kernel does not begin the peak anew on request, only a rise beyond the highest of before is seen.
    """
    reset = _begin_peak()
    before, highest_before = _resident()
    work()
    _, highest = _resident()
    if highest is None or highest_before is None or before is None or not (reset or highest > highest_before):
        return None
    return max(0, highest - before)


def _begin_peak() -> bool:
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return False
    return True


def _resident() -> tuple[int | None, int | None]:
    """Return the resident memory and its highest so far, bytes; where there is no /proc, the highest for both."""
    try:
        status = _STATUS.read_text(encoding="ascii", errors="replace")
    except OSError:
        return _highest_by_usage(), _highest_by_usage()
    found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB$", status, re.MULTILINE))
    now, highest = found.get("VmRSS"), found.get("VmHWM")
    return now and 1024 * int(now), highest and 1024 * int(highest)


def _highest_by_usage() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else 1024 * highest
