"""Hypothesis strategies for whatever the type hints of the domain allow, a whole Run among it."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any

from hypothesis import strategies as st

from bench.model import Asked, Case, DatasetFacts, Run, Samples, Sampling, TargetFacts
from bench.record.runfile import FORMAT_VERSION

INTEGERS = st.integers(-(2**63), 2**64 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
PLACES, COUNTS = st.integers(0, 2**63), st.integers(1, 2**63)
MOST = 2
"""Elements of a column or a list: shapes matter here, not sizes."""


def any_run() -> st.SearchStrategy[Run]:
    """Runs with every field drawn: what no person would think of writing."""
    return typing.cast("st.SearchStrategy[Run]", any_of(Run)).map(
        lambda run: dataclasses.replace(run, format_version=FORMAT_VERSION)
    )


def any_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type as `bench.model` writes types."""
    special = {Samples: any_samples, Sampling: any_sampling, Case: any_case}.get(hint)
    if special:
        return special()
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return fields_of(hint)
    inner = typing.get_args(hint)
    match typing.get_origin(hint):
        case typing.Literal:
            return st.sampled_from(inner)
        case types.UnionType | typing.Union:
            return st.one_of([any_of(each) for each in inner])
        case origin if origin is tuple and inner[-1] is Ellipsis:
            return st.lists(any_of(inner[0]), max_size=MOST).map(tuple)
        case origin if origin is tuple:
            return st.tuples(*(any_of(each) for each in inner))
        case origin if origin is dict:
            return st.dictionaries(any_of(inner[0]), any_of(inner[1]), max_size=MOST)
    return {int: INTEGERS, float: FLOATS, str: st.text(max_size=12), bool: st.booleans(), type(None): st.none()}[hint]


def fields_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a dataclass with every field drawn."""
    hints = typing.get_type_hints(hint)
    return st.fixed_dictionaries({field.name: any_of(hints[field.name]) for field in dataclasses.fields(hint)}).map(
        lambda values: hint(**values)
    )


def any_sampling() -> st.SearchStrategy[Sampling]:
    """What may be asked for: nothing of it less than can be sampled."""
    return st.builds(
        lambda sampling, budget_s, workers, rounds: dataclasses.replace(
            sampling, budget_s=budget_s, workers=workers, rounds=rounds
        ),
        fields_of(Sampling),
        st.none() | st.floats(min_value=0, exclude_min=True, allow_infinity=False),
        st.none() | COUNTS,
        st.none() | COUNTS,
    )


def any_case() -> st.SearchStrategy[Case]:
    """Cases with facts and a dataset for each of their targets, of which there is one at the least."""
    return st.builds(
        lambda case, targets: dataclasses.replace(
            case,
            spec=dataclasses.replace(case.spec, targets=tuple(asked for asked, _, _ in targets)),
            targets=tuple(facts for _, facts, _ in targets),
            datasets=tuple(dataset for _, _, dataset in targets),
        ),
        fields_of(Case),
        st.lists(st.tuples(any_of(Asked), any_of(TargetFacts), any_of(DatasetFacts)), min_size=1, max_size=MOST),
    )


def any_samples() -> st.SearchStrategy[Samples]:
    """Samples whose columns are of equal length, as they have to be."""
    hints = typing.get_type_hints(Samples)
    collectors = st.sampled_from(typing.get_args(hints.pop("collector")))
    row = st.tuples(*(PLACES if name in ("worker", "round") else INTEGERS for name in hints))

    def columns(collector: Any, rows: list[tuple[int, ...]]) -> Samples:
        return Samples(collector=collector, **{name: tuple(each[at] for each in rows) for at, name in enumerate(hints)})

    return st.builds(columns, collectors, st.lists(row, max_size=MOST))
