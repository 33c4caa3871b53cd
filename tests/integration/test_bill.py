"""The bill is right: a known cost, put into one part of a load, moves that part by its amount, and no other.

These tests assert durations, as ratios to the amount that was put in: it is slept, so that neighbours on the machine do
not change it. Loads with and without it are taken in turn, and of each part the lower quartile: neighbours make loads
longer, and never shorter.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from time import sleep
from typing import TYPE_CHECKING, Any, get_args

import pytest
from sqlalchemy import Engine, String, TypeDecorator, event, select, text, type_coerce
from sqlalchemy.orm import Session, selectinload
from support.library import library

from bench.connect import calling, engine
from bench.databases.latency import delayed
from bench.datasets import seed_postgres
from bench.measure.phases import phased_load
from bench.measure.server_time import ServerTime
from bench.measure.timing import timed_load
from bench.model import DatasetOptions, Size, Target
from bench.model.profile import Observed, Part
from bench.reduce import bill
from scenarios.one_to_many import ONE_TO_MANY, Book, User

if TYPE_CHECKING:  # pytest imports it as a plugin, and has to be the first to
    from support.postgres import PostgresForTests

pytest_plugins = ["support.postgres"]

AMOUNT_NS = 150_000_000
LOADS = 5
OWN, OTHERS = 0.05, 0.02
ATTEMPTS = 3
DRIVERS = ("pysqlite", "psycopg", "asyncpg")
DATABASE_PART = {"pysqlite": bill.DATABASE, "psycopg": bill.SERVER, "asyncpg": bill.SERVER}
DECODING_PART = {"pysqlite": bill.DATABASE, "psycopg": bill.DECODING, "asyncpg": bill.WIRE_AND_DRIVER}
WIRE_PART = {"psycopg": bill.WIRE, "asyncpg": bill.WIRE_AND_DRIVER}


def quiet(times_ns: Iterable[float]) -> float:
    """The lower quartile: what a part takes while the machine is left alone."""
    return statistics.quantiles(times_ns, n=4, method="inclusive")[0]


def take_time() -> None:
    """Take AMOUNT_NS, asleep: a process that has kept a busy machine's core is made to wait for it afterwards."""
    sleep(AMOUNT_NS / 1e9)


@dataclass
class Fuse:
    """Takes time once a load, and only where it is lit for that load."""

    lit: bool = False

    def touch(self) -> None:
        if self.lit:
            self.lit = False
            take_time()


@dataclass
class Bench:
    """A seeded database by one driver. fuse: what the load, the driver or the ORM touches on its way."""

    driver: str
    engine: Engine
    call: Callable[[Callable[[], Any]], Any]
    target: Target | None
    fuse: Fuse = field(default_factory=Fuse)
    server: ServerTime | None = None

    def bare(self, work: Callable[[Any], Any]) -> None:
        """Do something to the driver's own connection, which is the one that every load uses."""

        def on_it() -> None:
            connection = self.engine.raw_connection()
            adapter: Any = connection.dbapi_connection
            adapter.run_async(work) if hasattr(adapter, "run_async") else work(adapter)
            connection.close()

        self.call(on_it)

    def moved(self, load: Callable[..., Any]) -> dict[str, float]:
        """How much each part is larger, ns, in loads that are told to take longer."""

        def measure() -> dict[str, float]:
            opened = lambda: Session(self.engine)  # noqa: E731
            loads = {slow: partial(load, slow=slow) for slow in (False, True)}
            for each in loads.values():
                timed_load(opened, each, "default")
            server = ServerTime(self.engine)
            assert self.driver == "pysqlite" or not server.silent
            parts: dict[bool, list[dict[str, float]]] = {False: [], True: []}
            for _ in range(LOADS):
                for slow, each in loads.items():
                    self.fuse.lit = slow
                    phases, server_ns = server.around(partial(phased_load, self.engine, opened, each))
                    self.fuse.lit = False
                    parts[slow].append(self.named(Observed(phases=phases, server_ns=server_ns)))
            return {
                name: quiet(one[name] for one in parts[True]) - quiet(one[name] for one in parts[False])
                for name in parts[True][0]
            }

        return self.call(measure)  # type: ignore[no-any-return]

    def once(self) -> dict[str, float]:
        """Load the books once, and return the parts."""

        def measure() -> dict[str, float]:
            self.server = self.server or ServerTime(self.engine)
            phases, server_ns = self.server.around(
                lambda: phased_load(self.engine, lambda: Session(self.engine), load_books)
            )
            assert server_ns is not None
            return self.named(Observed(phases=phases, server_ns=server_ns))

        return self.call(measure)  # type: ignore[no-any-return]

    def named(self, one: Observed) -> dict[str, float]:
        spent: dict[Part, float] = {part: one.phases.spent_ns(part) for part in get_args(Part)}
        named = bill.named_parts(spent, server_ns=one.server_ns, driver=self.driver)
        assert sum(named.values()) + one.phases.residual_ns == pytest.approx(one.phases.wall_ns)
        assert one.phases.residual_ns <= bill.MOST_RESIDUAL * one.phases.wall_ns
        return named


