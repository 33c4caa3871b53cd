"""What a load sent, as text: each statement once, with who asked for it, how often, and the line that had it sent."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from bench.model.profile import Looked, Sending
from bench.report.sql_text import folded, formatted
from bench.report.units import counted, shortened

_ASKING = {
    "load": "asked for by the load",
    "eager": "by an eager loader, for all entities at once",
    "lazy": "by a loader, for one entity",
    "column": "by the ORM, for columns of one entity",
}


def sent_text(looked: Looked, *, width: int, full: bool = False) -> str:
    """Return what a strategy sent, in order. full: with long lists of placeholders as they were."""
    title = f"{looked.scenario} {looked.size} on {looked.target}: {looked.strategy}"
    blocks = [f"{title}\n{'=' * len(title)}"]
    if looked.error:
        return "\n".join([*blocks, *textwrap.wrap(looked.error, width)])
    blocks += ["\n".join(textwrap.wrap(sum_line(looked.sendings), width))]
    blocks += [
        "\n".join(_sending(number, sending, width=width, full=full))
        for number, sending in enumerate(looked.sendings, start=1)
    ]
    return "\n\n".join([f"{blocks[0]}\n{blocks[1]}", *blocks[2:]])


def sum_line(sendings: tuple[Sending, ...]) -> str:
    """Say how much was sent, and whether it has the N+1 shape."""
    executions, rows = sum(one.executions for one in sendings), sum(one.rows for one in sendings)
    texts = len({one.sql for one in sendings})
    repeated = max((one for one in sendings if one.is_n_plus_one), key=lambda one: one.executions, default=None)
    line = f"{counted(executions, 'statement')} of {counted(texts, 'text')}, {counted(rows, 'row')}."
    if repeated is None:
        return line
    return f"{line} N+1: {what(repeated)} takes {counted(repeated.executions, 'statement')}, one for each entity."


def what(sending: Sending) -> str:
    """Name what a statement loads: `User.books`, `User with User.books`."""
    if not sending.paths:
        return "what SQLAlchemy has no name for"
    first, *joined = sending.paths
    return f"{first} with {', '.join(joined)}" if joined else first


def heading(number: int, sending: Sending) -> str:
    """Say what a statement loads, who asked for it and how often it was sent."""
    times = counted(sending.executions, "time")
    repeated = f"N+1: sent {times}, once for each entity" if sending.is_n_plus_one else f"sent {times}"
    return f"{number}. {what(sending)}, {_ASKING[sending.asking]}; {repeated}, {counted(sending.rows, 'row')}"


def parameters_text(sending: Sending) -> str:
    """Say with which parameters a statement was sent first; empty for one without."""
    if not sending.parameters:
        return ""
    more = f", and {sending.more_parameters:,} more" if sending.more_parameters else ""
    first = "parameters of the first" if sending.executions > 1 else "parameters"
    return f"{first}: {', '.join(sending.parameters)}{more}"


def _sending(number: int, sending: Sending, *, width: int, full: bool) -> Iterator[str]:
    head = heading(number, sending)
    yield from textwrap.wrap(head, width, subsequent_indent="   ", break_on_hyphens=False)
    if sending.line:
        yield shortened(f"   {sending.line}  {sending.code}", width)
    yield from textwrap.indent(formatted(sending.sql if full else folded(sending.sql)), "     ").splitlines()
    yield from textwrap.wrap(parameters_text(sending), width, initial_indent="   ", subsequent_indent="   ")
