"""The URL of a server that the user runs becomes a target: first as it is written, then as libpq has understood it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from bench.errors import BenchError
from bench.model import Asked, Target

if TYPE_CHECKING:
    import psycopg

PROVIDER = "url"

OPTIONS = (
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "max_protocol_version",
    "min_protocol_version",
    "options",
    "require_auth",
    "requirepeer",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcertmode",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
)
"""Options of libpq that a URL may carry: those that say how to connect, and hold no secret."""

_WHERE = {"host": "host", "port": "port", "user": "user", "dbname": "database"}
"""Options that say what stands elsewhere in a URL too, and the target's words for them. They hold over it."""

_SETTLED = ("target_session_attrs",)
"""Options that a connection has satisfied once it is there, so that they need not be asked for again."""

_URL = re.compile(
    r"postgresql://(?:(?P<user>[^@:/?]*)@)?(?:\[(?P<ipv6>[^\]/?]*)\]|(?P<host>[^:/?\[\]]*))(?::(?P<port>[^/?]*))?"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<options>.*))?",
    re.DOTALL,
)
_HOST_AND_PORT = re.compile(r"([^:/,]+):([0-9]+)", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)


def make_target(asked: Asked, password: str) -> Target:
    """Return the target of a URL as it is written. What it leaves out is empty, and is libpq's to fill in.

    Everything is decoded from %xx. A Unix socket's folder stands as the option `host` or, encoded, in the host's place.
    Raises BenchError for what is no URL, several hosts, and options that libpq does not have.
    """
    match = _URL.fullmatch(asked.url)
    if match is None:  # not quoted, here and below: what cannot be told apart may be a password
        raise BenchError(
            "The URL's parts cannot be told apart.",
            remedy="Write postgresql://user@host:5432/database, with an IPv6 address in brackets.",
        )
    options = dict(_options(match["options"] or ""))
    where = {
        "host": unquote(match["ipv6"] or match["host"] or ""),
        "port": match["port"] or "",
        "user": unquote(match["user"] or ""),
        "database": unquote(match["database"] or ""),
    }
    if apart := _HOST_AND_PORT.fullmatch(options.get("host", "")):  # SQLAlchemy's spelling
        options["host"], where["port"] = apart.groups()
    where |= {_WHERE[name]: options.pop(name) for name in _WHERE if name in options}
    if "," in where["host"]:  # in the path of a socket's folder too: libpq divides there
        raise BenchError("The URL names several hosts.", remedy="Name the one to measure.")
    return Target(
        name=str(asked),
        dialect="postgresql",
        driver=asked.driver,
        provider=PROVIDER,
        database=where["database"],
        host=where["host"],
        port=_port(where["port"]),
        user=where["user"],
        password=password,
        options=options,
    )


def resolved(target: Target, connection: psycopg.Connection) -> Target:
    """Return the target with everything as libpq understood it when it opened the connection.

    What PG variables, a service or ~/.pgpass have said stands in it then: so every driver, also one that reads less of
    them, goes to the same server, as the same user, in the same way.
    """
    info = connection.info
    said = info.get_parameters()
    return replace(
        target,
        host=info.host,
        port=info.port,
        user=info.user,
        database=info.dbname,
        password=info.password or target.password,
        options={name: said[name] for name in OPTIONS if said.get(name) and name not in _SETTLED},
    )


def _options(text: str) -> Iterator[tuple[str, str]]:
    seen = set()
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name in seen:
            raise BenchError(f"The URL gives {name} twice.", remedy="Give it once, and one host only.")
        if name not in OPTIONS and name not in _WHERE:
            near = difflib.get_close_matches(name, [*OPTIONS, *_WHERE], n=1)
            raise BenchError(
                f"The URL's option {name!r} is none that can be given here"
                + (f"; did you mean {near[0]!r}?" if near else "."),
                remedy="Options are those of libpq, such as sslmode, connect_timeout and application_name.",
            )
        seen.add(name)
        yield name, value


def _port(text: str) -> int | None:
    if not text:
        return None
    if not _PORT.fullmatch(text) or not 0 < int(text) < 65536:
        raise BenchError("The URL's port is not one.", remedy="Give one number from 1 to 65535, and one host only.")
    return int(text)
