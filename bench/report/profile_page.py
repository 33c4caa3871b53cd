"""What the HTML of a profile says, as plain values in the order of the page: the bill, then strategy by strategy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from bench.model import Case
from bench.model.profile import Looked, Sending, StatementPlan
from bench.reduce.bill import Bill, Line, bill
from bench.report.bill_text import ms_text, note_lines, price_text
from bench.report.charts.bill import PART_HUES, UNCLAIMED
from bench.report.charts.canvas import Chart
from bench.report.charts.inline import colour, inline_svg
from bench.report.charts.palette import Hue
from bench.report.page_parts import Cell, Row, Table
from bench.report.plan_text import plan_difference, tree_text
from bench.report.profile_tables import Titled, functions_table, further_notes, further_tables
from bench.report.profile_text import by_target, links, title_of
from bench.report.sent_statements import heading, parameters_text, sum_line, what
from bench.report.sql_text import folded, formatted
from bench.report.units import counted, listed, share_text

TREE_WIDTH = 110
"""Columns of a plan and of a difference: what a desk shows without scrolling."""

PROFILE_HUES = PART_HUES
"""The colours of a profile that are not a strategy's; a dark page has to set them."""

MOST_NAMED = 6
"""Strategies that a sentence names."""

Key = tuple[str, str, str]
"""What a profile is of: the scenario's name, the size and the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A statement of a strategy. took: what its executions took in all; plan: as a tree, empty where none was asked."""

    heading: str
    took: str
    line: str
    code: str
    sql: str
    parameters: str
    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """What was seen of one strategy; error: why nothing was; unseen: what else was not, and why.

    summary: what stands beside its folded name.
    """

    name: str
    colour: str
    summary: str
    repeated: bool = False
    error: str = ""
    unseen: tuple[str, ...] = ()
    line: str = ""
    sent: tuple[Sent, ...] = ()
    plans: tuple[str, ...] = ()
    functions: Table | None = None
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """How the plans of a strategy differ from those on another target: lines that begin with `-`, `+` or neither."""

    title: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSection:
    """The profile of one scenario at one size on one target."""

    title: str
    anchor: str = ""
    findings: tuple[str, ...] = ()
    charts: tuple[Markup, ...] = ()
    bill: Table | None = None
    notes: tuple[str, ...] = ()
    differences: tuple[Differences, ...] = ()
    strategies: tuple[Strategy, ...] = ()
    tables: tuple[Titled, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePage:
    """The whole of profile.html."""

    title: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[ProfileSection, ...]
    dark: Mapping[str, str] = field(default_factory=dict)


def key_of(looked: Looked) -> Key:
    """Say what a profile is of."""
    return looked.scenario, looked.size, looked.target


def case_key(case: Case) -> Key:
    """Say what the profile of a case on its first target is of."""
    return case.scenario.name, str(case.spec.size), case.targets[0].name


def profile_sections(
    looks: Sequence[Looked], charts: Mapping[Key, Sequence[Chart]], hues: Mapping[str, Hue]
) -> dict[Key, ProfileSection]:
    """Lay out what was profiled, by what it is of. charts: the bills as they were drawn; hues: of the strategies."""
    return {
        key_of(own[0]): _section(own, looks, charts.get(key_of(own[0]), ()), hues, anchor=f"profile-{number}")
        for number, own in enumerate(by_target(looks), start=1)
    }


def _section(
    own: Sequence[Looked], looks: Sequence[Looked], charts: Sequence[Chart], hues: Mapping[str, Hue], *, anchor: str
) -> ProfileSection:
    timed = billed(own)
    bills = {looked.strategy: found for looked, found in timed}
    return ProfileSection(
        title=title_of(own[0]),
        anchor=anchor,
        findings=tuple(_findings(own, timed)),
        charts=tuple(Markup(inline_svg(chart)) for chart in charts),  # noqa: S704 - ElementTree has escaped it
        bill=_bill_table(timed, hues) if timed else None,
        notes=(*(note_lines(timed) if timed else ()), *further_notes(own)),
        tables=tuple(further_tables(own, hues)),
        differences=tuple(_differences(own, looks)),
        strategies=tuple(_strategy(looked, bills.get(looked.strategy), hues) for looked in own),
    )


def billed(looks: Sequence[Looked]) -> list[tuple[Looked, Bill]]:
    """Return the strategies whose time was split, each with its bill."""
    return [(looked, bill(looked)) for looked in looks if looked.times is not None and not looked.error]


def _findings(own: Sequence[Looked], timed: Sequence[tuple[Looked, Bill]]) -> Iterator[str]:
    """Say what stands out: where most of the time goes, who repeats a statement, what could not be profiled."""
    largest: dict[str, list[tuple[str, float]]] = {}
    for looked, found in timed:
        part = max(found.parts, key=lambda line: line.ns)
        largest.setdefault(part.name, []).append((looked.strategy, part.share))
    for name, strategies in largest.items():
        yield f"{name[:1].upper()}{name[1:]}: the largest part of {_shares(strategies)}."
    if repeating := [looked for looked in own if _n_plus_one(looked)]:
        yield f"N+1, a statement sent again for each entity: {_repeating(repeating)}."
    if failed := [looked.strategy for looked in own if looked.error]:
        yield f"Not profiled: {listed(failed)}; the reason stands with each."
    if partly := [looked.strategy for looked in own if looked.unseen]:
        yield f"Not all could be seen of {listed(partly)}; the reason stands with each."


def _n_plus_one(looked: Looked) -> list[Sending]:
    return [sending for sending in looked.sendings if sending.is_n_plus_one]


def _shares(strategies: Sequence[tuple[str, float]]) -> str:
    """Name strategies with a share of each; of many only how many they are, and between which shares."""
    if len(strategies) <= MOST_NAMED:
        return listed([f"{name} ({share_text(share)})" for name, share in strategies])
    low, high = (share_text(end([share for _, share in strategies])) for end in (min, max))
    return f"{len(strategies)} strategies, {low if low == high else f'{low} to {high}'} of each"


def _repeating(looks: Sequence[Looked]) -> str:
    """Name strategies with what they send again and again; of many, that which does so the most."""
    most = {looked.strategy: max(_n_plus_one(looked), key=lambda sending: sending.executions) for looked in looks}
    named = sorted(most.items(), key=lambda item: -item[1].executions)
    shown = [f"{name} ({what(sending)} {sending.executions:,} times)" for name, sending in named[:MOST_NAMED]]
    more = len(named) - len(shown)
    return listed([*shown, *([f"{more} more"] if more else [])])


def _bill_table(timed: Sequence[tuple[Looked, Bill]], hues: Mapping[str, Hue]) -> Table:
    """Strategies down, parts across: milliseconds, and the share beside them."""
    order = {name: at for at, name in enumerate(PART_HUES)}
    names = sorted({part.name for _, found in timed for part in found.parts}, key=lambda name: order[name])
    headers = [("ms, share", False), ("in all", True), *((name, True) for name in names)]
    return Table(
        caption=f"The bill of each strategy: {title_of(timed[0][0])}",
        headers=(*headers, (UNCLAIMED, True), ("observing costs", True)),
        rows=tuple(
            Row(
                name=Cell(value=looked.strategy, numeric=False),
                colour=_colour(looked.strategy, hues),
                cells=(Cell(value=ms_text(found.wall_ns)), *_part_cells(found, names), _price_cell(found)),
            )
            for looked, found in timed
        ),
    )


def _part_cells(found: Bill, names: Sequence[str]) -> Iterator[Cell]:
    parts = {part.name: part for part in found.parts}
    for name in names:
        yield _line_cell(parts[name]) if name in parts else Cell(value="")
    yield _line_cell(found.residual)


def _line_cell(line: Line) -> Cell:
    return Cell(value=ms_text(line.ns), interval=share_text(max(0.0, line.share)))


def _price_cell(found: Bill) -> Cell:
    value, _, interval = price_text(found).partition(", ")
    return Cell(value=value, interval=f"({interval})")


def _differences(own: Sequence[Looked], looks: Sequence[Looked]) -> Iterator[Differences]:
    """Yield how the plans on a target differ from those on the first that the same load was profiled on."""
    scenario, size, target = key_of(own[0])
    same = [looked for looked in looks if (looked.scenario, looked.size) == (scenario, size)]
    first = {looked.strategy: looked for looked in same if looked.target == same[0].target}
    for looked in own:
        before = first.get(looked.strategy)
        if target == same[0].target or before is None or before.error or looked.error:
            continue
        if change := plan_difference(before, looked, width=TREE_WIDTH):
            yield difference_of(change)


def difference_of(change: str) -> Differences:
    """Lay a difference out, as `plan_difference` gives it."""
    title, *lines = change.splitlines()
    return Differences(title=title, lines=tuple((_kind(line), line) for line in lines))


def _kind(line: str) -> str:
    return {"-": "gone", "+": "new"}.get(line.lstrip()[:1], "") if line.startswith("  ") else "sql"


def _strategy(looked: Looked, found: Bill | None, hues: Mapping[str, Hue]) -> Strategy:
    if looked.error:
        return Strategy(
            name=looked.strategy, colour=_colour(looked.strategy, hues), summary="not profiled", error=looked.error
        )
    executions = counted(sum(one.executions for one in looked.sendings), "statement")
    rows = counted(sum(one.rows for one in looked.sendings), "row")
    return Strategy(
        name=looked.strategy,
        colour=_colour(looked.strategy, hues),
        summary=", ".join([*([f"{ms_text(found.wall_ns)} ms"] if found else []), executions, rows]),
        repeated=bool(_n_plus_one(looked)),
        unseen=looked.unseen,
        line=sum_line(looked.sendings),
        sent=tuple(_sent(number, sending, looked, found) for number, sending in enumerate(looked.sendings, start=1)),
        plans=tuple(_plans_of_none(looked)),
        functions=functions_table(looked.calls, looked.strategy) if looked.calls else None,
        links=links(looked),
    )


def _sent(number: int, sending: Sending, looked: Looked, found: Bill | None) -> Sent:
    spent = next((line for line in found.statements if line.sql == sending.sql), None) if found else None
    return Sent(
        heading=heading(number, sending),
        took=f"{ms_text(spent.ns)} ms, {share_text(spent.share)} of the load" if spent else "",
        line=sending.line,
        code=sending.code,
        sql=formatted(folded(sending.sql)),
        parameters=parameters_text(sending),
        plan=next((_tree(plan) for plan in looked.plans if plan.sql == sending.sql), ""),
    )


def _plans_of_none(looked: Looked) -> Iterator[str]:
    """Yield the plans of statements that stand nowhere else."""
    sent = {sending.sql for sending in looked.sendings}
    for plan in looked.plans:
        if plan.sql not in sent:
            yield f"{formatted(folded(plan.sql))}\n\n{_tree(plan)}"


def _tree(plan: StatementPlan) -> str:
    return tree_text(plan, width=TREE_WIDTH)


def _colour(strategy: str, hues: Mapping[str, Hue]) -> str:
    return colour(hues[strategy].light) if strategy in hues else ""
