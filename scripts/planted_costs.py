"""Known costs put into one part of a load: what `selfbench_bill.py` measures the bill by, and its test holds it to.

A cost is slept, for a process that has kept a busy machine's core is made to wait for it afterwards. A sleep is never
shorter than asked for; what it is longer by, on a busy machine, is longer for the part and for the whole alike.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from time import sleep
from typing import Any, get_args

from sqlalchemy import Engine, String, TextClause, TypeDecorator, event, select, text, type_coerce
from sqlalchemy.orm import Session, selectinload

from bench.connect import calling, engine
from bench.databases.latency.process import LOOPBACK, ProxyProcess
from bench.measure.phases import phased_load
from bench.measure.server_time import ServerTime
from bench.measure.timing import timed_load
from bench.model import Target
from bench.model.profile import Observed, Part
from bench.reduce import bill
from scenarios.one_to_many import Book, User

DRIVERS = ("pysqlite", "psycopg", "asyncpg")
TRIPS = 3
"""Round trips of `load_books`: BEGIN and two statements."""

WARM_UPS = 6
"""Loads before the first that counts: psycopg prepares a statement at its fifth execution."""

WHOLE, NO_PART = "the whole", "no part's"

Load = Callable[[Session], Any]
Parts = dict[str, float]

_numbers = itertools.count(1)


@dataclass
class Fuse:
    """Takes time once a load, and only where it is lit for that load."""

    lit_ns: int = 0

    def touch(self) -> None:
        """Sleep, if it is lit."""
        lit_ns, self.lit_ns = self.lit_ns, 0
        sleep(lit_ns / 1e9)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two loads, one after the other: the parts of one that is left alone, and of one that is made to take longer.

    They are in ns, with the whole and what is no part's.
    """

    plain: Parts
    slow: Parts

    def moved(self, part: str) -> float:
        """How much larger a part is in the one that takes longer."""
        return self.slow[part] - self.plain[part]


@dataclass
class Bench:
    """A database with users and books, by one driver. call: runs what uses its engine.

    delay: sets what the way to the server takes longer in each direction, in ns. server: made with the first pair.
    """

    driver: str
    engine: Engine
    call: Callable[[Callable[[], Any]], Any]
    delay: Callable[[int], None] = lambda _one_way_ns: None
    server: ServerTime | None = None

    def bare(self, work: Callable[[Any], Any]) -> None:
        """Do something to the driver's own connection, which is the one that every load uses."""

        def on_it() -> None:
            connection = self.engine.raw_connection()
            adapter: Any = connection.dbapi_connection
            adapter.run_async(work) if hasattr(adapter, "run_async") else work(adapter)
            connection.close()

        self.call(on_it)

    def pairs(self, planted: Planted, amount_ns: int, count: int) -> list[Pair]:
        """Return so many pairs of loads, after some that warm up."""

        def measure() -> list[Pair]:
            self.server = server = self.server or ServerTime(self.engine)
            assert self.driver == "pysqlite" or not server.silent, server.silent
            for _ in range(WARM_UPS):
                timed_load(lambda: Session(self.engine), planted.load, "default")
            return [
                Pair(plain=self._observed(planted, server, 0), slow=self._observed(planted, server, amount_ns))
                for _ in range(count)
            ]

        return self.call(measure)  # type: ignore[no-any-return]

    def _observed(self, planted: Planted, server: ServerTime, amount_ns: int) -> Parts:
        def opened() -> Session:
            planted.before(amount_ns)
            return Session(self.engine)

        def load() -> Any:
            phases = phased_load(self.engine, opened, planted.load)
            planted.before(0)
            return phases

        phases, server_ns = server.around(load)
        return self._named(Observed(phases=phases, server_ns=server_ns))

    def _named(self, one: Observed) -> Parts:
        spent: dict[Part, float] = {part: one.phases.spent_ns(part) for part in get_args(Part)}
        named = bill.named_parts(spent, server_ns=one.server_ns, driver=self.driver)
        return {**named, NO_PART: one.phases.residual_ns, WHOLE: one.phases.wall_ns}


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A load with a cost in it. before: told outside the clock what the next one is to cost, in ns, and 0 after it."""

    load: Load
    before: Callable[[int], None]


def median_moved(pairs: Iterable[Pair], part: str, *, of: str | None = None) -> float:
    """Return the median over pairs of how much larger a part is, in ns; of: as a share of how much larger that is."""
    return statistics.median(pair.moved(part) / (pair.moved(of) if of else 1) for pair in pairs)


@contextmanager
def through(target: Target) -> Iterator[Bench]:
    """Yield a seeded database by the driver of a target."""
    made = engine(target)
    with calling(made) as call:
        yield Bench(driver=target.driver, engine=made, call=call)


@contextmanager
def through_proxy(target: Target) -> Iterator[Bench]:
    """Yield the same behind the proxy that adds latency, which is not calibrated: a busy machine would refuse that."""
    assert target.host and target.port
    server = f"{target.host}/.s.PGSQL.{target.port}" if target.host.startswith("/") else (target.host, target.port)
    with (
        ProxyProcess(server, ports=1, name=target.name) as proxy,
        through(replace(target, host=LOOPBACK, port=proxy.ports[0])) as bench,
    ):
        bench.delay = partial(proxy.delay, 0)
        yield bench


def load_books(session: Session, *where: TextClause) -> list[User]:
    """Load the users with their books, and touch them."""
    users = list(session.scalars(select(User).where(*where).options(selectinload(User.books))).all())
    for user in users:
        user.books  # noqa: B018 - the access is the load
    return users


@contextmanager
def in_the_query(bench: Bench) -> Iterator[Planted]:
    """The database sleeps while it executes."""
    asked_ns = 0

    def before(amount_ns: int) -> None:
        nonlocal asked_ns
        asked_ns = amount_ns

    def taken() -> int:
        sleep(asked_ns / 1e9)
        return 1

    def load(session: Session) -> Any:
        seconds = asked_ns / 1e9
        slept = "(SELECT take()) = 1" if bench.driver == "pysqlite" else "(SELECT pg_sleep(:s))::text IS NOT NULL"
        where = text(slept) if bench.driver == "pysqlite" else text(slept).bindparams(s=seconds)
        return session.scalars(select(User).where(where).options(selectinload(User.books))).all()

    if bench.driver == "pysqlite":
        bench.bare(lambda bare: bare.create_function("take", 0, taken))
    yield Planted(load=load, before=before)


@contextmanager
def in_the_decoder(bench: Bench) -> Iterator[Planted]:
    """The driver sleeps when it decodes the first text.

    The statement is one that it has not seen yet: asyncpg keeps the decoders that it had when it prepared one.
    """
    fuse, number = Fuse(), next(_numbers)
    new = text(f"{number} = {number}")

    def decoded(value: Any) -> Any:
        fuse.touch()
        return value.decode() if isinstance(value, bytes) else value

    plant, pull = _decoders(bench.driver, fuse, decoded)
    bench.bare(plant)
    yield _lit(fuse, lambda session: load_books(session, new))
    bench.bare(pull)


def _decoders(driver: str, fuse: Fuse, decoded: Callable[[Any], Any]) -> tuple[Callable[[Any], Any], ...]:
    """Return what gives the driver's connection a decoder of text, and what takes it away."""
    if driver == "pysqlite":
        return (lambda bare: setattr(bare, "text_factory", decoded)), (lambda bare: setattr(bare, "text_factory", str))
    if driver == "asyncpg":
        named = {"schema": "pg_catalog", "format": "text"}
        return (
            lambda bare: bare.set_type_codec("varchar", encoder=str, decoder=decoded, **named),
            lambda bare: bare.reset_type_codec("varchar", schema="pg_catalog"),
        )
    from psycopg.types.string import TextLoader

    class Slow(TextLoader):
        def load(self, data: Any) -> Any:
            fuse.touch()
            return super().load(data)

    return (
        lambda bare: bare.adapters.register_loader("varchar", Slow),
        lambda bare: bare.adapters.register_loader("varchar", TextLoader),
    )


