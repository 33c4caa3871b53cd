"""A server of our own in a container: made, started, and gone with its data when the block is left."""

from __future__ import annotations

import secrets
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from bench.databases.docker.daemon import daemon, explanation, trouble
from bench.databases.docker.images import digest, local_image, major_version, origin_of, pull
from bench.databases.docker.leftovers import Marks, noted, remove, sweep
from bench.databases.postgres.admin import connected, require_driver
from bench.databases.postgres.cluster import USER, initdb_options
from bench.databases.postgres.settings import COUNTING_SETTINGS, SETTINGS, configuration
from bench.errors import DatabaseUnavailable
from bench.model import Target

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from docker.models.images import Image

PROVIDER = "docker"

LOOPBACK = "127.0.0.1"

MEMORY_BYTES = 2 << 30
"""What a container may hold: 256 MB of shared buffers, 128 MB for each process that builds an index, and sessions that
sort 16 MB at a time are well below; a load that runs away ends its own server, and not the machine that measures. Files
that the kernel caches count too, and give way by themselves."""

_SHARED_MEMORY_BYTES = 512 << 20
"""Parallel plans share their hash tables in /dev/shm, for which Docker gives 64 MB unless told: too little for work_mem
times its multiplier and the processes of a plan."""

_PORT = "5432/tcp"

_COUNTING_MODULE = COUNTING_SETTINGS["shared_preload_libraries"]

_INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_START_S = 60.0
_POLL_S = 0.02
_LOG_LINES = 20


