"""What goes wrong while PostgreSQL is seeded, in sentences that a user can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from sqlalchemy.exc import DBAPIError

from bench.errors import BenchError, DatabaseUnavailable
from bench.model import Target


@contextmanager
def explaining(target: Target) -> Iterator[None]:
    """Turn what the server, the driver or a value that does not fit raises into a BenchError without a password.

    DatabaseUnavailable where the server cannot be reached or written to: no connection, a connection lost, no right
    to create tables, a server that is read-only. BenchError where it is full or the rows do not fit the tables.
    """
    try:
        yield
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.Error):
            raise
        raise explained(error.orig, target) from error.orig
    except psycopg.Error as error:
        raise explained(error, target) from error
    except (OverflowError, TypeError) as error:  # a number that its column cannot hold, a value of another kind
        raise _do_not_fit(str(error)) from error


def explained(error: psycopg.Error, target: Target) -> BenchError:
    """Return the error in the words of a BenchError."""
    where = f"database {target.database!r}"
    match error:
        case errors.DiskFull():
            return BenchError(
                f"The disk of the server was full before the dataset was loaded into {where}.",
                remedy="Free some space there, or ask for a smaller SIZE.",
            )
        case errors.InsufficientPrivilege():
            return DatabaseUnavailable(
                f"The user {target.user!r} may not create the dataset's tables in {where}: {_said(error)}.",
                remedy="Have it granted: GRANT CREATE ON SCHEMA, or on the database.",
            )
        case errors.ReadOnlySqlTransaction():
            return DatabaseUnavailable(
                f"Nothing can be written to {where}: {_said(error)}.",
                remedy="Name a server that is neither a standby nor set to read-only.",
            )
        case errors.QueryCanceled():
            return BenchError(
                f"The dataset was not loaded into {where}, for a statement was stopped: {_said(error)}.",
                remedy="Start the command again, with no limit on how long the user's statements may take.",
            )
        case errors.DuplicateTable() | errors.DuplicateObject():
            return BenchError(
                f"The dataset's tables cannot be created in {where}: {_said(error)}.",
                remedy="Give it a database, or a schema, that holds nothing of these names.",
            )
        case psycopg.DataError() | psycopg.IntegrityError() | psycopg.ProgrammingError() | psycopg.NotSupportedError():
            return _do_not_fit(_said(error))
        case _ if error.sqlstate is None or error.sqlstate[:2] in {"08", "57"}:
            return DatabaseUnavailable(
                f"The server of {where} could not be reached, or the connection was lost: {_said(error)}.",
                remedy="See that it runs, and that host, port, user and password are right.",
            )
    return BenchError(
        f"The dataset could not be loaded into {where}: {_said(error)}.",
        remedy="See what the server's log says of it.",
    )


def _do_not_fit(said: str) -> BenchError:
    return BenchError(
        f"The dataset's rows do not fit the tables: {said}.",
        remedy="Correct the scenario's recipe, or its mapped classes.",
    )


def _said(error: psycopg.Error) -> str:
    """Return what the server said, or else the driver, on one line and without the full stop at its end."""
    said = error.diag.message_primary or str(error)
    detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
    return " ".join(f"{said}{detail}".split()).rstrip(".")