@contextmanager
def in_a_load_event(_bench: Bench) -> Iterator[Planted]:
    """A listener sleeps when the ORM has made the first book."""
    fuse = Fuse()

    def loaded(_book: Book, _context: Any) -> None:
        fuse.touch()

    event.listen(Book, "load", loaded)
    try:
        yield _lit(fuse, lambda session: load_books(session))
    finally:
        event.remove(Book, "load", loaded)


@contextmanager
def in_the_walk(_bench: Bench) -> Iterator[Planted]:
    """The load's own code sleeps when it has its users."""
    fuse = Fuse()

    def load(session: Session) -> Any:
        users = load_books(session)
        fuse.touch()
        return users

    yield _lit(fuse, load)


@contextmanager
def before_the_first_statement(_bench: Bench) -> Iterator[Planted]:
    """The load's own code sleeps before it asks for anything."""
    fuse = Fuse()

    def load(session: Session) -> Any:
        fuse.touch()
        return load_books(session)

    yield _lit(fuse, load)


@contextmanager
def in_a_result_processor(_bench: Bench) -> Iterator[Planted]:
    """A column's type sleeps when it turns the first value into what the program sees."""
    fuse = Fuse()

    class Slow(TypeDecorator[str]):
        impl = String
        cache_ok = True

        def process_result_value(self, value: Any, _dialect: Any) -> Any:
            fuse.touch()
            return value

    yield _lit(fuse, lambda session: session.execute(select(User.id, type_coerce(User.name, Slow))).all())


@contextmanager
def on_the_way(bench: Bench) -> Iterator[Planted]:
    """Each message to the server and back arrives later, so that all round trips together take the amount longer."""
    yield Planted(
        load=lambda session: load_books(session), before=lambda amount_ns: bench.delay(amount_ns // TRIPS // 2)
    )


def _lit(fuse: Fuse, load: Load) -> Planted:
    def light(amount_ns: int) -> None:
        fuse.lit_ns = amount_ns

    return Planted(load=load, before=light)


Plant = Callable[[Bench], AbstractContextManager[Planted]]

OWN_PART: Mapping[Plant, Mapping[str, str]] = {
    before_the_first_statement: dict.fromkeys(DRIVERS, bill.STATEMENT),
    in_the_query: {"pysqlite": bill.DATABASE, "psycopg": bill.SERVER, "asyncpg": bill.SERVER},
    on_the_way: {"psycopg": bill.WIRE, "asyncpg": bill.WIRE_AND_DRIVER},
    in_the_decoder: {"pysqlite": bill.DATABASE, "psycopg": bill.DECODING, "asyncpg": bill.WIRE_AND_DRIVER},
    in_a_result_processor: dict.fromkeys(DRIVERS, bill.ROWS),
    in_a_load_event: dict.fromkeys(DRIVERS, bill.OBJECTS),
    in_the_walk: dict.fromkeys(DRIVERS, bill.WALK),
}
"""The part that each cost belongs to, by driver; where a driver is not named it cannot be planted."""
