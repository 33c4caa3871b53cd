"""Loads written by hand, the yardstick of `selfbench_timing.py`: timed in one process, in turn with a worker of ours.

The worker and the loops share an engine and a connection, the process's memory and its hash seed: nothing differs but
the code around the load. One more loop, on an engine made by hand, shows what the harness's own engine does to a load.

Reads a line of JSON with `target` (as a worker is given it), `strategies`, `rounds` and `seed`; prints, as JSON, the
nanoseconds of every load by strategy and entrant.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import URL, Engine, create_engine, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session, joinedload, lazyload, selectinload
from sqlalchemy.util import await_only

from bench.connect import calling
from bench.measure.warming import warm_loads
from bench.model import Target
from bench.worker import Worker, answer
from scenarios.one_to_many import User

OPTIONS = {"lazy": lazyload(User.books), "joined": joinedload(User.books), "selectin": selectinload(User.books)}

HARNESS, BARE, AGAIN, OWN_ENGINE, ASYNC_SESSION = "harness", "bare", "bare again", "own engine", "AsyncSession"

Times = dict[str, dict[str, list[int]]]
"""Nanoseconds of each round, by strategy and entrant."""


def load(session: Session, name: str) -> Sequence[User]:
    """Load every user and touch each one's books."""
    result = session.scalars(select(User).options(OPTIONS[name]))
    users = result.unique().all() if name == "joined" else result.all()
    for user in users:
        user.books  # noqa: B018 - the access is the load
    return users


def bare(engine: Engine, name: str) -> int:
    """Time one load, as a careful person does."""
    with Session(engine) as session:
        gc.collect()
        gc.disable()
        start = time.perf_counter_ns()
        users = load(session, name)
        took = time.perf_counter_ns() - start
        gc.enable()
        del users
    return took


async def bare_async(engine: AsyncEngine, name: str) -> int:
    """Time one load as the user of an `AsyncSession` does it; the clock sees the greenlet start too."""
    async with AsyncSession(engine) as session:
        gc.collect()
        gc.disable()
        start = time.perf_counter_ns()
        users = await session.run_sync(load, name)
        took = time.perf_counter_ns() - start
        gc.enable()
        del users
    return took


def by_harness(worker: Worker, name: str) -> int:
    """Time one load as a run does: a request from JSON, answered by the worker."""
    request = {"do": "time", "strategy": name, "floor": False, "collector": "quiet"}
    reply = json.loads(json.dumps(answer(worker, json.loads(json.dumps(request)))))
    return int(reply["ok"]["wall_ns"])


def engine_by_hand(target: Target) -> Engine:
    """Return an engine for the target as people write it, without `bench.connect`."""
    if target.dialect == "sqlite":
        return create_engine(f"sqlite:///file:{target.database}?mode=ro&uri=true")
    url = URL.create(
        f"{target.dialect}+{target.driver}",
        username=target.user,
        password=target.password,
        host=target.host,
        port=target.port,
        database=target.database,
    )
    return create_async_engine(url).sync_engine if target.driver == "asyncpg" else create_engine(url)


def measured(worker: Worker, by_hand: Engine, asked: dict[str, Any]) -> Times:
    """Time every entrant once a round, in an order drawn anew, after loads that warm up."""
    chance = random.Random(asked["seed"])  # noqa: S311 - an order, no secret
    times: Times = {}
    for name in asked["strategies"]:
        entrants = _entrants(worker, by_hand, name)
        for _ in range(warm_loads(worker.engine.dialect.driver)):
            for timed in entrants.values():
                timed()
        times[name] = {entrant: [] for entrant in entrants}
        for _ in range(asked["rounds"]):
            for entrant in chance.sample(list(entrants), len(entrants)):
                times[name][entrant].append(entrants[entrant]())
    return times


def _entrants(worker: Worker, by_hand: Engine, name: str) -> dict[str, Callable[[], int]]:
    entrants: dict[str, Callable[[], int]] = {
        HARNESS: partial(by_harness, worker, name),
        BARE: partial(bare, worker.engine, name),
        AGAIN: partial(bare, worker.engine, name),
        OWN_ENGINE: partial(bare, by_hand, name),
    }
    if worker.engine.dialect.is_async:
        shared = AsyncEngine(worker.engine)
        entrants[ASYNC_SESSION] = lambda: int(await_only(bare_async(shared, name)))
    return entrants


def main() -> None:
    """Measure what standard input asks for."""
    asked = json.loads(sys.stdin.readline())
    target = Target(**asked["target"])
    worker, by_hand = Worker("one_to_many", target), engine_by_hand(target)

    def work() -> Times:
        try:
            return measured(worker, by_hand, asked)
        finally:
            by_hand.dispose()

    with calling(worker.engine) as call:
        print(json.dumps(call(work)))


if __name__ == "__main__":
    main()
