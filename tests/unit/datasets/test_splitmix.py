from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.datasets.splitmix import Stream

WORD = st.integers(0, 2**64 - 1)
MASK = 2**64 - 1


def plain_word(start: int, place: int) -> int:
    """SplitMix64 as its paper has it, in Python's whole numbers."""
    word = (start + (place + 1) * 0x9E3779B97F4A7C15) & MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)


def words(stream: Stream, *places: int) -> list[int]:
    return [int(word) for word in stream.words(np.array(places, dtype=np.uint64))]


@pytest.mark.parametrize(
    ("seed", "published"),
    [
        (
            1234567,
            [
                6457827717110365317,
                3203168211198807973,
                9817491932198370423,
                4593380528125082431,
                16408922859458223821,
            ],
        ),
        (0, [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC]),
    ],
)
def test_words_are_the_published_ones_of_splitmix64(seed: int, published: list[int]) -> None:
    assert words(Stream(seed), *range(len(published))) == published


@given(start=WORD, places=st.lists(st.integers(0, 2**32), min_size=1, max_size=20))
def test_a_word_is_a_function_of_start_and_place_alone(start: int, places: list[int]) -> None:
    assert words(Stream(start), *places) == [plain_word(start, place) for place in places]


@given(seed=WORD, names=st.lists(st.text(max_size=8), min_size=1, max_size=3))
def test_a_streams_start_is_the_mix_of_the_seed_and_the_hash_of_its_names(seed: int, names: list[str]) -> None:
    hashed = int.from_bytes(blake2b("\0".join(names).encode(), digest_size=8).digest(), "little")

    start = (seed + hashed - 0x9E3779B97F4A7C15) & MASK
    assert Stream.named(seed, *names).start == plain_word(start, 0)


def test_streams_do_not_change_between_releases() -> None:
    assert words(Stream.named(1, "column", "books", "title"), 0, 1, 2**31) == [
        7911291426245617139,
        14118232689421315892,
        13917254395664178491,
    ]


def test_names_are_kept_apart() -> None:
    assert Stream.named(1, "ab", "c") != Stream.named(1, "a", "bc")


@given(start=WORD, bound=st.integers(1, 2**32), places=st.lists(st.integers(0, 2**32), min_size=1, max_size=20))
def test_a_drawn_number_is_the_upper_half_of_its_word_scaled_to_the_bound(
    start: int, bound: int, places: list[int]
) -> None:
    drawn = Stream(start).below(bound, np.array(places, dtype=np.uint64))

    assert [int(number) for number in drawn] == [(plain_word(start, place) >> 32) * bound >> 32 for place in places]
    assert all(0 <= int(number) < bound for number in drawn)


@pytest.mark.parametrize("bound", [0, -1, 2**32 + 1])
def test_a_bound_that_no_word_can_be_mapped_to_is_refused(bound: int) -> None:
    with pytest.raises(ValueError, match="is not a bound"):
        Stream(1).below(bound, np.arange(1, dtype=np.uint64))
