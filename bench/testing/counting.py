"""How many statements and rows a block of a test sends and fetches, held to a limit."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any
from weakref import ref

from sqlalchemy.orm import Session

from bench.errors import BenchError
from bench.measure.tracing import Execution
from bench.model.profile import Sending
from bench.testing.engines import engines_of
from bench.testing.recording import Record, recording


class Seen:
    """What a block has sent so far; as text, every statement with what it loads and the line that had it sent."""

    def __init__(self, record: Record) -> None:
        self._record = record

    @property
    def statements(self) -> int:
        """Executions, whatever their text; an `executemany` is one, and what controls a transaction is none."""
        return sum(one.executions for one in self.executions)

    @property
    def rows(self) -> int:
        """Rows that the driver handed over."""
        return sum(one.rows for one in self.executions)

    @property
    def sent(self) -> tuple[Sending, ...]:
        """The statements by text, purpose and line, in the order of first execution."""
        return tuple(one.sending() for one in self.executions)

    @property
    def executions(self) -> list[Execution]:
        """The same as they were seen, with their loaders."""
        return self._record.executions()

    @property
    def sessions(self) -> frozenset[ref[Session]]:
        """The sessions for which the ORM executed some of it, weakly."""
        return self._record.sessions()

    def __repr__(self) -> str:
        return f"<{self.statements} statements, {self.rows} rows>"

    def __str__(self) -> str:
        from bench.testing import text  # what formats SQL is loaded where something has to be said

        return text.block(text.sum_line(self.executions), self.executions)


class count_statements(AbstractContextManager[Seen]):  # noqa: N801 - used as a function, as those of contextlib are
    """Count the statements and rows of the `with` block, and hold them to the limits that are given.

    sources: engines, connections or sessions, sync or async, or what makes sessions. What their engines send counts,
    whoever sends it: other sessions and threads too. Without sources it is every engine of the process.
    Raises AssertionError at the end of a block that kept a limit not; an error of the block's own goes before.
    Raises BenchError for limits that make no sense.
    """

    def __init__(
        self,
        *sources: Any,
        at_most: int | None = None,
        exactly: int | None = None,
        rows_at_most: int | None = None,
        rows_exactly: int | None = None,
    ) -> None:
        self._limits = (
            ("statement", "sent", at_most, exactly),
            ("row", "fetched", rows_at_most, rows_exactly),
        )
        for noun, _, most, exact in self._limits:
            _check(noun, most, exact)
        self._engines = engines_of(sources)
        self._recording: AbstractContextManager[Record] | None = None

    def __enter__(self) -> Seen:
        if self._recording is not None:
            raise BenchError("This count is under way already.", remedy="Call count_statements() for each block.")
        self._recording = recording(self._engines)
        self._seen = Seen(self._recording.__enter__())
        return self._seen

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True  # the failure is that of the block
        under_way, self._recording = self._recording, None
        assert under_way is not None
        under_way.__exit__(None, None, None)
        if kind is None:
            reason = self._broken()
            if reason:
                from bench.testing import text

                executions = self._seen.executions
                raise AssertionError(text.block(f"{reason} {text.n_plus_one_line(executions)}".rstrip(), executions))

    def _broken(self) -> str:
        """Say which limits were not kept; empty where all were."""
        said = []
        for (noun, verb, most, exact), found in zip(
            self._limits, (self._seen.statements, self._seen.rows), strict=True
        ):
            if (most is not None and found > most) or (exact is not None and found != exact):
                limit = f"exactly {exact:,}" if most is None else f"at most {most:,}"
                said.append(f"{found:,} {noun}{'s were' if found != 1 else ' was'} {verb}, {limit} expected.")
        return " ".join(said)


def _check(noun: str, most: Any, exact: Any) -> None:
    for limit in (most, exact):
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 0):
            raise BenchError(f"{limit!r} is no number of {noun}s.", remedy="Give a whole number, 0 or more.")
    if most is not None and exact is not None:
        raise BenchError(f"Both an exact number of {noun}s and a largest one were given.", remedy="Give one of them.")
