"""SQL as a text that can be compared: without what a driver, the layout or the number of keys in a list make of it.

A literal stays as it is, so that a value which is no longer a bound parameter shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.model import StatementCount

PLACEHOLDER = "?"
"""Stands for a bound parameter, whatever the driver writes: `?`, `%s`, `%(name)s`, `$1`."""

_TOKEN = re.compile(
    r"""
      (?P<kept>    '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag) )
    | (?P<comment> --[^\n]* | /\*(?!\+).*?\*/ )
    | (?P<percent> %% )
    | (?P<bound>   %\([^()]*\)s | %s(?!\w) | \$\d+ | \? )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_BLANKS = re.compile(r"\s+")
_TYPE = (
    r"(?:(?:TIMESTAMP|TIME)(?:\(\d+\))?\ WITH(?:OUT)?\ TIME\ ZONE|DOUBLE\ PRECISION|CHARACTER\ VARYING|[\w.]+)"
    r"(?:\([\d,\ ]+\))?(?:\[\d*\])*"
)
_ONE = rf"\?(?:::{_TYPE})?"
_LIST = re.compile(rf"\bIN \(({_ONE})(?:, \1)*\)")
_PAIRS = re.compile(rf"\bIN \((VALUES )?(\({_ONE}(?:, {_ONE})*\))(?:, \2)*\)")
_CAST = re.compile(rf"(?<=\?)::{_TYPE}")

_KEPT = re.compile(r"\0(\d+)\0")
_GROUP = re.compile(r"\(([^()]*)\)")
_COLUMNS = re.compile(
    r"\b(SELECT (?:DISTINCT (?:ON \0\d+\0 )?|ALL )?)(.*?)(?= FROM | WHERE | UNION | EXCEPT | INTERSECT |$)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What a load sent under one normalised text: in how many executions, with how many rows and parameters."""

    executions: int = 0
    rows: int = 0
    parameters: int = 0


def normalised(sql: str) -> str:
    """Return the SQL on one line, every bound parameter as `?`, a list of them after IN as `(?, ...)`.

    Comments go, but for an optimiser's hints; `%%`, by which some drivers write a per cent sign, is one. The casts of
    parameters stay: a type that changes can cost an index.
    """
    return "".join(_parts(sql)).strip()


def portable(sql: str) -> str:
    """Return a normalised text without the casts of its parameters, which are the dialect's: to compare databases."""
    return "".join(part if part[:1] in "'\"`" else _folded(_CAST.sub("", part)) for part in _divided(sql))


def canonical(text: str) -> str:
    """Return a normalised text with the columns of every SELECT in the order of their names.

    That order is of no account to a database, and SQLAlchemy's own varies from process to process where it walks a set
    of columns: subqueryload of a key of two columns does.
    """
    kept: list[str] = []

    def keep(piece: str) -> str:
        kept.append(piece)
        return f"\0{len(kept) - 1}\0"

    def whole(piece: str) -> str:
        while "\0" in piece:
            piece = _KEPT.sub(lambda mark: kept[int(mark[1])], piece)
        return piece

    def in_order(piece: str) -> str:
        return _COLUMNS.sub(lambda found: found[1] + ", ".join(sorted(found[2].split(", "), key=whole)), piece)

    rest = _TOKEN.sub(lambda token: keep(token[0]) if token["kept"] else token[0], text.replace("\0", ""))
    while (innermost := _GROUP.search(rest)) is not None:
        rest = rest[: innermost.start()] + keep(f"({in_order(innermost[1])})") + rest[innermost.end() :]
    return whole(in_order(rest))


def by_text(statements: Iterable[StatementCount]) -> dict[str, Texts]:
    """Return what was sent by normalised and canonical text, in the order of first execution."""
    found: dict[str, Texts] = {}
    for one in statements:
        text = canonical(normalised(one.sql))
        before = found.get(text, Texts())
        found[text] = Texts(
            executions=before.executions + one.executions,
            rows=before.rows + one.rows,
            parameters=before.parameters + one.parameters,
        )
    return found


def _parts(sql: str) -> Iterator[str]:
    """Yield quoted text as it is, and what lies between in its normal form: no list is longer than such a stretch."""
    plain: list[str] = []
    at = 0
    for token in _TOKEN.finditer(sql):
        plain.append(sql[at : token.start()])
        at = token.end()
        if token["kept"]:
            yield from (_plain(plain), token["kept"].replace("%%", "%"))
            plain = []
        else:
            plain.append(" " if token["comment"] else "%" if token["percent"] else PLACEHOLDER)
    yield _plain([*plain, sql[at:]])


def _plain(parts: Iterable[str]) -> str:
    return _folded(_BLANKS.sub(" ", "".join(parts)))


def _folded(text: str) -> str:
    return _PAIRS.sub(r"IN (\1\2, ...)", _LIST.sub(r"IN (\1, ...)", text))


def _divided(text: str) -> Iterator[str]:
    """Yield a normalised text divided into what is quoted and what is not."""
    at = 0
    for token in _TOKEN.finditer(text):
        if token["kept"]:
            yield from (text[at : token.start()], token["kept"])
            at = token.end()
    yield text[at:]
