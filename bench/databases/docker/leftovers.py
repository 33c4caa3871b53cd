"""Whose a container is, and whether that run lives: a note for each, locked by its process, and labels that lead to it.

The daemon may serve several users and machines, and machines may share a cache folder. Notes lie in a folder of each
machine's own, and a container's labels name that folder by a random token: no others are looked at. The note is made
before the container and removed after it, and its lock is the kernel's, which ends with the process however that ends.
So a container of ours whose note is gone, or held by nobody, has no run any more.
"""

from __future__ import annotations

import fcntl
import os
import platform
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.databases.docker.daemon import daemon, explanation, trouble
from bench.databases.postgres.places import cache_folder
from bench.databases.postgres.registry import take
from bench.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from docker import DockerClient

LABEL = "orm-loading-bench"
"""On every container of ours; its value tells a reader which process has made it."""

_NOTES = f"{LABEL}.notes"

_NOTE = ".note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What a container is to be called and labelled, so that it is found again."""

    name: str
    labels: dict[str, str]


def notes_folder() -> Path:
    """Return where each container that this machine's runs make has its note until it is gone."""
    return cache_folder() / "containers" / (platform.node() or "unnamed")


@contextmanager
def noted() -> Iterator[Marks]:
    """Keep a note of a container that is made, and removed, inside the block.

    Raises DatabaseUnavailable where the note cannot be written.
    """
    name = f"{LABEL}-{secrets.token_hex(8)}"
    path = notes_folder() / f"{name}{_NOTE}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _all_notes():
            token = _token()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        raise DatabaseUnavailable(
            f"No note of a container can be kept in {path.parent}: {error.strerror or error}.",
            remedy="Set BENCH_CACHE_DIR to a folder that you may write to.",
        ) from error
    try:
        yield Marks(name=name, labels={LABEL: _who(), _NOTES: token})
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def sweep(client: DockerClient | None = None) -> tuple[str, ...]:
    """Remove the containers whose run is gone, and what they kept; return their names.

    Those of a run that lives are never touched, nor those of another cache folder or machine. Raises
    DatabaseUnavailable where the daemon cannot be asked.
    """
    if not notes_folder().is_dir():
        return ()
    with ExitStack() as stack:
        try:
            return _sweep(client or stack.enter_context(daemon()))
        except trouble() as error:
            raise DatabaseUnavailable(
                f"Containers that earlier runs have left cannot be looked for: {explanation(error)}.",
                remedy="See what `docker ps` says.",
            ) from error
        except OSError:
            return ()  # notes that cannot be read here cannot be written either, and then nothing is started


def remove(client: DockerClient, name: str) -> bool:
    """End a container and remove it with its volume, if there is one; return whether there was. Raises `trouble`."""
    from docker.errors import APIError, NotFound

    try:
        client.api.remove_container(name, v=True, force=True)
    except NotFound:
        return False
    except APIError as error:
        if error.status_code != 409:  # 409: it is being removed already
            raise
    return True


def _sweep(client: DockerClient) -> tuple[str, ...]:
    from docker.errors import APIError

    swept = []
    with ExitStack() as held:
        with _all_notes():
            ours = {"label": f"{_NOTES}={_token()}"}
            found = client.api.containers(all=True, filters=ours)
            names = [entry["Names"][0].lstrip("/") for entry in found if entry["Names"]]  # none: it is going already
            paths = {path.name.removesuffix(_NOTE): path for path in notes_folder().glob(f"*{_NOTE}")}
            dead = [name for name in {*names, *paths} if name not in paths or take(paths[name], held)]
        for name in dead:
            try:
                if remove(client, name):
                    swept.append(name)
            except APIError:
                continue  # its note stays, and the next run tries again
            if name in paths:
                paths[name].unlink(missing_ok=True)
    return tuple(swept)


def _who() -> str:
    return f"{platform.node()} pid {os.getpid()}"


def _token() -> str:
    """Return what names the folder of notes, and no other, on a daemon that serves several."""
    path = notes_folder() / "token"
    token = path.read_text() if path.exists() else ""
    if not token:
        token = secrets.token_hex(8)
        path.write_text(token)
    return token


@contextmanager
def _all_notes() -> Iterator[None]:
    """Hold the lock of all notes, for as long as it takes to make one or to look at them."""
    descriptor = os.open(notes_folder() / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
