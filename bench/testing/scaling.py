"""That a load sends no more statements for more parents: it is run at several sizes, and its statements compared."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from bench.errors import BenchError
from bench.measure.tracing import Execution
from bench.reduce.sqltext import canonical, normalised
from bench.testing.counting import Seen, count_statements
from bench.testing.engines import session_of

SIZES = (2, 5)
"""Numbers of parents: one alone has nothing to repeat, and few are made quickly."""

_Key = tuple[str, str]
"""A statement of several sizes: its text without the number of its parameters, and the relationship it loads."""


def assert_scaling(
    load: Callable[..., Any],
    *sources: Any,
    add: Callable[[int], Any] | None = None,
    sizes: Sequence[int] = SIZES,
) -> tuple[Seen, ...]:
    """Assert that no statement of a load is sent more often for more parents; return what was seen at each size.

    load: what is tested. With `add` it is called without arguments, after `add(n)` has made n parents more, so that
    there are as many as the size says; without `add` it is called with the size. sources: as for `count_statements`;
    a session among them is flushed and emptied before each load, as one of a new request is. Raises AssertionError for
    a statement that grows, and for a load that sends nothing or fetches no more rows, of which nothing is shown.
    """
    __tracebackhide__ = True
    seen: list[Seen] = []
    with closing(_steps(load, sources, add, sizes, seen)) as steps:
        for step in steps:
            _refuse_awaitable(step())
    _judge(sizes, seen)
    return tuple(seen)


async def assert_scaling_async(
    load: Callable[..., Any],
    *sources: Any,
    add: Callable[[int], Any] | None = None,
    sizes: Sequence[int] = SIZES,
) -> tuple[Seen, ...]:
    """Assert the same of a `load` and an `add` that are awaited, where what they return can be."""
    __tracebackhide__ = True
    seen: list[Seen] = []
    with closing(_steps(load, sources, add, sizes, seen)) as steps:
        for step in steps:
            done = step()
            if inspect.isawaitable(done):
                await done
    _judge(sizes, seen)
    return tuple(seen)


def _steps(
    load: Callable[..., Any],
    sources: Sequence[Any],
    add: Callable[[int], Any] | None,
    sizes: Sequence[int],
    seen: list[Seen],
) -> Generator[Callable[[], Any]]:
    """Yield what is to be called, one after another; count while a load is, and put what was counted into `seen`."""
    _check(sizes)
    before = 0
    for size in sizes:
        if add is not None:
            yield partial(add, size - before)
            before = size
        for source in sources:
            if session_of(source) is not None:
                yield source.flush
                source.expunge_all()
        with count_statements(*sources) as found:
            yield load if add is not None else partial(load, size)
        seen.append(found)


@dataclass(slots=True)
class _Sent:
    """What was seen of a statement at one size; example: of it, as it was sent."""

    example: Execution
    executions: int = 0
    rows: int = 0


def _judge(sizes: Sequence[int], seen: Sequence[Seen]) -> None:
    """Raise AssertionError where a statement grows, and where nothing is shown."""
    __tracebackhide__ = True
    found = [_by_key(each.executions) for each in seen]
    keys = list(dict.fromkeys(key for each in reversed(found) for key in each))
    sent = {key: [each[key].executions if key in each else 0 for each in found] for key in keys}
    rows = {key: [each[key].rows if key in each else 0 for each in found] for key in keys}
    grown = [key for key in keys if _grows(sent[key])]
    if not all(found):
        raise AssertionError(
            f"No statement was counted at size {sizes[found.index({})]:,}: "
            "the load sends none, or over an engine that was not named."
        )
    if grown:
        examples = [next(each[key].example for each in reversed(found) if key in each) for key in grown]
        raise AssertionError(_growth(sizes, seen, examples, [sent[key] for key in grown]))
    if not any(map(_grows, rows.values())):
        raise AssertionError(
            f"Nothing is shown: no statement fetched more rows at size {sizes[-1]:,} than at {sizes[0]:,}. "
            "Does the load see the parents that were added, and has it a limit?"
        )


def _growth(sizes: Sequence[int], seen: Sequence[Seen], examples: list[Execution], sent: list[list[int]]) -> str:
    from bench.testing import text  # what formats SQL is loaded where something has to be said

    def at_each(counts: Sequence[int]) -> str:
        return ", ".join(f"{count:,} at {size:,}" for size, count in zip(sizes, counts, strict=True))

    totals = at_each([each.statements for each in seen])
    reason = f"Statements grow with the size: {totals}. {text.n_plus_one_line(examples)}".rstrip()
    others = len({key for each in seen for key in _by_key(each.executions)}) - len(examples)
    shown = text.block(reason, examples, [f"sent {at_each(counts)}" for counts in sent])
    return f"{shown}\n\n{others:,} other{'s do' if others != 1 else ' does'} not grow." if others else shown


def _by_key(executions: Sequence[Execution]) -> dict[_Key, _Sent]:
    found: dict[_Key, _Sent] = {}
    for one in executions:
        each = found.setdefault((canonical(normalised(one.sql)), one.origin.path), _Sent(example=one))
        each.executions += one.executions
        each.rows += one.rows
    return found


def _grows(figures: Sequence[int]) -> bool:
    return any(after > before for before, after in pairwise(figures))


def _check(sizes: Sequence[Any]) -> None:
    numbers = [size for size in sizes if isinstance(size, int) and not isinstance(size, bool) and size > 0]
    if len(numbers) < 2 or len(numbers) != len(sizes) or sorted(set(numbers)) != numbers:
        raise BenchError(
            f"{sizes!r} are no sizes to compare.", remedy="Give two or more whole numbers, each larger than the last."
        )


def _refuse_awaitable(done: Any) -> None:
    if inspect.isawaitable(done):
        if inspect.iscoroutine(done):
            done.close()  # or Python warns of it besides
        raise BenchError(
            "What is to be called gives something to await, and nothing was loaded.",
            remedy="Use `await assert_scaling_async(...)`.",
        )
