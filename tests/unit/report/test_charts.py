"""What the charts of a run promise: nothing clipped, nothing on top of one another, the same bytes every time."""

from __future__ import annotations

import hashlib
import io
import itertools
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from subprocess import PIPE
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image
from support.runs import (
    make_arm,
    make_case,
    make_run,
    make_samples,
    make_target,
    make_targets_case,
    typical_times,
    without_samples,
)

from bench.model import Case
from bench.reduce.across import across
from bench.reduce.crossover import crossovers
from bench.reduce.summaries import summarise
from bench.report.charts import counts, crossover, samples, targets, times
from bench.report.charts.canvas import Chart, drawing, label
from bench.report.charts.draw import draw_charts, run_hues
from bench.report.targets import target_table

TWENTY = {
    **typical_times(),
    **{f"selectin[{chunk}]": 180 + chunk / 50 for chunk in (50, 100, 200, 1000, 5000)},
    **{f"another_way_of_loading_them_{at}": 200.0 + 20 * at for at in range(9)},
}
CASES: dict[str, Callable[[], Case]] = {
    "six": make_case,
    "two": lambda: make_case({"selectin": 186.0, "joined": 271.3}),
    "twenty": lambda: make_case(TWENTY),
    "far apart": lambda: make_case({**typical_times("10x5"), "lazy": 90.0}, size="10x5"),
    "few workers, some not timed": lambda: make_case(
        {"selectin": 186.0, "joined": None}, workers=3, wrong={"lazy": "user 3 has no books"}
    ),
    "long names": lambda: make_case({"x" * 300: 5.0, "selectin": 6.0, "": 7.0}),
    "many samples": lambda: make_case({"selectin": 5.0, "joined": 8.0}, size="10x5", workers=8, rounds=250),
    "no noise at all": lambda: make_case({"selectin": [[5.0] * 4] * 5, "joined": [[5.0] * 4] * 5}),
    "nanoseconds": lambda: make_case({"selectin": 2e-5, "joined": 4e-5}),
    "hours": lambda: make_case({"selectin": 5e6, "joined": 9e6}),
}


def collector_in_few_workers(*names: str) -> Case:
    """Floors, and five workers of which two sampled the default collector, for these strategies; joined had all."""
    arms = []
    for name in ("joined", *names):
        arm = make_arm(name, [[10.0 + at / 3] for at in range(5)])
        taken = [[33.0 + at] for at in range(5 if name == "joined" else 2)]
        arms.append(replace(arm, samples=(*arm.samples, make_samples(taken, collector="default"))))
        arms.append(make_arm(name, [[3.0]] * 5, kind="floor"))
    return make_case({}, arms=arms)


CASES["the collector in few workers"] = lambda: collector_in_few_workers("selectin")
SERIES = ("100x1", "100x2", "100x5", "100x10", "100x20", "100x50")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Figure]]:
    """The figures of the charts that are drawn, before they become bytes: that takes most of the time."""
    seen: list[Figure] = []

    def finish(figure: Figure, **named: Any) -> Chart:
        seen.append(figure)
        return Chart(**named, svg=b"", png=b"")

    for module in (times, counts, samples, crossover, targets):
        monkeypatch.setattr(module, "finish", finish)
    with drawing():
        yield seen


def draw_case(case: Case) -> list[Chart]:
    return list(draw_charts([summarise(case)], []).cases[0])


def draw_series(sizes: tuple[str, ...] = SERIES) -> tuple[Chart, ...]:
    run = make_run([make_case(size=size, rounds=4) for size in sizes])
    with drawing():
        drawn = [crossover.draw_crossover(one, run_hues(one.cases), stem="x") for one in crossovers(run)]
    return tuple(chart for chart in drawn if chart)


def digest(chart: Chart) -> str:
    return hashlib.sha256(chart.svg + chart.png).hexdigest()


@cache
def usual() -> tuple[Chart, ...]:
    """The charts of a usual case, drawn once."""
    return tuple(draw_case(make_case()))


def parsed(chart: Chart) -> ET.Element:
    return ET.fromstring(chart.svg)  # noqa: S314 - drawn a moment ago


def texts(chart: Chart) -> list[str]:
    return ["".join(element.itertext()) for element in parsed(chart).iter() if element.tag.endswith("}text")]


