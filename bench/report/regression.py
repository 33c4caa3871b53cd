"""The times of two revisions as a table, for a terminal and for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tabulate import tabulate

from bench.reduce.gate import name_of
from bench.reduce.regression import CONFIDENCE, POWER, UNFINISHED, Regression, TimedLoad
from bench.report.markup import folded, table
from bench.report.units import counted, plain_time_text

HEADERS = ("load", "before", "now", "ratio", "noise", "detectable", "verdict")
NUMERIC = (False, True, True, True, True, True, False)

SHORT_COMMIT = 12

NARROWER: tuple[tuple[int, ...], ...] = ((), (1, 2), (1, 2, 4), (1, 2, 4, 5))
"""Columns that are left out where there is less and less room."""

NARROWEST = 16
"""Columns that the names of loads are folded to at the least."""


def times_text(timed: Regression, *, width: int) -> str:
    """Return the table for a terminal of that width: where it is too narrow, less of it."""
    rows = _rows(timed)
    if not rows:
        return _none(timed)
    text = ""
    left_out: tuple[int, ...] = ()
    for left_out in NARROWER:
        text = _table(rows, left_out, None)
        if max(map(len, text.splitlines())) <= width:
            break
    else:
        rest = max(map(len, text.splitlines())) - max(len(row[0]) for row in rows)
        text = _table(rows, left_out, max(NARROWEST, width - rest))
    more = ", ".join(HEADERS[at] for at in left_out)
    return f"{text}\nIn a wider terminal also: {more}." if more else text


def _table(rows: Sequence[Sequence[str]], left_out: Sequence[int], names: int | None) -> str:
    """Return the table less some columns. names: how wide the loads' names may be; they are folded."""
    kept = [at for at in range(len(HEADERS)) if at not in left_out]
    return tabulate(
        [[row[at] for at in kept] for row in rows],
        headers=[HEADERS[at] for at in kept],
        colalign=["right" if NUMERIC[at] else "left" for at in kept],
        disable_numparse=True,
        maxcolwidths=None if names is None else [names, *[None] * (len(kept) - 1)],
    )


def times_markdown(timed: Regression) -> str:
    """Return the table as Markdown, folded: what matters of it stands above."""
    rows = _rows(timed)
    return folded("Times", [table(rows, HEADERS, NUMERIC)]) if rows else _none(timed)


def _none(timed: Regression) -> str:
    """What stands in the place of the table; nothing where the timing was not come to."""
    return "" if timed.unreached else "No load could be timed in both."


def about_times(timed: Regression) -> Iterator[str]:
    """Yield what the table rests on."""
    if not timed.loads:
        return
    dirty = ", whose changes are not committed" if timed.dirty else ""
    counts = sorted({load.pairs for load in timed.loads})
    pairs = f"{counts[0]} to {counts[-1]} pairs" if counts[0] != counts[-1] else counted(counts[0], "pair")
    yield (
        f"{counted(len(timed.loads), 'load')} timed in {timed.revision} ({timed.commit[:SHORT_COMMIT]}) and in the "
        f"work tree{dirty}, side by side in {pairs} of fresh workers."
    )
    yield (
        f"Ratio: the time now to that before, with its {100 * CONFIDENCE:.0f} % interval; a load fails where it lies "
        "above the threshold, in fresh pairs once more. Noise: how far that reaches to a side. Detectable: the "
        f"smallest slowdown that is seen with {100 * POWER:.0f} % certainty."
    )


def _rows(timed: Regression) -> list[tuple[str, ...]]:
    return [_row(load) for load in timed.loads]


def _row(load: TimedLoad) -> tuple[str, ...]:
    ratio = load.ratio
    figures = ("", "", "") if ratio is None else (
        f"{ratio.value:.3f}x [{ratio.low:.3f}, {ratio.high:.3f}]",
        f"{100 * ratio.noise:.1f} %",
        f"{100 * ratio.detectable:.1f} %",
    )  # fmt: skip
    about = {"slower": f" ({100 * load.threshold:g} %)", UNFINISHED: f" ({counted(load.pairs, 'pair')})"}
    verdict = f"{load.judged}{about.get(load.judged, '')}"
    name = f"{name_of(load.place)}: {load.strategy}"
    return name, plain_time_text(load.before_ns), plain_time_text(load.now_ns), *figures, verdict
