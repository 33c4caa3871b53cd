"""What a dry run says that a case will take."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.model import CaseSpec, DatasetOptions, Sampling, Size, parse_target
from bench.plan import WORKER_START_S, estimate_s

SPEC = CaseSpec(
    scenario="one_to_many",
    size=Size(counts=(1000, 50)),
    targets=(parse_target("sqlite"),),
    strategies=("lazy", "joined"),
    dataset=DatasetOptions(seed=1),
)
SAMPLINGS = st.builds(
    Sampling,
    seed=st.just(1),
    budget_s=st.none() | st.floats(1, 86_400),
    workers=st.none() | st.integers(1, 1_000),
    rounds=st.none(),
) | st.builds(
    Sampling,
    seed=st.just(1),
    budget_s=st.none(),
    workers=st.none() | st.integers(1, 1_000),
    rounds=st.integers(1, 10_000),
)


@settings(deadline=None)  # the first one imports what makes rows
@given(SAMPLINGS, st.integers(1, 10_000), st.integers(0, 500))
def test_more_rows_or_strategies_never_take_less(sampling: Sampling, parents: int, children: int) -> None:
    case = replace(SPEC, size=Size(counts=(parents, children)))
    larger = replace(case, size=Size(counts=(parents + 1, children + 1)))
    wider = replace(case, strategies=(*case.strategies, "selectin"))

    assert estimate_s(case, sampling) <= min(estimate_s(larger, sampling), estimate_s(wider, sampling))


@settings(deadline=None)
@given(SAMPLINGS, st.integers(1, 100))
def test_more_workers_rounds_or_budget_never_take_less(sampling: Sampling, more: int) -> None:
    takes_s = estimate_s(SPEC, sampling)

    if sampling.workers is not None:
        assert takes_s <= estimate_s(SPEC, replace(sampling, workers=sampling.workers + more))
    if sampling.rounds is not None:
        assert takes_s < estimate_s(SPEC, replace(sampling, rounds=sampling.rounds + more))
    if sampling.budget_s is not None:
        assert takes_s <= estimate_s(SPEC, replace(sampling, budget_s=sampling.budget_s + more))


@pytest.mark.parametrize("budget_s", [None, 1.0])
def test_every_fixed_worker_is_started_whatever_the_budget(budget_s: float | None) -> None:
    sampling = Sampling(seed=1, budget_s=budget_s, workers=1000, rounds=None if budget_s else 1)

    assert estimate_s(SPEC, sampling) >= 1000 * WORKER_START_S


def test_a_budget_that_suffices_is_what_timing_takes() -> None:
    first, second = (estimate_s(SPEC, Sampling(seed=1, budget_s=budget_s)) for budget_s in (60.0, 90.0))

    assert second - first == pytest.approx(30)
