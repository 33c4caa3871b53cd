"""SQL as a text that can be compared: without what a driver, the layout or the number of keys in a list make of it.

A literal stays as it is, so that a value which is no longer a bound parameter shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
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


def by_text(statements: Iterable[StatementCount]) -> dict[str, Texts]:
    """Return what was sent by normalised text, in the order of first execution."""
    found: dict[str, Texts] = {}
    for one in statements:
        text = normalised(one.sql)
        before = found.get(text, Texts())
        found[text] = Texts(
            executions=before.executions + one.executions,
            rows=before.rows + one.rows,
            parameters=before.parameters + one.parameters,
        )
    return found


def sent_anew(before: Mapping[str, int], after: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the texts that only `after` has, with how often each is sent; the most often sent first."""
    return sorted(((text, sent) for text, sent in after.items() if text not in before), key=lambda each: -each[1])


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
