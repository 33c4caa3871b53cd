"""Where to run, as a user asks for it: the one grammar of `--db`, `--driver`, `--provider` and `--rtt`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import parse_qsl, unquote

from bench.errors import BenchError
from bench.model.environment import OWN, AskedEnvironment

Database = Literal["sqlite", "postgres"]
ProviderName = Literal["auto", "binaries", "docker"]

DRIVERS: Mapping[str, tuple[str, ...]] = {
    "sqlite": ("pysqlite", "aiosqlite"),
    "postgres": ("psycopg", "psycopg_async", "asyncpg"),
}
"""The databases with SQLAlchemy's names of their drivers, the usual one first."""

PROVIDERS: tuple[ProviderName, ...] = ("auto", "binaries", "docker")

SPELLINGS = "sqlite, sqlite:memory, sqlite:PATH, postgres, postgres:17, postgres:16.4, docker:IMAGE, or a server's URL"

SHORTEST_RTT_US = 200
"""Below it a proxy cannot keep to what was asked for: its scatter would be more than a fifth of it."""

LONGEST_RTT_US = 10_000_000
"""Ten seconds: what is longer is a slip of the keyboard."""

_STARTS = r"(?:sqlite|postgres|docker)(?=[:+@,]|$)|[a-z0-9_]+(?:\+[a-z0-9_]+)?://"
_NEXT = re.compile(rf",(?={_STARTS})", re.ASCII)
_POSTGRES = re.compile(r"postgres(?::([^+@]*))?(?:@([^+]*))?(?:\+(.*))?", re.ASCII | re.DOTALL)
_VERSION = re.compile(r"[1-9][0-9]?(?:\.[0-9]{1,2})?", re.ASCII)
_ORIGIN = re.compile(r"[a-z]+", re.ASCII)
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*", re.ASCII)
_URL = re.compile(r"([a-z0-9_]+)(?:\+([a-z0-9_]+))?://(.*)", re.ASCII | re.DOTALL)
_MAYBE_SECRET = re.compile(r":(?:[^@]*:[^@]*@|[^@]*@(?![a-z]*(?:\+[a-z_]*)?$))(?:.*@)?", re.DOTALL)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]*\]|[^:\[\]]*)(:[0-9]{1,5})?")
_OPTIONS_WITHIN = re.compile(r"@[^@/?]*(?:/[^?]*)?\?[a-z_]+=", re.ASCII)
_SECRET = re.compile(r"password|sslpassword|scram_(?:client|server)_key|oauth_client_secret", re.ASCII)
_RTT = re.compile(r"([0-9]{1,8}(?:\.[0-9]{1,6})?)(us|ms|s)?", re.ASCII)
_MICROSECONDS = {None: 0, "us": 1, "ms": 1_000, "s": 1_000_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A target as a user asks for it: plain data without a secret, enough to ask for it again.

    database: `sqlite` or `postgres`. driver: SQLAlchemy's name. version: `17` or `16.4`, None for the newest at hand.
    provider: what a server of ours comes from; `auto` leaves it open. origin: the first word of the builds that were
    asked for by name (`debian`, `npm`, `wheel`), empty where any will do. image: a Docker image by name. url: of a
    server the user runs, without driver and password. path: of an SQLite file of the user's choosing. memory: SQLite
    in memory. rtt_us: round-trip time to be added, in microseconds; None where nothing stands between. existing: the
    data is there already and only read; nothing is seeded. environment: what runs the load there.
    """

    database: Database
    driver: str
    version: str | None = None
    provider: ProviderName = "auto"
    origin: str = ""
    image: str = ""
    url: str = ""
    path: str = ""
    memory: bool = False
    rtt_us: int | None = None
    existing: bool = False
    environment: AskedEnvironment = OWN

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name of the database's dialect."""
        return {"sqlite": "sqlite", "postgres": "postgresql"}[self.database]

    @property
    def server(self) -> Asked:
        """The server alone, which targets share that differ only in driver, added round-trip time and environment."""
        return replace(self, driver=DRIVERS[self.database][0], rtt_us=None, environment=OWN)

    def __str__(self) -> str:
        usual = self.driver == DRIVERS[self.database][0]
        driver = "" if usual else f"+{self.driver}"
        rtt = "" if self.rtt_us is None else f" rtt={rtt_text(self.rtt_us)}"
        rtt += f" {self.environment}" if self.environment != OWN else ""
        if self.url:
            scheme, separator, rest = self.url.partition("://")
            return f"{scheme}{driver}{separator}{rest}{rtt}"
        if self.image:
            return f"docker:{self.image}{driver}{rtt}"
        where = ":memory" if self.memory else f":{self.path}" if self.path else ""
        version = f":{self.version}" if self.version else ""
        origin = f"@{self.origin}" if self.origin else "@docker" if self.provider == "docker" else ""
        return f"{self.database}{where}{version}{origin}{driver}{rtt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Passwords that were part of a URL, by the URL without them. They are never stored, shown or logged."""

    by_url: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Secrets({len(self.by_url)})"


def parse_targets(
    text: str,
    *,
    drivers: str | None = None,
    provider: ProviderName = "auto",
    rtt: str | None = None,
    existing: bool = False,
    environments: Sequence[AskedEnvironment] = (OWN,),
) -> tuple[tuple[Asked, ...], Secrets]:
    """Parse where to run: every database of `text` by every driver that is its own, at every round-trip time.

    text: `SPELLINGS`, several with commas; `+asyncpg` at the end of one chooses its driver, `@npm` after a version the
    origin of its build. drivers: names with commas. rtt: as `0,1ms,0.5ms`. existing: each holds its data already.
    environments: what runs the loads on each of them. Targets come in that order, each once.
    Raises BenchError, which never quotes a password, for what there is none of and for what does not go together.
    """
    passwords: dict[str, str] = {}
    databases = [_parse(part, passwords) for part in _parts(text)]
    named = _driver_names(drivers)
    driven = [one for asked in databases for one in _driven(asked, named)]
    _all_used(named, driven)
    delays = parse_rtts(rtt) if rtt is not None else (None,)
    targets = [
        replace(_provided(asked, provider), rtt_us=_delay(asked, delay), environment=environment)
        for asked in driven
        for delay in delays
        for environment in environments
    ]
    if existing:
        targets = [_existing(asked) for asked in targets]
    return tuple(dict.fromkeys(targets)), Secrets(by_url=passwords)


def parse_target(text: str) -> Asked:
    """Parse one target without a password, as `parse_targets` does. Raises BenchError where it is not just one."""
    targets, _ = parse_targets(text)
    if len(targets) != 1:
        raise BenchError(f"{text!r} names {len(targets)} targets.", remedy="Name one of them.")
    return targets[0]


def parse_rtts(text: str) -> tuple[int, ...]:
    """Parse `0,1ms,500us` into microseconds, each once. Raises BenchError for what is no time that can be added."""
    return tuple(dict.fromkeys(_rtt_us(part.strip()) for part in text.split(",")))


def rtt_text(rtt_us: int) -> str:
    """A round-trip time in the unit that makes it short: `0`, `500us`, `1ms`, `2s`."""
    for unit, scale in (("s", 1_000_000), ("ms", 1_000)):
        if rtt_us >= scale and rtt_us % (scale // 10) == 0:
            return f"{rtt_us / scale:g}{unit}"
    return f"{rtt_us}us" if rtt_us else "0"


def _rtt_us(text: str) -> int:
    match = _RTT.fullmatch(text)
    value = float(match[1]) * _MICROSECONDS[match[2]] if match else -1.0
    if match is None or (match[2] is None and float(match[1])) or value != int(value) or value > LONGEST_RTT_US:
        raise BenchError(
            f"{text!r} is not a round-trip time that can be added.",
            remedy="Give 0, or whole microseconds up to 10s with their unit: 0,500us,1ms,2.5ms.",
        )
    if 0 < value < SHORTEST_RTT_US:
        raise BenchError(
            f"{text} cannot be added accurately: it is too short.",
            remedy=f"Give 0, or {rtt_text(SHORTEST_RTT_US)} and more.",
        )
    return int(value)


def _shown(text: str) -> str:
    """Return a text to be quoted in an error: without what may be a password in a URL that was mistyped."""
    return _MAYBE_SECRET.sub(":***@", text)


def _parts(text: str) -> Iterator[str]:
    """Divide at commas; within a URL, a path or an image only at one that is followed by another database."""
    for part in _NEXT.split(text):
        part = part.strip()
        if "://" in part or part.startswith(("sqlite:", "docker:")):
            yield part
        else:
            yield from (each.strip() for each in part.split(","))


def _parse(text: str, passwords: dict[str, str]) -> Asked:
    if (url := _URL.fullmatch(text)) is not None:
        return _parse_url(url[1], url[2], url[3], passwords)
    kind, colon, rest = text.partition(":")
    if kind == "docker":
        return _parse_image(text, rest)
    if kind == "sqlite" and colon:
        return _parse_sqlite(text, rest)
    if (match := _POSTGRES.fullmatch(text)) is not None:
        return _parse_postgres(text, *match.groups())
    name, plus, driver = text.partition("+")
    if name != "sqlite":
        raise _unknown("database", re.split(r"[:+@]", text)[0], [*DRIVERS, "docker"])
    return Asked(database="sqlite", driver=_driver("sqlite", driver if plus else None))


def _parse_postgres(text: str, version: str | None, origin: str | None, driver: str | None) -> Asked:
    if version is not None and not _VERSION.fullmatch(version):
        named = f" of version {version!r}" if _shown(text) == text else ""
        raise BenchError(
            f"{_shown(text)!r}: there is no PostgreSQL{named} to choose.",
            remedy="Write postgres, postgres:17 or postgres:16.4.",
        )
    if origin is not None and not _ORIGIN.fullmatch(origin):
        raise BenchError(
            f"{_shown(text)!r} names no origin after the @.",
            remedy="Write the first word of one after the version, as in postgres:17@npm or postgres:15@debian.",
        )
    return Asked(
        database="postgres",
        driver=_driver("postgres", driver),
        version=version,
        provider="docker" if origin == "docker" else "auto",
        origin="" if origin == "docker" else origin or "",
    )


def _parse_sqlite(text: str, rest: str) -> Asked:
    place, plus, driver = rest.rpartition("+")
    if not plus or driver not in DRIVERS["sqlite"]:  # a path may have a plus in it
        place, driver = rest, DRIVERS["sqlite"][0]
    if not place or "\0" in place:
        raise BenchError(
            f"{_shown(text)!r} names no file.", remedy="Write sqlite, sqlite:memory or sqlite:path/to/file."
        )
    if place == "memory":
        return Asked(database="sqlite", driver=driver, memory=True)
    return Asked(database="sqlite", driver=driver, path=place)


def _parse_image(text: str, rest: str) -> Asked:
    image, plus, driver = rest.partition("+")
    if not _IMAGE.fullmatch(image):
        raise BenchError(
            f"{_shown(text)!r} names no image.", remedy="Write docker:IMAGE, as in docker:postgres:17-alpine."
        )
    named = _driver("postgres", driver if plus else None)
    return Asked(database="postgres", driver=named, provider="docker", image=image)


def _parse_url(scheme: str, driver: str | None, rest: str, passwords: dict[str, str]) -> Asked:
    """Take a URL apart as far as the password, and no further: what follows is the driver's to understand."""
    if scheme == "sqlite":
        return _parse_sqlite_url(driver, rest)
    if scheme not in ("postgresql", "postgres"):
        raise BenchError(
            f"There is no way to measure on {scheme}://.", remedy="A URL begins with postgresql:// or sqlite:///."
        )
    # Divided at the last @: a password may hold one that nobody has escaped, and no part of it must be taken for the
    # host, which is stored and shown.
    account, at, where = rest.rpartition("@")
    user, _, password = account.partition(":")
    if re.search("[/?#@]", user):
        raise BenchError("The URL's user name cannot be told from its host.", remedy="Write an @ in it as %40.")
    if not _HOST.fullmatch(re.split("[/?]", where, maxsplit=1)[0]):  # not quoted: it may be a part of the password
        raise BenchError(
            "The URL's host and port cannot be told from the rest.",
            remedy="Write postgresql://user:password@host:port/database, with %2C for a comma in the password.",
        )
    if _OPTIONS_WITHIN.search(password):  # the @ may stand in an option: then this would go to another host
        raise BenchError(
            "The URL's password cannot be told from its options.", remedy="Write %40 for each @ in either of them."
        )
    url = f"postgresql://{user}{at}{where}"
    if password:
        passwords[url] = unquote(password)
    if any(_SECRET.fullmatch(name) for name, _ in parse_qsl(where.partition("?")[2])):
        raise BenchError(
            "A password among a URL's options would be stored with the run.",
            remedy="Write it before the host (user:password@host), or leave it to PGPASSWORD or ~/.pgpass.",
        )
    return Asked(database="postgres", driver=_driver("postgres", driver), url=url)


def _parse_sqlite_url(driver: str | None, rest: str) -> Asked:
    _, _, path = rest.partition("/")
    if not path or "?" in path:
        raise BenchError("An SQLite URL names a file, and has no options here.", remedy="Write sqlite:path/to/file.")
    named = _driver("sqlite", driver)
    if path == ":memory:":
        return Asked(database="sqlite", driver=named, memory=True)
    file = unquote(path)
    return Asked(database="sqlite", driver=named, path="./memory" if file == "memory" else file)


def _driver(database: Database, name: str | None) -> str:
    if name is None:
        return DRIVERS[database][0]
    if name not in DRIVERS[database]:
        raise _unknown(f"driver of {database}", name, DRIVERS[database])
    return name


def _driver_names(drivers: str | None) -> list[str]:
    names = [] if drivers is None else [name.strip() for name in drivers.split(",")]
    known = [name for of_one in DRIVERS.values() for name in of_one]
    for name in names:
        if name not in known:
            raise _unknown("driver", name, known)
    return list(dict.fromkeys(names))


def _driven(asked: Asked, named: Sequence[str]) -> list[Asked]:
    """Return the target by each of the drivers that are its database's own; as it is where none was named."""
    if not named:
        return [asked]
    if asked.driver != DRIVERS[asked.database][0]:
        raise BenchError(
            f"{asked} names its driver, and --driver names others.", remedy="Name drivers in one of the two places."
        )
    own = [name for name in named if name in DRIVERS[asked.database]]
    if not own:
        raise BenchError(
            f"None of {', '.join(named)} is a driver of {asked.database}.",
            remedy=f"Add one: {', '.join(DRIVERS[asked.database])}.",
        )
    return [replace(asked, driver=name) for name in own]


def _all_used(named: Sequence[str], driven: Sequence[Asked]) -> None:
    for name in named:
        if not any(asked.driver == name for asked in driven):
            database = next(each for each, drivers in DRIVERS.items() if name in drivers)
            raise BenchError(
                f"The driver {name} is one of {database}, and no {database} was asked for.",
                remedy=f"Add {database} to --db, or leave the driver out.",
            )


def _provided(asked: Asked, provider: ProviderName) -> Asked:
    """Return the target from the provider that was asked for; a URL, a file and an image have theirs."""
    if provider == "auto" or asked.database == "sqlite" or asked.url:
        return asked
    if provider == "binaries" and asked.provider == "docker":
        raise BenchError(f"{asked} is a matter of Docker.", remedy="Leave --provider binaries out.")
    if provider == "docker" and asked.origin:
        raise BenchError(
            f"{asked} names the origin of binaries, and a container has none of them.",
            remedy="Leave the origin out, or --provider docker.",
        )
    return replace(asked, provider=provider)


def _existing(asked: Asked) -> Asked:
    """Return the target as one that holds its data already. Raises BenchError for one that only a run fills."""
    if asked.url or asked.path:
        return replace(asked, existing=True)
    raise BenchError(
        f"{asked} is made for the run, so there is no data in it.",
        remedy="Name the database that has it: --db postgresql://user@host/database, or --db sqlite:PATH.",
    )


def _delay(asked: Asked, rtt_us: int | None) -> int | None:
    if rtt_us is not None and asked.database == "sqlite":
        raise BenchError(
            "SQLite runs in the process itself: there is no round trip to lengthen.",
            remedy="Give --rtt with postgres, or leave it out.",
        )
    return rtt_us


def _unknown(kind: str, name: str, known: Iterable[str]) -> BenchError:
    near = difflib.get_close_matches(name, known := list(known), n=1)
    return BenchError(
        f"There is no {kind} {_shown(name)!r}" + (f"; did you mean {near[0]!r}?" if near else "."),
        remedy=f"Known: {', '.join(known)}. Where to run is {SPELLINGS}."
        if kind == "database"
        else f"Known: {', '.join(known)}.",
    )
