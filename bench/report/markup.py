"""Text as GitHub-flavoured Markdown, so that no name, statement or error can turn into markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from tabulate import tabulate

_SPECIAL = re.compile(r"([\\`*\[\]|~$])|((?<![^\W_])_|_(?![^\W_]))")
_LINE_START = re.compile(r"^([#+=-]|\d+[.)])(?=\s|$)")


@lru_cache(maxsize=2**12)  # most texts of a report come again: names, headers, counts, questions
def escaped(text: str) -> str:
    """Return the text on one line with everything that Markdown or HTML would read as markup taken as it is written.

    Underscores inside a word are left alone, since they mean nothing there and `one_to_many` stays readable.
    """
    line = " ".join(text.split())
    line = _SPECIAL.sub(r"\\\g<0>", line).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LINE_START.sub(lambda start: start[1][:-1] + "\\" + start[1][-1], line)


def bullets(lines: Iterable[str]) -> str:
    """Return the lines as a list, escaped."""
    return "\n".join(f"- {escaped(line)}" for line in lines)


def table(rows: Sequence[Sequence[str]], headers: Sequence[str], numeric: Sequence[bool]) -> str:
    """Return a table of escaped cells, numeric columns aligned to the right."""
    return marked_up_table([[escaped(cell) for cell in row] for row in rows], headers, numeric)


def marked_up_table(rows: Sequence[Sequence[str]], headers: Sequence[str], numeric: Sequence[bool]) -> str:
    """Return a table of cells that are Markdown already."""
    return tabulate(
        rows,
        headers=[escaped(header) for header in headers],
        colalign=["right" if right else "left" for right in numeric] if rows else None,
        tablefmt="pipe",
        disable_numparse=True,
    )


def anchor(name: str) -> str:
    """Return a place that `linked` leads to. name: letters, digits and hyphens."""
    return f'<a id="{name}"></a>'


def linked(text: str, name: str) -> str:
    """Return the text, escaped, as a link to the anchor of that name."""
    return f"[{escaped(text)}](#{name})"


def fenced(code: str, language: str) -> str:
    """Return a block of code in a fence that is longer than any run of backticks in it."""
    longest = max(map(len, re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code.strip()}\n{fence}"


def folded(title: str, blocks: Iterable[str]) -> str:
    """Return the blocks under a title that opens them."""
    summary = html.escape(" ".join(title.split()))  # a line of HTML, in which Markdown's own escapes mean nothing
    return "\n\n".join([f"<details>\n<summary>{summary}</summary>", *blocks, "</details>"])
