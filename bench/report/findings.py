"""Findings: what the numbers of a case allow one to say, in plain words, and nothing beyond that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench.model.run import FEWEST_WORKERS, TUNED_THRESHOLDS
from bench.reduce.rule_of_thumb import Held, Outcome, rule_held
from bench.reduce.types import ArmSummary, CaseSummary
from bench.report.columns import WRONG, fault_text
from bench.report.crossover_findings import crossover_findings
from bench.report.units import count_text, counted, listed, ratio_text, time_text

__all__ = ["crossover_findings", "findings"]

COLLECTOR_DOMINATES = 2.0
"""Times the quiet time from which on the collector costs as much as the load itself, and is worth a sentence."""

MANY_STATEMENTS = 10
"""Times the fastest strategy's statements from which on their number is named beside a time."""

TUNED = f"gc.set_threshold({', '.join(f'{threshold:_}' for threshold in TUNED_THRESHOLDS)})"

FARED: Mapping[Outcome, str] = {
    "holds": "here it holds",
    "not measured": "it was not measured here",
    "unequal": "here it is wrong, so it cannot be held against the others",
    "not timed": "here it was not timed, so it cannot be held against the others",
    "unclear": "this look cannot say whether it holds",
    "no rival": "nothing of another kind was timed that it could be held against",
}
"""How a rule of thumb fared, where there is no more to say of it."""

SQLITE_NOTE = (
    "SQLite runs inside this process, where one more statement costs next to nothing (N+1 is nearly free). "
    "A server adds a round trip to every statement, so these ratios must not be carried over to one."
)


def findings(summary: CaseSummary) -> tuple[str, ...]:
    """Return the sentences of a case: what was not timed, the verdict, the rule of thumb, the collector, the note."""
    return (
        *_failures(summary),
        *(_verdict(summary) if _claims(summary) else _look(summary)),
        *_rule_of_thumb(summary),
        *_collector(summary),
        *([SQLITE_NOTE] if summary.case.targets[0].dialect == "sqlite" and summary.best else []),
    )


def _failures(summary: CaseSummary) -> Iterator[str]:
    for arm in summary.case.arms:
        if arm.error is not None:
            wrong = arm.kind == "strategy" and fault_text(arm) == WRONG
            yield f"{arm.name} {'is wrong and not ranked' if wrong else 'was not timed'}: {_sentence(arm.error)}"


def _claims(summary: CaseSummary) -> bool:
    fastest = _best_row(summary)
    return fastest is not None and fastest.quiet is not None and fastest.quiet.low is not None


def _best_row(summary: CaseSummary) -> ArmSummary | None:
    return next((row for row in summary.rows if row.arm.name == summary.best), None)


def _verdict(summary: CaseSummary) -> Iterator[str]:
    """Who is fastest or ties for it, then everybody else, put together by what explains them."""
    fastest = _best_row(summary)
    if fastest is None or fastest.quiet is None:
        return
    ties = [row.arm.name for row in summary.rows if row.tied]
    at = time_text(fastest.quiet)
    slower = [row for row in summary.rows if row.to_best is not None and not row.tied]
    groups = _grouped(slower, fastest)
    if ties:
        verdict = f"{listed([fastest.arm.name, *ties])} tie for the fastest, {fastest.arm.name} at {at}"
    elif slower:
        verdict = f"{fastest.arm.name} is the fastest, at {at}"
    else:
        verdict = f"{fastest.arm.name} takes {at}; no other strategy was timed beside it"
    yield "; ".join([verdict, *groups[:1]]) + "."
    if groups[1:]:
        yield "; ".join(groups[1:]) + "."


