"""Whom a server runs as: PostgreSQL refuses root, so where the harness is root its servers are not."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bench.errors import DatabaseUnavailable

UNPRIVILEGED = ("nobody", "daemon")
"""Users that own nothing, the first that exists is taken. Not `postgres`: it may own somebody's real data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the machine."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """Return the user to drop to, or None where the harness is not root and servers run as its own user.

    Raises DatabaseUnavailable where it is root and none of `UNPRIVILEGED` exists.
    """
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise DatabaseUnavailable(
        "PostgreSQL does not run as root, and this machine has no user to run it as.",
        remedy=f"Run the command as another user, or add one of: {', '.join(UNPRIVILEGED)}.",
    )


def give(path: Path, account: Account | None) -> None:
    """Make a file or folder the account's own; nothing to do where that is our own user."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def start_as(
    account: Account | None, command: Sequence[str | Path], *, folder: Path, log: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a server's program as the account, in a session of its own: Ctrl-C is for the harness, which stops it.

    What it says goes to the log. Its environment is bare: variables such as PGDATA, LANG or TZ would change what it
    does, and messages are read in English. Raises OSError.
    """
    dropped: dict[str, Any] = {}
    if account is not None:
        dropped = {"user": account.uid, "group": account.gid, "extra_groups": []}
    return subprocess.Popen(
        command,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        **dropped,
    )
