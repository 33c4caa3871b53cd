"""Mixes: which strategies make sense for the steps of a load, which of them are kept, and what they are called."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from itertools import combinations, islice, product
from math import prod

from bench.building.formulas import Mix
from bench.building.steps import Step
from bench.errors import BenchError

MOST = 16
"""Strategies that are built unless they are named: about what a table can be read with."""

UNIFORM = ("lazy", "subquery", "immediate")
"""Words that stand at every step alike: one such step among others costs what it costs at all of them."""

WORDS = ("lazy", "joined", "joined_inner", "selectin", "subquery", "immediate")


def name_of(mix: Mix) -> str:
    """Return what a mix is called: its words with a plus between them; lazy and immediate throughout have one."""
    words = list(mix.values())
    return words[0] if set(words) in ({"lazy"}, {"immediate"}) else "+".join(words)


def usual(steps: Sequence[Step]) -> Mix:
    """Return the mix of the rule of thumb: selectin for collections, joined for what there is one of."""
    return {step.path: "selectin" if step.many else "joined" for step in steps}


def sensible(steps: Sequence[Step], most: int = MOST) -> tuple[list[Mix], int]:
    """Return the mixes that make sense, `most` of them, and how many there are in all.

    The same word at every step, then joined or selectin (or an inner join, where it loses nothing) at each. Where they
    are too many, those are kept that depart from the rule of thumb at the fewest steps, the uniform ones before all.
    """
    choices = [_choices(step) for step in steps]
    alike = [{step.path: word for step in steps} for word in ("lazy", "joined", "selectin", "subquery", "immediate")]
    kept: dict[str, Mix] = {name_of(mix): mix for mix in alike}
    in_all = len(UNIFORM) + prod(map(len, choices))
    for mix in islice(_departing(steps, choices), most):
        if len(kept) >= most:
            break
        kept.setdefault(name_of(mix), mix)
    order = {name: place for place, name in enumerate(("lazy", name_of(usual(steps))))}
    return sorted(kept.values(), key=lambda mix: order.get(name_of(mix), len(order))), in_all


def named(steps: Sequence[Step], names: Sequence[str]) -> list[Mix]:
    """Return the mixes of these names. Raises BenchError for a word that is none and for one that does not fit."""
    return [_named(steps, name.strip()) for name in dict.fromkeys(names)]


def unfit(steps: Sequence[Step]) -> list[str]:
    """Say at which steps an inner join was left out, for it would lose entities."""
    return [
        f"joined_inner does not fit {step.name}: {_why_unfit(step)}, and an inner join loses what has none."
        for step in steps
        if not step.many and not step.mandatory
    ]


def _named(steps: Sequence[Step], name: str) -> Mix:
    words = name.split("+")
    words = words * len(steps) if words[0] in ("lazy", "immediate") and len(words) == 1 else words
    if len(words) != len(steps):
        raise BenchError(
            f"{name!r} has {len(words)} words, but there are {len(steps)} steps: {', '.join(s.path for s in steps)}.",
            remedy=f"Write one for each, as {name_of(usual(steps))}.",
        )
    for step, word in zip(steps, words, strict=True):
        if word not in WORDS:
            near = difflib.get_close_matches(word, WORDS, n=1, cutoff=0.5)
            raise BenchError(
                f"There is no strategy {word!r}" + (f"; did you mean {near[0]!r}?" if near else "."),
                remedy=f"Known: {', '.join(WORDS)}.",
            )
        if word == "joined_inner" and not step.mandatory:
            raise BenchError(
                f"joined_inner does not fit {step.name}: {_why_unfit(step)}, and an inner join loses what has none.",
                remedy="Use joined.",
            )
    return {step.path: word for step, word in zip(steps, words, strict=True)}


def _why_unfit(step: Step) -> str:
    if not step.to_one:
        return "nothing says that there is one" if not step.many else "a collection may be empty"
    nullable = [column.name for column in step.found.local_columns if column.nullable]
    return f"{', '.join(sorted(nullable))} may be NULL"


def _choices(step: Step) -> list[str]:
    """Return the words of a step in a mix, that of the rule of thumb first."""
    if step.many:
        return ["selectin", "joined"]
    return ["joined", "selectin", *(["joined_inner"] if step.mandatory else [])]


def _departing(steps: Sequence[Step], choices: Sequence[list[str]]) -> Iterator[Mix]:
    """Yield every mix: the rule of thumb first, then those that depart from it at one step, at two, and so on."""
    for count in range(len(steps) + 1):
        for places in combinations(range(len(steps)), count):
            for words in product(*(choices[at][1:] if at in places else choices[at][:1] for at in range(len(steps)))):
                yield {step.path: word for step, word in zip(steps, words, strict=True)}
