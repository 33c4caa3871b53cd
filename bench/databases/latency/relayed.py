"""A target behind the proxy without any delay: so that the bytes that cross the wire can be counted on their way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bench.databases.latency.delayed import server_of, through
from bench.databases.latency.process import ProxyProcess
from bench.databases.postgres.admin import connected
from bench.model import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayed:
    """A target behind the proxy. passed: the bytes that were sent to it and received from it until now.

    encrypted: whether they are TLS's, as psycopg connects to it.
    """

    target: Target
    passed: Callable[[], tuple[int, int]]
    encrypted: bool


@contextmanager
def relayed(target: Target) -> Iterator[Relayed]:
    """Yield the target behind a proxy of its own for as long as the block runs; it takes any driver.

    Raises BenchError for a target whose connections cannot go through one (sslmode=verify-full), and
    DatabaseUnavailable where the server or a port cannot be had.
    """
    with connected(target) as straight:
        server = server_of(straight, target)
        near = through(target, straight, server)
        encrypted = bool(straight.pgconn.ssl_in_use)
    with ProxyProcess(server, ports=1, name=target.name) as proxy:
        behind = replace(near, port=proxy.ports[0])
        yield Relayed(target=behind, passed=lambda: proxy.passed(0), encrypted=encrypted)
