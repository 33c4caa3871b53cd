"""How many statements a walk along relationships sends: by each strategy, and as the classes are configured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from sqlalchemy.orm import Mapper, RelationshipProperty
from sqlalchemy.orm.interfaces import MANYTOONE, ONETOMANY

from bench.model import IN_LIST, Size

Chain = tuple[RelationshipProperty[Any], ...]

CONFIGURED = {"select": "lazy", True: "lazy", False: "joined"}
"""Words of `relationship(lazy=...)` that have another name among strategies."""

AT_ONCE = ("joined", "selectin", "subquery", "immediate")
RAISING = ("raise", "raise_on_sql")


def configured(relationship: RelationshipProperty[Any]) -> str:
    """Return the strategy that a relationship is configured with."""
    return CONFIGURED.get(relationship.lazy, str(relationship.lazy))


def chains(mappers: Sequence[Mapper[Any]], length: int) -> Iterator[Chain]:
    """Yield the ways of so many collections that lead on from one another, and meet no class twice.

    Of a single step there is each relationship, those to one entity too.
    """
    for mapper in mappers:
        yield from _chains(mapper, length, {mapper.base_mapper}, any_kind=length == 1)


def _chains(mapper: Mapper[Any], length: int, met: set[Mapper[Any]], *, any_kind: bool) -> Iterator[Chain]:
    if not length:
        yield ()
        return
    for relationship in sorted(mapper.relationships, key=lambda one: one.key):
        again = relationship.mapper.base_mapper in met and not any_kind
        if relationship.parent is mapper and not again and (any_kind or relationship.uselist):
            further = _chains(relationship.mapper, length - 1, met | {relationship.mapper.base_mapper}, any_kind=False)
            yield from ((relationship, *rest) for rest in further)


def is_shared(chain: Chain) -> bool:
    """Whether several may lead to one object that is asked, or looked for, only once."""
    return (
        any(one.direction is not ONETOMANY for one in chain[:-1])
        or chain[-1].direction is MANYTOONE
        or any(one.mapper.base_mapper is one.parent.base_mapper for one in chain)
    )


def with_strategy(chain: Chain, size: Size, word: str) -> int:
    """Return the statements of a walk along a chain with the same strategy at each step, and nothing loaded beside."""
    asked = [_asked(chain, size, at) for at in range(len(chain))]
    match word:
        case "joined":
            return 1
        case "selectin":
            return 1 + sum(ceil(one / IN_LIST) for one in asked)
        case "subquery":
            return 1 + len(chain)
    return 1 + sum(asked)


def as_configured(chain: Chain, size: Size) -> int | None:
    """Return the statements of a walk along a chain as its classes are configured; None where a step raises.

    What the classes bring along unasked, because it is configured to be loaded at once, is counted too.
    """
    walk = _Walk(chain, size)
    first = chain[0]
    arriving = Arriving(_roots(first, size), depth=1 if first.direction is MANYTOONE else 0)
    walk.load(first.parent, arriving, at=0, met=(first.parent,))
    return None if walk.raises else walk.sent + 1


@dataclass(frozen=True, slots=True)
class Arriving:
    """Entities of one class that were loaded: how many in all, and how many collections deep from where a walk starts.

    batches: separate loads that they are part of; IN lists wait until one is whole. statements: those that they came
    by; a sub-query follows on each.
    """

    asked: int
    depth: int
    batches: int = 1
    statements: int = 1


@dataclass(slots=True)
class _Walk:
    chain: Chain
    size: Size
    sent: int = 0
    raises: bool = False

    def load(self, mapper: Mapper[Any], arriving: Arriving, *, at: int | None, met: tuple[Mapper[Any], ...]) -> None:
        """Count what follows when entities of a class arrive; at: the chain's step that goes on from them, if any."""
        step = self.chain[at] if at is not None and at < len(self.chain) else None
        for relationship in mapper.relationships:
            word = configured(relationship)
            on_chain = relationship is step
            again = relationship.mapper in met  # an eager loader stops where its own path would come round
            if on_chain or (word in AT_ONCE and not again):
                after = self._loaded(relationship, "lazy" if again and word in AT_ONCE else word, arriving)
                below = at + 1 if on_chain and at is not None else None
                self.load(relationship.mapper, after, at=below, met=(*met, relationship.mapper))

    def _loaded(self, relationship: RelationshipProperty[Any], word: str, arriving: Arriving) -> Arriving:
        """Count the statements of one relationship, and return what arrives by them."""
        asked, batches, depth = arriving.asked, arriving.batches, arriving.depth
        if word == "noload" or not asked:
            return Arriving(0, depth)
        if relationship.direction is MANYTOONE:
            asked = min(asked, self.size.counts[0])  # the session has what many share from the first time on
        if relationship.uselist:
            depth += 1
        below = asked * (self.size.counts[depth] if relationship.uselist and depth < len(self.size.counts) else 1)
        self.raises |= word in RAISING
        match word:
            case "joined":
                return Arriving(below, depth, batches, arriving.statements)
            case "selectin":
                own = batches * ceil(asked / batches / IN_LIST)
            case "subquery":
                own = arriving.statements
            case _:
                own = batches = asked
        self.sent += own
        return Arriving(below, depth, batches, own)


def _roots(first: RelationshipProperty[Any], size: Size) -> int:
    """Return how many entities a walk starts from: parents, or children where it leads to what many of them share."""
    parents = size.counts[0]
    return parents * size.counts[1] if first.direction is MANYTOONE and len(size.counts) > 1 else parents


def _asked(chain: Chain, size: Size, at: int) -> int:
    """Return how many entities are asked for a step, at the most: of what many share, each is loaded once."""
    if chain[at].direction is MANYTOONE:
        return size.counts[0]
    asked = 1
    for count in size.counts[: at + 1]:
        asked *= count
    return asked