def boxes(figure: Figure) -> Iterator[tuple[str, Bbox]]:
    """Every text that is drawn, and where; a tick beyond the end of its axis is not."""
    canvas: Any = figure.canvas
    canvas.draw()
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = axis.get_major_ticks()
            hidden |= {tick.label1 for tick in ticks if not axis.get_visible() or not low <= tick.get_loc() <= high}
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if text.get_text() and text.get_visible() and text not in hidden:
            yield text.get_text(), Text.get_window_extent(text)  # an annotation's own would take in its arrow


def check_texts(figure: Figure) -> None:
    placed = list(boxes(figure))
    width, height = figure.get_size_inches() * figure.dpi
    for text, box in placed:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
    for (one, first), (other, second) in itertools.combinations(placed, 2):
        # A few pixels' overlap is of the empty room around the letters.
        wide = min(first.x1, second.x1) - max(first.x0, second.x0)
        high = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert not (wide > 1 and high > 3), (one, other)


def test_a_collector_that_few_workers_sampled_is_said_to_have_no_interval() -> None:
    some = texts(draw_case(collector_in_few_workers("selectin"))[0])
    assert "default collector (no band: no interval)" in some
    every = texts(draw_case(collector_in_few_workers())[0])
    assert "default collector" in every


@pytest.mark.parametrize("name", CASES)
def test_no_text_of_a_chart_is_clipped_or_lies_on_another(name: str, figures: list[Figure]) -> None:
    case = CASES[name]()
    hues = run_hues([summarise(case)])
    for draw in (times.draw_times, counts.draw_counts, samples.draw_samples):
        draw(summarise(case), hues, stem="x")
    assert len(figures) == 3
    for figure in figures:
        check_texts(figure)


TARGETS: dict[str, Callable[[], Case]] = {
    "six on five": lambda: make_targets_case({f"postgres:{number}": typical_times() for number in range(14, 19)}),
    "six on two": lambda: make_targets_case({name: typical_times() for name in ("postgres:14", "postgres:18")}),
    "twenty on two": lambda: make_targets_case(dict.fromkeys(("postgres:14", "postgres:18"), TWENTY), rounds=3),
    "twenty on five": lambda: make_targets_case(
        {f"postgres:{number}": TWENTY for number in range(14, 19)}, rounds=3, floor=None, collectors={}
    ),
    "two on fifteen": lambda: make_targets_case(
        {f"postgres:18+psycopg_async rtt={at}ms": {"selectin": 5.0, "lazy": 9.0 + 8 * at} for at in range(1, 16)}
    ),
    "long names": lambda: make_targets_case(
        {f"postgresql://someone@{host * 40}/db": {"x" * 300: 5.0, "selectin": 6.0, "": 7.0} for host in "ab"}
    ),
    "few replicates": lambda: make_targets_case(
        {name: {"selectin": 5.0, "joined": 6.0} for name in ("sqlite", "postgres:18")}, workers=2
    ),
    "far apart": lambda: make_targets_case(
        {name: {"selectin": 5.0, "lazy": ms} for name, ms in (("postgres rtt=0", 9.0), ("postgres rtt=5ms", 5000.0))}
    ),
    "one not timed": lambda: make_targets_case(
        {"sqlite": {"selectin": 5.0, "joined": 6.0}, "postgres:18": {"selectin": 6.0, "joined": None}}
    ),
    "wide intervals": lambda: make_targets_case(
        {name: typical_times() for name in ("postgres:14", "postgres:18")}, spread=0.6
    ),
    "no noise at all": lambda: make_targets_case(
        {name: {"selectin": [[5.0] * 4] * 5} for name in ("postgres:14", "postgres:18")}
    ),
}


@pytest.mark.parametrize("name", TARGETS)
def test_no_text_of_a_comparison_of_targets_is_clipped_or_lies_on_another(name: str, figures: list[Figure]) -> None:
    compared = across(TARGETS[name]())
    assert compared
    assert targets.draw_targets(compared, run_hues(compared.views), stem="x")
    (figure,) = figures
    check_texts(figure)


