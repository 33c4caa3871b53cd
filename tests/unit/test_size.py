import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.model import Size, parse_sizes
from bench.model.size import MOST_CASES, MOST_ROWS

COUNT = st.integers(1, 1000)


@given(st.lists(st.tuples(COUNT, COUNT), min_size=1, max_size=5, unique=True))
def test_sizes_are_read_as_they_are_written(pairs: list[tuple[int, int]]) -> None:
    text = ",".join(f"{parents}x{children}" for parents, children in pairs)

    sizes = parse_sizes(text, levels=2)

    assert sizes == tuple(Size(pair) for pair in pairs)
    assert ",".join(map(str, sizes)) == text


@given(COUNT, COUNT)
def test_a_range_holds_both_its_ends_and_grows(one: int, other: int) -> None:
    first, last = sorted((one, other))

    children = [size.counts[1] for size in parse_sizes(f"7x{first}..{last}", levels=2)]

    assert (children[0], children[-1]) == (first, last)
    assert children == sorted(set(children))


def test_a_range_steps_by_one_two_five() -> None:
    assert [size.counts for size in parse_sizes("1000x1..50", levels=2)] == [
        (1000, children) for children in (1, 2, 5, 10, 20, 50)
    ]


def test_a_size_named_twice_is_one_case() -> None:
    assert len(parse_sizes("10x5,10x5,10x1..5", levels=2)) == 3


def test_rows_are_those_of_all_levels() -> None:
    assert Size((1000, 50)).rows == 51_000
    assert Size((10, 4, 3)).rows == 10 + 40 + 120


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0x5", "'0' is not a whole number"),
        ("x", "'' is not a whole number"),
        ("", "'' is not a whole number"),
        ("-1x3", "'-1' is not a whole number"),
        ("1e9x1e9", "'1e9' is not a whole number"),
        ("1000x50x3", "3 numbers, but this scenario takes 2"),
        ("1000", "1 number, but this scenario takes 2"),
        ("\uff11\uff10x5", "plain digits"),
        ("10x٣", "plain digits"),
        ("10x5,", "'' is not a whole number"),
        ("10x9..3", "'9..3' is not a whole number"),
        ("10x0..3", "'0..3' is not a whole number"),
        ("10x1...3", "'1...3' is not a whole number"),
        ("999999999x999999999", "is the most that a dataset may have"),
        ("1x" + "9" * 5000, "is not a whole number"),
        ("10 x 5", "'10 ' is not a whole number"),
    ],
)
def test_what_is_no_size_is_refused_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(BenchError, match=r".*") as refused:
        parse_sizes(text, levels=2)

    assert says in str(refused.value)
    assert "such as" in str(refused.value) or "Write it" in str(refused.value)


def test_a_size_of_too_many_rows_names_the_most() -> None:
    parse_sizes(f"{MOST_ROWS // 2}x1", levels=2)
    with pytest.raises(BenchError, match=f"{MOST_ROWS:,}"):
        parse_sizes(f"{MOST_ROWS // 2 + 1}x1", levels=2)


def test_more_sizes_than_a_run_takes_are_refused() -> None:
    with pytest.raises(BenchError, match=f"one run takes {MOST_CASES}"):
        parse_sizes(",".join(f"{n}x1" for n in range(1, MOST_CASES + 2)), levels=2)


@given(st.text())
def test_any_text_is_sizes_or_a_sentence(text: str) -> None:
    with contextlib.suppress(BenchError):
        sizes = parse_sizes(text, levels=2)
        assert all(len(size.counts) == 2 and min(size.counts) >= 1 for size in sizes)
