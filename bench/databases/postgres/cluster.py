"""A cluster: the data folder that initdb makes, configured, with the programs where its user can run them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bench.databases.postgres.account import Account, give, start_as
from bench.databases.postgres.installations import Installation
from bench.databases.postgres.places import data_folder, open_to_others
from bench.databases.postgres.settings import COUNTING_SETTINGS, SETTINGS, configuration
from bench.errors import DatabaseUnavailable

USER = "postgres"

_INITDB_OPTIONS = ("-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync")

_LOG_LINES = 20

_CHECKSUMS_BY_DEFAULT_SINCE = 18


def runnable(installation: Installation, account: Account | None, folder: Path) -> Path:
    """Return the folder of the programs, one from which the account can run them.

    Root's own folders are closed to others, and a wheel or a cache may lie in one: it gets another name in the folder
    then, which goes with it: by links where both are on one disk (some milliseconds), else as a copy (about 60 MB).
    Raises OSError.
    """
    if account is None or all(open_to_others(tree) for tree in (installation.bin / "postgres", *installation.trees)):
        return installation.bin
    base = folder / "build"
    base.mkdir(mode=0o755)
    for tree in installation.trees:
        copy = base / os.path.relpath(tree, installation.base)
        shutil.copytree(tree, copy, symlinks=True, copy_function=_linked_or_copied)
        for inner in (copy, *(path for path in copy.rglob("*") if path.is_dir() and not path.is_symlink())):
            inner.chmod(inner.stat().st_mode | 0o555)
    return base / installation.bin.relative_to(installation.base)


def initialise(
    installation: Installation, programs: Path, account: Account | None, folder: Path, password: str
) -> Path:
    """Make a cluster in the folder and return its data folder.

    Raises DatabaseUnavailable with what initdb said, and OSError.
    """
    secret, said = folder / "password", folder / "initdb.log"
    secret.touch(mode=0o600)
    secret.write_text(password + "\n")
    give(secret, account)
    data = data_folder(folder)
    with said.open("wb") as log:
        process = start_as(
            account,
            [programs / "initdb", "-D", data, "-U", USER, "--pwfile", secret, *initdb_options(installation.major)],
            folder=folder,
            log=log,
        )
        try:
            status = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if status != 0:
        raise DatabaseUnavailable(
            f"PostgreSQL {installation.version} ({installation.origin}) could not make a cluster in {folder}. "
            f"initdb said:\n{log_end(said)}\n",
            remedy="Check that the disk has room; TMPDIR names another folder to make it in.",
        )
    secret.unlink()
    return data


def initdb_options(major: int | None) -> tuple[str, ...]:
    """Return the options by which a version makes every cluster of ours; None where the version is not known.

    Whoever connects, by socket or address, gives the password (SCRAM): other users of the machine do not know it.
    Durability on disk is not waited for, and page checksums are off, as versions before 18 have them by default; these
    do not know the option.
    """
    has_checksums = major is not None and major >= _CHECKSUMS_BY_DEFAULT_SINCE
    return (*_INITDB_OPTIONS, *(["--no-data-checksums"] if has_checksums else []))


def configure(
    installation: Installation, data: Path, *, sockets: Path, address: str, settings: Mapping[str, str]
) -> None:
    """Write the settings into the cluster's configuration, those given last, so that they win. Raises OSError."""
    counting = COUNTING_SETTINGS if installation.has_module("pg_stat_statements") else {}
    where = {"unix_socket_directories": str(sockets), "listen_addresses": address}
    with (data / "postgresql.conf").open("a") as file:
        file.write("\n" + configuration({**SETTINGS, **counting, **settings, **where}))


def log_end(path: Path) -> str:
    """Return the last lines of a log, or that there are none."""
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join(lines[-_LOG_LINES:]) or "(nothing)"


def _linked_or_copied(source: str, copy: str) -> None:
    """Give a file another name, or copy it where that cannot be, as when others may not read it."""
    mode = Path(source).stat().st_mode
    needed = 0o555 if mode & 0o100 else 0o444
    if mode & needed == needed:
        with suppress(OSError):
            os.link(source, copy, follow_symlinks=False)
            return
    shutil.copy2(source, copy)
    Path(copy).chmod(mode | needed)
