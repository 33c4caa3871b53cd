"""One connection through the proxy: what comes in at one end goes out at the other half a round trip later, in order.

A thread serves a connection, both ways of it, with one `select` that waits for bytes and for the time to pass them on.
So no byte is handed from thread to thread, which would cost a wake-up each time, and a chunk that is read while others
wait is stamped at once: a large result flows on behind its first byte instead of paying for each of its chunks.

`select` is the one call of the standard library that waits for sockets to the microsecond; `poll` and `epoll` round
up to whole milliseconds. No part of the waiting is spun. With the last 100 us of it spun, measured beside this in the
same rounds on two cores, the middle half of single round trips was as wide (60 to 130 us either way), and the proxy
took 46 % of a core in place of 27 % at 0.5 ms, 24 in place of 10 at 1 ms, of the two that client and server share.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

CHUNK_BYTES = 1 << 18
"""The most that is read at once: enough for a socket's whole buffer."""

HELD_BYTES = 1 << 25
"""Bytes that may be under way in one direction before no more are read, and the sender has to wait.

At a round trip of 100 ms that is a line of 5 Gbit/s: wider than what a driver takes in, so the bound adds no delay.
"""

_PIECES = 64
"""Chunks that go out in one call: far below IOV_MAX, which is 1024."""


@dataclass(slots=True)
class Delay:
    """How long each direction holds what it passes on, in ns. It may change while connections are open."""

    one_way_ns: int = 0


@dataclass(slots=True)
class Passed:
    """Bytes that a connection has been given to pass on so far: sent by the client, received from the server."""

    sent: int = 0
    received: int = 0


@dataclass(slots=True, eq=False)
class Direction:
    """One of the two directions of a connection. under_way: what is due when, in ns of the monotonic clock.

    An empty chunk is the end of what the source sends. full: the sink takes no more for now. count: told the bytes of
    each chunk that is read, before any of it is passed on.
    """

    source: socket.socket
    sink: socket.socket
    delay: Delay
    count: Callable[[int], None]
    under_way: deque[tuple[int, memoryview]] = field(default_factory=deque)
    held_bytes: int = 0
    full: bool = False
    ended: bool = False
    closed: bool = False

    @property
    def reads(self) -> bool:
        """Whether more may be read from the source."""
        return not self.ended and self.held_bytes < HELD_BYTES

    def read(self) -> None:
        """Take in what is there, due half a round trip from now; a source that is broken has ended."""
        try:
            chunk = self.source.recv(CHUNK_BYTES)
        except ConnectionError:
            chunk = b""
        self.under_way.append((time.monotonic_ns() + self.delay.one_way_ns, memoryview(chunk)))
        self.held_bytes += len(chunk)
        self.count(len(chunk))
        self.ended = not chunk

    def write(self) -> None:
        """Pass on what is due, as far as the sink takes it; to one that is broken, nothing more."""
        while pieces := self._due():
            if not pieces[0]:
                self._close()
                return
            try:
                sent = self.sink.sendmsg(pieces)
            except BlockingIOError:
                self.full = True
                return
            except ConnectionError:
                self._close()
                return
            self._drop(sent)
        self.full = False

    def _close(self) -> None:
        self.under_way.clear()
        self.ended = self.closed = True
        with suppress(OSError):  # the sink is closed already
            self.sink.shutdown(socket.SHUT_WR)

    def _due(self) -> list[memoryview]:
        """Return the chunks whose time has come, up to the end of the stream, which comes alone."""
        now = time.monotonic_ns()
        pieces: list[memoryview] = []
        for due, chunk in self.under_way:
            if due > now or len(pieces) == _PIECES or (pieces and not chunk):
                break
            pieces.append(chunk)
        return pieces

    def _drop(self, sent: int) -> None:
        self.held_bytes -= sent
        while sent:
            due, chunk = self.under_way.popleft()
            if len(chunk) > sent:
                self.under_way.appendleft((due, chunk[sent:]))
                return
            sent -= len(chunk)


def relay(client: socket.socket, server: socket.socket, delay: Delay, passed: Passed) -> None:
    """Pass bytes between the two until all that the server has said is passed on, or the client takes no more.

    A server that takes nothing more may still have said why. Both sockets are left for the caller to close.
    """
    client.setblocking(False)
    server.setblocking(False)

    def sent(count: int) -> None:
        passed.sent += count

    def received(count: int) -> None:
        passed.received += count

    out, back = Direction(client, server, delay, sent), Direction(server, client, delay, received)
    while not back.closed:
        _step(out, back)


def _step(*directions: Direction) -> None:
    """Wait until there is something to read or to pass on, and do it."""
    sources = [direction.source for direction in directions if direction.reads]
    sinks = [direction.sink for direction in directions if direction.full]
    waiting = [direction.under_way[0][0] for direction in directions if direction.under_way and not direction.full]
    timeout = max(0, min(waiting) - time.monotonic_ns()) / 1e9 if waiting else None
    readable, writable, _ = select.select(sources, sinks, [], timeout)
    for direction in directions:
        if direction.source in readable:
            direction.read()
        if direction.under_way and (not direction.full or direction.sink in writable):
            direction.write()