class DockerServer:
    """A throw-away PostgreSQL server in a container, up inside the `with` block, which yields its admin target.

    image: an official image of PostgreSQL, or one that takes the same variables and arguments; it is pulled where the
    daemon does not have it. name: what the target is called, `docker:IMAGE` unless told. settings: over those of
    `bench.databases.postgres.settings`. memory_bytes: what the container may hold.

    Its port is one that Docker finds free on 127.0.0.1, its data an anonymous volume where the image declares one, as
    the official ones do: on disk as for binaries, for rows in a tmpfs would count as the container's own memory.

    Entering it sweeps what earlier processes have left. It raises BenchError for settings that cannot be written down,
    and DatabaseUnavailable, with the end of the server's log, where the server does not start.
    """

    def __init__(
        self,
        image: str,
        *,
        name: str = "",
        settings: Mapping[str, str] | None = None,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self.image = image
        self.name = name or f"docker:{image}"
        self.image_digest = ""
        self._settings = dict(settings or {})
        self._memory_bytes = memory_bytes
        self._client: DockerClient | None = None
        self._container: Container | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Target:
        require_driver()
        configuration(self._settings)  # what cannot be written down is refused before anything is made
        with ExitStack() as stack:
            self._client = stack.enter_context(daemon())
            sweep(self._client)
            try:
                target = self._started(self._client, stack)
            except trouble() as error:
                raise DatabaseUnavailable(
                    f"Docker refuses a container of {self.image}: {explanation(error)}.",
                    remedy="Name an image of a PostgreSQL server, such as postgres:17, and see that the disk has room.",
                ) from error
            self._stack = stack.pop_all()
        return target

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def container(self) -> str:
        """The container's name, while it has one."""
        return "" if self._container is None else str(self._container.name)

    def fault(self) -> DatabaseUnavailable | None:
        """Return what to raise where the server has ended by itself, with the end of its log; None while it is up.

        Where one of its processes was ended for want of memory it counts as ended too: the server then cuts off every
        session, and starts again by itself.
        """
        if self._container is None:
            return None
        try:
            state = self._state()
            if self._ran_out_of_memory(state):
                limit = f"{self._memory_bytes / (1 << 20):,.0f} MB"
                return self._error(
                    f"ran out of the {limit} of memory that its container has",
                    "Measure a smaller size, or what holds less at once.",
                )
            if state["Running"]:
                return None
        except trouble() as error:
            return DatabaseUnavailable(
                f"Docker tells nothing of {self._what()} any more: {explanation(error)}.",
                remedy="Start the command again; see that nothing else removes containers or stops Docker.",
            )
        return self._error(f"has ended with exit code {state['ExitCode']}", "Look at what it says; start again.")

    def _started(self, client: DockerClient, stack: ExitStack) -> Target:
        """Make a container and wait for its server; what is left of a failure is removed by the stack.

        Whether an image has the module that counts statements only its server can tell: one that lacks it does not
        start with it, and says so. Official images have it.
        """
        image = self._local(client)
        self.image_digest = digest(image, self.image)
        password = secrets.token_urlsafe(24)
        for counting in (COUNTING_SETTINGS, {}):
            with ExitStack() as attempt:
                marks = attempt.enter_context(noted())
                attempt.callback(self._discard, client, marks.name)
                settings = {**SETTINGS, **counting, **self._settings}
                with _undisturbed():
                    self._container = self._run(client, image, marks, password, settings)
                target = self._target(password)
                if self._ready(target):
                    stack.push(attempt.pop_all())
                    return target
                if _COUNTING_MODULE not in self._log_end() or not counting:
                    raise self._not_started()
        raise AssertionError("without the module the second attempt either starts or raises")

    def _local(self, client: DockerClient) -> Image:
        image = local_image(client, self.image)
        if image is None:
            for _phrase in pull(client, self.image):
                pass
            image = client.images.get(self.image)
        return image

    def _run(
        self, client: DockerClient, image: Image, marks: Marks, password: str, settings: Mapping[str, str]
    ) -> Container:
        """Make the container and start it."""
        container = client.containers.create(
            image,
            ["postgres", *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))],
            name=marks.name,
            labels=marks.labels,
            environment={
                "POSTGRES_USER": USER,
                "POSTGRES_PASSWORD": password,
                "POSTGRES_INITDB_ARGS": " ".join(initdb_options(major_version(image))),
            },
            ports={_PORT: (LOOPBACK, 0)},  # 0: any that is free
            mem_limit=self._memory_bytes,
            memswap_limit=self._memory_bytes,  # no swap: a server that waits for it would be timed
            shm_size=min(_SHARED_MEMORY_BYTES, self._memory_bytes),
            log_config=_readable_log(),
        )
        container.start()
        return container

    def _ready(self, target: Target) -> bool:
        """Wait until the server takes a connection; False if it ends.

        An image's own server for setting up listens on a Unix socket only, so one that answers on the port with our
        password is the real one.
        """
        until = time.monotonic() + _START_S
        while self._state()["Running"]:
            try:
                with connected(target):
                    return True
            except DatabaseUnavailable as error:
                if time.monotonic() > until:
                    raise self._error(
                        f"did not take a connection on {LOOPBACK}:{target.port} in {_START_S:.0f} s ({error.message})",
                        "Is the machine busy? Does the image listen on port 5432?",
                    ) from None
            time.sleep(_POLL_S)
        return False

    def _not_started(self) -> DatabaseUnavailable:
        state = self._state()
        if state["OOMKilled"]:
            return self._error("ran out of memory while it started", "Lower the memory that its settings ask for.")
        return self._error(
            f"did not start: exit code {state['ExitCode']}", "A setting may be one that this version does not know."
        )

    def _discard(self, client: DockerClient, name: str) -> None:
        """Remove the container with its data. One that cannot be removed now is left to the next run's sweep."""
        self._container = None
        try:
            remove(client, name)
        except trouble():
            return

    def _target(self, password: str) -> Target:
        return Target(
            name=self.name,
            dialect="postgresql",
            driver="psycopg",
            provider=PROVIDER,
            origin=origin_of(self.image),
            database="postgres",
            host=LOOPBACK,
            port=self._published(),
            user=USER,
            password=password,
        )

    def _published(self) -> int | None:
        """Return the port that Docker has chosen; None where the container has ended already, and so lost it."""
        assert self._container is not None
        self._container.reload()
        bound = self._container.ports.get(_PORT)
        return int(bound[0]["HostPort"]) if bound else None

    def _state(self) -> dict[str, Any]:
        assert self._container is not None
        self._container.reload()
        state: dict[str, Any] = self._container.attrs["State"]
        return state

    def _ran_out_of_memory(self, state: Mapping[str, Any]) -> bool:
        """Whether the kernel ended any process in it: not every daemon says so in the state while others go on.

        The connection of such a process is cut off before Docker hears of it, so events are awaited until the end of
        this second. That is no time lost: a load has failed already where this is asked.
        """
        assert self._container is not None and self._client is not None
        if state["OOMKilled"]:
            return True
        happened = self._client.events(
            since=1,
            until=int(time.time()) + 1,
            filters={"container": self._container.id, "event": "oom"},
            decode=True,
        )
        try:
            return next(happened, None) is not None
        finally:
            happened.close()

    def _log_end(self) -> str:
        assert self._container is not None
        said: bytes = self._container.logs(tail=_LOG_LINES)
        return said.decode(errors="replace").strip() or "(nothing)"

    def _what(self) -> str:
        return f"PostgreSQL in a container of {self.image}"

    def _error(self, happened: str, remedy: str) -> DatabaseUnavailable:
        return DatabaseUnavailable(
            f"{self._what()} {happened}. The end of its log:\n{self._log_end()}\n", remedy=remedy
        )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold interruptions back until the end of the block: a container that is being made cannot be removed yet.

    Only the main thread is interrupted, so that there is nothing to hold back in another.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []
    before = {one: signal.signal(one, lambda number, _frame: caught.append(number)) for one in _INTERRUPTIONS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, signal.SIG_DFL if handler is None else handler)
        if caught:
            signal.raise_signal(caught[0])


def _readable_log() -> Any:
    """Keep the log where its end can be read from, whatever the daemon does with logs by itself."""
    from docker.types import LogConfig

    return LogConfig(type=LogConfig.types.JSON)
