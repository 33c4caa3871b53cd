"""The bytes of loads as text: what crossed the wire each way, beside what the rows hold and how much of it repeats."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from tabulate import tabulate

from bench.model.profile import Looked
from bench.model.wire import WireBytes
from bench.report.units import bytes_text, share_text

CROSSED, HELD = ("received", "sent"), ("its rows hold", "of that repeated")


def wire_text(looks: Sequence[Looked], *, width: int) -> str:
    """Return the bytes of the strategies on one target, a line each; empty where none were looked at."""
    found = [(looked.strategy, looked.wire) for looked in looks if looked.wire is not None]
    if not found:
        return ""
    is_counted = any(wire.received_bytes is not None for _, wire in found)
    headers = ("bytes of one load", *(CROSSED if is_counted else ()), *HELD)
    table = tabulate(
        [_row(strategy, wire, is_counted=is_counted) for strategy, wire in found],
        headers=headers,
        colalign=["left", *["right"] * (len(headers) - 1)],
        tablefmt="simple",
        disable_numparse=True,
    )
    wrapped = [
        line
        for note in wire_notes([wire for _, wire in found])
        for line in textwrap.wrap(note, width, subsequent_indent="  ", break_on_hyphens=False)
    ]
    return "\n".join([table, *wrapped])


def _row(strategy: str, wire: WireBytes, *, is_counted: bool) -> list[str]:
    crossed = [_bytes(wire.received_bytes), _bytes(wire.sent_bytes)] if is_counted else []
    return [strategy, *crossed, bytes_text(wire.row_bytes), share_text(wire.repeated_share)]


def _bytes(count: int | None) -> str:
    return "" if count is None else bytes_text(count)


def wire_notes(wires: Sequence[WireBytes]) -> Iterator[str]:
    """Say how bytes were counted, or why they were not, and what is meant by those of rows."""
    if any(wire.received_bytes is not None for wire in wires):
        yield "Received and sent are counted on their way, with the beginning and the end of the load's transaction."
    if any(wire.encrypted for wire in wires):
        yield "The connection is encrypted, which adds to each record: what was counted is longer than what was meant."
    yield from dict.fromkeys(f"Not counted: {wire.uncounted}" for wire in wires if wire.uncounted)
    yield (
        "What rows hold follows from their values, by PostgreSQL's protocol; repeated are the values of entities that "
        "an earlier row carried."
    )
