"""SQL as a reader takes it in: broken into lines, no word of it changed, long lists of placeholders folded."""

from __future__ import annotations

import re

import sqlparse
from sqlparse.exceptions import SQLParseError

FEWEST_FOLDED = 8
"""Placeholders in a row from which on a list of them is folded."""

_PLACEHOLDER = r"(?:\?|%\(\w+\)s|%s|\$\d+)(?:::\w+)?"
_LIST = re.compile(rf"{_PLACEHOLDER}(?:, {_PLACEHOLDER}){{{FEWEST_FOLDED - 1},}}")


def formatted(sql: str) -> str:
    """Return the statement in lines; as it is where it is too large to be taken apart.

    It is sqlparse that breaks the lines: it moves white space alone, where a library that writes the statement anew
    from its syntax tree would show another text than the one that was sent.
    """
    try:
        return sqlparse.format(sql, reindent=True, indent_width=2)
    except (SQLParseError, RecursionError):
        return sql


def folded(sql: str) -> str:
    """Return the statement with each long list of placeholders as `first, /* 498 more */ last`."""
    return _LIST.sub(_fold, sql)


def one_line(sql: str, characters: int) -> str:
    """Return the beginning of a statement in one line of so many characters."""
    text = " ".join(folded(sql).split())
    return text if len(text) <= characters else f"{text[: characters - 1]}\N{HORIZONTAL ELLIPSIS}"


def _fold(found: re.Match[str]) -> str:
    placeholders = found[0].split(", ")
    return f"{placeholders[0]}, /* {len(placeholders) - 2:,} more */ {placeholders[-1]}"