def _look(summary: CaseSummary) -> Iterator[str]:
    """What may be said without an interval: that it is a look, what came out of it, and the counts, which are exact."""
    fastest = _best_row(summary)
    if fastest is None or fastest.quiet is None:
        yield "Nothing was timed, so nothing is said about time."
    else:
        yield (
            f"Nothing is claimed about time: {counted(fastest.quiet.workers, 'worker')} sampled it, and an interval "
            f"needs {FEWEST_WORKERS}. In this look {fastest.arm.name} took the least, {time_text(fastest.quiet)}."
        )
    equal = [row for row in summary.rows if row.arm.error is None]
    groups = [
        f"{listed([row.arm.name for row in rows])}: {reason}" for reason, rows in _by_reason(equal, fastest) if reason
    ]
    if groups:
        yield f"The counts are exact all the same. {'; '.join(groups)}."


def _grouped(rows: Sequence[ArmSummary], fastest: ArmSummary) -> list[str]:
    return [_slower(members) + (f": {reason}" if reason else "") for reason, members in _by_reason(rows, fastest)]


def _by_reason(rows: Sequence[ArmSummary], fastest: ArmSummary | None) -> list[tuple[str, list[ArmSummary]]]:
    groups: dict[str, list[ArmSummary]] = {}
    for row in rows:
        groups.setdefault(_reason(row, fastest), []).append(row)
    return list(groups.items())


def _slower(rows: Sequence[ArmSummary]) -> str:
    """`joined takes 1.35x as long (1.31-1.39), contains_eager 1.38x (1.35-1.41)`."""
    ratios = [(row.arm.name, row.to_best) for row in rows if row.to_best is not None]
    (name, ratio), *others = ratios
    return ", ".join([f"{name} takes {ratio_text(ratio, 'as long')}"] + [f"{n} {ratio_text(r)}" for n, r in others])


def _reason(row: ArmSummary, fastest: ArmSummary | None) -> str:
    """What was counted of a strategy that sets it apart from the fastest; empty where nothing does."""
    counters = row.arm.counters
    if counters is None:
        return ""
    least = fastest.arm.counters if fastest else None
    if counters.repeated_rows > (least.repeated_rows if least else 0):
        repeat = "repeats" if counters.repeated_rows == 1 else "repeat"
        rows = counted(counters.rows, "row")
        return f"{rows} came back, {count_text(counters.repeated_rows)} of them {repeat} a parent"
    if least is not None and counters.statements > MANY_STATEMENTS * least.statements:
        return f"{counted(counters.statements, 'statement')} went out, against {count_text(least.statements)}"
    return ""


def _rule_of_thumb(summary: CaseSummary) -> Iterator[str]:
    held = rule_held(summary)
    if held is not None:
        says = _sentence(summary.case.scenario.rule_says)[:-1]
        yield f"The rule of thumb says {held.strategy} ({says}): {_fared(held)}."


def _fared(held: Held) -> str:
    """How the rule of thumb fared, as the end of a sentence."""
    best = held.leaders[0]
    if held.price is not None:
        return f"here it does not hold, {held.strategy} takes {ratio_text(held.price, f'as long as {best}')}"
    if held.outcome == "ties":
        return f"here it ties with {listed(held.others)}, nothing speaks for or against it"
    if held.outcome == "holds" and held.strategy not in held.leaders:
        return f"here it holds, {best} being the fastest of that kind"
    return FARED[held.outcome]


def _collector(summary: CaseSummary) -> Iterator[str]:
    """The garbage collector's price where it is as high as the load's own, and the setting that was measured with it.

    Said of one strategy: the fastest of those that were sampled with the tuned thresholds too, else of all.
    """
    costly = [row for row in summary.rows if row.collector and row.collector.value >= COLLECTOR_DOMINATES]
    tuned = [row for row in costly if row.collector_tuned]
    for row in (tuned or costly)[:1]:
        assert row.collector is not None
        cost = f"{row.arm.name} takes {ratio_text(row.collector, 'its quiet time')}"
        cure = f"; {TUNED} brings that to {ratio_text(row.collector_tuned)}" if row.collector_tuned else ""
        yield f"With Python's default garbage collector {cost}{cure}."


def _sentence(text: str) -> str:
    """A text from the run as one line that ends in a full stop."""
    line = " ".join(text.split()).rstrip(".")
    return f"{line}."
