"""What a comparison of targets allows one to say: what another version, driver or network changes, and what not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.model.run import FEWEST_WORKERS
from bench.reduce.across import FEWEST_CLUSTERS
from bench.reduce.summaries import is_tied
from bench.reduce.types import AcrossTargets, CaseSummary, Estimate, OnTarget
from bench.report.targets import target_names
from bench.report.units import count_text, counted, listed, plain_time_text, ratio_text, share_text, time_text

MOST_NAMED = 4
"""Strategies that a sentence names with their ratios; of more it names the ends."""

TWO_SERVERS = (
    f"is a comparison of servers, not of versions: a version is only claimed to differ by {FEWEST_CLUSTERS} fresh "
    "clusters of each or more, for one cluster's layout on disk and in memory is one sample."
)


def target_findings(compared: AcrossTargets) -> tuple[str, ...]:
    """Return the sentences of a comparison: each target against the baseline, what that is not, who is the fastest."""
    names = target_names(compared.case)
    return (
        *(_differences(compared, names) if _claims(compared) else _look(compared)),
        *_servers(compared, names),
        *_fastest(compared.views, names),
        *_round_trips(compared, names),
    )


def _claims(compared: AcrossTargets) -> bool:
    return any(on.to_baseline and on.to_baseline.low is not None for row in compared.rows for on in row)


def _look(compared: AcrossTargets) -> Iterator[str]:
    ratios = [on.to_baseline for row in compared.rows for on in row if on.to_baseline]
    if not ratios:
        yield "Nothing was timed on two targets, so nothing is said about what they change."
    else:
        most = max(ratio.workers for ratio in ratios)
        yield (
            f"Nothing is claimed about what the targets change: {counted(most, 'replicate')} sampled it, and an "
            f"interval needs {FEWEST_WORKERS}."
        )


def _differences(compared: AcrossTargets, names: Sequence[str]) -> Iterator[str]:
    for at, name in enumerate(names):
        told = [(row[at], row[at].to_baseline) for row in compared.rows]
        apart = [(_name(on), ratio) for on, ratio in told if ratio and ratio.low is not None and not on.tied]
        tied = [_name(on) for on, _ in told if on.tied]
        if apart or tied:
            yield _difference(name, names[0], apart, tied, compared.noise) + _overall(compared, at)


def _difference(
    name: str, first: str, apart: Sequence[tuple[str, Estimate]], tied: Sequence[str], noise: float | None
) -> str:
    """Put what sets a target apart from the first in a sentence: the strategies that differ, then those that tie."""
    floor = f"noise floor {share_text(noise)}" if noise is not None else "noise floor unknown"
    if not apart:
        strategies = tied[0] if len(tied) == 1 else f"any of {count_text(len(tied))} strategies"
        return f"No difference can be told between {name} and {first} with {strategies} ({floor})."
    rest = f"; with {listed(list(tied))} no difference can be told ({floor})" if tied else ""
    shown = sorted(apart, key=lambda each: each[1].value)
    if len(shown) > MOST_NAMED:
        (least, low), (most, high) = shown[0], shown[-1]
        return (
            f"{name} takes from {ratio_text(low, f'as long as {first} with {least}')} to "
            f"{ratio_text(high, f'with {most}')}{rest}."
        )
    (strategy, ratio), *others = shown
    told = [f"{name} takes {ratio_text(ratio, f'as long as {first} with {strategy}')}"]
    told += [ratio_text(other, f"with {strategy}") for strategy, other in others]
    return f"{', '.join(told)}{rest}."


def _overall(compared: AcrossTargets, at: int) -> str:
    ratio = compared.overall[at]
    if ratio is None or ratio.low is None:
        return ""
    over = f"Over {counted(compared.pooled[at], 'strategy', 'strategies')} together"
    if is_tied(ratio, compared.noise):
        return f" {over} no difference can be told."
    return f" {over} it takes {ratio_text(ratio, 'as long')}."


def _servers(compared: AcrossTargets, names: Sequence[str]) -> Iterator[str]:
    short = [
        name for name, target in zip(names, compared.case.targets, strict=True) if target.name in compared.two_servers
    ]
    if short:
        yield f"{listed(short)} against {names[0]} {TWO_SERVERS}"


def _fastest(views: Sequence[CaseSummary], names: Sequence[str]) -> Iterator[str]:
    """Who is the fastest on which of the targets; on which of them that may be claimed is told apart."""
    for claimed, says in ((True, "The fastest is"), (False, "In this look the least time is taken by")):
        leaders: dict[str, list[str]] = {}
        for view, name in zip(views, names, strict=True):
            fastest = next((row.quiet for row in view.rows if row.arm.name == view.best), None)
            if fastest is not None and (fastest.low is not None) == claimed:
                leaders.setdefault(_leaders(view), []).append(name)
        if len(leaders) == 1 and len(next(iter(leaders.values()))) == len(names):
            yield f"{says} {next(iter(leaders))} on {'both' if len(names) == 2 else 'every target'}."
        elif leaders:
            yield f"{says} {'; '.join(f'{who} on {listed(where)}' for who, where in leaders.items())}."


def _leaders(view: CaseSummary) -> str:
    """Who is the fastest, or ties for it; the same words wherever it is the same strategies."""
    leaders = [row.arm.name for row in view.rows if row.arm.name == view.best or row.tied]
    return listed(sorted(leaders)) + (" (tie)" if len(leaders) > 1 else "")


def _round_trips(compared: AcrossTargets, names: Sequence[str]) -> Iterator[str]:
    """What an added round-trip time alone explains, of the strategy that sends the most statements.

    Said of targets that differ from the baseline target in nothing else.
    """
    first, asked = compared.case.targets[0], compared.case.spec.targets
    counted_rows = [row for row in compared.rows if row[0].arm and row[0].arm.counters]
    if not counted_rows:
        return
    row = max(counted_rows, key=lambda row: _sent(row[0]))
    for at, target in enumerate(compared.case.targets):
        alike = asked[at].server == asked[0].server and target.driver == first.driver
        more_ns = (target.delay.added_ns if target.delay else 0) - (first.delay.added_ns if first.delay else 0)
        if at and alike and more_ns > 0 and row[0].time and (ratio := row[at].to_baseline):
            yield _explained(row, more_ns, ratio, names[at])


def _explained(row: Sequence[OnTarget], more_ns: int, ratio: Estimate, name: str) -> str:
    sent, before = _sent(row[0]), row[0].time
    assert before is not None
    added_ns = (sent + 1) * more_ns  # the BEGIN is inside the clock too, the ROLLBACK is not
    return (
        f"{_name(row[0])} sends BEGIN and {counted(sent, 'statement')}: at {plain_time_text(more_ns)} more for each, "
        f"on {name}, that is "
        f"{plain_time_text(added_ns)} on top of {time_text(before)}, or {1 + added_ns / before.value:.3g}x; "
        f"{ratio_text(ratio)} was measured."
    )


def _sent(on: OnTarget) -> int:
    return on.arm.counters.statements if on.arm and on.arm.counters else 0


def _name(on: OnTarget) -> str:
    return on.arm.name if on.arm else ""
