"""What the number of a load's Python calls hangs on, beside the version of SQLAlchemy."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from sqlalchemy import Engine
from sqlalchemy.util import has_compiled_ext


def called_with(engine: Engine) -> str:
    """Return the Python and the driver, and whether SQLAlchemy's compiled parts, whose calls do not count, are there.

    `CPython 3.11, psycopg 3.3.9`: a patch of Python changes its library by less than the gate tolerates.
    """
    parts = [f"{platform.python_implementation()} {sys.version_info.major}.{sys.version_info.minor}", _driver(engine)]
    return ", ".join([*filter(None, parts), *([] if has_compiled_ext() else ["SQLAlchemy not compiled"])])  # type: ignore[no-untyped-call]


def _driver(engine: Engine) -> str:
    """The driver's distribution and its version; empty where it comes with Python."""
    module = str(getattr(engine.dialect, "driver", "")).removesuffix("_async")
    try:
        return f"{module} {version(module)}"
    except PackageNotFoundError:
        return ""
