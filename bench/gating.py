"""What `bench baseline write` and `bench check` do: measure, compare, and say it where it is wanted."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench import checking, regressing
from bench.comparing import write_text
from bench.environments.revisions import find_commit
from bench.errors import BenchError, GateFailed
from bench.measure.events import Event
from bench.model import Secrets
from bench.model.baseline import Baseline, Place
from bench.progress import face
from bench.record.baseline import read_baseline, write_baseline
from bench.reduce.gate import NOTHING, Checked, Now, check, with_times
from bench.reduce.rewritten import rewritten
from bench.regressing import Against, Found
from bench.report.gate import WRITE_AGAIN, checked_markdown, checked_text, reason
from bench.report.gate_ci import checked_data, github_annotations, junit_xml
from bench.report.rewritten import changes_text
from bench.wanted import Wanted, is_named, parts, wanted_by, wanted_of

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) ?%?", re.ASCII)
_MOST_PERCENT = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlets:
    """Where the outcome goes beside standard output: Markdown, JUnit's XML; as_json: that is JSON."""

    summary: Path | None = None
    junit: Path | None = None
    as_json: bool = False


CutShort = KeyboardInterrupt | BenchError
"""What may end a check before it has measured all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a check found. cut_short: what ended it before its end, None where nothing did."""

    checked: Checked
    cut_short: CutShort | None


def write(
    *,
    file: Path,
    scenario: str | None,
    sizes: str | None,
    strategies: str | None,
    databases: str | None,
    provider: Any,
    quiet: bool,
) -> str:
    """Measure what was asked for, or all that the baseline has, write it, and say what has changed.

    Raises GateFailed where a load is wrong, and BenchError for what cannot be measured and for what would change what
    the baseline says of loads that are not measured; then nothing is written.
    """
    before = read_baseline(file) if file.exists() else {}
    if before and (scenario, sizes, strategies, databases) == (None,) * 4:
        wanted, secrets = wanted_by(before, file=file, only=None, databases=None, provider=provider)
    else:
        wanted, secrets = wanted_of(
            file=file,
            scenario=scenario or "one_to_many",
            sizes=sizes,
            strategies=strategies,
            databases=databases or "sqlite",
            provider=provider,
        )
    now = measured(wanted, secrets, quiet=quiet)
    write_baseline(file, rewritten(before, now, whole=strategies is None))
    return changes_text(before, read_baseline(file), file=str(file))


def check_now(**asked: Any) -> Checked:
    """Measure what the baseline has and compare it, all of it or nothing. Raises as `check_exactly` does."""
    outcome = check_exactly(**asked)
    if outcome.cut_short is not None:
        raise outcome.cut_short
    return outcome.checked


def check_exactly(*, file: Path, only: str | None, databases: str | None, provider: Any, quiet: bool) -> Outcome:
    """Measure what the baseline has and compare it.

    What cuts it short is raised where nothing was compared yet, as is BenchError where there is no baseline, or
    nothing of it.
    """
    baseline = read_baseline(file)
    wanted, secrets = wanted_by(baseline, file=file, only=only, databases=databases, provider=provider)
    now: dict[Place, Now] = {}
    cut_short = _shown(checking.measure(wanted, secrets, now), quiet=quiet)
    if cut_short is not None and not now:
        raise cut_short
    checked = replace(
        check(_part(baseline, wanted), now),
        cut_short=cut_short is not None,
        unreached=tuple((one.place, name) for one in wanted if one.place not in now for name in one.named),
    )
    return Outcome(checked=checked, cut_short=cut_short)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeTier:
    """What the command line asks of the time tier. scenario: what to time in the place of the baseline's loads.

    thresholds: `2%`, or `PATTERN=5%,2%` as for `only`. strict: whether it fails where a time says nothing.
    """

    revision: str
    scenario: str | None
    sizes: str | None
    strategies: str | None
    pairs: int
    rounds: int | None
    thresholds: str
    strict: bool


