import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reduce.types import Estimate
from bench.report import units


def figure(value, low=None, high=None):
    return Estimate(value=value, low=low, high=high, workers=5, samples=20)


@st.composite
def estimates(draw):
    value = draw(st.floats(min_value=1, max_value=1e13))
    spread = draw(st.floats(min_value=1, max_value=3))
    return figure(value, value / spread, value * spread)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (figure(183e6, 179e6, 188e6), "183 ms (179-188)"),
        (figure(1.234e9, 1.19e9, 1.27e9), "1.23 s (1.19-1.27)"),
        (figure(412.3e3, 409e3, 415e3), "412 µs (409-415)"),
        (figure(85, 80, 92), "85 ns (80-92)"),
        (figure(999.9e3, 990e3, 1.01e6), "1.00 ms (0.99-1.01)"),
        (figure(1.2e9, 0.4e9, 3.1e9), "1.2 s (0.4-3.1)"),
        (figure(183.24e6, 183.21e6, 183.27e6), "183.2 ms (183.2-183.3)"),
        (figure(1e6, 1e6, 1e6), "1.00 ms (1.00-1.00)"),
        (figure(4321e9, 4200e9, 4500e9), "4,321 s (4,200-4,500)"),
        (figure(183e6), "183 ms (no interval)"),
    ],
)
def test_a_time_has_the_unit_of_its_size_and_the_digits_that_its_interval_supports(time, text):
    assert units.time_text(time) == text.replace("-", units.RANGE)


@given(estimates())
def test_the_printed_value_lies_within_the_printed_interval(time):
    value, low, high = (float(n) for n in re.findall(r"\d+(?:\.\d+)?", units.time_text(time).replace(",", "")))
    assert low <= value <= high


@given(st.floats(min_value=1, max_value=1e13))
def test_a_time_without_an_interval_always_carries_the_mark(value):
    assert units.NO_INTERVAL in units.time_text(figure(value))
    assert units.short_time_text(figure(value)).startswith(units.APPROXIMATE)
    assert units.short_ratio_text(figure(value)).startswith(units.APPROXIMATE)


@pytest.mark.parametrize(
    ("ratio", "full", "short"),
    [
        (figure(1.42, 1.38, 1.47), "1.42x (1.38-1.47)", "1.42x ±4 %"),
        (figure(12.3, 11.2, 14.1), "12x (11-14)", "12.3x ±15 %"),
        (figure(1.0, 0.998, 1.002), "1.000x (0.998-1.002)", "1.00x ±0.3 %"),
        (figure(1.0, 1.0, 1.0), "1.00x (1.00-1.00)", "1.00x ±0 %"),
        (figure(5.37, 2.4634, 11.706), "5.4x (2.5-11.7)", "5.37x (2.46-11.7)"),
        (figure(1.0, 0.82, 1.235), "1.0x (0.8-1.2)", "1.00x ±24 %"),
        (figure(1.4), "1.40x (no interval)", "~1.40x"),
    ],
)
def test_a_ratio_in_full_and_in_short(ratio, full, short):
    assert units.ratio_text(ratio) == full.replace("-", units.RANGE)
    assert units.short_ratio_text(ratio) == short.replace("-", units.RANGE)


@given(st.floats(min_value=0.1, max_value=100), st.floats(min_value=1, max_value=2))
def test_a_short_ratio_never_looks_more_precise_than_it_is(value, spread):
    text = units.short_ratio_text(figure(value, value / spread, value * spread))
    if "±" in text:
        assert float(re.findall(r"±([\d.]+)", text)[0]) >= 100 * (spread - 1) - 1e-6
    else:
        shown, low, high = (float(number) for number in re.findall(r"\d[\d.]*", text))
        assert low < shown < high
        assert spread > 1.25 - 1e-6


def test_words_go_between_a_ratio_and_its_interval():
    assert units.ratio_text(figure(1.4), "as long") == "1.40x as long (no interval)"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (20_400_000, "20.4 MB"), (999_999, "1.00 MB"),
     (4_300_800, "4.30 MB"), (25_769_803_776, "25.8 GB")],
)  # fmt: skip
def test_bytes_have_decimal_units(count, text):
    assert units.bytes_text(count) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.021, "2.1 %"), (0.134, "13 %"), (0.0996, "10 %"), (0.0, "0 %"), (0.0001, "<0.1 %")]
)
def test_a_share_is_a_percentage(share, text):
    assert units.share_text(share) == text


def test_counts_have_their_thousands_apart_and_their_noun_in_the_right_number():
    assert units.count_text(50_000) == "50,000"
    assert units.counted(1, "statement") == "1 statement"
    assert units.counted(1001, "statement") == "1,001 statements"
    assert units.counted(2, "child", "children") == "2 children"


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_are_listed_as_a_sentence_takes_them(names, text):
    assert units.listed(names) == text
