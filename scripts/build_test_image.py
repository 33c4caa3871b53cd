"""Build a local Docker image of the PostgreSQL that this machine has, for the tests of servers in containers.

`python scripts/build_test_image.py [VERSION]`, then `bench run --db docker:orm-loading-bench-test:VERSION`. No registry
is asked: the image holds the server's programs, the libraries that they load, and an entrypoint that honours of the
official image's what the harness relies on. It takes seconds, and a Linux whose own programs can run in a container.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.databases.docker.daemon import daemon, explanation, trouble
from bench.databases.postgres import Installation, choose, survey
from bench.errors import BenchError
from bench.model import Asked

if TYPE_CHECKING:
    from docker import DockerClient

REPOSITORY = "orm-loading-bench-test"

UID = 999
"""Of the user postgres, as in the official image."""

DATA = "/var/lib/postgresql/data"

TOOLS = ("sh", "chmod", "chown", "id", "mkdir", "rm", "sed", "setpriv")
"""What the entrypoint calls."""

ENTRYPOINT = r"""#!/bin/sh
# Of what the official image's entrypoint does: a cluster from POSTGRES_PASSWORD and POSTGRES_INITDB_ARGS, made as the
# user postgres; a first server on a Unix socket only, stopped again; then the one with the arguments that were given.
set -eu
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /var/run/postgresql
    chown postgres "$PGDATA" /var/run/postgresql
    chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo "Error: the superuser's password is not specified: POSTGRES_PASSWORD" >&2
        exit 1
    fi
    (umask 077 && printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/password)
    user=${POSTGRES_USER:-postgres}
    eval "initdb -D \"\$PGDATA\" --username=\"\$user\" --pwfile=/tmp/password ${POSTGRES_INITDB_ARGS:-}"
    rm /tmp/password
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    quoted=
    for word in "$@" -c listen_addresses=; do
        quoted="$quoted '$(printf %s "$word" | sed "s/'/'\\\\''/g")'"
    done
    pg_ctl -D "$PGDATA" -o "${quoted#" 'postgres'"}" -w start
    pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec "$@"
"""


def main() -> int:
    """Build the image of a version, the newest at hand unless told; exit codes are those of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", nargs="?", metavar="VERSION", help="17, 16.4, or 15@debian; the newest, unless told")
    version, _, origin = (parser.parse_args().version or "").partition("@")
    try:
        asked = Asked(database="postgres", driver="psycopg", version=version or None, origin=origin)
        at_hand = survey()
        (installation,) = choose([asked], at_hand.found, left_out=at_hand.left_out)
        with daemon() as client:
            print(build(client, installation))
    except BenchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def build(client: DockerClient, installation: Installation, *, reference: str = "") -> str:
    """Make an image of an installation, and return its reference: `REPOSITORY:VERSION` unless told.

    Raises BenchError where the machine lacks a tool, and where the daemon does not take the image.
    """
    repository, _, tag = (reference or f"{REPOSITORY}:{installation.version}").partition(":")
    changes = [
        f"ENV PATH={installation.bin}:/usr/bin PG_MAJOR={installation.major} PGDATA={DATA}",
        f"VOLUME {DATA}",
        'ENTRYPOINT ["/usr/bin/entrypoint"]',
        "EXPOSE 5432",
        'CMD ["postgres"]',
    ]
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            _fill(tar, installation)
        file.flush()
        try:
            client.api.import_image(src=file.name, repository=repository, tag=tag, changes=changes)
        except trouble() as error:
            raise BenchError(f"Docker does not take the image: {explanation(error)}.") from error
    return f"{repository}:{tag}"


def _fill(tar: tarfile.TarFile, installation: Installation) -> None:
    """Put the image's files in. What the server is made of lies where it lies here, for it finds its parts by that."""
    server = sorted({path for tree in _trees(installation) for path in _files(tree)})
    tools = {name: _tool(name) for name in TOOLS}
    loaded = _libraries([*(path for path in server if _is_program(path)), *tools.values()])
    for path in dict.fromkeys((*server, *loaded, *_zones())):
        _add(tar, path, str(path))
    for name, path in tools.items():
        _add(tar, path, f"/usr/bin/{name}")
    _add(tar, tools["sh"], "/bin/sh")  # the server's own programs call it by that name
    _write(tar, "/usr/bin/entrypoint", ENTRYPOINT, mode=0o755)
    _write(tar, "/etc/passwd", f"root:x:0:0::/:/bin/sh\npostgres:x:{UID}:{UID}::/:/bin/sh\n")
    _write(tar, "/etc/group", f"root:x:0:\npostgres:x:{UID}:\n")
    _folder(tar, "/tmp", mode=0o1777)  # noqa: S108 - the image's own


def _trees(installation: Installation) -> Iterator[Path]:
    yield from installation.trees
    shared = Path(f"/usr/share/postgresql/{installation.major}")
    if installation.bin.is_relative_to("/usr/lib/postgresql") and shared.is_dir():
        yield shared


def _files(tree: Path) -> Iterator[Path]:
    """Yield a tree's files, less what compiles queries: a compiler is large, and the tests ask nothing of it."""
    for path in tree.rglob("*"):
        if path.is_file() and "bitcode" not in path.parts and not path.name.startswith("llvmjit"):
            yield path


def _is_program(path: Path) -> bool:
    return path.parent.name == "bin" or ".so" in path.suffixes


def _libraries(programs: Iterable[Path]) -> list[Path]:
    """Return what the programs load, where the loader finds it, and the loader itself."""
    said = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout  # noqa: S607
    found = re.findall(r"(?:=> |^\t)(/\S+) \(0x", said, re.MULTILINE)
    names = [Path(path).parent / "libnss_files.so.2" for path in found if path.endswith("/libc.so.6")]
    return sorted({*(Path(os.path.normpath(path)) for path in found), *(path for path in names if path.exists())})


def _zones() -> list[Path]:
    """Return the time zones that are set: some builds read those of the system."""
    return [path for path in map(Path("/usr/share/zoneinfo").joinpath, ("UTC", "Etc/UTC", "GMT")) if path.is_file()]


def _tool(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise BenchError(f"The image needs {name}, which this machine has not.", remedy="Build it on a Debian.")
    return Path(found)


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    """Add a file's content under a name, readable by everybody; what is a link here is a file there."""
    real = path.resolve()
    entry = tarfile.TarInfo(name.lstrip("/"))
    entry.size = real.stat().st_size
    entry.mode = 0o755 if real.stat().st_mode & 0o100 else 0o644
    with real.open("rb") as file:
        tar.addfile(entry, file)


def _write(tar: tarfile.TarFile, name: str, text: str, *, mode: int = 0o644) -> None:
    content = text.encode()
    entry = tarfile.TarInfo(name.lstrip("/"))
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _folder(tar: tarfile.TarFile, name: str, *, mode: int) -> None:
    entry = tarfile.TarInfo(name.lstrip("/"))
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    tar.addfile(entry)


if __name__ == "__main__":
    sys.exit(main())
