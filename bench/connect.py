"""Connect: a target, which is plain data, to an engine. Timing workers load it: it imports the least that does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event

from bench.model.target import Target

_SETTING = re.compile(r"[A-Za-z_]+", re.ASCII)
_SETTING_VALUE = re.compile(r"-?[A-Za-z0-9_]+", re.ASCII)


def engine(target: Target) -> Engine:
    """Return an engine for the target. Nothing is opened yet; the bare driver is had by `engine.raw_connection()`.

    One connection stays open from its first use on, so that no load but the first pays for opening it.
    Raises ValueError for a dialect that there is no way to connect to, and for a setting that is not plain words.
    """
    if (target.dialect, target.driver) != ("sqlite", "pysqlite"):
        raise ValueError(f"there is no way to connect to {target.dialect}+{target.driver}")
    made = create_engine(_sqlite_url(target.database), pool_size=1)
    if target.settings:
        _set_on_connect(made, target.settings)
    return made


def _sqlite_url(path: str) -> URL:
    """Return the URL of a file that is only read: its path is percent-encoded, so that any name may come in it."""
    return URL.create("sqlite+pysqlite", database=Path(path).absolute().as_uri(), query={"mode": "ro", "uri": "true"})


def _set_on_connect(made: Engine, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        if not (_SETTING.fullmatch(name) and _SETTING_VALUE.fullmatch(value)):
            raise ValueError(f"{name} = {value} is not a setting in plain words")

    @event.listens_for(made, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        for name, value in settings.items():
            connection.execute(f"PRAGMA {name} = {value}")
