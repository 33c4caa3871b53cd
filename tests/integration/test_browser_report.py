"""report.html in a real browser: on a phone and a desk, by day and by night, without the network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.profiles import looked
from support.runs import make_case, make_catalogue_run, make_run, make_targets_case, typical_times

from bench.model import Run, Warned
from bench.model.memory_use import Held, MemoryUse
from bench.model.wire import WireBytes
from bench.reduce.compare import compare
from bench.reduce.compare_rows import Axis
from bench.report.compare_write import comparison_files
from bench.report.files import write_files
from bench.report.profile_write import write_profile
from bench.report.write import write_report

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
from selenium.webdriver.chrome.service import Service  # noqa: E402 - after the skip

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE, DESK = 375, 1280
NAMES = ("one", "series", "targets", "catalogue", "long", "compared", "compared-long", "profile", "profiled-run")
VIEWS = [(width, mode) for width in (PHONE, DESK) for mode in ("light", "dark")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Headless Chromium with a profile of its own, which logs requests and the console."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        missing = "Chromium" if program is None else "chromedriver"
        pytest.skip(f"{missing} is not installed: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in (*QUIET, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    running = webdriver.Chrome(options=options, service=Service(driver))
    yield running
    running.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of one case, of a series, of targets, of scenarios, and one with names as long as they come."""
    long = make_case({"x" * 120: 5.0, "selectin": 6.0}, wrong={"joined": "y" * 500}, rounds=2)
    runs = {
        "one": make_run([make_case(warnings=[Warned(code="busy", text="The machine was busy.")])]),
        "series": make_run([make_case(typical_times(size), size=size, rounds=3) for size in ("100x5", "100x50")]),
        "targets": make_run(
            [make_targets_case({f"postgres:{version}": typical_times() for version in (14, 16, 18)}, rounds=3)]
        ),
        "catalogue": make_catalogue_run(targets=["sqlite", "postgres:17 rtt=1ms"], scenarios=3),
        "long": make_run([long], label="w" * 200, command=("bench", "run", "z" * 400)),
    }
    reports = {name: write_report(run, tmp_path_factory.mktemp(name)).html for name, run in runs.items()}
    return reports | {
        "compared": compared(tmp_path_factory.mktemp("compared"), [runs["series"]], "size"),
        "compared-long": compared(tmp_path_factory.mktemp("compared-long"), [runs["one"], runs["long"]], "run"),
        "profile": profiled(tmp_path_factory.mktemp("profiled")),
        "profiled-run": profiled_run(tmp_path_factory.mktemp("profiled-run")),
    }


def compared(folder: Path, runs: list[Run], by: Axis) -> Path:
    """The page of a comparison, in a folder."""
    write_files(folder, comparison_files(compare(runs, by)))
    return folder / "compare.html"


def profiled(folder: Path) -> Path:
    """The page of a profile of twenty strategies on two targets, with names as long as they come."""
    looks = [looked(f"strategy_{number}", target) for target in ("postgres:17", "y" * 90) for number in range(20)]
    _, page = write_profile(looks, folder, title="z" * 200)
    return page


def profiled_run(folder: Path) -> Path:
    """The report of a run whose one case was profiled, with the memory and the bytes of twenty strategies."""
    run = make_run([make_case({f"strategy_{number}": 5.0 + number for number in range(20)}, rounds=2)])
    held = Held(
        total_bytes=9_000_000, entities_bytes=9_000_000, rows_bytes=-9_999, driver_bytes=0, sqlalchemy_bytes=0,
        own_bytes=0,
    )  # fmt: skip
    memory = MemoryUse(
        entities=51_000, most_entities=51_000, peak_bytes=7_000_000, at_peak=held, retained=held, kept_bytes=3,
        flame_graph=f"flames/{'f' * 120}.html",
    )  # fmt: skip
    wire = WireBytes(rows=3, values=6, content_bytes=80, framing_bytes=20, repeated_bytes=25, received_bytes=140)
    target = run.cases[0].targets[0].name
    looks = [
        replace(
            looked(f"strategy_{number}", target), memory=memory, wire=wire, unseen=(f"calls not seen: {'u' * 200}",)
        )
        for number in range(20)
    ]
    return write_report(run, folder, looks=looks).html


