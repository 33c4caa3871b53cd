"""What was profiled as text: for each target the bills of its strategies and their plans, then what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import PurePath
from urllib.parse import quote

from bench.model.profile import Looked
from bench.report.bill_text import bills_text
from bench.report.calls_text import calls_text
from bench.report.markup import escaped, fenced, folded
from bench.report.memory_text import memory_text
from bench.report.plan_text import differences_text, plans_text
from bench.report.wire_text import wire_text

MARKDOWN_WIDTH = 120


def target_text(looks: Sequence[Looked], *, width: int) -> str:
    """Return the bills of the strategies on one target, and their plans."""
    title = title_of(looks[0])
    return f"{title}\n{'=' * len(title)}\n{body_text(looks, width=width)}"


def body_text(looks: Sequence[Looked], *, width: int) -> str:
    """Return what `target_text` does, without its title."""
    plans = [f"Plans of {one.strategy}:\n{plans_text(one, width=width)}" for one in looks if one.plans]
    further = filter(None, (draw(looks, width=width) for draw in (memory_text, wire_text, calls_text)))
    return "\n\n".join([bills_text(looks, width=width), *further, *plans])


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


def profile_block(own: Sequence[Looked], looks: Sequence[Looked], images: Sequence[PurePath]) -> str:
    """Return what was profiled on one target as a folded part of a Markdown page, under the images of its bills.

    looks: of all targets, with the first of which plans are compared.
    """
    blocks = [f"![{escaped(title_of(own[0]))}]({quote(image.as_posix())})" for image in images]
    blocks.append(fenced(body_text(own, width=MARKDOWN_WIDTH), "text"))
    if kept := [f"- {escaped(one.strategy)}: {_linked(links(one))}" for one in own if links(one)]:
        blocks.append("\n".join(kept))
    same = [one for one in looks if (one.scenario, one.size) == (own[0].scenario, own[0].size)]
    first = [one for one in same if one.target == same[0].target]
    if own[0].target != same[0].target and (found := differences_text([*first, *own], width=MARKDOWN_WIDTH)):
        blocks.append(fenced(found, "text"))
    return folded("Profile: where the time of a load goes", blocks)


def links(looked: Looked) -> tuple[tuple[str, str], ...]:
    """Return the files that were kept of a strategy, as addresses beside the page, each with what it is."""
    calls, memory = looked.calls, looked.memory
    found = (
        *(((calls.html, "call tree"), (calls.speedscope, "flame graph for speedscope.app"),
           (calls.stats, "cProfile's statistics")) if calls else ()),
        *(((memory.flame_graph, "memory flame graph"),) if memory else ()),
    )  # fmt: skip
    return tuple((quote(path), text) for path, text in found if path)


def _linked(found: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"[{escaped(text)}]({address})" for address, text in found)


def _texts(looks: Sequence[Looked]) -> Iterator[str]:
    yield from (target_text(of_target, width=MARKDOWN_WIDTH) for of_target in by_target(looks))
    if looks and (differences := differences_text(looks, width=MARKDOWN_WIDTH)):
        yield differences
