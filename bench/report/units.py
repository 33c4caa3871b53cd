"""Figures as text: units, significant digits that the interval supports, and a mark where there is no interval.

`*_text` functions give what stands in a sentence or a wide cell, `183 ms (179-188)` with RANGE for the dash;
`short_ratio_text` what a narrow cell takes, `1.42x ±3 %`. Every figure that is a sample carries its interval, or
NO_INTERVAL.
"""

from __future__ import annotations

import math
from functools import lru_cache

from bench.reduce.types import Estimate

RANGE = "\N{EN DASH}"
"""Stands between the ends of an interval."""

NO_INTERVAL = "no interval"
APPROXIMATE = "~"
"""Stands before a figure without an interval in a narrow cell; the line under the table says what it means."""

LEAST_DIGITS, MOST_DIGITS = 2, 4
"""Significant digits of a value: never fewer, though the interval be wide; never more, though it be narrow."""

POINT_DIGITS = 3
"""Significant digits of a value without an interval, or with one that has no width."""

WIDEST_PERCENT = 25
"""Half the width of an interval up to which a short ratio gives it as plus or minus so many per cent."""

_TIMES = (("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0))
_BYTES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def time_text(time: Estimate) -> str:
    """A time in ns as `183 ms (179-188)`: the interval shares the unit of the value."""
    unit, scale = _time_unit(time.value)
    return _with_interval(time, scale=scale, suffix=f" {unit}")


def short_time_text(time: Estimate) -> str:
    """A time as `time_text` gives it, or `~183 ms` where it has no interval."""
    unit, scale = _time_unit(time.value)
    if time.low is None or time.high is None:
        return f"{APPROXIMATE}{_number(time.value / scale, _places(time, scale))} {unit}"
    return time_text(time)


def plain_time_text(time_ns: float) -> str:
    """A time that stands without an interval, to three digits: `1.02 ms`, `1.02 s`."""
    return f"{time_ns / 1e9:.3g} s" if time_ns >= 999.5e6 else f"{time_ns / 1e6:.3g} ms"


def ratio_text(ratio: Estimate, words: str = "") -> str:
    """A ratio as `1.42x (1.38-1.47)`, or with words as `1.42x as long (1.38-1.47)`."""
    return _with_interval(ratio, scale=1.0, suffix=f"x {words}".rstrip())


def short_ratio_text(ratio: Estimate) -> str:
    """A ratio as `1.42x ±4 %`, or `~1.42x` where it has no interval.

    A wide interval is not the same on either side of the value, so it is shown by its ends: `5.37x (2.46-11.7)`.
    """
    value = f"{_number(ratio.value, _decimals(ratio.value, POINT_DIGITS))}x"
    if ratio.low is None or ratio.high is None:
        return f"{APPROXIMATE}{value}"
    percent = 100 * (max(ratio.high / ratio.value, ratio.value / ratio.low) - 1)
    if percent > WIDEST_PERCENT:
        low, high = (_number(end, _decimals(end, POINT_DIGITS)) for end in (ratio.low, ratio.high))
        return f"{value} ({low}{RANGE}{high})"
    # Rounded up: an interval must not look narrower than it is.
    half_width = f"{math.ceil(percent)}" if percent > 1 else f"{math.ceil(10 * percent) / 10:g}"
    return f"{value} ±{half_width} %"


def interval_text(estimate: Estimate) -> str:
    """The interval of a ratio alone, as `1.38-1.47`; NO_INTERVAL where there is none."""
    return _interval(estimate, scale=1.0) or NO_INTERVAL


def share_text(share: float) -> str:
    """A share of 1 as a percentage: 0.021 is `2.1 %`, 0.134 is `13 %`."""
    percent = 100 * share
    if 0 < percent < 0.05:
        return "<0.1 %"
    return f"{percent:.0f} %" if percent >= 9.95 or not percent else f"{percent:.1f} %"


def bytes_text(count: float) -> str:
    """Bytes in decimal units: `20.4 MB`, `512 bytes`."""
    for unit, scale in _BYTES:
        if count >= 0.9995 * scale:
            return f"{_number(count / scale, _decimals(count / scale, POINT_DIGITS))} {unit}"
    return counted(round(count), "byte")


def count_text(count: int) -> str:
    """A count with its thousands apart: `50,000`."""
    return f"{count:,}"


def shortened(line: str, width: int) -> str:
    """A line that is cut where it is too long, and says so: a number without its end would be another one."""
    return line if len(line) <= width else f"{line[: width - 3].rstrip()}..."


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun, in the number that it takes: `1 statement`, `1,001 statements`."""
    return f"{count_text(count)} {noun if count == 1 else plural or noun + 's'}"


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Names as a sentence takes them: `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _time_unit(value_ns: float) -> tuple[str, float]:
    return next(((unit, scale) for unit, scale in _TIMES if value_ns >= 0.9995 * scale), _TIMES[-1])


@lru_cache(maxsize=2**15)  # a report shows a figure several times: in tables, sentences and both of its pages
def _with_interval(estimate: Estimate, *, scale: float, suffix: str) -> str:
    value = _number(estimate.value / scale, _places(estimate, scale))
    return f"{value}{suffix} ({_interval(estimate, scale=scale) or NO_INTERVAL})"


def _interval(estimate: Estimate, *, scale: float) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    places = _places(estimate, scale)
    return f"{_number(estimate.low / scale, places)}{RANGE}{_number(estimate.high / scale, places)}"


def _places(estimate: Estimate, scale: float) -> int:
    """Decimal places of a value and its interval: down to the first digit in which the interval has any width."""
    value = estimate.value / scale
    if estimate.low is None or estimate.high is None or not estimate.high > estimate.low:
        return _decimals(value, POINT_DIGITS)
    half_width = (estimate.high - estimate.low) / 2 / scale
    supported = -math.floor(math.log10(half_width))
    return max(_decimals(value, LEAST_DIGITS), min(supported, _decimals(value, MOST_DIGITS)))


def _decimals(value: float, digits: int) -> int:
    """Decimal places with which a value shows so many significant digits; those of a whole number are all shown."""
    if value <= 0:
        return 0
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])  # after rounding, so that 9.999 counts as 10.0
    return max(0, digits - 1 - exponent)


def _number(value: float, places: int) -> str:
    return f"{value:,.{places}f}"
