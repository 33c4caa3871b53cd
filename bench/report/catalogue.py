"""The summary of a run of several scenarios in words: the table, the findings and the notes of every kind of report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.model import Run
from bench.model.run import FEWEST_WORKERS
from bench.reduce.catalogue_summary import Won
from bench.reduce.rule_of_thumb import Held, Outcome
from bench.reduce.types import Estimate
from bench.report.columns import NOTHING, fault_text
from bench.report.findings import SQLITE_NOTE
from bench.report.targets import target_names
from bench.report.units import (
    APPROXIMATE,
    NO_INTERVAL,
    count_text,
    counted,
    listed,
    ratio_text,
    share_text,
    short_ratio_text,
    short_time_text,
)

TITLE = "Summary"
HEADERS = ("scenario", "target", "fastest", "time", "rule of thumb", "worst choice")
NUMERIC = (False, False, False, True, False, False)
TARGET, RULE = HEADERS.index("target"), HEADERS.index("rule of thumb")

MOST_NAMED = 4
"""Contradictions that a sentence tells of; the table marks them all."""

NOTHING_TIMED = "nothing was timed"
NONE_WORSE = "none: all tie"
LOSES = "LOSES"
"""Marks a contradiction: another strategy is faster than the one that the rule of thumb names."""

FARED: Mapping[Outcome, str] = {
    "holds": "holds",
    "ties": "ties",
    "contradicted": LOSES,
    "unclear": "cannot say",
    "no rival": "no rival timed",
    "not measured": "not measured",
    "unequal": "WRONG",
    "not timed": "not timed",
}
"""How a rule of thumb fared, in a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """A row of the summary: its texts as HEADERS has them, and whether the rule of thumb is contradicted there."""

    won: Won
    cells: tuple[str, ...]
    contradicted: bool


def summary_rows(run: Run, wins: Sequence[Won], *, short: bool = False) -> tuple[SummaryRow, ...]:
    """Return the table's rows, ratios shortened where there is little room."""
    names = _target_names(run)
    text = short_ratio_text if short else _in_full
    return tuple(
        SummaryRow(
            won=won,
            cells=(scenario_title(won), names[_target(won)], *_figures(won, text)),
            contradicted=_contradicted(won),
        )
        for won in wins
    )


def summary_title(run: Run, wins: Sequence[Won]) -> str:
    """What was measured where: `8 scenarios on sqlite`."""
    targets = list(dict.fromkeys(_target_names(run).values()))
    where = targets[0] if len(targets) == 1 else counted(len(targets), "target")
    return f"{counted(len({won.part for won in wins}), 'scenario')} on {where}"


def scenario_title(won: Won) -> str:
    """The scenario with its parameters, at its size: `first_page[limit=50] 1000x50`."""
    case = won.summary.case
    return f"{case.scenario.name} {case.spec.size}"


def part_anchor(at: int) -> str:
    """What the part of a report on the scenario of that place is linked to as."""
    return f"scenario-{at + 1}"


def summary_findings(run: Run, wins: Sequence[Won]) -> tuple[str, ...]:
    """Return the sentences of the summary: how the rules fared, where they are contradicted, the dearest mistake."""
    names = _target_names(run)
    several = len(set(names.values())) > 1

    def where(won: Won) -> str:
        return f"{scenario_title(won)}" + (f" on {names[_target(won)]}" if several else "")

    return tuple(
        sentence
        for sentence in (
            _tally(wins),
            _contradictions(wins, where),
            _dearest(wins, where),
            SQLITE_NOTE if any(won.summary.case.targets[0].dialect == "sqlite" and won.leaders for won in wins) else "",
        )
        if sentence
    )


def summary_notes(wins: Sequence[Won]) -> tuple[str, ...]:
    """Return the lines under the table: how to read it, how far it can be trusted, and what is not in it."""
    return (
        "Each row is a case of its own: strategies are compared within a row, never times of different rows.",
        *_noise(wins),
        "Worst choice: the strategy with the greatest ratio to the fastest, of those that do not tie with it.",
        *_loses(wins),
        *_approximate(wins),
        *_not_ranked(wins),
    )


def _figures(won: Won, text: Callable[[Estimate], str]) -> tuple[str, ...]:
    if won.time is None:
        return (NOTHING_TIMED, NOTHING, NOTHING, NOTHING)
    return (_leaders(won), short_time_text(won.time), _rule(won.rule, text), _worst(won, text))


def _leaders(won: Won) -> str:
    return listed(won.leaders) + (" (tie)" if len(won.leaders) > 1 else "")


def _rule(held: Held | None, text: Callable[[Estimate], str]) -> str:
    if held is None:
        return NOTHING
    return f"{held.strategy}: {FARED[held.outcome]}" + (f", {text(held.price)}" if held.price else "")


