"""A server that the user runs: a schema of our own for each dataset, dropped at the end; nothing else is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bench.databases.postgres.admin import connected, require_driver
from bench.databases.postgres.url_target import make_target, resolved
from bench.databases.protocol import Provider, Seeded
from bench.errors import DatabaseUnavailable
from bench.model import Asked, DatasetFacts, Target

if TYPE_CHECKING:
    import psycopg

OLDEST = 14

_STANDING = """
    SELECT current_setting('server_version_num')::int / 10000 AS major, pg_is_in_recovery() AS in_recovery,
           current_setting('transaction_read_only') = 'on' AS read_only,
           has_database_privilege(current_database(), 'CREATE') AS may_create,
           quote_ident(current_database()) AS database, quote_ident(current_user) AS role
"""

_TIMEOUTS = """
    SELECT name FROM pg_settings
    WHERE name IN ('idle_session_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout', 'statement_timeout',
                   'transaction_timeout') AND setting <> '0'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What of a server decides whether it can be used. database, role: quoted where they have to be."""

    major: int
    in_recovery: bool
    read_only: bool
    may_create: bool
    database: str
    role: str


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A server by its URL. password: as it stood there, else empty. run: what schemas are named for.

    None is made anew: each case has schemas of its own on the one server. Raises BenchError for what is no URL.
    """

    asked: Asked
    password: str = field(repr=False, kw_only=True)
    run: str = field(kw_only=True)
    fresh: bool = False

    def __post_init__(self) -> None:
        make_target(self.asked, self.password)

    def prepare(self) -> Iterator[str]:
        """Nothing has to be fetched."""
        yield from ()

    @contextmanager
    def up(self) -> Iterator[Provider]:
        """Yield the provider; at the end its schemas are dropped. Those of runs that were killed are dropped first.

        Raises DatabaseUnavailable for a server that cannot be reached or in which no schema can be made.
        """
        require_driver()
        written = make_target(replace(self.asked, driver="psycopg"), self.password)
        with connected(written) as connection:
            target = resolved(written, connection)
            with refusals(target.name):
                databases = _ready(target, connection, self.run)
            try:
                yield databases
            except BaseException:
                databases.drop_all(complain=False)
                raise
            databases.drop_all(complain=True)


def _ready(target: Target, connection: psycopg.Connection, run: str) -> UserDatabases:
    """Make certain that the server can be used, and drop what runs that were killed have left there."""
    from bench.databases.postgres import schemas

    if (refusal := objection(target.name, standing(connection))) is not None:
        raise refusal
    timeouts = tuple(name for (name,) in connection.execute(_TIMEOUTS).fetchall())
    for name in timeouts:  # or the connection that holds the schemas would be closed under us
        connection.execute(f"SET {name} = 0".encode())
    schemas.sweep(connection)
    return UserDatabases(target, connection, run=run, timeouts=timeouts)


def standing(connection: psycopg.Connection) -> Standing:
    """Ask a server what decides whether it can be used."""
    row = connection.execute(_STANDING).fetchone()
    assert row is not None
    return Standing(**dict(zip(Standing.__slots__, row, strict=True)))


def objection(name: str, found: Standing) -> DatabaseUnavailable | None:
    """Return why a server cannot be used, with what to do about it; None where it can. name: the target's."""
    if found.major < OLDEST:
        return DatabaseUnavailable(
            f"{name} is PostgreSQL {found.major}, older than {OLDEST}.", remedy=f"Name a server of {OLDEST} or later."
        )
    if found.in_recovery:
        return DatabaseUnavailable(
            f"{name} is in recovery: nothing can be written to a standby.", remedy="Name its primary server."
        )
    if found.read_only:
        return DatabaseUnavailable(
            f"{name} is read-only: default_transaction_read_only is on.",
            remedy=f"Name another user, or: ALTER ROLE {found.role} SET default_transaction_read_only = off",
        )
    if not found.may_create:
        return DatabaseUnavailable(
            f"{name}: the user {found.role} may not create a schema in the database {found.database}.",
            remedy=f"Have its owner type: GRANT CREATE ON DATABASE {found.database} TO {found.role}",
        )
    return None


