"""Connect: a target, which is plain data, to an engine. Timing workers load it: it imports the least that does.

An asynchronous driver is hidden behind the same `Engine`: its connections wait by switching greenlets, as those of an
`AsyncSession` do, so whatever uses them has to be called through `calling`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Engine, create_engine, event

from bench.errors import BenchError
from bench.model.target import Target

Result = TypeVar("Result")
Call = Callable[[Callable[[], Result]], Result]

_SETTING = re.compile(r"[A-Za-z_]+", re.ASCII)
_SETTING_VALUE = re.compile(r"-?[A-Za-z0-9_]+", re.ASCII)
_SERVER_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*", re.ASCII)


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
    Raises BenchError where the driver is not installed, and ValueError for a dialect that there is no way to connect
    to and for a setting that is not plain words.
    """
    driver = require(target)
    if target.dialect == "sqlite":
        made = _create(_sqlite_url(target), driver)
        if target.settings:
            _set_on_connect(made, target.settings)
        return made
    return _create(_postgresql_url(target), driver, connect_args=_startup_settings(target))


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
        query={"mode": "ro", "uri": "true"},
    )


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


def _startup_settings(target: Target) -> dict[str, Any]:
    """Return the connect arguments that set the target's settings as a connection starts, without a statement."""
    for name in target.settings:
        if not _SERVER_SETTING.fullmatch(name):
            raise ValueError(f"{name} is not a setting in plain words")
    if not target.settings:
        return {}
    if target.driver == "asyncpg":
        return {"server_settings": dict(target.settings)}
    return {"options": " ".join(f"-c {name}={_escaped(value)}" for name, value in target.settings.items())}


def _escaped(value: str) -> str:
    """Escape what libpq's `options` would split at: white space and the backslash itself."""
    return re.sub(r"([\\\s])", r"\\\1", value)


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
