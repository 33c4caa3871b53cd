"""Connect: a target, which is plain data, to an engine. Timing workers load it: it imports the least that does.

An asynchronous driver is hidden behind the same `Engine`: its connections wait by switching greenlets, as those of an
`AsyncSession` do, so whatever uses them has to be called through `calling`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from sqlalchemy import URL, AsyncAdaptedQueuePool, Engine, QueuePool, create_engine, event

from bench.errors import BenchError
from bench.model.target import Target

Result = TypeVar("Result")
Call = Callable[[Callable[[], Result]], Result]

_SETTING = re.compile(r"[A-Za-z_]+", re.ASCII)
_SETTING_VALUE = re.compile(r"-?[A-Za-z0-9_]+", re.ASCII)
_SERVER_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*", re.ASCII)

OWN_PROVIDERS = ("binaries", "docker")
"""Providers of servers of ours."""

_OWN_SERVER = {
    "channel_binding": "prefer",
    "client_encoding": "UTF8",
    "connect_timeout": "10",
    "gssencmode": "disable",
    "hostaddr": "",
    "load_balance_hosts": "disable",
    "options": "",
    "require_auth": "none,password,md5,scram-sha-256,gss",
    "requirepeer": "",
    "sslmode": "disable",
    "sslnegotiation": "postgres",
    "target_session_attrs": "any",
}
"""What libpq is told for servers of ours, whatever PGSSLMODE, PGOPTIONS and the like say for others."""

_ASYNCPG_OWN_SERVER: dict[str, Any] = {"ssl": False, "direct_tls": False, "target_session_attrs": "any"}
"""The same for asyncpg, which reads fewer of these variables."""

_ASYNCPG_IS_SO = {
    "channel_binding": ("disable", "prefer"),
    "client_encoding": ("utf8", "UTF8", "utf-8", "UTF-8"),
    "gssencmode": ("disable", "prefer"),
    "sslcertmode": ("allow",),
    "sslsni": ("1",),
}
"""Values of options that ask for no more than asyncpg does in any case."""

_ASYNCPG_SSL = (
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslnegotiation",
    "sslrootcert",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
)
"""Options of libpq that asyncpg takes by the same names, but in a URL only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """What it takes to use a driver: the modules that have to be there, and the extra that brings them."""

    modules: tuple[str, ...] = ()
    extra: str = ""
    asynchronous: bool = False


_DRIVERS = {
    ("sqlite", "pysqlite"): Driver(),
    ("sqlite", "aiosqlite"): Driver(modules=("aiosqlite", "greenlet"), extra="sqlite-async", asynchronous=True),
    ("postgresql", "psycopg"): Driver(modules=("psycopg",), extra="postgres"),
    ("postgresql", "psycopg_async"): Driver(modules=("psycopg", "greenlet"), extra="postgres", asynchronous=True),
    ("postgresql", "asyncpg"): Driver(modules=("asyncpg", "greenlet"), extra="postgres", asynchronous=True),
}


def require(target: Target) -> Driver:
    """Return what the target's driver takes, once its modules have been imported.

    Raises BenchError where one of them is not installed, and ValueError for a driver that is not known.
    """
    driver = _DRIVERS.get((target.dialect, target.driver))
    if driver is None:
        raise ValueError(f"there is no way to connect to {target.dialect}+{target.driver}")
    for module in driver.modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise BenchError(
                f"The driver {target.driver} cannot be used: {error}.",
                remedy=f"Install it with: pip install 'orm-loading-bench[{driver.extra}]'.",
            ) from error
    return driver


def engine(target: Target) -> Engine:
    """Return an engine for the target. Nothing is opened yet; the bare driver is had by `engine.raw_connection()`.

    One connection stays open from its first use on, so that no load but the first pays for opening it. Where
    `engine.dialect.is_async`, it is used inside `calling` only.
    Raises BenchError where the driver is not installed or cannot take one of the target's options, and ValueError for
    a dialect that there is no way to connect to and for a setting that is not plain words.
    """
    driver = require(target)
    if target.dialect != "sqlite":
        server = _create(_postgresql_url(target), driver, connect_args=postgresql_arguments(target))
        if target.read_only:
            _begin_read_only(server)
        return server
    made = _in_memory(target, driver) if target.memory else _create(_sqlite_url(target), driver)
    if target.settings:
        _set_on_connect(made, target.settings)
    return made


def postgresql_arguments(target: Target) -> dict[str, Any]:
    """Return what the target's driver is given to connect, beside host, port, user, password and database.

    Those are the target's options and settings; a setting stands as the connection starts, without a statement. What
    the environment says for libpq (PGSSLMODE, PGOPTIONS and the like) does not reach servers of ours. Raises as
    `engine` does.
    """
    for name in target.settings:
        if not _SERVER_SETTING.fullmatch(name):
            raise ValueError(f"{name} is not a setting in plain words")
    own = target.provider in OWN_PROVIDERS
    if target.driver == "asyncpg":
        return {**(_ASYNCPG_OWN_SERVER if own else {}), **_for_asyncpg(target)}
    given = {**(_own_server() if own else {}), **target.options}
    settings = [f"-c {name}={_escaped(value)}" for name, value in target.settings.items()]
    if settings:  # after the options that are there, for the last one holds
        given["options"] = " ".join(filter(None, [given.get("options"), *settings]))
    return given