class UserDatabases:
    """A provider of schemas in the database that a URL names. timeouts: settings that are off for our sessions."""

    image = ""

    def __init__(
        self, target: Target, connection: psycopg.Connection, *, run: str, timeouts: tuple[str, ...] = ()
    ) -> None:
        self.target = target
        self._connection = connection
        self._run = run
        self._timeouts = timeouts
        self._schemas: list[str] = []
        self._seeded: dict[str, tuple[Target, DatasetFacts]] = {}

    def seeded(self, name: str, key: str, seed: Callable[[Target], DatasetFacts]) -> Seeded:  # noqa: ARG002 - a schema is named for the run
        """Return a target that holds the dataset of that key: one that is there, or a schema that `seed` fills.

        Its `search_path` is that schema alone. What `seed` raises passes through. Raises DatabaseUnavailable.
        """
        from bench.databases.postgres import schemas

        known = self._seeded.get(key)
        if known is not None:
            return Seeded(*known, True)
        schema = schemas.new_name(self._run)
        with refusals(self.target.name):
            self._schemas.append(schema)
            schemas.create(self._connection, schema)
        settings = {"search_path": schemas.quoted(schema), **dict.fromkeys(self._timeouts, "0")}
        target = replace(self.target, settings=settings)
        self._check_path(target, schema)
        facts = seed(target)
        with refusals(self.target.name):
            facts = replace(facts, file_bytes=schemas.size_of(self._connection, schema))
        self._seeded[key] = (target, facts)
        return Seeded(target, facts, False)

    def fault(self) -> DatabaseUnavailable | None:
        """Return what to raise where the server takes no connection any more, or a schema of ours is gone."""
        try:
            with connected(self.target) as connection:
                for schema in self._schemas:
                    found = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", [schema]).fetchone()
                    if found is None:
                        return self._gone(f"somebody dropped the schema {schema}")
        except DatabaseUnavailable as error:
            return self._gone(_said(error.__cause__ or error))
        except _driver_error() as error:
            return self._gone(_said(error))
        return None

    def drop_all(self, *, complain: bool) -> None:
        """Drop every schema. complain: raise DatabaseUnavailable where one stays; else the next run drops it."""
        try:
            if self._schemas:
                self._drop()
        except (DatabaseUnavailable, _driver_error()) as error:
            if complain:
                said = error.message if isinstance(error, DatabaseUnavailable) else _said(error)
                raise DatabaseUnavailable(
                    f"{self.target.name} still has the schema {', '.join(self._schemas)}: {said}.",
                    remedy="The next run against it drops it, or: DROP SCHEMA ... CASCADE.",
                ) from error

    def _drop(self) -> None:
        """Drop the schemas by the connection that is there, or where it has been lost by another."""
        from bench.databases.postgres import schemas

        def all_by(connection: psycopg.Connection) -> None:
            while self._schemas:
                schemas.drop(connection, self._schemas[-1])
                self._schemas.pop()

        try:
            all_by(self._connection)
        except _driver_error():
            if not self._connection.broken:
                raise
            with connected(self.target) as another:
                all_by(another)

    def _check_path(self, target: Target, schema: str) -> None:
        """See that a new connection works in the schema: what pools connections may leave out its settings."""
        with connected(target) as connection, refusals(self.target.name):
            row = connection.execute("SELECT current_schema()").fetchone()
            if row is None or row[0] != schema:
                raise DatabaseUnavailable(
                    f"{target.name} does not pass on search_path as a connection starts.",
                    remedy="Name the server itself, not a pool in front of it.",
                )

    def _gone(self, said: str) -> DatabaseUnavailable:
        return DatabaseUnavailable(
            f"{self.target.name} has gone away: {said.rstrip('.')}.",
            remedy="See that it runs, and start the command again.",
        )


@contextmanager
def refusals(name: str) -> Iterator[None]:
    """Turn what a server says to a statement into DatabaseUnavailable. name: the target's."""
    try:
        yield
    except _driver_error() as error:
        raise DatabaseUnavailable(
            f"{name} cannot be used: {_said(error)}.",
            remedy="Check that the server is up, that its disk has room, and what its log says.",
        ) from error


def _driver_error() -> type[psycopg.Error]:
    import psycopg

    return psycopg.Error


def _said(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")
