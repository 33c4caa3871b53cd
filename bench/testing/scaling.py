"""That a load sends no more statements for more parents: it is run at several sizes, and what it sent is judged."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from bench.errors import BenchError
from bench.testing.counting import Seen, count_statements
from bench.testing.engines import session_of
from bench.testing.holding import held
from bench.testing.judging import Loaded, judge

SIZES = (2, 5)
"""Numbers of parents: one alone has nothing to repeat, and few are made quickly."""


def assert_scaling(
    load: Callable[..., Any],
    *sources: Any,
    add: Callable[[int], Any] | None = None,
    sizes: Iterable[int] = SIZES,
) -> tuple[Seen, ...]:
    """Assert that no statement of a load is sent more often for more parents; return what was seen at each size.

    load: what is tested. With `add` it is called without arguments, after `add(n)` has made n parents more, so that
    there are as many as the size says; without `add` it is called with the size. sources: as for `count_statements`;
    a session among them is flushed and emptied before each load, as one of a new request is. sizes: two or more, each
    larger than the last. Raises AssertionError for a statement that grows, and for a load of which nothing is shown: it
    sends nothing, fetches no more rows, or its session, not named, held enough entities before to hide a growth.
    Raises BenchError for sizes that compare nothing, and for what has to be awaited.
    """
    __tracebackhide__ = True
    at, loads = _checked(sizes), list[Loaded]()
    with closing(_steps(load, sources, add, at, loads)) as steps:
        for step in steps:
            _refuse_awaitable(step())
    judge(at, loads)
    return tuple(each.seen for each in loads)


async def assert_scaling_async(
    load: Callable[..., Any],
    *sources: Any,
    add: Callable[[int], Any] | None = None,
    sizes: Iterable[int] = SIZES,
) -> tuple[Seen, ...]:
    """Assert the same of a `load` and an `add` that are awaited, where what they return can be."""
    __tracebackhide__ = True
    at, loads = _checked(sizes), list[Loaded]()
    with closing(_steps(load, sources, add, at, loads)) as steps:
        for step in steps:
            done = step()
            if inspect.isawaitable(done):
                await done
    judge(at, loads)
    return tuple(each.seen for each in loads)


def _steps(
    load: Callable[..., Any],
    sources: Sequence[Any],
    add: Callable[[int], Any] | None,
    sizes: Sequence[int],
    loads: list[Loaded],
) -> Generator[Callable[[], Any]]:
    """Yield what is to be called, one after another; count while a load is, and put what was counted into `loads`."""
    before = 0
    for size in sizes:
        if add is not None:
            yield partial(add, size - before)
            before = size
        for source in sources:
            if session_of(source) is not None:
                yield source.flush
                source.expunge_all()
        holding = held()
        with count_statements(*sources) as seen:
            yield load if add is not None else partial(load, size)
        loads.append(Loaded(seen, held=sum(holding.get(session, 0) for session in seen.sessions)))


def _checked(sizes: Any) -> tuple[int, ...]:
    """Return the sizes, which may be what is walked but once."""
    given = tuple(sizes) if isinstance(sizes, Iterable) and not isinstance(sizes, str) else None
    numbers = [size for size in given or () if isinstance(size, int) and not isinstance(size, bool) and size > 0]
    if given is None or len(numbers) < 2 or len(numbers) != len(given) or sorted(set(numbers)) != numbers:
        raise BenchError(
            f"{sizes if given is None else given!r} are no sizes to compare.",
            remedy="Give two or more whole numbers, each larger than the last.",
        )
    return given


def _refuse_awaitable(done: Any) -> None:
    if inspect.isawaitable(done):
        if inspect.iscoroutine(done):
            done.close()  # or Python warns of it besides
        raise BenchError(
            "What is to be called gives something to await, and nothing was loaded.",
            remedy="Use `await assert_scaling_async(...)`.",
        )
