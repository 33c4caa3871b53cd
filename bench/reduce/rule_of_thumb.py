"""How the rule of thumb of a scenario fared in a case: whether the strategy that it names is the fastest there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bench.reduce.types import ArmSummary, CaseSummary, Estimate

Outcome = Literal["holds", "ties", "contradicted", "unclear", "no rival", "not measured", "unequal", "not timed"]
"""The named strategy is the fastest; it ties with one of another kind; it is slower than the fastest; too little was
sampled to say; nothing of another kind was timed; it was not among the arms; it loaded something else; it failed."""


VARIANTS: Mapping[str, str] = {"joined_inner": "joined", "selectin_with_parent": "selectin"}
"""Names of the same strategy with another option: who says joinedload does not say which join."""

COLUMN_OPTIONS = frozenset({"load_only", "defer", "raiseload"})
"""What is said of columns beside a strategy, as in `selectin+load_only`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The rule held against a case.

    strategy: that it names; others may be of its kind, see `kind_of`. outcome: see `Outcome`. leaders: the fastest
    and those that tie with it. others: the leaders of another kind. price: ratio of the named strategy to the fastest,
    where it is contradicted.
    """

    strategy: str
    outcome: Outcome
    leaders: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    price: Estimate | None = None


def rule_held(summary: CaseSummary) -> Held | None:
    """Hold the rule of thumb against a case; None where nothing was timed."""
    if summary.best is None:
        return None
    rule = summary.case.scenario.rule_strategy
    leaders = tuple(leading(summary))
    others = tuple(name for name in leaders if kind_of(name) != rule)
    row = next((row for row in summary.rows if row.arm.strategy == rule), None)
    outcome = _outcome(summary, row, leaders, others)
    price = row.to_best if row and outcome == "contradicted" else None
    return Held(strategy=rule, outcome=outcome, leaders=leaders, others=others, price=price)


def leading(summary: CaseSummary) -> Iterator[str]:
    """Yield the fastest strategy of a case, then those that tie with it; nothing where nothing was timed."""
    if summary.best is not None:
        yield summary.best
        yield from (row.arm.name for row in summary.rows if row.tied)


def kind_of(strategy: str) -> str:
    """What advice would call the strategy: without its argument, its options for columns, and its variant."""
    return "+".join(_word(part) for part in strategy.split("+") if part not in COLUMN_OPTIONS)


def _word(part: str) -> str:
    name = part.partition("[")[0]
    return VARIANTS.get(name, name)


def _outcome(
    summary: CaseSummary, row: ArmSummary | None, leaders: tuple[str, ...], others: tuple[str, ...]
) -> Outcome:
    rule, best = summary.case.scenario.rule_strategy, leaders[0]
    if row is None and kind_of(best) != rule:
        return "not measured"
    if row is not None and row.arm.error is not None:
        return "unequal" if row.arm.fault in ("", "unequal") else "not timed"
    if not _claims(summary) or (row is not None and row.quiet is None):
        return "unclear"
    if len(others) == len(leaders):
        told = row is not None and row.to_best is not None and row.to_best.low is not None
        return "contradicted" if told else "unclear"
    if not any(each.quiet and kind_of(each.arm.strategy) != rule for each in summary.rows):
        return "no rival"
    return "ties" if others else "holds"


def _claims(summary: CaseSummary) -> bool:
    best = next((row for row in summary.rows if row.arm.name == summary.best), None)
    return best is not None and best.quiet is not None and best.quiet.low is not None
