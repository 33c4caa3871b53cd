"""What is said when a test fails: the reason first, then the statements, those that repeat before the others."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from bench.measure.tracing import Execution
from bench.report.sent_statements import what
from bench.report.sql_text import folded, formatted, one_line
from bench.report.units import counted

WIDTH = 110
"""Characters of a line, but for those that a source or a statement has by itself."""

MOST = 12
"""Statements that are shown, of however many."""

_WORD = re.compile(r"[A-Za-z]+")
_READS = re.compile(r"[\s(]*(?:SELECT|WITH|VALUES)\b", re.IGNORECASE)


def block(reason: str, executions: Sequence[Execution], told: Sequence[str] = ()) -> str:
    """Return a failure's text. told: of each statement how often it was sent, where that is more than one number."""
    often = list(told) or [f"sent {_times(one.executions)}, {counted(one.rows, 'row')}" for one in executions]
    order = sorted(range(len(executions)), key=lambda at: not repeats(executions[at]))
    parts = ["\n".join(_statement(executions[at], often[at])) for at in order[:MOST]]
    if len(executions) > MOST:
        parts.append(f"... and {counted(len(executions) - MOST, 'other statement')}.")
    return "\n\n".join([reason, *parts])


def sum_line(executions: Sequence[Execution]) -> str:
    """Say how much was sent, and which N+1 is the largest."""
    sent, rows = (sum(getattr(one, figure) for one in executions) for figure in ("executions", "rows"))
    return f"{counted(sent, 'statement')}, {counted(rows, 'row')}. {n_plus_one_line(executions)}".rstrip()


def n_plus_one_line(executions: Sequence[Execution]) -> str:
    """Name what is loaded one by one most often; empty where nothing is."""
    worst = max(filter(repeats, executions), key=lambda one: one.executions, default=None)
    return "" if worst is None else f"N+1: {_named(worst)} takes {counted(worst.executions, 'statement')}."


def repeats(execution: Execution) -> bool:
    """Whether it reads, and was sent once for each of several entities."""
    return execution.sending().is_n_plus_one and bool(_READS.match(execution.sql))


def mending(execution: Execution) -> str:
    """Say how what was sent again and again is asked for at once."""
    asking, option = execution.origin.asking, execution.origin.option
    if asking == "lazy" and option:
        owner = option.partition("(")[2].partition(".")[0]
        return f"To load it for all at once, on the statement that loads {owner}: .options({option})"
    if asking == "column":
        return (
            "Columns that are deferred, expired or a subclass's are loaded one entity at a time: undefer() or "
            "selectin_polymorphic() in the statement, or a session with expire_on_commit=False."
        )
    return "It is sent in a loop: ask once for all of them, with in_()."


def _named(execution: Execution) -> str:
    """What a statement loads; of one that SQLAlchemy has no name for, its first word: `UPDATE`."""
    word = _WORD.search(execution.sql)
    return what(execution.sending()) if execution.paths or word is None else word[0].upper()


def _times(count: int) -> str:
    return "once" if count == 1 else counted(count, "time")


def _statement(execution: Execution, often: str) -> Iterator[str]:
    again = repeats(execution)
    yield f"{_named(execution)}: {often}{' (N+1)' if again else ''}"
    if execution.line:
        yield f"  {execution.line}  {execution.code}".rstrip()
    if again:
        yield from textwrap.indent(formatted(folded(execution.sql)), "    ").splitlines()
        yield from textwrap.wrap(
            mending(execution),
            WIDTH,
            initial_indent="  ",
            subsequent_indent="  ",
            break_long_words=False,  # an option is there to be copied
            break_on_hyphens=False,
        )
    else:
        yield f"    {one_line(execution.sql, WIDTH - 4)}"
