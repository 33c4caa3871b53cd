"""Across targets: what a database version, a driver or the network changes, strategy by strategy.

Replicate i of every target was up at the same time, and a round goes over the arms of all of them: the samples of one
round of one replicate are pairs across targets, as they are across strategies within one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from bench.model import Arm, Case, Run
from bench.model.run import TWIN_MARK
from bench.reduce.estimates import estimate
from bench.reduce.pairing import Grid, grid, paired_medians, paired_ratio
from bench.reduce.summaries import is_tied, noise_of, summarise
from bench.reduce.types import AcrossTargets, CaseSummary, Estimate, OnTarget
from bench.reduce.views import views

FEWEST_CLUSTERS = 3
"""Fresh servers of each version without which nothing is claimed of versions: one cluster's layout on disk and in
memory is one sample."""

FEWEST_POOLED = 2
"""Strategies without which a ratio over all of them would only say again what the one says."""


def across(case: Case, summaries: Sequence[CaseSummary] | None = None) -> AcrossTargets | None:
    """Compare the targets of a case; None where it has only one.

    summaries: its views reduced, where the caller has them already.
    """
    if len(case.targets) < 2:
        return None
    seen = tuple(summarise(view) for view in views(case)) if summaries is None else tuple(summaries)
    twin, twins = _twins(case)
    noise = noise_of(twins)
    rows = tuple(_row(row.arm, seen, noise) for row in seen[0].rows if row.arm.error is None)
    pools = [_overall(rows, at) for at in range(len(seen))]
    return AcrossTargets(
        case=case,
        views=seen,
        rows=rows,
        overall=tuple(overall for overall, _ in pools),
        pooled=tuple(pooled for _, pooled in pools),
        twin=twin,
        twins=twins,
        noise=noise,
        two_servers=tuple(_two_servers(case)),
        mixed_origins=_are_mixed(case),
    )


def by_case(
    run: Run, summaries: Sequence[CaseSummary]
) -> Iterator[tuple[AcrossTargets | None, tuple[CaseSummary, ...]]]:
    """Yield the comparison of each case's targets with the summaries of its views, in the order of the run.

    summaries: of the whole run, as `summarise_all` gives them.
    """
    start = 0
    for case in run.cases:
        end = start + len(case.targets)
        of_case = tuple(summaries[start:end])
        yield across(case, of_case), of_case
        start = end


def _twins(case: Case) -> tuple[Arm | None, Estimate | None]:
    """Return the twin that stands on a server or a worker of its own, and its ratio to what it repeats."""
    names = {target.name + TWIN_MARK: target.name for target in case.targets}
    for twin in case.arms:
        if twin.target in names and twin.error is None:
            for arm in case.arms:
                if (arm.target, arm.strategy, arm.kind) == (names[twin.target], twin.strategy, "strategy"):
                    return twin, paired_ratio(grid(twin, "quiet"), grid(arm, "quiet"))
    return None, None


def _row(arm: Arm, seen: Sequence[CaseSummary], noise: float | None) -> tuple[OnTarget, ...]:
    """Return a strategy on every target, held against its arm on the first."""
    yardstick = grid(arm, "quiet")
    return tuple(_cell(arm.name, summary, yardstick if at else None, noise) for at, summary in enumerate(seen))


def _cell(name: str, summary: CaseSummary, yardstick: Grid | None, noise: float | None) -> OnTarget:
    row = next((row for row in summary.rows if row.arm.name == name), None)
    if row is None or row.quiet is None:
        return OnTarget(arm=row.arm if row else None)
    ratio = paired_ratio(grid(row.arm, "quiet"), yardstick) if yardstick is not None else None
    tied = ratio is not None and is_tied(ratio, noise)
    return OnTarget(arm=row.arm, time=row.quiet, to_baseline=ratio, tied=tied)


def _overall(rows: Sequence[Sequence[OnTarget]], at: int) -> tuple[Estimate | None, int]:
    """Return a target's ratio to the first over all strategies, and how many these are.

    A strategy that some replicate lacks is left out of all: another mix of strategies would look like another time.
    """
    found = [
        paired_medians(grid(there, "quiet"), grid(here, "quiet"))
        for row in rows
        if row[at].to_baseline and (there := row[at].arm) and (here := row[0].arm)
    ]
    replicates = {replicate for medians, _ in found for replicate in medians}
    whole = [(medians, pairs) for medians, pairs in found if medians.keys() == replicates]
    if len(whole) < FEWEST_POOLED:
        return None, 0
    means = [
        math.exp(math.fsum(math.log(medians[each]) for medians, _ in whole) / len(whole)) for each in sorted(replicates)
    ]
    return estimate(means, samples=sum(pairs for _, pairs in whole)), len(whole)


def _two_servers(case: Case) -> Iterator[str]:
    first = case.targets[0]
    for target in case.targets[1:]:
        another = target.dialect == first.dialect and target.server_version != first.server_version
        if another and min(first.clusters, target.clusters) < FEWEST_CLUSTERS:
            yield target.name


def _are_mixed(case: Case) -> bool:
    """Whether servers of one kind are of several builds; where a user's own server is from is not known."""
    builds = {(target.dialect, target.origin) for target in case.targets}
    return len(builds) > len({dialect for dialect, _ in builds})
