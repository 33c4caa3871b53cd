"""The exact tier of the gate: what loads do now, held against the baseline by equality. Pure, and without any time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bench.model.baseline import (
    CALLS_TOLERANCE,
    FEW_CALLS,
    FIGURES,
    AtPlace,
    Baseline,
    Loaded,
    MadeWith,
    Place,
    SentText,
)
from bench.reduce.compare_counts import CountsDiffer
from bench.reduce.regression import UNFINISHED, Regression, TimedLoad
from bench.reduce.sqltext import portable

Verdict = Literal[
    "broken", "slower", "worse", "changed", "undecided", "faster", "better", "inconclusive", "noted"
]  # fmt: skip
"""What a difference is: right in a revision and wrong now; more time; more of something; another, neither more nor
less; more time by the first pairs alone; less time; less and nothing more; a time that says nothing; not judged."""

_ORDER: tuple[Verdict, ...] = (
    "broken", "worse", "changed", "slower", "undecided", "better", "faster", "inconclusive", "noted",
)  # fmt: skip
EXACT: tuple[Verdict, ...] = ("worse", "changed")
FAILING: tuple[Verdict, ...] = (*EXACT, "slower", "broken")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A difference from the baseline. strategy: empty where it is one of the schema.

    says: what is so now, and what it was: `now sends 1,001 statements, baseline 3`. code: SQL, plans or parts of a
    schema that this is about, each under a line that says what it is.
    """

    place: Place
    strategy: str
    verdict: Verdict
    says: str
    code: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What was found in a place: loads that did equal work, and what is wrong with the others, by strategy.

    left_out: strategies that cannot be had here, and why.
    """

    found: AtPlace
    faults: Mapping[str, str]
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The outcome of a check. findings: what fails it first. compared: each load. notes: what is not judged.

    timed: the outcome of the time tier, where it was asked for. strict: whether it fails where a time says nothing.
    cut_short: whether something ended the check before it had measured all; unreached: what was not compared then.
    """

    findings: tuple[Finding, ...]
    compared: tuple[tuple[Place, str], ...]
    notes: tuple[str, ...]
    timed: Regression | None = None
    strict: bool = False
    cut_short: bool = False
    unreached: tuple[tuple[Place, str], ...] = ()

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The findings for which the check fails."""
        verdicts = (*FAILING, "inconclusive", "undecided") if self.strict else FAILING
        return tuple(finding for finding in self.findings if finding.verdict in verdicts)

    @property
    def differing(self) -> tuple[Finding, ...]:
        """Those of them by which the baseline is not kept to."""
        return tuple(finding for finding in self.findings if finding.verdict in EXACT)

    @property
    def open(self) -> tuple[tuple[Place, str], ...]:
        """The loads of which something that was to be measured has no verdict."""
        if self.timed is None:
            return self.unreached
        timed = ((load.place, load.strategy) for load in self.timed.judged("undecided", "unfinished"))
        return tuple(dict.fromkeys((*self.unreached, *timed, *self.timed.unreached)))

    @property
    def better(self) -> tuple[Finding, ...]:
        """The improvements, for which the baseline should be written again."""
        return tuple(finding for finding in self.findings if finding.verdict == "better")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparable:
    """What of a place can be judged, by the versions on both sides."""

    texts: bool
    same_driver: bool
    plans: bool
    bytes: bool
    calls: bool


def check(baseline: Baseline, now: Mapping[Place, Now]) -> Checked:
    """Compare what was measured with the baseline's loads of the same places.

    Statements, rows, repeated rows and parameters are judged whatever the versions. SQL texts and bytes hang on the
    version of SQLAlchemy, bytes on the driver, plans on the server's: where these differ they are told, not judged.
    Python calls hang on all but the server, and on Python; where these differ they are not compared at all.
    """
    findings: list[Finding] = []
    for place, here in now.items():
        stored = baseline[place]
        comparable = _comparable(stored.made_with, here.found.made_with)
        findings += compare_schemas(place, stored.schema, here.found.schema)
        for strategy, load in stored.loads.items():
            findings += _strategy(place, strategy, load, here, comparable)
    compared = [
        (place, strategy)
        for place, here in now.items()
        for strategy in baseline[place].loads
        if strategy in here.found.loads
    ]
    return Checked(
        findings=tuple(sorted(dict.fromkeys(findings), key=lambda finding: _ORDER.index(finding.verdict))),
        compared=tuple(compared),
        notes=tuple(_notes(baseline, now)),
    )


NOTHING = Checked(findings=(), compared=(), notes=())
"""What was not checked at all."""


def with_times(checked: Checked, timed: Regression, *, strict: bool) -> Checked:
    """Return a check with the outcome of the time tier. checked: that of the exact tier, or NOTHING."""
    findings = (*checked.findings, *_timed(timed))
    return replace(
        checked,
        findings=tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.verdict))),
        timed=timed,
        strict=strict,
    )


def _timed(timed: Regression) -> Iterator[Finding]:
    """Yield a finding for each load whose time has changed, or says nothing, and for those that were not compared."""
    for load in timed.loads:
        if load.judged != "same" and load.judged != UNFINISHED:
            code = tuple(_appeared(load.counts)) if load.judged == "slower" and load.counts else ()
            yield Finding(
                place=load.place, strategy=load.strategy, verdict=load.judged, says=_time_says(load, timed), code=code
            )
    for (place, strategy), reason in timed.broken.items():
        yield Finding(place=place, strategy=strategy, verdict="broken", says=reason)
    for (place, strategy), reason in timed.not_compared.items():
        yield Finding(place=place, strategy=strategy, verdict="noted", says=reason)


def _time_says(load: TimedLoad, timed: Regression) -> str:
    ratio = load.ratio
    if ratio is None:
        return f"cannot be judged by its time: too few pairs of workers were left of {timed.pairs}"
    interval = f"{ratio.value:.3f}x [{ratio.low:.3f}, {ratio.high:.3f}] of the time in {timed.revision}"
    if load.judged == "undecided":
        return f"takes {interval}, above {100 * load.threshold:g} %: {_undecided(load)}"
    if load.judged == "inconclusive":
        return f"takes {interval}: with this noise only {100 * ratio.detectable:.0f} % and more would be seen"
    sent = "".join(
        f"; it sends {change.after:,} statements, {change.before:,} before"
        for change in (load.counts.figures if load.counts else ())
        if change.name == "statements"
    )
    return f"takes {interval}, by {ratio.pairs} pairs of workers{sent}"


def _undecided(load: TimedLoad) -> str:
    if load.decided is None:
        return "the fresh pairs of workers that decide are missing"
    return "whether it fails hangs on other loads, whose fresh pairs are missing"


def _appeared(counts: CountsDiffer) -> Iterator[tuple[str, str]]:
    for sql, times in counts.added:
        yield f"A statement that appeared, sent {times:,} times:" if times > 1 else "A statement that appeared:", sql
    for sql, (was, now) in counts.resent:
        yield f"A statement that is sent {now:,} times, {was:,} before:", sql


def name_of(place: Place) -> str:
    """A place as a sentence names it: `one_to_many 100x10 on sqlite`."""
    return " ".join(part for part in (place.scenario, place.size, "on", place.database) if part)


def _comparable(before: MadeWith, now: MadeWith) -> _Comparable:
    same_library, same_driver = before.sqlalchemy == now.sqlalchemy, before.driver == now.driver
    return _Comparable(
        texts=same_library,
        same_driver=same_driver,
        plans=same_library and before.server == now.server,
        bytes=same_library and same_driver,
        calls=same_library and same_driver and before.calls_with == now.calls_with != "",
    )


def _notes(baseline: Baseline, now: Mapping[Place, Now]) -> Iterator[str]:
    """Yield what is not judged and why, once for all the scenarios that it is said of."""
    said: dict[tuple[str, str], dict[str, None]] = {}
    for place, here in now.items():
        for what in _versions(baseline[place].made_with, here.found.made_with):
            said.setdefault((place.database, what), {})[place.scenario] = None
    for (database, what), scenarios in said.items():
        yield f"The baseline of {', '.join(scenarios)} on {database} {what}"
    for place, here in now.items():
        if baseline[place].made_with.dataset != here.found.made_with.dataset:
            yield (
                f"The rows of {name_of(place)} are not the baseline's: its recipe, its classes or the harness make "
                "others, and counts may differ by that alone."
            )


def _versions(before: MadeWith, now: MadeWith) -> Iterator[str]:
    other = made_otherwise(before, now)
    if "sqlalchemy" in other:
        yield (
            f"{other['sqlalchemy']}: SQL texts, bytes and plans are told, not judged, and Python calls are not "
            "compared."
        )
    if "server" in other:
        yield f"{other['server']}: plans are told, not judged."
    if "driver" in other:
        yield (
            f"{other['driver']}: bytes are told, not judged, casts of parameters are left out of SQL texts, and Python "
            "calls are not compared."
        )
    if {"sqlalchemy", "driver"} & other.keys():
        return  # Python calls hang on these too, and that was said
    if "calls_with" in other:
        yield f"{other['calls_with']}: Python calls are not compared."
    elif now.calls_with and not before.calls_with:
        yield "has no Python calls: they are compared once it is written again."


def made_otherwise(before: MadeWith, now: MadeWith) -> dict[str, str]:
    """Say what a place was made with that is another now, each by its field: `was made by psycopg, and this is ...`.

    Where one of both has no Python calls, what they were counted with is no difference.
    """
    told = {
        "sqlalchemy": f"was made with SQLAlchemy {before.sqlalchemy}, and this is {now.sqlalchemy}",
        "server": f"was made on {before.server}, and this is {now.server}",
        "driver": f"was made by {before.driver}, and this is {now.driver}",
        "calls_with": f"was made with {before.calls_with}, and this is {now.calls_with}",
        "dataset": "was made of other rows",
    }
    pairs = {field: (getattr(before, field), getattr(now, field)) for field in told}
    return {field: told[field] for field, (was, is_) in pairs.items() if was and is_ and was != is_}


def compare_schemas(place: Place, before: Sequence[str], now: Sequence[str]) -> Iterator[Finding]:
    """Compare the parts of a schema; the same for all sizes, so it is told of the place without one."""
    gone = [part for part in before if part not in now]
    new = [part for part in now if part not in before]
    if not gone and not new:
        return
    code = [*(("In the baseline, gone now:", part) for part in gone), *(("New:", part) for part in new)]
    only_indexes = not gone and all(_is_index(part) for part in new)
    says = " and ".join(f"{_parts(parts)} {word}" for parts, word in ((gone, "gone from"), (new, "new in")) if parts)
    yield Finding(
        place=Place(scenario=place.scenario, database=place.database, size=""),
        strategy="",
        verdict="better" if only_indexes else "worse" if gone and not new else "changed",
        says=f"{says} the schema: {_short((gone or new)[0])}",
        code=tuple(code),
    )


def _is_index(part: str) -> bool:
    return part.upper().startswith(("CREATE INDEX ", "CREATE UNIQUE INDEX "))


def _parts(parts: Sequence[str]) -> str:
    noun = "index" if all(map(_is_index, parts)) else "part"
    return f"{len(parts)} {noun}" if len(parts) == 1 else f"{len(parts)} {noun}{'es' if noun == 'index' else 's'}"


def _strategy(place: Place, strategy: str, before: Loaded, here: Now, comparable: _Comparable) -> Iterator[Finding]:
    now = here.found.loads.get(strategy)
    if now is not None:
        exact = [*_load(place, strategy, before, now, comparable), *_plans(place, strategy, before, now, comparable)]
        yield from exact
        if comparable.calls:
            yield from _calls(place, strategy, before, now, exact)
    elif strategy in here.left_out:
        yield Finding(place=place, strategy=strategy, verdict="noted", says=here.left_out[strategy])
    else:
        fault = here.faults.get(strategy, "is in the baseline, and the scenario has it no longer")
        yield Finding(place=place, strategy=strategy, verdict="worse", says=fault)


def _load(place: Place, strategy: str, before: Loaded, now: Loaded, comparable: _Comparable) -> Iterator[Finding]:
    """Compare figures and texts of one strategy: one finding, in which the figure that matters most comes first."""
    figures = [(name, getattr(before, name), getattr(now, name)) for name in FIGURES]
    changed = [(name, was, is_) for name, was, is_ in figures if was != is_]
    judged = [each for each in changed if each[0] != "bytes" or comparable.bytes]
    new, gone, resent = _texts(before, now, casts=comparable.same_driver)
    texts_judged = comparable.texts and bool(new or gone or resent)
    if not (changed or new or gone or resent):
        return
    verdict = _verdict(judged, texts_judged)
    parts = [_FIGURE[name].format(f"{is_:,}", f"{was:,}", *_number(is_)) for name, was, is_ in changed]
    parts = parts or ["sends other SQL"]
    says = "now " + ", ".join(parts)
    if new:
        says += f"; new statement{_sent(new[0])}: {_short(new[0].sql)}"
    elif gone:
        says += f"; no longer sent: {_short(gone[0].sql)}"
    elif resent:
        says += f"; sent {resent[0][1].times:,} times, baseline {resent[0][0].times:,}: {_short(resent[0][1].sql)}"
    code = [
        *((f"New statement{_sent(one)}:", one.sql) for one in new),
        *((f"No longer sent{_sent(one)}:", one.sql) for one in gone),
        *((f"Sent {is_.times:,} times, baseline {was.times:,}:", is_.sql) for was, is_ in resent),
    ]
    yield Finding(place=place, strategy=strategy, verdict=verdict, says=says, code=tuple(code))


def _calls(place: Place, strategy: str, before: Loaded, now: Loaded, exact: Sequence[Finding]) -> Iterator[Finding]:
    """Compare Python calls. exact: what else was found of the load; of another load that it makes others is no news."""
    was, is_ = before.calls, now.calls
    if was is None or is_ is None or abs(is_ - was) <= max(FEW_CALLS, CALLS_TOLERANCE * was):
        return
    if (is_ < was and exact) or any(finding.verdict in FAILING for finding in exact):
        return
    percent = 100 * (is_ - was) / max(was, 1)
    yield Finding(
        place=place,
        strategy=strategy,
        verdict="worse" if is_ > was else "better",
        says=f"now calls Python functions {is_:,} times, baseline {was:,} ({percent:+,.1f} %)",
    )


_FIGURE = {
    "statements": "sends {0} statement{2}, baseline {1}",
    "rows": "fetches {0} row{2}, baseline {1}",
    "repeated_rows": "fetches {0} row{2} that repeat{3} an entity, baseline {1}",
    "parameters": "binds {0} parameter{2}, baseline {1}",
    "bytes": "fetches {0} byte{2}, baseline {1}",
}
"""How a figure that changed is said: of what it is now, what it was, and the endings of noun and verb."""


def _number(count: int) -> tuple[str, str]:
    return ("", "s") if count == 1 else ("s", "")


def _verdict(changed: Sequence[tuple[str, int, int]], other_texts: bool) -> Verdict:
    """Say what the changes of judged figures amount to: more statements are worse, whatever else is less."""
    more = [name for name, was, now in changed if now > was]
    less = [name for name, was, now in changed if now < was]
    if more:
        return "worse" if "statements" in more or not less else "changed"
    if set(less) - {"parameters"}:
        return "better"
    return "changed" if less or other_texts else "noted"  # a literal in place of a parameter is no improvement


def _texts(
    before: Loaded, now: Loaded, *, casts: bool
) -> tuple[list[SentText], list[SentText], list[tuple[SentText, SentText]]]:
    """Return the texts that are new, that are gone, and that are sent more or less often; the most often sent first."""
    was, is_ = _by_text(before, casts=casts), _by_text(now, casts=casts)
    new = [one for text, one in is_.items() if text not in was]
    gone = [one for text, one in was.items() if text not in is_]
    resent = [(one, is_[text]) for text, one in was.items() if text in is_ and one.times != is_[text].times]
    often = [sorted(texts, key=lambda one: (-one.times, one.sql)) for texts in (new, gone)]
    return often[0], often[1], resent


def _by_text(load: Loaded, *, casts: bool) -> dict[str, SentText]:
    """Return what a load sent by its text; without casts, texts that differ in these only are one."""
    found: dict[str, SentText] = {}
    for one in load.sent:
        text = one.sql if casts else portable(one.sql)
        times = one.times + (found[text].times if text in found else 0)
        found[text] = SentText(sql=one.sql, times=times, plan=one.plan)
    return found


def _plans(place: Place, strategy: str, before: Loaded, now: Loaded, comparable: _Comparable) -> Iterator[Finding]:
    """Compare the plans of the texts that both send."""
    was, is_ = (_by_text(load, casts=comparable.same_driver) for load in (before, now))
    for text in was:
        if text in is_ and was[text].plan != is_[text].plan:
            then, since = ("; ".join(line.strip() for line in each.plan) or "none" for each in (was[text], is_[text]))
            yield Finding(
                place=place,
                strategy=strategy,
                verdict="changed" if comparable.plans else "noted",
                says=f"is planned otherwise: now {_short(since)}, baseline {_short(then)}",
                code=(
                    ("The statement:", is_[text].sql),
                    ("Its plan now:", "\n".join(is_[text].plan)),
                    ("In the baseline:", "\n".join(was[text].plan)),
                ),
            )


def _sent(one: SentText) -> str:
    return f", {one.times:,} times" if one.times > 1 else ""


def _short(text: str, most: int = 140) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