def check_times(
    tier: TimeTier, *, file: Path, only: str | None, databases: str | None, provider: Any, quiet: bool
) -> Outcome:
    """Hold loads against the baseline, and their times against a revision's.

    Where a scenario is named its loads are timed, and the baseline is not looked at. Raises as `check_exactly` does,
    and BenchError for a revision that cannot be had.
    """
    find_commit(tier.revision)  # before anything is measured
    exact = Outcome(checked=NOTHING, cut_short=None)
    if tier.scenario is None:
        if tier.sizes or tier.strategies:
            raise BenchError(
                "The baseline says what is timed.", remedy="Name a --scenario beside --size and --strategy."
            )
        wanted, secrets = wanted_by(read_baseline(file), file=file, only=only, databases=databases, provider=provider)
    else:
        wanted, secrets = wanted_of(
            file=file,
            scenario=tier.scenario,
            sizes=tier.sizes,
            strategies=tier.strategies,
            databases=databases or "sqlite",
            provider=provider,
        )
    loads = [(one.place, strategy) for one in wanted for strategy in one.strategies]
    against = Against(
        revision=tier.revision,
        pairs=tier.pairs,
        rounds=tier.rounds,
        threshold=parse_thresholds(tier.thresholds, loads),
    )
    if tier.scenario is None:
        exact = check_exactly(file=file, only=only, databases=databases, provider=provider, quiet=quiet)
    found, cut_short = Found(), exact.cut_short
    if cut_short is None:
        cut_short = _shown(regressing.measure(wanted, secrets, against, found), quiet=quiet)
    timed = regressing.regression(against, found)
    checked = with_times(exact.checked, timed, strict=tier.strict)
    if cut_short is not None and not (checked.compared or checked.findings or timed.loads):
        raise cut_short
    return Outcome(checked=replace(checked, cut_short=cut_short is not None), cut_short=cut_short)


def parse_thresholds(text: str, loads: Sequence[tuple[Place, str]]) -> dict[tuple[Place, str], float]:
    """Return the threshold of each load: of `2%,first_page=5%` the last that names it, by its own pattern or by none.

    Raises BenchError for what is no share, and for a pattern that names no load.
    """
    found: dict[tuple[Place, str], float] = {}
    for part in sorted(parts(text), key=lambda part: "=" in part):
        pattern, equals, share = part.rpartition("=")
        named = [load for load in loads if not equals or is_named(*load, [pattern])]
        if not named:
            raise BenchError(f"No load is named by {pattern!r}.", remedy="Name a scenario, a size or a strategy.")
        found.update(dict.fromkeys(named, _share(share)))
    return {load: found.get(load, regressing.THRESHOLD) for load in loads}


def _share(text: str) -> float:
    match = _PERCENT.fullmatch(text.strip())
    if match is None or not 0 <= float(match[1]) <= _MOST_PERCENT:
        raise BenchError(
            f"{text!r} is no threshold.", remedy="Give per cents from 0 to 100, as 2% or first_page=5%,2%."
        )
    return float(match[1]) / 100


def say(checked: Checked, outlets: Outlets, *, file: Path, width: int, environment: Mapping[str, str]) -> str:
    """Return the outcome for standard output, and write it wherever else it is wanted.

    In a job of GitHub's it is added to the job's summary too, and annotations stand after the text.
    """
    markdown = checked_markdown(checked)
    if outlets.summary is not None:
        write_text(outlets.summary, markdown)
    if outlets.junit is not None:
        write_text(outlets.junit, junit_xml(checked))
    if job := environment.get("GITHUB_STEP_SUMMARY"):
        _append(Path(job), markdown)
    if outlets.as_json:
        return json.dumps(checked_data(checked), indent=2)
    text = checked_text(checked, width=width)
    if environment.get("GITHUB_ACTIONS") == "true":
        root = Path(environment.get("GITHUB_WORKSPACE") or Path.cwd())
        text = "\n".join([text, *github_annotations(checked, file=_within(file, root))])
    return text


def failure(checked: Checked) -> GateFailed | None:
    """Return what a failing check ends with."""
    remedy = WRITE_AGAIN if checked.differing else ""
    return GateFailed(reason(checked), remedy=remedy) if checked.failing else None


def measured(wanted: Sequence[Wanted], secrets: Secrets, *, quiet: bool) -> dict[Place, Now]:
    """Return what is found in each place, all of them, with progress on standard error."""
    found: dict[Place, Now] = {}
    if cut_short := _shown(checking.measure(wanted, secrets, found), quiet=quiet):
        raise cut_short
    return found


def _shown(events: Generator[Event], *, quiet: bool) -> CutShort | None:
    """Measure, with progress on standard error; return what cut it short, when all that was started has ended."""
    try:
        with face(quiet=quiet, verbose=False) as shown, closing(events):
            for event in events:
                shown.show(event)
    except (KeyboardInterrupt, BenchError) as reason:
        return reason
    return None


def _part(baseline: Baseline, wanted: Sequence[Wanted]) -> Baseline:
    """Return of a baseline what was to be measured."""
    part = {}
    for one in wanted:
        stored = baseline[one.place]
        loads = {name: load for name, load in stored.loads.items() if name in one.named}
        part[one.place] = replace(stored, loads=loads)
    return part


def _within(file: Path, root: Path) -> str:
    """A file's path from the repository's root, as GitHub wants it."""
    try:
        return file.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return file.name


def _append(path: Path, text: str) -> None:
    """Add to GitHub's summary of a job; where it cannot be written, the outcome is the same."""
    with contextlib.suppress(OSError), path.open("a", encoding="utf-8") as file:
        file.write(text)
