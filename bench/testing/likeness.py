"""Which texts are one statement, but for the values written into them and for how often their parts repeat.

The text of `VALUES (?), (?)`, of a chain of `OR`, of a `UNION ALL` for each key and of `LIMIT 5` varies with the number
of rows though it is sent once. Such texts are told by their words. Two statements that differ may have the same words:
this says which texts may be one statement, and never alone that they are.
"""

from __future__ import annotations

import re

from bench.reduce.sqltext import normalised

_TOKEN = re.compile(
    r"""
      '(?:[^']|'')*' | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag)  # a text as a value
    | (?<!:):\w+                                                  # a parameter by name
    | \d[\w.]*                                                    # a number
    | (?P<word> "(?:[^"]|"")*" | `[^`]*` | [^\W\d]\w* )
    """,
    re.VERBOSE | re.DOTALL,
)
_NUMBERED = re.compile(r"(?:_+\d+)+$")
"""What SQLAlchemy puts behind a name that it gives several times: `books_1`, `id__1`."""

_JOINING = frozenset({"and", "or", "union", "all", "as"})
"""Words that are there only where something is repeated, or named apart for that."""

_VALUES = frozenset({"null", "true", "false", "default"})


def words(sql: str) -> frozenset[str]:
    """Return the words of a text but for values, numbers behind names, and what joins repeated parts."""
    found = (token["word"] for token in _TOKEN.finditer(normalised(sql)) if token["word"])
    return frozenset(_NUMBERED.sub("", word).lower() for word in found) - _JOINING - _VALUES
