"""Wire: the bytes that a load sends and is sent, counted on their way, beside what its rows hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WireBytes:
    """The bytes of one load whose statements are prepared, with the beginning and the end of its transaction.

    sent_bytes, received_bytes: counted between client and server; None where nothing could be counted, and uncounted
    says why (SQLite has no wire). encrypted: whether they are TLS's, which adds to each record.

    What the rows hold, worked out from the values that the driver handed over: rows, values: how many; content_bytes:
    the values as the driver has them sent, as text or in binary; framing_bytes: what the protocol puts around them, 7
    for a row and 4 for a value. repeated_bytes: of these two together, the values of entities that an earlier row of
    the load carried already, as `Counters.repeated_rows` counts rows.
    """

    rows: int
    values: int
    content_bytes: int
    framing_bytes: int
    repeated_bytes: int
    sent_bytes: int | None = None
    received_bytes: int | None = None
    encrypted: bool = False
    uncounted: str = ""

    @property
    def row_bytes(self) -> int:
        """What the rows take by their contents: the estimate to hold `received_bytes` against."""
        return self.content_bytes + self.framing_bytes

    @property
    def repeated_share(self) -> float:
        """The part of the rows' bytes that repeats an entity, from 0 to 1; 0 for an empty result."""
        return self.repeated_bytes / self.row_bytes if self.row_bytes else 0.0