@pytest.fixture(params=DRIVERS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "pysqlite":
        made = library(*[3] * 10)
        yield Bench(driver="pysqlite", engine=made, call=lambda work: work(), target=None)
        return
    server: PostgresForTests = request.getfixturevalue("postgres")
    target = server.target(request.getfixturevalue("database"), request.param)
    seed_postgres(ONE_TO_MANY, Size((10, 3)), DatasetOptions(), target)
    with through(target) as reached:
        yield reached


def only(part: str, measured: Callable[[], dict[str, float]], amount_ns: float = AMOUNT_NS) -> None:
    """The part has grown by the amount, the others by next to nothing.

    A neighbour on the machine may spoil a measurement, so it is taken again; a bill that is wrong is wrong each time.
    """
    for _ in range(ATTEMPTS):
        moved = {name: ns / amount_ns for name, ns in measured().items()}
        own = moved.pop(part)
        if abs(own - 1) <= OWN and max(map(abs, moved.values())) <= OTHERS:
            return
    pytest.fail(f"{ATTEMPTS} times: {part} moved by {own:.3f} of what was put in, the others by {moved}")


def load_books(session: Session) -> list[User]:
    users = list(session.scalars(select(User).options(selectinload(User.books))).all())
    for user in users:
        user.books  # noqa: B018 - the access is the load
    return users


def test_time_that_the_query_takes_is_the_databases(bench: Bench) -> None:
    seconds = AMOUNT_NS / 1e9

    def taken(much: int) -> int:
        if much:
            take_time()
        return 1

    if bench.driver == "pysqlite":
        bench.bare(lambda bare: bare.create_function("take", 1, taken))
    slept_for = {
        "pysqlite": "(SELECT take({:d})) = 1",
    }.get(bench.driver, "(SELECT pg_sleep({:d} * %s))::text IS NOT NULL" % seconds)  # noqa: UP031

    def load(session: Session, slow: bool) -> Any:
        slept = text(slept_for.format(slow))
        return session.scalars(select(User).where(slept).options(selectinload(User.books))).all()

    only(DATABASE_PART[bench.driver], lambda: bench.moved(load))


def test_a_slow_decoder_is_the_drivers(bench: Bench) -> None:
    fuse = bench.fuse

    def decoded(value: Any) -> Any:
        fuse.touch()
        return value.decode() if isinstance(value, bytes) else value

    if bench.driver == "pysqlite":
        bench.bare(lambda bare: setattr(bare, "text_factory", decoded))
    elif bench.driver == "psycopg":
        from psycopg.types.string import TextLoader

        class Slow(TextLoader):
            def load(self, data: Any) -> Any:
                fuse.touch()
                return super().load(data)

        bench.bare(lambda bare: bare.adapters.register_loader("varchar", Slow))
    else:
        bench.bare(
            lambda bare: bare.set_type_codec(
                "varchar", schema="pg_catalog", encoder=str, decoder=decoded, format="text"
            )
        )

    only(DECODING_PART[bench.driver], lambda: bench.moved(lambda session, slow: load_books(session)))


def test_time_in_a_load_event_is_the_orms(bench: Bench) -> None:
    fuse = bench.fuse

    def loaded(_book: Book, _context: Any) -> None:
        fuse.touch()

    with listening(Book, "load", loaded):
        only(bill.OBJECTS, lambda: bench.moved(lambda session, slow: load_books(session)))


def test_time_in_the_walk_is_the_walks(bench: Bench) -> None:
    def load(session: Session, **_: bool) -> Any:
        users = load_books(session)
        bench.fuse.touch()
        return users

    only(bill.WALK, lambda: bench.moved(load))


def test_time_before_the_first_statement_is_its_building(bench: Bench) -> None:
    def load(session: Session, **_: bool) -> Any:
        bench.fuse.touch()
        return load_books(session)

    only(bill.STATEMENT, lambda: bench.moved(load))


def test_time_in_a_types_result_processor_is_cores(bench: Bench) -> None:
    fuse = bench.fuse

    class Slow(TypeDecorator[str]):
        impl = String
        cache_ok = True

        def process_result_value(self, value: Any, _dialect: Any) -> Any:
            fuse.touch()
            return value

    def load(session: Session, **_: bool) -> Any:
        return session.execute(select(User.id, type_coerce(User.name, Slow))).all()

    only(bill.ROWS, lambda: bench.moved(load))


def test_a_lazy_load_in_the_walk_is_charged_to_its_own_statement() -> None:
    made = library(*[3] * 10)

    def load(session: Session) -> Any:
        users = session.scalars(select(User)).all()
        for user in users:
            user.books  # noqa: B018 - the access is the load
        return users

    phases = phased_load(made, lambda: Session(made), load)

    nobody, users, books = phases.statements
    assert (nobody.sql, nobody.executions, users.executions, books.executions) == ("", 0, 1, 10)
    assert set(nobody.ns) <= {"statement", "walk", "gc"}
    assert {"statement", "wait", "fetch", "rows", "objects"} <= set(books.ns)
    assert "walk" not in books.ns


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_an_added_round_trip_time_is_the_wires(driver: str, postgres: PostgresForTests) -> None:
    rtt_us, trips = 40_000, 3  # BEGIN and two statements
    with ExitStack() as stack:
        # A database each: the server counts its time for all of a database's connections together.
        near, far = (stack.enter_context(postgres.database()) for _ in range(2))
        for name in (near, far):
            seed_postgres(ONE_TO_MANY, Size((10, 3)), DatasetOptions(), postgres.target(name))
        ways = stack.enter_context(
            delayed(postgres.target(near, host="127.0.0.1", password=postgres.password), [0, rtt_us])
        )
        reached = [
            stack.enter_context(through(replace(ways[rtt].target, driver=driver, database=name)))
            for rtt, name in ((0, near), (rtt_us, far))
        ]
        for bench in reached:
            bench.once()  # the second is warm
            bench.once()

        def moved() -> dict[str, float]:
            taken = [[bench.once() for bench in reached] for _ in range(LOADS)]
            return {name: quiet(b[name] for _, b in taken) - quiet(a[name] for a, _ in taken) for name in taken[0][0]}

        only(WIRE_PART[driver], moved, trips * ways[rtt_us].delay.added_ns)


@contextmanager
def through(target: Target) -> Iterator[Bench]:
    """A seeded database by the driver of a target."""
    made = engine(target)
    with calling(made) as call:
        yield Bench(driver=target.driver, engine=made, call=call, target=target)


@contextmanager
def listening(owner: Any, name: str, listener: Callable[..., None]) -> Iterator[None]:
    event.listen(owner, name, listener)
    try:
        yield
    finally:
        event.remove(owner, name, listener)
