"""Which charts a run gets, and what their files are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from bench.model.profile import Looked
from bench.reduce.bill import bill
from bench.reduce.catalogue_summary import Won
from bench.reduce.types import AcrossTargets, CaseSummary, Crossover
from bench.report.charts.bill import draw_bills
from bench.report.charts.canvas import Chart, drawing
from bench.report.charts.counts import draw_counts
from bench.report.charts.crossover import draw_crossover
from bench.report.charts.palette import Hue, palette
from bench.report.charts.prices import draw_prices
from bench.report.charts.samples import draw_samples
from bench.report.charts.targets import draw_targets
from bench.report.charts.times import draw_times
from bench.report.profile_text import by_target, title_of

Amount = Literal["few", "all"]
ProfileKey = tuple[str, str, str]

MOST_CASES_DRAWN = 12
"""Cases that a run may have for all of them to get charts, three each, without being asked: one takes 0.1 s."""

FIRST_CASES_DRAWN = 6
"""Cases that get charts in a run that has more: nobody looks at them all, and the report is there sooner."""

MOST_CROSSOVERS_DRAWN = 6
"""Crossovers of a run that get a chart, unless all are asked for: a grid of sizes has one for each row and column."""

SUMMARY_STEM = "summary-prices"

_LONGEST_STEM = 80
_FILE = re.compile(
    r"([a-z0-9_-]+)-(?:time|counts|samples|crossover|targets|bill|bill-shares)(?:-[0-9]+)?\.(?:svg|png)", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charts:
    """The charts of a run.

    cases: by the place of the view among all of the run's, empty where there was nothing to draw. crossovers: by the
    place of the crossover. targets: comparisons of a case's targets, by the place of the case in the run. series,
    compared: how many of the crossovers and of the comparisons were looked at. hues: the colours of the strategies.
    summary: of a run of several scenarios. profiles: the bills of what was profiled.
    """

    cases: Mapping[int, tuple[Chart, ...]] = field(default_factory=dict)
    crossovers: Mapping[int, Chart] = field(default_factory=dict)
    targets: Mapping[int, Chart] = field(default_factory=dict)
    series: int = 0
    compared: int = 0
    hues: Mapping[str, Hue] = field(default_factory=dict)
    summary: Chart | None = None
    profiles: Mapping[ProfileKey, tuple[Chart, ...]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Chart]:
        """Every chart, the summary and the crossovers first."""
        if self.summary:
            yield self.summary
        yield from self.crossovers.values()
        yield from self.targets.values()
        for charts in self.cases.values():
            yield from charts
        for charts in self.profiles.values():
            yield from charts


def draw_charts(
    summaries: Sequence[CaseSummary],
    crossovers: Sequence[Crossover],
    comparisons: Mapping[int, AcrossTargets] = MappingProxyType({}),
    *,
    wins: Sequence[Won] = (),
    looks: Sequence[Looked] = (),
    amount: Amount = "few",
) -> Charts:
    """Draw the summary, the crossovers, the comparisons of targets and the cases of a run.

    comparisons: by the place of their case in the run. wins: of several scenarios, as `catalogue_summary` gives them.
    looks: what was profiled, of which the bills are drawn. amount: `all`, or `few`: the first MOST_CROSSOVERS_DRAWN
    crossovers and comparisons, and of more than
    MOST_CASES_DRAWN cases the first FIRST_CASES_DRAWN; a case of several targets counts once for each.

    A case of which nothing was timed or counted has the fewer charts, or none.
    """
    hues = run_hues(summaries)
    few = amount == "few"
    shown = summaries[:FIRST_CASES_DRAWN] if few and len(summaries) > MOST_CASES_DRAWN else summaries
    series = crossovers[:MOST_CROSSOVERS_DRAWN] if few else crossovers
    shown_targets = list(comparisons.items())[: MOST_CROSSOVERS_DRAWN if few else None]
    stems = _Stems()
    with drawing():
        summary = draw_prices(wins, hues, stem=SUMMARY_STEM) if wins else None
        lines = {at: _crossover(crossover, hues, stems) for at, crossover in enumerate(series)}
        targets = {at: _targets(compared, hues, stems) for at, compared in shown_targets}
        cases = {at: tuple(_case(summary, hues, stems)) for at, summary in enumerate(shown)}
    bills = draw_profiles(looks, most=MOST_CASES_DRAWN if few else None)
    return Charts(
        cases=cases,
        crossovers={at: chart for at, chart in lines.items() if chart},
        targets={at: chart for at, chart in targets.items() if chart},
        series=len(lines),
        compared=len(targets),
        hues=hues,
        summary=summary,
        profiles=bills,
    )


def draw_profiles(looks: Sequence[Looked], *, most: int | None = None) -> dict[ProfileKey, tuple[Chart, ...]]:
    """Draw the bills of what was profiled, in time and in shares, by what it is of: scenario, size and target.

    most: how many of these to draw, None for all.
    """
    stems = _Stems()
    drawn = {}
    with drawing():
        for own in by_target(looks)[:most]:
            bills = [(looked.strategy, bill(looked)) for looked in own if looked.times and not looked.error]
            words = own[0].scenario, own[0].size, own[0].target
            if bills:
                drawn[words] = tuple(
                    draw_bills(bills, measured=title_of(own[0]), relative=relative, stem=stems.take(*words, kind))
                    for relative, kind in ((False, "bill"), (True, "bill-shares"))
                )
    return drawn


def run_hues(summaries: Iterable[CaseSummary]) -> dict[str, Hue]:
    """The hue of every strategy of a run."""
    return palette({arm.strategy for summary in summaries for arm in summary.case.arms})


def _crossover(crossover: Crossover, hues: dict[str, Hue], stems: _Stems) -> Chart | None:
    case = crossover.cases[0].case
    stem = stems.take(case.spec.scenario, crossover.fixed, case.targets[0].name, "crossover")
    return draw_crossover(crossover, hues, stem=stem)


def _targets(compared: AcrossTargets, hues: dict[str, Hue], stems: _Stems) -> Chart | None:
    spec = compared.case.spec
    return draw_targets(compared, hues, stem=stems.take(spec.scenario, str(spec.size), "targets"))


def _case(summary: CaseSummary, hues: dict[str, Hue], stems: _Stems) -> Iterator[Chart]:
    spec, target = summary.case.spec, summary.case.targets[0]
    drawers = []
    if summary.best is not None:
        drawers.append((draw_times, "time"))
    if any(row.arm.counters for row in summary.rows):
        drawers.append((draw_counts, "counts"))
    if summary.best is not None:
        drawers.append((draw_samples, "samples"))
    for draw, kind in drawers:
        yield draw(summary, hues, stem=stems.take(spec.scenario, str(spec.size), target.name, kind))


def is_ours(name: str, scenarios: Iterable[str]) -> bool:
    """Whether a file of that name is a chart that a run of these scenarios may have been given, now or before."""
    if name in (f"{SUMMARY_STEM}.svg", f"{SUMMARY_STEM}.png"):
        return True
    made = _FILE.fullmatch(name)
    return made is not None and any(
        made[1].startswith(f"{_plain(scenario)[:_LONGEST_STEM]}-") for scenario in scenarios
    )


def _plain(*words: str) -> str:
    return "-".join(re.sub(r"[^a-z0-9_]+", "-", word.lower()).strip("-") for word in words)


class _Stems:
    """File names without an ending: plain lower-case ASCII whatever the run calls things, and no two alike."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, *words: str) -> str:
        stem = base = f"{_plain(*words[:-1])[:_LONGEST_STEM].strip('-') or 'case'}-{words[-1]}"
        number = 2
        while stem in self._taken:
            stem, number = f"{base}-{number}", number + 1
        self._taken.add(stem)
        return stem
