"""Selection: which of a dataset's rows a load has to return, as data, so that it is known without a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A condition: what a recipe's column holds, held against a value."""

    column: str
    is_: Literal["==", "<", ">="]
    value: int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rows of a path that a load has to return: of a relationship's, what is selected of each parent's alone.

    path: a relationship by its dotted name, or "" for the entity itself. where: the rows that count. order_by: the
    column by which they are ranked, None for the primary key, which also breaks ties, and always upwards; descending:
    the highest first. offset: how many of them are passed over; limit: how many are taken, None for all.
    """

    path: str = ""
    where: Where | None = None
    order_by: str | None = None
    descending: bool = False
    offset: int = 0
    limit: int | None = None
