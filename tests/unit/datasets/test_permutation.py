from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.datasets.permutation import Permutation

SEED = st.integers(0, 2**64 - 1)


@given(size=st.integers(0, 3000), seed=SEED)
def test_every_number_goes_somewhere_else_and_back(size: int, seed: int) -> None:
    permutation = Permutation.named(size, seed, "any")
    numbers = np.arange(size, dtype=np.uint64)

    gone = permutation.forward(numbers)

    assert np.array_equal(np.sort(gone), numbers)
    assert np.array_equal(permutation.backward(gone), numbers)


@given(data=st.data(), size=st.integers(1, 2_000_000_000), seed=SEED)
def test_the_largest_datasets_are_covered_too(data: st.DataObject, size: int, seed: int) -> None:
    permutation = Permutation.named(size, seed, "any")
    numbers = np.array(data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=20)), dtype=np.uint64)

    gone = permutation.forward(numbers)

    assert int(gone.max()) < size
    assert np.array_equal(permutation.backward(gone), numbers)


def test_neighbours_end_up_as_far_apart_as_chance_has_it() -> None:
    gone = Permutation.named(30_000, 7, "any").forward(np.arange(30_000, dtype=np.uint64)).astype(np.int64)

    apart = int(np.abs(np.diff(gone)).sum()) / 29_999

    assert 9_500 < apart < 10_500  # a third of the size, within five standard errors


def test_seeds_and_names_each_have_their_own() -> None:
    numbers = np.arange(1000, dtype=np.uint64)
    orders = [Permutation.named(1000, seed, name).forward(numbers) for seed in (1, 2) for name in ("a", "b")]

    assert len({order.tobytes() for order in orders}) == 4