def test_a_comparison_of_targets_shows_every_strategy_on_every_target_with_its_figure() -> None:
    compared = across(TARGETS["six on five"]())
    assert compared
    with drawing():
        chart = targets.draw_targets(compared, run_hues(compared.views), stem="x")
    assert chart
    shown = texts(chart)
    assert set(typical_times()) <= set(shown)
    assert [shown.count(f"postgres:{number}") for number in range(14, 19)] == [6, 7, 7, 7, 7]  # and all together
    for row in target_table(compared, short=True).rows:
        assert {cell for cell in row[2:] if cell} <= set(shown)
        assert all(cell in chart.alt for cell in row[2:])


def test_strategies_on_more_targets_than_can_be_read_are_left_out_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(targets, "MOST_LANES", 5)
    compared = across(TARGETS["six on two"]())
    assert compared
    with drawing():
        chart = targets.draw_targets(compared, run_hues(compared.views), stem="x")
    assert chart
    assert len(set(typical_times()) & set(texts(chart))) == 2
    assert any("the first 2 of 6 strategies" in text for text in texts(chart))


def test_targets_of_which_nothing_was_timed_get_no_chart() -> None:
    compared = across(without_samples(TARGETS["six on two"]()))
    assert compared
    assert targets.draw_targets(compared, {}, stem="x") is None


@pytest.mark.parametrize("extra", [0, 14], ids=["six lines", "twenty lines"])
def test_no_text_of_a_crossover_is_clipped_or_lies_on_another(extra: int, figures: list[Figure]) -> None:
    def times_ms(size: str) -> dict[str, float]:
        usual = typical_times(size)
        return usual | {f"selectin[{at + 1}]": usual["selectin"] * (1.01 + at / 500) for at in range(extra)}

    run = make_run([make_case(times_ms(size), size=size, rounds=4) for size in SERIES])
    series = crossovers(run)
    for one in series:
        crossover.draw_crossover(one, run_hues(one.cases), stem="x")
    assert len(figures) == len(series) == 1
    check_texts(figures[0])


def test_the_fastest_strategy_is_on_top(figures: list[Figure]) -> None:
    draw_case(make_case({"lazy": 30.0, "joined": 10.0, "selectin": 20.0}))
    for figure in figures:
        where = {text: box.y0 for text, box in boxes(figure)}
        assert where["joined"] > where["selectin"] > where["lazy"]


def test_a_chart_shows_every_strategy_with_its_figures() -> None:
    time, count, sample = draw_case(make_case(wrong={"joined_inner": "user 3 has no books"}))
    for name in (*typical_times(), "joined_inner"):
        assert name in texts(time)
        assert name in texts(count)
    assert "not timed" in texts(time)
    assert {"1,001", "3", "51,000", "50,000 (49,000 repeat)"} <= set(texts(count))
    assert "selectin (twin)" in texts(sample)


def test_every_sample_is_a_mark() -> None:
    case = make_case({"selectin": 20.0}, rounds=3, collectors={}, floor=None)
    _, _, chart = draw_case(case)
    uses = [element for element in parsed(chart).iter() if element.tag.endswith("}use")]
    dots = [element for element in uses if "0072b2" in element.get("style", "")]
    assert len(dots) == 2 * 5 * 3  # the strategy and its twin, five workers, three rounds


def test_a_crossover_is_marked_where_the_winner_changes_and_named() -> None:
    (chart,) = draw_series()
    notes = " ".join(texts(chart))
    assert "1: joined up to about 12 children, then selectin (100x10 to 100x20" in notes
    assert chart.title in texts(chart)
    assert "joined" in chart.alt


def test_a_crossover_without_intervals_is_not_claimed() -> None:
    run = make_run([make_case({"joined": ms, "selectin": 5.0}, size=f"10x{ms}", workers=2, rounds=2) for ms in (3, 9)])
    (series,) = crossovers(run)
    with drawing():
        chart = crossover.draw_crossover(series, run_hues(series.cases), stem="x")
    assert chart
    assert crossover.UNCLAIMED in texts(chart)
    assert crossover.UNCERTAIN not in texts(chart)


def test_a_series_with_one_winner_says_so() -> None:
    (chart,) = draw_series(("10x50", "20x50"))
    assert "The winner does not change between these sizes." in texts(chart)


