"""Where the time of a load goes: one clock that is always charged to exactly one part, switched by markers.

A part begins and ends with markers of its own, and the clock keeps a stack of them: what happens within a part is taken
out of it. So the parts never overlap, and time that no part claims stays with none.

| part | begins | ends |
|---|---|---|
| statement | the load begins; the session is asked to execute; a lazy loader is | the driver is asked to execute |
| wait | the driver's cursor is asked to execute; a server-side one for rows | it has |
| fetch | the driver's cursor is asked for rows | it has handed them over |
| rows | the driver has executed, or Core is asked for rows | Core's result is there, or has handed them over |
| objects | the ORM is given Core's result, or asked for entities | it is ready to make them, or has handed them over |
| walk | the load's own code has been handed a first result | the load ends |
| gc | the collector starts | it stops |

`objects` is the making of entities, their place in the identity map and the filling of their relationships: SQLAlchemy
does all three row by row, in the same functions, and no marker can stand between them.

SQLAlchemy has events for the driver's part alone. Where it has none, its functions are replaced while a load is
observed, and put back: they are private, are named in `_marked` alone, and a test fails loudly when they change.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from time import perf_counter_ns
from typing import Any

from sqlalchemy import CursorResult, Engine, event
from sqlalchemy.engine.result import ResultInternal
from sqlalchemy.orm import Session, loading, strategies

from bench.measure.cursors import WatchedCursor
from bench.measure.timing import Load, Opened
from bench.model.profile import Part, Phases, StatementParts

_LAZY_LOADER: Any = getattr(strategies, "_LazyLoader", None) or getattr(strategies, "LazyLoader", None)
_RAW_ROWS = "_raw_all_tuples" if hasattr(CursorResult, "_raw_all_tuples") else "_raw_all_rows"
"""Two names that SQLAlchemy 2.1 has changed."""


@dataclass(slots=True, eq=False)
class Account:
    """What one execution of a statement was charged, ns by part.

    text: empty for what belongs to none. direct: whether it was asked of a connection, past the session.
    """

    text: str = ""
    direct: bool = False
    ns: defaultdict[Part, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(slots=True)
class PartClock:
    """Charges time to the part on top of its stack, in the account of the execution that it is for."""

    now: Callable[[], int] = perf_counter_ns
    accounts: list[Account] = field(default_factory=list)
    _stack: list[tuple[Account, Part]] = field(default_factory=list)
    _since_ns: int = 0
    _collections: int = 0

    @property
    def depth(self) -> int:
        """How many parts are open."""
        return len(self._stack)

    @property
    def account(self) -> Account:
        """That of the part under way."""
        return self._stack[-1][0]

    @property
    def part(self) -> Part:
        """The part under way."""
        return self._stack[-1][1]

    def opened(self) -> Account:
        """Return a new account."""
        self.accounts.append(Account())
        return self.accounts[-1]

    def enter(self, part: Part, account: Account | None = None) -> None:
        """Begin a part within the one under way, and in its account unless another is given."""
        now = self._read()
        if self._stack:
            under_way, of_it = self._stack[-1]
            under_way.ns[of_it] += now - self._since_ns
            account = account or under_way
        self._since_ns = now  # before anything is allocated: that may start a collection, which is a part too
        self._stack.append((account or self.opened(), part))

    def leave(self) -> None:
        """End the part under way, and go on with the one that it is within."""
        now = self._read()
        account, part = self._stack[-1]
        account.ns[part] += now - self._since_ns
        self._since_ns = now
        self._stack.pop()

    def switch(self, part: Part) -> None:
        """End the part under way, and begin another in its place."""
        now = self._read()
        account, before = self._stack[-1]
        account.ns[before] += now - self._since_ns
        self._since_ns = now
        self._stack[-1] = (account, part)

    def collecting(self, phase: str, _info: Any) -> None:
        """Begin or end a collection: a callback of the interpreter's."""
        if phase == "start" and self._stack:
            self.enter("gc")
            self._collections += 1
        elif self._stack and self.part == "gc":
            self.leave()

    def _read(self) -> int:
        """Read the clock, anew where a collection has come between: CPython 3.12 starts one when a call returns."""
        while True:
            collections = self._collections
            now = self.now()
            if collections == self._collections:
                return now

    def unwind(self, depth: int) -> None:
        """Leave parts until so many are open: an error has passed their end markers by."""
        while len(self._stack) > depth:
            self.leave()

    def by_statement(self) -> tuple[StatementParts, ...]:
        """Return what was charged, added up by text, in the order of first execution; what belongs to none first."""
        added: dict[str, tuple[int, defaultdict[Part, int]]] = {}
        for account in self.accounts:
            executions, ns = added.get(account.text, (0, defaultdict(int)))
            for part, spent in account.ns.items():
                ns[part] += spent
            added[account.text] = (executions + 1, ns)
        return tuple(
            StatementParts(sql=text, executions=executions if text else 0, ns=dict(ns))
            for text, (executions, ns) in added.items()
        )


def phased_load(engine: Engine, opened: Opened, load: Load) -> Phases:
    """Run the load once under the markers, with the collector as the interpreter has it; return its parts."""
    clock = PartClock()
    with opened() as session, marking(clock, engine):
        gc.collect()
        gc.enable()
        try:
            began = perf_counter_ns()
            clock.enter("statement")
            result = load(session)
            clock.unwind(0)
            wall_ns = perf_counter_ns() - began
            gc.disable()  # freeing a large result would start collections that nobody asked for
            del result
        finally:
            gc.enable()
    return Phases(wall_ns=wall_ns, statements=clock.by_statement())


