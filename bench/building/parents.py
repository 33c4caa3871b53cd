"""The query that chooses the parents where a database holds its data already."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Mapper

from bench.errors import BenchError
from bench.model import Recipe


def chosen(mapper: Mapper[Any], parents: Select[Any] | None, recipe: Recipe | None) -> Select[Any]:
    """Return the statement of a built load: that of the parents that were chosen, or of all there are.

    Raises BenchError for what does not select the entity itself, for a limit without an order, which may choose others
    each time, and beside a recipe, whose rows a query would leave out.
    """
    entity, name = mapper.class_, mapper.class_.__name__
    if parents is None:
        return select(entity)
    if recipe is not None:
        raise BenchError(
            f"A recipe and a query of parents were both given for {name}.",
            remedy="Give recipe= for rows that are seeded, or parents= for those that a database holds already.",
        )
    selected = [one["expr"] for one in getattr(parents, "column_descriptions", ())]
    if len(selected) != 1 or selected[0] is not entity:
        raise BenchError(
            f"The query of parents does not select {name}.", remedy=f"Write it as select({name}).where(...)."
        )
    # These have no public names; a test fails where they change.
    limits = (parents._limit_clause, parents._offset_clause, parents._fetch_clause)
    if any(limit is not None for limit in limits) and not parents._order_by_clauses:
        raise BenchError(
            f"The query of parents limits {name} without an order: each load may find others.",
            remedy=f"Add .order_by(), to its end by the primary key, as select({name}).order_by(...).limit(1000).",
        )
    return parents
