"""Steps: relationship paths from a mapped class, as a tree, held against what SQLAlchemy has mapped."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapper, RelationshipProperty
from sqlalchemy.orm.interfaces import MANYTOMANY, MANYTOONE
from sqlalchemy.sql.elements import BinaryExpression
from sqlalchemy.sql.visitors import iterate

from bench.errors import BenchError

NOT_LOADED = ("dynamic", "write_only")
"""Configured strategies of relationships that no loader option applies to."""


class _Asked:
    """Stands for an entity to learn which attributes a function asks it for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.names.append(name)
        return None


@dataclass(frozen=True, slots=True)
class Step:
    """A relationship that a load walks. path: its dotted name from the entity. below: the steps that go on from it."""

    path: str
    found: RelationshipProperty[Any]
    below: tuple[Step, ...]

    @property
    def name(self) -> str:
        """The relationship as a reader of the classes calls it: `Order.lines`."""
        return f"{self.found.parent.class_.__name__}.{self.found.key}"

    @property
    def above(self) -> str:
        """The path of what is asked for it: "" for the entity."""
        return self.path.rpartition(".")[0]

    @property
    def many(self) -> bool:
        """Whether it is a collection."""
        return bool(self.found.uselist)

    @property
    def to_one(self) -> bool:
        """Whether its key stands beside what is asked for it: many-to-one."""
        return self.found.direction is MANYTOONE

    @property
    def owned(self) -> bool:
        """Whether what it leads to is reached from one entity alone: one-to-many and one-to-one."""
        return self.found.direction is not MANYTOONE and self.found.direction is not MANYTOMANY

    @property
    def mandatory(self) -> bool:
        """Whether there is always one, so that an inner join loses nothing."""
        return self.to_one and not any(column.nullable for column in self.found.local_columns)

    @property
    def keyed_by(self) -> Any:
        """The column by which a dictionary has its entities, where it is one and says so; None otherwise."""
        made = self.found.collection_class() if callable(self.found.collection_class) else None
        asked = _Asked()
        if isinstance(made, Mapping) and (key := getattr(made, "keyfunc", None)) is not None:
            with suppress(Exception):  # it may be any function of the application's own
                key(asked)
        name = asked.names[0] if asked.names else ""
        return self.found.mapper.attrs[name].columns[0] if name in self.found.mapper.column_attrs else None

    @property
    def by_key(self) -> bool:
        """Whether it is joined by primary key and nothing else: SQLAlchemy then loads it as the formulas say."""
        pairs = self.found.local_remote_pairs or []
        conditions = [self.found.primaryjoin, *([] if self.found.secondaryjoin is None else [self.found.secondaryjoin])]
        compared = sum(isinstance(one, BinaryExpression) for joined in conditions for one in iterate(joined))
        keys = self.found.mapper.primary_key if self.to_one else self.found.parent.primary_key
        ends = {pair[1 if self.to_one else 0] for pair in pairs}
        plain = {*keys} == ends if self.found.secondary is None else {*keys} <= ends
        return plain and compared == len(pairs)


def mapper_of(entity: Any) -> Mapper[Any]:
    """Return the mapper of a class, every relationship of its registry resolved.

    Raises BenchError for what is not mapped, and for classes whose relationships SQLAlchemy cannot resolve.
    """
    mapper = inspect(entity, raiseerr=False)
    if not isinstance(mapper, Mapper):
        raise BenchError(
            f"{getattr(entity, '__name__', repr(entity))} is not a mapped class.",
            remedy="Give a class of your DeclarativeBase that has a __tablename__.",
        )
    try:
        mapper.relationships  # noqa: B018 - the access resolves them
    except (SQLAlchemyError, NameError) as error:  # a target may be given as a function, which looks for it by name
        raise BenchError(
            f"The mapped classes do not go together: {str(error).splitlines()[0]}",
            remedy="Import every module with mapped classes before this one, and correct the relationship's target.",
        ) from error
    return mapper


def steps_of(entity: Any, paths: tuple[Any, ...]) -> tuple[Step, ...]:
    """Return the first steps of the paths, each once, with what lies below them.

    A path is text, `lines.product` or `Order.lines.product`, or an attribute, `Order.lines`. Raises BenchError for a
    class that is not mapped, a name that is no relationship, and one that no loader option applies to.
    """
    mapper = mapper_of(entity)
    found = [path for path in map(_as_text, paths) if path]
    if not found:
        raise BenchError(
            f"No relationship of {mapper.class_.__name__} was named.",
            remedy=f"Name one or more of {', '.join(mapper.relationships.keys()) or 'another class'}.",
        )
    return _below(mapper, [_without_class(mapper, path) for path in found], at="")


def walked(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Yield every step: each before those below it, in the order in which the paths name them."""
    for step in steps:
        yield step
        yield from walked(step.below)


def _as_text(path: Any) -> str:
    """Return a path as dotted names; of an attribute, its key."""
    return path.strip() if isinstance(path, str) else str(getattr(path, "key", path))


def _without_class(mapper: Mapper[Any], path: str) -> str:
    first, _, rest = path.partition(".")
    return rest if rest and first == mapper.class_.__name__ and first not in mapper.relationships else path


def _below(mapper: Mapper[Any], paths: list[str], *, at: str) -> tuple[Step, ...]:
    grouped: dict[str, list[str]] = {}
    for path in paths:
        first, _, rest = path.partition(".")
        grouped.setdefault(first, []).extend([rest] if rest else [])
    steps = []
    for name, further in grouped.items():
        here, found = f"{at}.{name}" if at else name, _relationship(mapper, name)
        steps.append(Step(here, found, _below(found.mapper, further, at=here)))
    return tuple(steps)


def _relationship(mapper: Mapper[Any], name: str) -> RelationshipProperty[Any]:
    """Return a relationship by name. Raises BenchError with the nearest one."""
    entity, known = mapper.class_.__name__, mapper.relationships.keys()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        column = name in mapper.attrs
        raise BenchError(
            f"{entity}.{name} is no relationship{', but a column' * column}."
            if column or not near
            else f"{entity} has no relationship {name!r}; did you mean {near[0]!r}?",
            remedy=f"{entity} has {', '.join(sorted(known))}." if known else f"{entity} has no relationships.",
        )
    found = mapper.relationships[name]
    if found.lazy in NOT_LOADED:
        raise BenchError(
            f"{entity}.{name} is configured as lazy={found.lazy!r}: no loader option applies to it.",
            remedy="Leave it out of the paths, or write a Scenario with a `load` of its own.",
        )
    return found
