"""The comparison of a case's targets as a table, strategies by targets, and what these are called in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from string import ascii_uppercase

from bench.model import OWN, Case
from bench.model.environment import INSTALLED
from bench.reduce.summaries import is_tied
from bench.reduce.types import AcrossTargets, Estimate, OnTarget
from bench.report.columns import NOT_TIMED, NOTHING, TIE, fault_text
from bench.report.units import count_text, ratio_text, short_ratio_text, short_time_text

LONGEST_HEADER = 24
"""Characters of a target's name over a column; where one is longer, all have letters, and a line says whose."""

OVERALL = "all strategies"
STATEMENTS = "statements"
UNKNOWN = "origin unknown"

_URL = re.compile(r"[a-z0-9_]+(\+[a-z0-9_]+)?://(?:[^/?#@]*@)?([^?#\s]*)\S*( rtt=\S+)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTable:
    """Strategies by targets. headers: of all columns; rows: their texts, as many as there are headers.

    The first column names the strategy, the second counts its statements on the baseline target, the third is the time
    there, and every other the ratio to that. strategies: of each row; empty for the one over all of them.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strategies: tuple[str, ...]


def target_table(compared: AcrossTargets, *, short: bool = False) -> TargetTable:
    """Return the table of a comparison, ratios shortened where there is little room."""
    text = short_ratio_text if short else _in_full
    rows = [
        (row[0].arm.name, _statements(row[0]), *(target_cell(on, at, text) for at, on in enumerate(row)))
        for row in compared.rows
        if row[0].arm
    ]
    strategies = [row[0].arm.strategy for row in compared.rows if row[0].arm]
    if any(compared.overall):
        rows.append((OVERALL, NOTHING, *(overall_cell(compared, at, text) for at in range(len(compared.overall)))))
        strategies.append("")
    headers = ("strategy", STATEMENTS, *target_headers(compared))
    return TargetTable(headers=headers, rows=tuple(rows), strategies=tuple(strategies))


def target_names(case: Case) -> tuple[str, ...]:
    """What the targets are called in a sentence: a URL by its host, port and database, where that tells them apart.

    Those that differ in nothing but their environments are called by these.
    """
    names = tuple(target.name for target in case.targets)
    asked = case.spec.targets
    if len(asked) > 1 and len({replace(one, environment=OWN) for one in asked}) == 1:
        return tuple(str(one.environment) or INSTALLED for one in asked)
    short = tuple(_short(name) for name in names)
    return short if len(set(short)) == len(set(names)) else names


def target_headers(compared: AcrossTargets) -> tuple[str, ...]:
    """What the targets are called over a column, their origins with them where these differ."""
    names = target_names(compared.case)
    marked = names
    if compared.mixed_origins:
        marked = tuple(_with_origin(*each) for each in zip(names, origins(compared.case), strict=True))
    return marked if all(len(name) <= LONGEST_HEADER for name in marked) else tuple(_letters(len(names)))


def target_legend(compared: AcrossTargets) -> Iterator[str]:
    """Yield whose a header is, where it is not the name that was asked for."""
    names = [target.name for target in compared.case.targets]
    for header, name, origin in zip(target_headers(compared), names, origins(compared.case), strict=True):
        if not header.startswith(name) and not name.endswith(f" {header}"):
            yield f"{header}: {_with_origin(name, origin) if compared.mixed_origins else name}"


def origins(case: Case) -> tuple[str, ...]:
    """Whose build each target's server is, by the first word where that tells builds apart; a user's is not known."""
    whole = [target.origin or UNKNOWN for target in case.targets]
    words = [target.origin.partition(" ")[0] or UNKNOWN for target in case.targets]
    return tuple(words if len(set(words)) == len(set(whole)) else whole)


def _statements(on: OnTarget) -> str:
    return count_text(on.arm.counters.statements) if on.arm and on.arm.counters else NOTHING


def target_cell(on: OnTarget, at: int, text: Callable[[Estimate], str]) -> str:
    """Return what stands for a strategy on the target of that place: a time on the first, ratios on the others."""
    if on.arm is not None and on.arm.error is not None:
        return fault_text(on.arm)
    if on.time is None:
        return NOT_TIMED
    if not at:
        return short_time_text(on.time)
    if on.to_baseline is None:
        return NOTHING
    return TIE if on.tied else text(on.to_baseline)


def overall_cell(compared: AcrossTargets, at: int, text: Callable[[Estimate], str]) -> str:
    """Return what stands for all strategies together on the target of that place."""
    ratio = compared.overall[at]
    if ratio is None:
        return NOTHING
    return TIE if is_tied(ratio, compared.noise) else text(ratio)


def _in_full(ratio: Estimate) -> str:
    return short_ratio_text(ratio) if ratio.low is None else ratio_text(ratio)


def _short(name: str) -> str:
    url = _URL.fullmatch(name)
    return f"{url[2]}{url[1] or ''}{url[3] or ''}" if url and url[2] else name


def _with_origin(name: str, origin: str) -> str:
    """The name with the origin, unless it was asked for by it."""
    return name if re.search(rf"@{re.escape(origin)}(?=[+ ]|$)", name) else f"{name} ({origin})"


def _letters(count: int) -> Iterator[str]:
    for at in range(count):
        before, last = divmod(at, len(ascii_uppercase))
        yield (ascii_uppercase[before - 1] if before else "") + ascii_uppercase[last]