@contextmanager
def marking(clock: PartClock, engine: Engine) -> Iterator[None]:
    """Have SQLAlchemy, the driver's cursors and the collector switch the clock while the block runs."""
    with ExitStack() as stack:
        for name, listener in (("before_cursor_execute", _before(clock)), ("after_cursor_execute", _after(clock))):
            event.listen(engine, name, listener)
            stack.callback(event.remove, engine, name, listener)
        for owner, name, wrap in _marked(clock):
            stack.enter_context(_replaced(owner, name, wrap))
        gc.callbacks.append(clock.collecting)
        stack.callback(gc.callbacks.remove, clock.collecting)
        yield


Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]


def _marked(clock: PartClock) -> tuple[tuple[Any, str, Wrap], ...]:
    """The functions of SQLAlchemy that are markers, with what is put around each."""
    return (
        (Session, "_execute_internal", lambda original: _asking(clock, original)),
        (_LAZY_LOADER, "_emit_lazyload", lambda original: _within(clock, "statement", original, new=True)),
        (loading, "instances", lambda original: _within(clock, "objects", original)),
        (loading, "ChunkedIteratorResult", lambda original: _chunked(clock, original)),
        (CursorResult, _RAW_ROWS, lambda original: _within(clock, "rows", original)),
        (CursorResult, "fetchmany", lambda original: _within(clock, "rows", original)),
        (ResultInternal, "_allrows", lambda original: _all_rows(clock, original)),
    )


@contextmanager
def _replaced(owner: Any, name: str, wrap: Wrap) -> Iterator[None]:
    """Replace an attribute while the block runs; one that was inherited is inherited again."""
    own = vars(owner).get(name)
    setattr(owner, name, wrap(getattr(owner, name)))
    try:
        yield
    finally:
        if own is None:
            delattr(owner, name)
        else:
            setattr(owner, name, own)


def _within(clock: PartClock, part: Part, original: Callable[..., Any], *, new: bool = False) -> Callable[..., Any]:
    """A part lasts as long as the function; new: in an account of its own."""

    @wraps(original)
    def marked(*given: Any, **named: Any) -> Any:
        depth = clock.depth
        clock.enter(part, clock.opened() if new else None)
        try:
            return original(*given, **named)
        finally:
            clock.unwind(depth)

    return marked


def _asking(clock: PartClock, original: Callable[..., Any]) -> Callable[..., Any]:
    """The session is asked to execute; when the load's own code has been handed a first result, its walk begins."""

    @wraps(original)
    def marked(*given: Any, **named: Any) -> Any:
        depth = clock.depth
        building = depth > 1 and clock.part == "statement" and not clock.account.text  # by the lazy loader
        clock.enter("statement", None if building else clock.opened())
        try:
            return original(*given, **named)
        finally:
            clock.unwind(depth)
            if depth == 1:
                clock.switch("walk")

    return marked


def _chunked(clock: PartClock, original: Any) -> Any:
    """Build the ORM's results so that a part lasts as long as they make entities."""

    def marked(metadata: Any, chunks: Callable[[Any], Iterator[Any]], *given: Any, **named: Any) -> Any:
        account = clock.account

        def timed(size: int | None) -> Iterator[Any]:
            making = iter(chunks(size))
            while True:
                depth = clock.depth
                clock.enter("objects", account)
                try:
                    chunk = next(making)
                except StopIteration:
                    return
                finally:
                    clock.unwind(depth)
                yield chunk

        made = original(metadata, timed, *given, **named)
        made.account_of_bench = account  # for what is done with its entities when the session has returned
        return made

    return marked


def _all_rows(clock: PartClock, original: Callable[..., Any]) -> Callable[..., Any]:
    """All rows of a result: the ORM's make entities, and entities unique, Core's hand over rows."""

    @wraps(original)
    def marked(result: Any) -> Any:
        depth = clock.depth
        source = getattr(result, "_real_result", None) or result
        part: Part = "rows" if isinstance(source, CursorResult) else "objects"
        clock.enter(part, getattr(source, "account_of_bench", None))
        try:
            return original(result)
        finally:
            clock.unwind(depth)

    return marked


def _before(clock: PartClock) -> Callable[..., None]:
    def before_cursor_execute(_conn: Any, _cursor: Any, sql: str, _params: Any, _context: Any, _many: bool) -> None:
        if clock.part == "statement" and not clock.account.text:
            clock.account.text = sql
            clock.switch("wait")
        else:  # asked of a connection, not of a session
            account = clock.opened()
            account.text, account.direct = sql, True
            clock.enter("wait", account)

    return before_cursor_execute


def _after(clock: PartClock) -> Callable[..., None]:
    def after_cursor_execute(_conn: Any, cursor: Any, _sql: str, _params: Any, context: Any, _many: bool) -> None:
        account = clock.account
        if context is not None and context.cursor is cursor:
            # A server-side cursor asks the server for rows as they are fetched, and so waits again.
            part: Part = "wait" if context._is_server_side else "fetch"
            context.cursor = WatchedCursor(cursor, lambda: clock.enter(part, account), lambda _rows: clock.leave())
        if account.direct:
            clock.leave()
        else:
            clock.switch("rows")

    return after_cursor_execute
