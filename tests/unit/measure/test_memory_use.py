"""Who holds a load's memory: parts add up, and memory that is put into one place moves its part by that, and no other.

Bytes are counted, not timed: the figures hold on any machine, however busy.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session, joinedload, selectinload
from support.library import library

from bench.catalogue import is_available
from bench.measure.memory_use import memory_use
from bench.measure.process_memory import SMALL_BLOCK, c_allocation, c_block, resident_rise
from bench.model import Strategy
from bench.model.memory_use import Held, MemoryUse
from scenarios.one_to_many import ONE_TO_MANY, User

USERS, BOOKS = 20, 10
ENTITIES = USERS + USERS * BOOKS

NOISE_BYTES = 8_000
"""What two looks at the same load may differ by: caches that grow now and then."""

PARTS = ("entities_bytes", "rows_bytes", "driver_bytes", "sqlalchemy_bytes", "own_bytes", "unclaimed_bytes")

Loads = Callable[[Session], Any]


def used(load: Loads) -> MemoryUse:
    engine = library(*[BOOKS] * USERS)
    return memory_use(engine, lambda: Session(engine), load)


def joined(session: Session) -> Any:
    return session.scalars(select(User).options(joinedload(User.books))).unique().all()


@pytest.fixture(scope="module")
def plain() -> MemoryUse:
    """The load to which others add something."""
    return used(joined)


def moved(before: Held, after: Held) -> dict[str, int]:
    """The parts that another look finds larger or smaller by more than noise."""
    by = {part: getattr(after, part) - getattr(before, part) for part in PARTS}
    return {part: change for part, change in by.items() if abs(change) > NOISE_BYTES}


@contextmanager
def on_load(listener: Callable[..., None]) -> Iterator[None]:
    event.listen(User, "load", listener)
    try:
        yield
    finally:
        event.remove(User, "load", listener)


@pytest.mark.parametrize(
    "strategy",
    [one for one in filter(is_available, ONE_TO_MANY.strategies) if one.name in {"lazy", "joined", "selectin"}],
    ids=lambda strategy: strategy.name,
)
def test_hardly_anything_is_claimed_by_no_part_and_every_entity_is_counted(strategy: Strategy) -> None:
    found = used(lambda session: ONE_TO_MANY.load(session, strategy))

    assert found.entities == ENTITIES
    assert found.most_entities <= ENTITIES
    for held in (found.at_peak, found.retained):
        assert abs(held.unclaimed_bytes) < NOISE_BYTES
        assert 0 < held.total_bytes <= found.peak_bytes
    # In a process of other tests a cache of theirs may grow within the load: then the peak lies beyond the moment.
    assert found.at_peak.total_bytes > 0.7 * found.peak_bytes
    assert found.kept_bytes < 2 * NOISE_BYTES
    assert found.retained.entities_bytes > 0.8 * found.retained.total_bytes
    assert found.entity_bytes * ENTITIES == pytest.approx(found.retained.entities_bytes)


def test_what_an_event_puts_on_entities_is_held_by_entities(plain: MemoryUse) -> None:
    def listener(user: User, _context: Any) -> None:
        user.__dict__["extra"] = bytes(50_000)

    with on_load(listener):
        after = used(joined)

    amount = USERS * sys.getsizeof(bytes(50_000))
    assert moved(plain.retained, after.retained) == {"entities_bytes": pytest.approx(amount, abs=NOISE_BYTES)}
    assert moved(plain.at_peak, after.at_peak) == {"entities_bytes": pytest.approx(amount, abs=NOISE_BYTES)}


def test_what_an_event_keeps_elsewhere_is_held_by_the_loads_own_code(plain: MemoryUse) -> None:
    kept: list[bytes] = []

    def listener(_user: User, _context: Any) -> None:
        kept.append(bytes(50_000))

    def load(session: Session) -> Any:
        kept.clear()
        return joined(session)

    with on_load(listener):
        after = used(load)

    amount = USERS * sys.getsizeof(bytes(50_000))
    assert moved(plain.retained, after.retained) == {"own_bytes": pytest.approx(amount, abs=NOISE_BYTES)}
    assert after.kept_bytes - plain.kept_bytes == pytest.approx(amount, abs=NOISE_BYTES)  # nobody lets go of it


def test_rows_that_the_load_keeps_are_held_by_rows(plain: MemoryUse) -> None:
    def load(session: Session) -> Any:
        return joined(session), session.execute(text("SELECT hex(zeroblob(25000)) FROM users")).all()

    after = used(load)

    amount = USERS * sys.getsizeof("0" * 50_000)
    assert moved(plain.retained, after.retained) == {"rows_bytes": pytest.approx(amount, abs=NOISE_BYTES)}


def test_what_is_gone_before_the_end_is_in_the_peak_alone(plain: MemoryUse) -> None:
    def load(session: Session) -> Any:
        users = joined(session)
        passing = [bytes(1_000) for _ in range(1_000)]
        return len(passing) and users

    after = used(load)

    assert moved(plain.retained, after.retained) == {}
    assert after.peak_bytes > sys.getsizeof(bytes(1_000)) * 1_000
    assert after.at_peak.own_bytes == pytest.approx(1_000 * sys.getsizeof(bytes(1_000)) + 8_000, abs=NOISE_BYTES)
    assert after.at_peak.rows_bytes < plain.at_peak.rows_bytes  # those of the load are gone by then


def test_entities_of_which_nobody_holds_any_are_held_a_part_at_a_time(plain: MemoryUse) -> None:
    def in_parts(session: Session) -> Any:
        statement = select(User).options(selectinload(User.books)).execution_options(yield_per=2)
        return sum(len(user.books) for user in session.scalars(statement))

    found = used(in_parts)

    assert found.entities == 0
    assert found.entity_bytes == 0
    assert 0 < found.most_entities <= 4 * (1 + BOOKS)
    assert found.at_peak.entities_bytes < plain.at_peak.entities_bytes / 3


def test_a_load_that_fails_leaves_nothing_switched_on() -> None:
    frozen = gc.get_freeze_count()

    def fails(session: Session) -> Any:
        joined(session)
        if tracemalloc.is_tracing():
            raise LookupError("while it is looked at")

    with pytest.raises(LookupError):
        used(fails)

    assert not tracemalloc.is_tracing()
    assert gc.isenabled()
    assert gc.get_freeze_count() == frozen
    assert sys.getprofile() is None


def test_the_c_library_tells_what_is_taken_of_it() -> None:
    in_use = c_allocation()
    if in_use is None:
        pytest.skip("this C library does not tell")
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

    before = in_use()
    block = libc.malloc(ctypes.c_size_t(3_000_000))
    during = in_use()
    libc.free(block)

    assert 3_000_000 <= during - before < 3_010_000
    assert in_use() - before < 10_000


def test_python_has_its_large_blocks_of_the_c_library_and_its_small_ones_not() -> None:
    in_use = c_allocation()
    if in_use is None:
        pytest.skip("this C library does not tell")

    before = in_use()
    kept = [bytes(1_000) for _ in range(1_000)]
    taken = in_use() - before

    assert taken == pytest.approx(1_000 * c_block(sys.getsizeof(kept[0])), abs=20_000)
    assert c_block(SMALL_BLOCK) == 0


def test_the_resident_memory_rises_by_what_is_written_to_and_is_seen_anew_each_time() -> None:
    amount = 64_000_000

    def work() -> None:
        bytearray(b"x") * amount

    risen = resident_rise(work)
    if risen is None:
        pytest.skip("this kernel does not tell")

    assert 0.9 * amount < risen < 1.5 * amount
    assert (resident_rise(lambda: None) or 0) < amount / 10