@contextmanager
def calling(made: Engine) -> Iterator[Call[Any]]:
    """Yield how to call work that uses the engine, and close its connections at the end.

    With a synchronous driver the work is simply called. With an asynchronous one it runs as `AsyncSession.run_sync`
    would run it, in a greenlet, on one event loop that lives as long as the block: a `Session` of the engine in there
    is what an `AsyncSession` wraps. Starting the greenlet and the loop's first turn (about 40 us together) come once a
    call. So a clock that is started and stopped inside the work does not see them; it sees what every statement costs,
    a switch out of the greenlet and back for each wait (about 1 us).
    """
    if not made.dialect.is_async:
        try:
            yield lambda work: work()
        finally:
            made.dispose()
        return
    import asyncio

    from sqlalchemy.util import greenlet_spawn

    with asyncio.Runner() as runner:
        try:
            yield lambda work: runner.run(greenlet_spawn(work))
        finally:
            runner.run(greenlet_spawn(made.dispose))


def _create(url: URL, driver: Driver, **more: Any) -> Engine:
    if not driver.asynchronous:
        return create_engine(url, pool_size=1, **more)
    from sqlalchemy.ext.asyncio import create_async_engine

    return create_async_engine(url, pool_size=1, **more).sync_engine


def _sqlite_url(target: Target) -> URL:
    """Return the URL of a file that is only read: its path is percent-encoded, so that any name may come in it."""
    return URL.create(
        f"sqlite+{target.driver}",
        database=Path(target.database).absolute().as_uri(),
        query={**target.options, "mode": "ro", "uri": "true"},
    )


def _in_memory(target: Target, driver: Driver) -> Engine:
    """Return an engine of which each new connection is a copy in memory of the target's file, to be read only.

    The copy is made as the connection opens, by SQLite's backup.
    """
    file = f"{Path(target.database).absolute().as_uri()}?mode=ro"
    made = _create(
        URL.create(f"sqlite+{target.driver}"),
        driver,
        poolclass=AsyncAdaptedQueuePool if driver.asynchronous else QueuePool,  # SQLAlchemy's own share a connection
        connect_args={"check_same_thread": False},  # as it is for files
    )

    @event.listens_for(made, "connect")
    def copy(connection: Any, _record: object) -> None:
        if driver.asynchronous:
            connection.run_async(partial(_copied_async, file))
        else:
            _copied(file, connection)
        cursor = connection.cursor()
        cursor.execute("PRAGMA query_only = on")
        cursor.close()

    return made


def _copied(file: str, copy: Any) -> None:
    import sqlite3

    with closing(sqlite3.connect(file, uri=True)) as source:
        source.backup(copy)


async def _copied_async(file: str, copy: Any) -> None:
    import aiosqlite

    async with aiosqlite.connect(file, uri=True) as source:
        await source.backup(copy)


def _postgresql_url(target: Target) -> URL:
    """Return the URL, made of its parts and never of text: any name, an IPv6 address or a socket's folder may come."""
    return URL.create(
        f"postgresql+{target.driver}",
        username=target.user or None,
        password=target.password or None,
        host=target.host or None,
        port=target.port,
        database=target.database,
    )


def _own_server() -> dict[str, str]:
    """Return of `_OWN_SERVER` what the libpq at hand knows."""
    from psycopg.pq import Conninfo

    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    return {name: value for name, value in _OWN_SERVER.items() if name in known}


def _for_asyncpg(target: Target) -> dict[str, Any]:
    """Return the target's options and settings in asyncpg's words. Raises BenchError for what it cannot take."""
    left = dict(target.options)
    arguments: dict[str, Any] = {}
    started = {name: left.pop(name) for name in ("application_name", "options") if name in left}
    if started or target.settings:
        arguments["server_settings"] = started | target.settings
    if "connect_timeout" in left:  # libpq waits for ever where it is 0
        arguments["timeout"] = _seconds(left.pop("connect_timeout")) or None
    if "target_session_attrs" in left:
        arguments["target_session_attrs"] = left.pop("target_session_attrs")
    mode = left.pop("sslmode", None)
    files = {name: left.pop(name) for name in _ASYNCPG_SSL if name in left}
    by_socket = target.host.startswith("/")  # there libpq ignores them, and asyncpg would insist
    if mode and not by_socket:
        arguments["ssl"] = mode
    if files and not by_socket:
        arguments["dsn"] = "postgresql://?" + urlencode(files, quote_via=quote)
    if lacking := [name for name, value in left.items() if value not in _ASYNCPG_IS_SO.get(name, ())]:
        raise BenchError(
            f"The driver asyncpg has nothing for the option {', '.join(sorted(lacking))}.",
            remedy="Leave it out, or measure with psycopg or psycopg_async.",
        )
    return arguments


def _seconds(text: str) -> int:
    try:
        return max(0, int(text))
    except ValueError:
        raise BenchError(f"{text!r} is not a number of seconds.", remedy="An example: connect_timeout=10.") from None


def _escaped(value: str) -> str:
    """Escape what libpq's `options` would split at: white space and the backslash itself."""
    return re.sub(r"([\\\s])", r"\\\1", value)


def _begin_read_only(made: Engine) -> None:
    """Have every transaction begin as READ ONLY: a session that a load sets to be otherwise begins so all the same."""

    @event.listens_for(made, "connect")
    def begin_read_only(connection: Any, _record: object) -> None:
        made.dialect.set_readonly(connection, True)  # type: ignore[attr-defined]


def _set_on_connect(made: Engine, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        if not (_SETTING.fullmatch(name) and _SETTING_VALUE.fullmatch(value)):
            raise ValueError(f"{name} = {value} is not a setting in plain words")

    @event.listens_for(made, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for name, value in settings.items():
            cursor.execute(f"PRAGMA {name} = {value}")
        cursor.close()
