"""The lines under a comparison of targets: how it was taken, what stood between, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Iterator

from bench.model import Counters
from bench.model.run import FEWEST_WORKERS, TWIN_MARK, AddedDelay
from bench.reduce.types import AcrossTargets, OnTarget
from bench.report.targets import OVERALL, UNKNOWN, target_headers, target_legend
from bench.report.units import (
    APPROXIMATE,
    NO_INTERVAL,
    RANGE,
    count_text,
    counted,
    interval_text,
    listed,
    ratio_text,
    share_text,
)

BUILDS_DIFFER = "Builds differ more than versions do: this mix was asked for."


def target_notes(compared: AcrossTargets) -> tuple[str, ...]:
    """Return the lines under the table of a comparison."""
    return tuple(
        line
        for line in (
            *target_legend(compared),
            _ratios(compared),
            _pooled(compared),
            _counts(compared),
            _noise(compared),
            _approximate(compared),
            _servers(compared),
            *_delays(compared),
            _jit(compared),
            _origins(compared),
            *_doubts(compared),
        )
        if line
    )


def origin_note(compared: AcrossTargets | None, at: int) -> str:
    """The line under one target's own table where the targets' origins differ; empty where they do not."""
    if compared is None or not compared.mixed_origins:
        return ""
    target = compared.case.targets[at]
    return f"Origin of this server: {target.origin or UNKNOWN}. {BUILDS_DIFFER}"


def added_text(delay: AddedDelay) -> str:
    """What was asked to be added to a round trip, and what was: `RTT 1 ms asked, 1.02 ms added; the proxy ...`."""
    return f"RTT {_ms(delay.asked_ns)} asked, {_ms(delay.added_ns)} added; the proxy itself adds {_ms(delay.proxy_ns)}"


def _ratios(compared: AcrossTargets) -> str:
    first = target_headers(compared)[0]
    if not any(row[0].time for row in compared.rows):
        return ""
    return (
        f"{first}: the time of one load; the others: how many times as long it takes there as on {first}, by samples "
        "of the same round, with its 95 % interval."
    )


def _pooled(compared: AcrossTargets) -> str:
    pooled = sorted({count for count in compared.pooled if count})
    if not pooled:
        return ""
    each = RANGE.join(map(str, dict.fromkeys((pooled[0], pooled[-1]))))
    return f"{OVERALL.capitalize()}: the geometric mean of {each} strategies in each replicate, then over replicates."


def _counts(compared: AcrossTargets) -> str:
    """Whether the exact counts are equal, as they have to be for times to be compared by the server alone."""
    differing = [said for row in compared.rows if (said := _differing(row, target_headers(compared)))]
    if differing:
        return f"Statements or rows differ: {'; '.join(differing)}."
    if any(on.arm and on.arm.counters for row in compared.rows for on in row):
        return "Statements and rows are equal on every target."
    return ""


def _differing(row: tuple[OnTarget, ...], headers: tuple[str, ...]) -> str:
    found = [
        (header, _sent(on.arm.counters)) for header, on in zip(headers, row, strict=True) if on.arm and on.arm.counters
    ]
    if len({sent for _, sent in found}) < 2 or row[0].arm is None:
        return ""
    return f"{row[0].arm.name} {', '.join(f'{sent} on {header}' for header, sent in found)}"


def _sent(counters: Counters) -> str:
    return f"{counted(counters.statements, 'statement')} with {counted(counters.rows, 'row')}"


def _noise(compared: AcrossTargets) -> str:
    if compared.twin is None or compared.twins is None:
        return "Noise floor between targets: unknown, for none was measured twice (no A/A pair)."
    name = compared.twin.target.removesuffix(TWIN_MARK)
    at = next(at for at, target in enumerate(compared.case.targets) if target.name == name)
    place = "a server" if compared.case.targets[at].clusters > 1 else "workers"
    what = f"{compared.twin.strategy} on {target_headers(compared)[at]} against itself on {place} of its own"
    if compared.noise is None:
        return f"Noise floor between targets: unknown; {what} came out at {ratio_text(compared.twins)}."
    return (
        f"Noise floor between targets: {share_text(compared.noise)} ({what}: {interval_text(compared.twins)}). "
        "A smaller difference is a tie."
    )


def _approximate(compared: AcrossTargets) -> str:
    shown = [figure for row in compared.rows for on in row for figure in (on.to_baseline,)]
    shown += [row[0].time for row in compared.rows] + list(compared.overall)
    marked = any(figure is not None and figure.low is None for figure in shown)
    return f"{APPROXIMATE} {NO_INTERVAL}: sampled in fewer than {FEWEST_WORKERS} replicates." if marked else ""


def _servers(compared: AcrossTargets) -> str:
    """On how many servers it was sampled, and that it was at the same time."""
    counts = {target.clusters for target in compared.case.targets}
    beside = "all targets up at the same time, a round going over all of them."
    if not any(row[0].time for row in compared.rows):
        return ""
    if counts == {1}:
        return f"Sampled on the same databases throughout, {beside}"
    if len(counts) == 1:
        return f"Sampled on {count_text(counts.pop())} fresh servers of each target, {beside}"
    each = [f"{target.name} on {counted(target.clusters, 'server')}" for target in compared.case.targets]
    return f"Sampled {', '.join(each)}, {beside}"


def _delays(compared: AcrossTargets) -> Iterator[str]:
    for header, target in zip(target_headers(compared), compared.case.targets, strict=True):
        if target.delay is not None:
            yield f"{header}: {added_text(target.delay)}."


def _jit(compared: AcrossTargets) -> str:
    """By which strategies, on which targets, the server compiles a statement; empty where none could be asked."""
    headers = target_headers(compared)
    asked = [(at, on.arm) for row in compared.rows for at, on in enumerate(row) if on.arm and on.arm.jit is not None]
    if not asked:
        return ""
    by_target = [
        (header, [arm.name for at_, arm in asked if at_ == at and arm.jit]) for at, header in enumerate(headers)
    ]
    compiled = [f"on {header} by {listed(names)}" for header, names in by_target if names]
    return f"JIT is used {'; '.join(compiled)}." if compiled else "JIT is used by no strategy on any target."


def _origins(compared: AcrossTargets) -> str:
    if not compared.mixed_origins:
        return ""
    headers = target_headers(compared)
    each = [
        f"{header} {target.origin or UNKNOWN}" for header, target in zip(headers, compared.case.targets, strict=True)
    ]
    return f"Origins: {'; '.join(each)}. {BUILDS_DIFFER}"


def _doubts(compared: AcrossTargets) -> Iterator[str]:
    if compared.case.status == "partial":
        yield "This case was cut short: what was measured until then is shown."
    own = {target.name for target in compared.case.targets}  # the workers of these are told with each of them
    for worker in compared.case.workers:
        if worker.target not in own and worker.ended != "finished":
            yield f"A worker of {worker.target} ended early: {worker.ended}."
    for warning in compared.case.warnings:
        yield f"Warning: {' '.join(warning.text.split())}"


def _ms(time_ns: int) -> str:
    return f"{float(f'{time_ns / 1e6:.3g}'):g} ms"