def test_the_same_run_gives_the_same_bytes_in_any_process() -> None:
    code = (
        "import hashlib, sys; sys.path[:0] = ['.', 'tests', 'tests/unit/report']\n"
        "from test_charts import digest, draw_case, draw_series, make_case\n"
        "for chart in (*draw_case(make_case()), *draw_series()): print(digest(chart))"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        env={"PYTHONHASHSEED": "1"},
        check=True,
        stdout=PIPE,
        text=True,
    )
    here = (*usual(), *draw_series())
    assert len(here) == 4
    assert elsewhere.stdout.split() == [digest(chart) for chart in here]


def test_a_chart_file_says_nothing_of_the_day_or_the_library() -> None:
    for chart in usual():
        assert b"dc:date" not in chart.svg
        assert b"Matplotlib" not in chart.svg + chart.png


def test_a_picture_is_white_and_wide_enough_for_a_readme() -> None:
    for chart in usual():
        with Image.open(io.BytesIO(chart.png)) as image:
            assert image.width >= 1200
            assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
        page = next(element for element in parsed(chart).iter() if element.tag.endswith("}path"))
        assert "fill: #ffffff" in page.get("style", "")


HOSTILE = (
    "$x^2$",
    "$unclosed",
    "<script>alert(1)</script>",
    'id="x" url(#y)',
    "a\x00b\x1b[31m",
    "two\nlines",
    "日本",
    "\u202eabc",
)


def test_a_name_is_shown_as_it_is_written_whatever_it_is() -> None:
    for chart in draw_case(make_case(dict.fromkeys(HOSTILE, 5.0), rounds=3)):
        assert {label(name) for name in HOSTILE} <= set(texts(chart))


def test_a_file_name_is_plain_whatever_the_scenario_is_called(figures: list[Figure]) -> None:
    cases = [without_samples(make_case({"selectin": 6.0}, rounds=1)) for _ in HOSTILE]
    named = [
        summarise(
            replace(
                case, spec=replace(case.spec, scenario=f"../../{scenario}" * 40), targets=(make_target(name="../x"),)
            )
        )
        for case, scenario in zip(cases, HOSTILE, strict=True)
    ]
    stems = [chart.stem for chart in draw_charts([*named, named[0]], [])]
    assert all(re.fullmatch(r"[a-z0-9_][a-z0-9_-]{0,110}", stem) for stem in stems)
    assert len(set(stems)) == len(stems) == len(figures) == len(HOSTILE) + 1


def test_nothing_is_drawn_of_what_was_not_measured() -> None:
    case = without_samples(make_case())
    assert [chart.title for chart in draw_case(case)] == [counts.TITLE]
    uncounted = replace(case, arms=tuple(replace(arm, counters=None) for arm in case.arms))
    assert draw_case(uncounted) == []
    assert draw_case(replace(case, arms=())) == []


def test_drawing_leaves_the_settings_of_matplotlib_alone() -> None:
    with mpl.rc_context({"font.size": 31.0, "svg.fonttype": "path"}):
        draw_case(without_samples(make_case({"selectin": 6.0})))
        assert (mpl.rcParams["font.size"], mpl.rcParams["svg.fonttype"]) == (31.0, "path")


def test_drawing_does_not_load_pyplot() -> None:
    code = "import sys, bench.report.write; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=False).returncode == 0


@settings(max_examples=6, deadline=None)
@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=6), st.integers(1, 6))
def test_times_of_any_size_can_be_drawn(times_ms: list[float], workers: int) -> None:
    summary = summarise(make_case({f"way_{at}": ms for at, ms in enumerate(times_ms)}, workers=workers, rounds=2))
    hues = run_hues([summary])
    with drawing():
        assert times.draw_times(summary, hues, stem="x").svg
        assert samples.draw_samples(summary, hues, stem="x").svg


@given(
    st.lists(st.floats(-1, 5), max_size=20).map(sorted),
    st.sampled_from([0.05, 0.18]),
)
def test_names_at_the_ends_of_lines_keep_apart_and_inside(wanted: list[float], least: float) -> None:
    places = crossover._apart(wanted, least, 3.6)
    assert len(places) == len(wanted)
    assert all(later - earlier >= least - 1e-9 for earlier, later in itertools.pairwise(places))
    assert all(-1e-9 <= place <= 3.6 + 1e-9 for place in places)


@given(st.lists(st.floats(0.5, 3), max_size=1))
def test_a_name_with_room_is_where_its_line_ends(wanted: list[float]) -> None:
    assert crossover._apart(wanted, 0.2, 3.6) == pytest.approx(wanted)
