"""What was profiled as text: for each target the bills of its strategies and their plans, then what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from bench.model.profile import Looked
from bench.report.bill_text import bills_text
from bench.report.markup import fenced
from bench.report.plan_text import differences_text, plans_text

MARKDOWN_WIDTH = 120


def target_text(looks: Sequence[Looked], *, width: int) -> str:
    """Return the bills of the strategies on one target, and their plans."""
    title = title_of(looks[0])
    return f"{title}\n{'=' * len(title)}\n{body_text(looks, width=width)}"


def body_text(looks: Sequence[Looked], *, width: int) -> str:
    """Return what `target_text` does, without its title."""
    plans = [f"Plans of {one.strategy}:\n{plans_text(one, width=width)}" for one in looks if one.plans]
    return "\n\n".join([bills_text(looks, width=width), *plans])


def title_of(looked: Looked) -> str:
    """Name what was loaded, and where."""
    return f"{looked.scenario} {looked.size} on {looked.target}"


def by_target(looks: Sequence[Looked]) -> list[list[Looked]]:
    """Return what was seen, divided by scenario, size and target, in the order in which they first come."""
    titles = list(dict.fromkeys(map(title_of, looks)))
    return [list(own) for _, own in groupby(sorted(looks, key=lambda one: titles.index(title_of(one))), key=title_of)]


def profile_markdown(looks: Sequence[Looked]) -> str:
    """Return profile.md: the text as a terminal of MARKDOWN_WIDTH columns has it."""
    return "# Profile\n\n" + "\n\n".join(fenced(text, "text") for text in _texts(looks)) + "\n"


def _texts(looks: Sequence[Looked]) -> Iterator[str]:
    yield from (target_text(of_target, width=MARKDOWN_WIDTH) for of_target in by_target(looks))
    if looks and (differences := differences_text(looks, width=MARKDOWN_WIDTH)):
        yield differences