def show(browser: Any, page: Path, *, width: int, mode: str) -> None:
    """Load the page in a window of that width, its folded parts open."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": mode}]}
    )
    browser.get_log("performance"), browser.get_log("browser")  # what came before is not this page's
    browser.get(page.as_uri())
    browser.execute_script("document.querySelectorAll('details').forEach(folded => folded.open = true)")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("width", "mode"), VIEWS)
def test_the_page_never_scrolls_sideways(
    browser: Any, pages: dict[str, Path], name: str, width: int, mode: str
) -> None:
    show(browser, pages[name], width=width, mode=mode)
    assert browser.execute_script("return innerWidth") == width
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_requested_and_the_console_stays_empty(browser: Any, pages: dict[str, Path], name: str) -> None:
    show(browser, pages[name], width=DESK, mode="light")
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    ]
    assert asked == [pages[name].as_uri()]
    assert browser.get_log("browser") == []


@pytest.mark.parametrize(
    ("name", "count"), [("series", 1 + 2 * 3), ("targets", 1 + 3 * 3), ("profile", 2 * 2), ("compared", 2)]
)
@pytest.mark.parametrize(("width", "mode"), VIEWS)
def test_every_chart_is_drawn_with_its_text(
    browser: Any, pages: dict[str, Path], width: int, mode: str, name: str, count: int
) -> None:
    show(browser, pages[name], width=width, mode=mode)
    charts = browser.execute_script(
        "return [...document.querySelectorAll('figure svg')].map(chart => {"
        " const box = chart.getBoundingClientRect();"
        " const texts = [...chart.querySelectorAll('text')].map(text => text.getBoundingClientRect());"
        " return {width: box.width, height: box.height, texts: texts.length,"
        "  outside: texts.filter(text => text.left < box.left - 1 || text.right > box.right + 1).length}; })"
    )
    assert len(charts) == count
    for chart in charts:
        assert chart["width"] >= 0.9 * PHONE
        assert chart["height"] > 100
        assert chart["texts"] > 10
        assert chart["outside"] == 0


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_table_is_readable_text_and_scrolls_within_itself(browser: Any, pages: dict[str, Path], width: int) -> None:
    show(browser, pages["one"], width=width, mode="light")
    table = browser.execute_script(
        "const table = document.querySelector('#case-1 table');"
        "return {text: table.innerText, room: table.parentElement.clientWidth, width: table.scrollWidth,"
        " figures: getComputedStyle(table.querySelector('td')).fontVariantNumeric,"
        " side: getComputedStyle(table.querySelector('td.number')).textAlign}"
    )
    for expected in ("selectin", "1,001", "51,000", "fastest", "ms"):
        assert expected in table["text"]
    assert table["room"] < width
    assert "tabular-nums" in table["figures"]
    assert table["side"] == "right"


def test_cases_of_a_catalogue_are_folded_and_a_link_of_the_summary_opens_the_one_it_leads_to(
    browser: Any, pages: dict[str, Path]
) -> None:
    show(browser, pages["catalogue"], width=DESK, mode="light")
    browser.get("about:blank")
    browser.get(pages["catalogue"].as_uri())
    count = "return document.querySelectorAll('details.case[open]').length"
    assert browser.execute_script(count) == 0

    browser.execute_script("document.querySelector('#summary a[href=\"#case-6\"]').click()")

    assert browser.execute_script(count) == 1
    top = browser.execute_script(
        "return document.querySelector('details.case[open] > summary').getBoundingClientRect()"
    )
    assert 0 <= top["top"] < 900
    assert browser.execute_script("return document.getElementById('case-6').checkVisibility()")


def test_the_summary_of_a_catalogue_fits_a_desk(browser: Any, pages: dict[str, Path]) -> None:
    show(browser, pages["catalogue"], width=DESK, mode="light")
    table = browser.execute_script(
        "const table = document.querySelector('#summary table');"
        "return {room: table.parentElement.clientWidth, width: table.scrollWidth, text: table.innerText}"
    )
    assert table["width"] <= table["room"]
    assert "joined: LOSES" in table["text"]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_and_charts_stand_out_from_the_page(browser: Any, pages: dict[str, Path], mode: str) -> None:
    show(browser, pages["one"], width=DESK, mode=mode)
    colours = browser.execute_script(
        "const of = (selector, name) => getComputedStyle(document.querySelector(selector))[name];"
        "return {page: of('body', 'backgroundColor'), text: of('.findings li', 'color'), small: of('.notes', 'color'),"
        " title: of('figure svg text', 'fill'), paper: of('figure svg path', 'fill')}"
    )
    assert colours["paper"] == colours["page"]
    assert (luminance(colours["page"]) < 0.5) == (mode == "dark")
    for name in ("text", "small", "title"):
        assert contrast(colours[name], colours["page"]) >= 4.5, name


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours by WCAG 2."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
