"""Targets behind an added round-trip time: the way to a server that is up already is made longer, by a proxy."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from bench.databases.latency.calibration import LEAST_NS, calibrate, round_trips
from bench.databases.latency.process import LOOPBACK, ProxyProcess, Server
from bench.databases.postgres.admin import connected
from bench.errors import BenchError, DatabaseUnavailable
from bench.model import Target
from bench.model.asked import rtt_text
from bench.model.run import AddedDelay

if TYPE_CHECKING:
    import psycopg

_SLOW_US = 500_000
"""A round trip from which on opening a connection may take longer than it is waited for."""

_CONNECT_S = 10
_CONNECTING_TRIPS = 10
"""At the most: the request for TLS, TLS itself, a password by SCRAM, what a driver asks at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delayed:
    """A target behind the proxy, and what its round trips were measured to take longer.

    fault: returns what to raise where the proxy has ended by itself, None while it is up.
    """

    target: Target
    delay: AddedDelay
    fault: Callable[[], DatabaseUnavailable | None]


@contextmanager
def delayed(target: Target, rtts_us: Sequence[int]) -> Iterator[Mapping[int, Delayed]]:
    """Yield the target behind each of the round-trip times, given in microseconds, for as long as the block runs.

    All of them go through one proxy on loopback, 0 as well, so that they differ by the time alone; it makes one
    connection to the server for each that is made to it. The targets take any driver, and any database of the server.
    Raises BenchError for what cannot be delivered at all, and DatabaseUnavailable where the server or a port cannot be
    had, or the time cannot be kept to.
    """
    _require_long_enough(rtts_us)
    rtts = list(dict.fromkeys([0, *rtts_us]))
    with ExitStack() as stack:
        with _measured(target) as straight:
            server = server_of(straight, target)
            proxy = stack.enter_context(ProxyProcess(server, ports=len(rtts), name=target.name))
            near = through(target, straight, server)
            targets = {rtt: _patient(near, port, rtt) for rtt, port in zip(rtts, proxy.ports, strict=True)}
            with ExitStack() as measuring:
                delays = _calibrated(proxy, targets, straight, measuring)
        yield {rtt: Delayed(target=targets[rtt], delay=delays[rtt], fault=proxy.fault) for rtt in rtts_us}


def _calibrated(
    proxy: ProxyProcess, targets: Mapping[int, Target], straight: psycopg.Connection, stack: ExitStack
) -> dict[int, AddedDelay]:
    """Set each port's delay, and return what was measured. Connections are opened before, while nothing is delayed."""
    import psycopg

    through = {rtt: stack.enter_context(_measured(target)) for rtt, target in targets.items()}
    try:
        times = round_trips({"straight": straight, "bare": through[0]})
        proxy_ns = int(statistics.median(times["bare"]) - statistics.median(times["straight"]))
        added = {
            rtt: calibrate(partial(proxy.delay, place), through[0], connection, rtt) if rtt else 0
            for place, (rtt, connection) in enumerate(through.items())
        }
    except psycopg.Error as error:
        raise proxy.fault() or DatabaseUnavailable(
            f"{targets[0].name} has gone away while its round trips were measured: {' '.join(str(error).split())}.",
            remedy="Check that it is up.",
        ) from error
    return {rtt: AddedDelay(asked_ns=rtt * 1000, added_ns=added[rtt], proxy_ns=proxy_ns) for rtt in targets}


@contextmanager
def _measured(target: Target) -> Iterator[psycopg.Connection]:
    """Yield a connection that sends each statement as it is: preparing one would be a round trip more."""
    with connected(target) as connection:
        connection.prepare_threshold = None
        yield connection


def _require_long_enough(rtts_us: Sequence[int]) -> None:
    for rtt in rtts_us:
        if 0 < rtt * 1000 < LEAST_NS:
            raise BenchError(
                f"A round-trip time of {rtt_text(rtt)} cannot be added accurately: "
                "waking up to pass a message on takes a good part of that, and not always the same.",
                remedy=f"Give 0, or {rtt_text(LEAST_NS // 1000)} and more.",
            )


def server_of(straight: psycopg.Connection, target: Target) -> Server:
    """Return where a connection has really gone: of several hosts the one that answered, and libpq's defaults.

    Raises BenchError where what the target says of its host would not hold for the proxy.
    """
    info = straight.info
    if info.host.startswith("/"):
        return f"{info.host}/.s.PGSQL.{info.port}"
    if straight.pgconn.ssl_in_use and info.get_parameters().get("sslmode") == "verify-full":
        raise BenchError(
            f"{target.name} has to prove its host's name (sslmode=verify-full), which a proxy on loopback cannot do.",
            remedy="Measure with sslmode=verify-ca, which still checks the certificate, or without a round-trip time.",
        )
    if os.environ.get("PGHOSTADDR") and info.get_parameters().get("hostaddr"):
        raise BenchError(
            "PGHOSTADDR in the environment would lead every connection past the proxy that adds latency.",
            remedy="Unset it, and name the address as the URL's host.",
        )
    return info.hostaddr, info.port


def through(target: Target, straight: psycopg.Connection, server: Server) -> Target:
    """Return the target on loopback, with what it would have found by its own host's name.

    A password may stand in ~/.pgpass under the host. By a Unix socket nothing is encrypted, whatever is said of it.
    """
    options = {name: value for name, value in target.options.items() if name not in ("hostaddr", "requirepeer")}
    if isinstance(server, str):
        options = {name: value for name, value in options.items() if not name.startswith("ssl")} | {
            "sslmode": "disable"
        }
    return replace(target, host=LOOPBACK, options=options, user=straight.info.user, password=straight.info.password)


def _patient(near: Target, port: int, rtt_us: int) -> Target:
    """Return the target at a port of the proxy, given the time that connecting takes behind that round trip."""
    if rtt_us < _SLOW_US:
        return replace(near, port=port)
    patience_s = _CONNECT_S + _CONNECTING_TRIPS * rtt_us // 1_000_000
    return replace(near, port=port, options={**near.options, "connect_timeout": str(patience_s)})
