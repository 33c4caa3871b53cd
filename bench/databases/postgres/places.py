"""Where things lie: what is kept between runs in the cache folder, and a server's folder, which is temporary."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs

from bench.databases.sqlite import FOLDER_VARIABLE
from bench.errors import DatabaseUnavailable

_LONGEST_SOCKET = 100
"""Bytes that the path of a Unix socket may have: macOS allows 103, Linux 107."""

FOLDER_PREFIX = "bench-pg-"
"""How a server's folder is called, with 16 hexadecimal digits after it."""

_LONGEST_NAME = len(f"/{FOLDER_PREFIX}0123456789abcdef/.s.PGSQL.65535")


def cache_folder() -> Path:
    """Return `postgres` in the folder that BENCH_CACHE_DIR names, or in the user's cache folder. It may not exist."""
    chosen = Path(os.environ.get(FOLDER_VARIABLE) or platformdirs.user_cache_path("orm-loading-bench"))
    return chosen.expanduser().absolute() / "postgres"


def npm_folder() -> Path:
    """Return where `scripts/prepare_postgres.py` unpacks npm packages, a folder a version."""
    return cache_folder() / "npm"


def notes_folder() -> Path:
    """Return where each server that was started has its note until it is gone."""
    return cache_folder() / "servers"


def temporary_root(*, for_others: bool) -> Path:
    """Return the folder in which servers get their folders: TMPDIR where a server can live in it, else /tmp.

    The path of a socket in it must not be too long, and have no comma, which is where the server divides a list of
    folders, and libpq one of hosts.
    for_others: a user other than ours must be able to walk there. Raises DatabaseUnavailable.
    """
    tried = list(dict.fromkeys([Path(tempfile.gettempdir()).absolute(), Path("/tmp"), Path("/var/tmp")]))  # noqa: S108 - a private folder is made in it
    for root in tried:
        fits = len(os.fsencode(root)) + _LONGEST_NAME <= _LONGEST_SOCKET and "," not in str(root)
        if fits and os.access(root, os.W_OK | os.X_OK) and (not for_others or open_to_others(root)):
            return root
    raise DatabaseUnavailable(
        f"There is no temporary folder for a server: {', '.join(map(str, tried))} cannot be used.",
        remedy="Set TMPDIR to a folder with a short path that every user may enter.",
    )


def data_folder(folder: Path) -> Path:
    """Return where a server that has this folder keeps its cluster."""
    return folder / "data"


def open_to_others(path: Path) -> bool:
    """Return whether every user can walk to a path: each folder above it, and itself, lets others through."""
    try:
        return all(step.stat().st_mode & 0o001 for step in (path, *path.parents))
    except OSError:
        return False