def _worst(won: Won, text: Callable[[Estimate], str]) -> str:
    if won.worst is not None and won.worst.to_best is not None:
        return f"{won.worst.arm.name} {text(won.worst.to_best)}"
    return NONE_WORSE if won.timed > 1 else "no other timed"


def _contradicted(won: Won) -> bool:
    return won.rule is not None and won.rule.outcome == "contradicted"


def _target(won: Won) -> str:
    return won.summary.case.targets[0].name


def _target_names(run: Run) -> dict[str, str]:
    """What each target of the run is called in the summary, by its name."""
    return {
        target.name: name for case in run.cases for target, name in zip(case.targets, target_names(case), strict=True)
    }


def _tally(wins: Sequence[Won]) -> str:
    """How often the rule of thumb held, was contradicted, tied, or could not be held against what was measured."""
    outcomes = [won.rule.outcome if won.rule else "unclear" for won in wins]
    told = [
        (sum(outcome == kind for outcome in outcomes), words)
        for kind, words in (("holds", "holds in"), ("contradicted", "is contradicted in"), ("ties", "ties in"))
    ]
    open_ones = len(outcomes) - sum(count for count, _ in told)
    parts = [f"{words} {count_text(count)}" for count, words in told if count]
    parts += [f"cannot be told in {count_text(open_ones)}"] if open_ones else []
    if len(parts) == 1 and open_ones:
        return f"Of {counted(len(wins), 'row')} none allows one to say whether the rule of thumb holds."
    return f"Of {counted(len(wins), 'row')} the rule of thumb {listed(parts)}."


def _contradictions(wins: Sequence[Won], where: Callable[[Won], str]) -> str:
    found = [(won, won.rule.price) for won in wins if won.rule and won.rule.price]
    found.sort(key=lambda each: -each[1].value)
    told = [
        f"{where(won)}, where {won.rule.strategy if won.rule else ''} takes "
        f"{ratio_text(price, f'as long as {won.leaders[0]}')}"
        for won, price in found[:MOST_NAMED]
    ]
    more = f"; {count_text(len(found) - MOST_NAMED)} more are marked in the table" if len(found) > MOST_NAMED else ""
    return f"It is contradicted by {'; by '.join(told)}{more}." if told else ""


def _dearest(wins: Sequence[Won], where: Callable[[Won], str]) -> str:
    """The greatest price of all, of those that have an interval."""
    priced = [
        (ratio.value, won, ratio_text(ratio, f"as long as {won.leaders[0]}"))
        for won in wins
        if won.worst and (ratio := won.worst.to_best) and ratio.low is not None
    ]
    if not priced:
        return ""
    _, won, price = max(priced, key=lambda each: each[0])
    return f"The dearest choice is {won.worst.arm.name if won.worst else ''} for {where(won)}: {price}."


def _noise(wins: Sequence[Won]) -> Iterator[str]:
    floors = sorted(won.summary.noise for won in wins if won.summary.noise is not None)
    unknown = len([won for won in wins if won.time]) - len(floors)
    if floors:
        low, high = share_text(floors[0]), share_text(floors[-1])
        between = low if low == high else f"{low} to {high}"
        rest = f", unknown in {counted(unknown, 'row')}" if unknown else ""
        yield f"Noise floor: {between}{rest}, by the A/A pair of each case. What lies nearer to the fastest is a tie."
    elif unknown:
        yield "Noise floor: unknown."


def _loses(wins: Sequence[Won]) -> Iterator[str]:
    if any(map(_contradicted, wins)):
        yield f"{LOSES}: the rule of thumb is contradicted; what it names takes that many times as long as the fastest."


def _approximate(wins: Sequence[Won]) -> Iterator[str]:
    figures = [won.time for won in wins] + [won.worst.to_best for won in wins if won.worst]
    if any(figure is not None and figure.low is None for figure in figures):
        yield f"{APPROXIMATE} {NO_INTERVAL}: sampled in fewer than {FEWEST_WORKERS} workers."


def _not_ranked(wins: Sequence[Won]) -> Iterator[str]:
    """What was to be compared and is not among what is ranked, and of what kind the reason is."""
    faults: dict[str, dict[str, list[str]]] = {}
    for won in wins:
        for row in won.summary.rows:
            if row.arm.error is not None:
                names = faults.setdefault(fault_text(row.arm), {}).setdefault(scenario_title(won), [])
                names += [row.arm.name] if row.arm.name not in names else []
    for fault, by_title in faults.items():
        told = [f"{listed(names)} in {title}" for title, names in by_title.items()]
        yield f"{fault} and not ranked: {'; '.join(told)}."


def _in_full(ratio: Estimate) -> str:
    return short_ratio_text(ratio) if ratio.low is None else ratio_text(ratio)
