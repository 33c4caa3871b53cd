"""The outcome of the gate as text for a terminal and as Markdown for a pull request: the reason first."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from bench.reduce.gate import Checked, Finding, Verdict, name_of
from bench.reduce.regression import UNFINISHED, VERDICTS, Regression
from bench.report.markup import bullets, escaped, fenced, folded
from bench.report.regression import about_times, times_markdown, times_text
from bench.report.units import counted

WRITE_AGAIN = "If that is meant, type `bench baseline write` and commit the file."
IMPROVED = "Less than in the baseline: type `bench baseline write` and commit the file, so that it stays so."

TITLES: dict[Verdict, str] = {
    "broken": "Broken",
    "worse": "Worse",
    "changed": "Changed",
    "slower": "Slower",
    "undecided": "Undecided",
    "better": "Better",
    "faster": "Faster",
    "inconclusive": "Inconclusive",
    "noted": "Not judged",
}

MOST_SHOWN = 30
"""Findings that are shown in full: a comment on a pull request takes 65,536 characters."""

LONGEST_CODE = 1500
"""Characters of a statement, or of a plan, that Markdown shows."""


def about(finding: Finding) -> str:
    """A finding in a sentence: `one_to_many 100x10 on sqlite: selectin now sends 101 statements, baseline 2`."""
    return f"{name_of(finding.place)}: {' '.join(part for part in (finding.strategy, finding.says) if part)}"


def reason(checked: Checked) -> str:
    """Why the check fails, or that it does not, in a line; of one that was cut short first how far it came."""
    failing = checked.failing
    if failing:
        more = f" (and {len(failing) - 1:,} more)" if len(failing) > 1 else ""
        return " ".join([*cut_short(checked), f"{about(failing[0])}{more}."])
    if checked.cut_short:
        return " ".join(cut_short(checked))
    said = [] if checked.timed is not None and not checked.compared else [_as_the_baseline(checked)]
    return " ".join([*said, *([_no_slower(checked.timed)] if checked.timed is not None else [])])


def cut_short(checked: Checked) -> Iterator[str]:
    """Yield how far a check came that was cut short, and that nothing fails of that, if so; nothing of another."""
    if not checked.cut_short:
        return
    yield "Cut short."
    if checked.unreached:
        yield (
            f"{counted(len(checked.unreached), 'load was', 'loads were')} not compared with the baseline, "
            f"{len(checked.compared):,} were."
        )
    if checked.timed is not None:
        yield _timed_so_far(checked.timed)
    if not checked.failing and (checked.compared or (checked.timed and checked.timed.judged(*VERDICTS))):
        yield "Of what was measured to its end nothing fails."


def _timed_so_far(timed: Regression) -> str:
    told = [
        counted(len(loads), *says)
        for loads, says in (
            (timed.judged("undecided"), ("is undecided", "are undecided")),
            (timed.judged(UNFINISHED), ("has not all of its pairs", "have not all of their pairs")),
            (timed.unreached, ("was not reached", "were not reached")),
        )
        if loads
    ]
    of = counted(len(timed.loads) + len(timed.unreached), "load")
    whole = len(timed.judged(*VERDICTS))
    return f"Of {of} to be timed {whole:,} got a verdict{''.join(f', {each}' for each in told)}."


def _no_slower(timed: Regression) -> str:
    if not timed.loads:
        return f"Nothing could be compared with {timed.revision}."
    told = [
        f"{len(found):,} {says}"
        for found, says in (
            (timed.judged("undecided"), "not decided"),
            (timed.judged("faster"), "faster"),
            (timed.judged("inconclusive"), "could not be told for noise"),
        )
        if found
    ]
    return f"No load is seen to be slower than in {timed.revision}" + "".join(f", {each}" for each in told) + "."


def _as_the_baseline(checked: Checked) -> str:
    if checked.better:
        return f"Nothing is worse, and {counted(len(checked.better), 'load is', 'loads are')} better than the baseline."
    return "Everything is as in the baseline."


def tally(checked: Checked) -> str:
    """How many loads were compared, and how they came out."""
    if not checked.compared:
        return ""
    touched = {
        (finding.place, finding.strategy)
        for finding in checked.findings
        if finding.verdict in ("worse", "changed", "better")
    }
    same = sum(load not in touched for load in checked.compared)
    return f"{counted(len(checked.compared), 'load')} compared, {same:,} as in the baseline." + (
        "" if checked.timed else " No time was measured."
    )


def checked_text(checked: Checked, *, width: int) -> str:
    """Return the outcome in lines of at most `width` columns."""
    blocks = ["\n".join(_wrapped(reason(checked), width, ""))]
    for verdict in TITLES:
        found = [finding for finding in checked.findings if finding.verdict == verdict]
        if found:
            blocks.append("\n".join([TITLES[verdict], *(line for each in found for line in _item(each, width))]))
    lines = _closing(checked)
    if checked.timed is not None:
        blocks.append(times_text(checked.timed, width=width))
    blocks.append("\n".join(line for text in lines for line in _wrapped(text, width, "")))
    return _printable("\n\n".join(filter(None, blocks)))


def checked_markdown(checked: Checked) -> str:
    """Return the outcome as GitHub-flavoured Markdown, the SQL of every difference folded under it."""
    outcome = "cut short" if checked.cut_short else "failed" if checked.failing else "passed"
    blocks = [f"### Loading: {outcome}", escaped(reason(checked))]
    shown = checked.findings[:MOST_SHOWN]
    for verdict in TITLES:
        blocks += _section(TITLES[verdict], [finding for finding in shown if finding.verdict == verdict])
    if len(checked.findings) > len(shown):
        blocks.append(f"{len(checked.findings) - len(shown):,} more differences are not shown.")
    if checked.timed is not None:
        blocks.append(times_markdown(checked.timed))
    blocks.append(bullets(_closing(checked)))
    return "\n\n".join(filter(None, blocks)) + "\n"


def _closing(checked: Checked) -> list[str]:
    """What is said last: what was not judged, how much was compared, and what to do."""
    advice = WRITE_AGAIN if checked.differing else IMPROVED if checked.better else ""
    timed = about_times(checked.timed) if checked.timed is not None else ()
    return [line for line in (*checked.notes, tally(checked), *timed, advice) if line]


def _section(title: str, found: Sequence[Finding]) -> Iterator[str]:
    if found:
        yield f"**{title}**"
    for finding in found:
        yield f"- {escaped(about(finding))}"
        if finding.code:
            blocks = (text for said, code in finding.code for text in (escaped(said), fenced(_cut(code), "sql")))
            yield folded("SQL and plans" if finding.strategy else "Schema", blocks)


def _item(finding: Finding, width: int) -> Iterator[str]:
    yield from _wrapped(f"- {about(finding)}", width, "  ")
    for said, code in finding.code:
        yield from _wrapped(f"  {said}", width, "  ")
        for line in code.splitlines():
            yield from textwrap.wrap(
                line, width, initial_indent=" " * 6, subsequent_indent=" " * 8, break_on_hyphens=False
            )


def _cut(code: str) -> str:
    return code if len(code) <= LONGEST_CODE else f"{code[:LONGEST_CODE]} ..."


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)


def _printable(text: str) -> str:
    """Without control characters: a name in a file must not steer the terminal."""
    return "".join(character if character == "\n" or character.isprintable() else "?" for character in text)
