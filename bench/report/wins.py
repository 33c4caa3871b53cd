"""Where each strategy wins: a table for a page of documentation, made from stored runs and always the same for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.model import Run, TargetFacts
from bench.model.asked import DRIVERS
from bench.reduce.catalogue_summary import Won, by_scenario, won
from bench.reduce.rule_of_thumb import Outcome
from bench.reduce.summaries import summarise_all
from bench.report.catalogue import scenario_title
from bench.report.facts import round_trip_text
from bench.report.markup import escaped, marked_up_table
from bench.report.units import count_text, listed, ratio_text, share_text

DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
USUAL_DRIVERS = frozenset(drivers[0] for drivers in DRIVERS.values())

NOT_MEASURED = "not measured"

AGAINST = "against the rule"
"""Marks a contradiction: another strategy is faster than the one that the rule of thumb names."""

DOUBTS: Mapping[Outcome, str] = {
    "unclear": "too little was sampled to claim it",
    "no rival": "nothing of another kind was timed",
    "not measured": "the rule's was not measured",
    "unequal": "the rule's loads something else",
    "not timed": "the rule's could not be timed",
}
"""Why a winner is neither for nor against the rule of thumb."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A case on a target: its row and its column of the table."""

    title: str
    column: str


def wins_markdown(runs: Sequence[Run]) -> str:
    """Return the table of every case of the runs, targets beside one another, and what it rests on.

    A case that two runs measured on one target is the later run's. No figure of one run is held against another's.
    """
    placed = _placed(runs)
    titles, columns = ([*dict.fromkeys(names)] for names in zip(*((at.title, at.column) for at in placed), strict=True))
    rules = {at.title: found.summary.case.scenario.rule_strategy for at, found in placed.items()}
    rows = [
        [
            escaped(title),
            escaped(rules[title]),
            *(_cell(placed.get(_Place(title=title, column=column))) for column in columns),
        ]
        for title in titles
    ]
    headers = ["scenario", "rule of thumb", *map(escaped, columns)]
    table = marked_up_table(rows, headers=headers, numeric=[False] * len(headers))
    return "\n\n".join([table, *_rests_on(runs, list(placed.values()))]) + "\n"


def _placed(runs: Sequence[Run]) -> dict[_Place, Won]:
    """Who won where, in the order of the runs, cases and targets as they were given."""
    found = [
        (run.created, case.at, summary)
        for run in runs
        for part in by_scenario(run, summarise_all(run))
        for case in part.cases
        for summary in case.views.values()
    ]
    columns = _columns([summary.case.targets[0] for _, _, summary in found])
    placed: dict[_Place, tuple[str, Won]] = {}
    for created, _, summary in found:
        result = won(summary)
        target = summary.case.targets[0]
        at = _Place(title=scenario_title(result), column=columns[target.name, target.server_version])
        if at not in placed or placed[at][0] <= created:
            placed[at] = (created, result)
    return {at: result for at, (_, result) in placed.items()}


def _columns(targets: Sequence[TargetFacts]) -> dict[tuple[str, str], str]:
    """What stands over each target's column; its version with it where the same words would stand over another's."""
    names = {(target.name, target.server_version): _where(target) for target in targets}
    shared = [name for name in names.values() if list(names.values()).count(name) > 1]
    return {key: f"{name} ({key[0]}, {key[1]})" if name in shared else name for key, name in names.items()}


def _where(target: TargetFacts) -> str:
    """`SQLite`, `PostgreSQL by asyncpg`, `PostgreSQL at RTT 1 ms`."""
    driver = "" if target.driver in USUAL_DRIVERS else f" by {target.driver}"
    delay = f" at RTT {round_trip_text(target.delay.asked_ns)}" if target.delay else ""
    return f"{DATABASES.get(target.dialect, target.dialect)}{driver}{delay}"


def _cell(result: Won | None) -> str:
    if result is None:
        return NOT_MEASURED
    if result.rule is None:
        return "nothing was timed"
    leaders = escaped(listed(result.leaders) + (" (tie)" if len(result.leaders) > 1 else ""))
    if result.rule.price:
        price = escaped(f"{result.rule.strategy} takes {ratio_text(result.rule.price)}")
        return f"**{leaders}**, {AGAINST}: {price}"
    doubt = DOUBTS.get(result.rule.outcome)
    return leaders + (f"; {doubt}" if doubt else "")


def _rests_on(runs: Sequence[Run], wins: Sequence[Won]) -> Iterator[str]:
    against = sum(result.rule is not None and result.rule.outcome == "contradicted" for result in wins)
    holds = sum(result.rule is not None and result.rule.outcome == "holds" for result in wins)
    yield (
        f"Of {count_text(len(wins))} results the rule of thumb holds in {count_text(holds)} and is contradicted in "
        f"{count_text(against)}."
    )
    floors = sorted(result.summary.noise for result in wins if result.summary.noise is not None)
    floor = f"; noise floors from {share_text(floors[0])} to {share_text(floors[-1])}" if floors else ""
    with_what = dict.fromkeys(
        f"SQLAlchemy {run.environment.sqlalchemy}, Python {run.environment.python}, {run.environment.cpu_count} CPUs"
        for run in runs
    )
    servers = dict.fromkeys(
        f"{DATABASES.get(target.dialect, target.dialect)} {target.server_version} by {target.driver}"
        for result in wins
        for target in result.summary.case.targets
    )
    yield escaped(f"Measured with {'; '.join(with_what)}; {', '.join(servers)}{floor}.")
    yield from _added(wins)


def _added(wins: Sequence[Won]) -> Iterator[str]:
    """What was really added to a round trip where it was asked for."""
    added: dict[int, list[int]] = {}
    for result in wins:
        for target in result.summary.case.targets:
            if target.delay and target.delay.asked_ns:
                added.setdefault(target.delay.asked_ns, []).append(target.delay.added_ns)
    for asked, measured in sorted(added.items()):
        ends = dict.fromkeys(f"{end / 1e6:.2f}" for end in (min(measured), max(measured)))
        yield f"RTT {round_trip_text(asked)}: a round trip took {' to '.join(ends)} ms longer than without."
