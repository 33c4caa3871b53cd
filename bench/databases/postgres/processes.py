"""The processes of a server, found by its folder, whose name no other has: no process id is taken on trust."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path

import psutil

from bench.databases.postgres.places import data_folder

_PROGRAMS = ("postgres", "initdb")

_FAST_SHUTDOWN_S = 10.0
_KILL_S = 5.0


def end_processes(folder: Path) -> None:
    """End all that runs in a server's folder: fast shutdown first, SIGKILL for what is left.

    A server's main process and initdb have the folder on their command line; its other processes retitle themselves,
    and are known by their working directory.
    """
    programs, others = _running_in(folder)
    for process in programs:
        _send(process, signal.SIGINT)
    _gone, left = psutil.wait_procs([*programs, *others], timeout=_FAST_SHUTDOWN_S if programs else 1.0)
    for process in left:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(left, timeout=_KILL_S)


def _running_in(folder: Path) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """Return the programs that were started on the folder, and the server processes that work in it.

    A shell that somebody has opened there is neither.
    """
    programs, others = [], []
    for process in psutil.process_iter(["name", "cmdline", "cwd"]):
        if process.info["name"] not in _PROGRAMS:
            continue
        if (process.info["cmdline"] or [])[1:3] == ["-D", str(data_folder(folder))]:
            programs.append(process)
        elif process.info["cwd"] and Path(process.info["cwd"]).is_relative_to(folder):
            others.append(process)
    return programs, others


def _send(process: psutil.Process, number: signal.Signals) -> None:
    """Signal a process, unless it has ended; psutil looks at its start time, so never another with its id."""
    with suppress(psutil.Error):
        process.send_signal(number)
