"""one_to_many, meddled with: strategies that cost a known amount more, print, die, or load what they should not."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bench import Strategy
from scenarios.one_to_many import ONE_TO_MANY, User, load

SELECTIN = next(one for one in ONE_TO_MANY.strategies if one.name == "selectin")


def meddled(name: str, meddle: Callable[[Select[Any]], Select[Any] | None]) -> Strategy:
    """selectin under another name, which does something of its own inside the load first."""

    def apply(statement: Select[Any]) -> Select[Any]:
        instead = meddle(statement)
        return SELECTIN.apply(statement if instead is None else instead)

    return replace(SELECTIN, name=name, apply=apply)


def twice(session: Session, strategy: Strategy) -> Sequence[User]:
    """Load, and for the strategy `twice` do all of it again: a known cost of exactly one load."""
    users = load(session, strategy)
    if strategy.name == "twice":
        session.expunge_all()
        return load(session, strategy)
    return users


def without_touching(session: Session, strategy: Strategy) -> Sequence[User]:
    """Forget to touch the books."""
    return session.scalars(strategy.apply(select(User))).all()


def die(_: Any) -> None:
    """End this process as the kernel would when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


def fail(_: Any) -> None:
    """Raise what a user's own code might."""
    raise RuntimeError("the scenario's own fault, with <markup> | and a pipe")


def fewer(statement: Select[Any]) -> Select[Any]:
    """Leave out the last user."""
    return statement.where(User.id < select(func.max(User.id)).scalar_subquery())


TWICE = replace(ONE_TO_MANY, name="twice", load=twice, strategies=(SELECTIN, meddled("twice", lambda _: None)))
PRINTS = replace(
    ONE_TO_MANY,
    name="prints",
    strategies=(SELECTIN, meddled("chatty", lambda _: print("x" * 200_000))),  # more than a pipe holds
)
DIES = replace(ONE_TO_MANY, name="dies", strategies=(SELECTIN, meddled("dies", die)))
FAILS = replace(ONE_TO_MANY, name="fails", strategies=(SELECTIN, meddled("fails", fail)))
LOADS_LESS = replace(ONE_TO_MANY, name="loads_less", strategies=(SELECTIN, meddled("fewer", fewer)))
UNTOUCHED = replace(ONE_TO_MANY, name="untouched", load=without_touching)
WRONG_FORMULA = replace(
    ONE_TO_MANY, name="wrong_formula", strategies=(replace(SELECTIN, statements=lambda shape: shape.parents),)
)
NO_SCENARIO = "a string"
