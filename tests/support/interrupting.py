"""A command that is stopped in the middle: waiting for what it says, and seeing that it leaves nothing running."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading

import psutil
from support.command import Bench

PATIENCE_S = 300
"""What a command may take to say something, or to end: then it hangs, and is killed."""


def workers_of(bench: Bench) -> list[psutil.Process]:
    """The live workers of this folder's own runs, by the cache that they were given."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if "bench.worker" in process.cmdline() and process.environ().get("BENCH_CACHE_DIR") == str(bench.cache):
                found.append(process)
    return found


def none_left(bench: Bench) -> bool:
    _, alive = psutil.wait_procs(workers_of(bench), timeout=60)
    return not alive


def lines(process: subprocess.Popen[str], until: str, *, times: int = 1) -> list[str]:
    """Read standard error until a line holds `until` for the given time, or the process ends."""
    assert process.stderr is not None
    seen: list[str] = []
    bound = threading.Timer(PATIENCE_S, process.kill)
    bound.start()
    for line in process.stderr:
        seen.append(line)
        if sum(until in one for one in seen) == times:
            break
    bound.cancel()
    return seen


def end(process: subprocess.Popen[str], ending: signal.Signals) -> tuple[str, str]:
    """Have a process end, and return what else it says on standard output and error."""
    process.send_signal(ending)
    try:
        return process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
