"""What an environment says of itself, once what a load needs has been imported in it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence

from bench.environments.recipe import PACKAGES
from bench.errors import BenchError
from bench.model import Asked, EnvironmentFacts

_SAY = """
import importlib.metadata, json, platform, sqlite3, sys
import sqlalchemy, sqlalchemy.orm
from sqlalchemy.util import has_compiled_ext
package, url = sys.argv[1:]
sqlalchemy.make_url(url).get_dialect().import_dbapi()
print(json.dumps({
    "python": platform.python_version(),
    "sqlalchemy": sqlalchemy.__version__,
    "compiled": bool(has_compiled_ext()),
    "driver_version": importlib.metadata.version(package) if package else platform.python_version(),
    "sqlite": sqlite3.sqlite_version,
}))
"""
# It imports what a worker will, so that an environment of which a part is missing is known before one is started.

ASKING_S = 60

LONGEST_REASON = 300
"""Characters of what an environment says that a message has."""


class Broken(BenchError):
    """An environment in which a load cannot run. reason: the end of what it says."""

    def __init__(self, interpreter: str, reason: str) -> None:
        self.reason = reason[-LONGEST_REASON:]
        super().__init__(
            f"The environment of {interpreter} does not work: {self.reason}",
            remedy="See what PYTHONPATH puts before it, and that it is installed whole; or give another version.",
        )


def facts_of(interpreter: str, path: Sequence[str], asked: Asked, *, revision: str = "") -> EnvironmentFacts:
    """Ask an environment what it is. path: where it looks for modules first; revision: of the modules there.

    Raises Broken where it lacks something, and BenchError where it does not answer.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [*path, os.environ.get("PYTHONPATH")]))}
    package, url = PACKAGES.get(asked.driver, ""), f"{asked.dialect}+{asked.driver}://"
    try:
        said = subprocess.run(
            [interpreter, "-P", "-c", _SAY, package, url],
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            timeout=ASKING_S,
            env=environment,
            stdin=subprocess.DEVNULL,
        ).stdout
        return EnvironmentFacts(**json.loads(_last_line(said)), revision=revision)
    except subprocess.TimeoutExpired as error:
        raise BenchError(
            f"{interpreter} did not say within {ASKING_S} s what it is.", remedy="Try again on a machine less busy."
        ) from error
    except subprocess.CalledProcessError as error:
        raise Broken(interpreter, _last_line(error.stderr) or f"it exits with status {error.returncode}") from error
    except OSError as error:
        raise Broken(interpreter, error.strerror or str(error)) from error
    except (ValueError, TypeError) as error:
        raise Broken(interpreter, f"it says {_last_line(said)!r} of itself") from error


def _last_line(text: str) -> str:
    """Of a traceback this is what was raised; before it may stand what a site's customisation prints."""
    return (text.strip().splitlines() or [""])[-1].strip()
