"""Sampled loads: what burns time is seen to, and the pages ask for nothing."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import pyinstrument.profiler
import pytest
from pyinstrument import Profiler

from bench.errors import BenchError
from bench.measure.flames import Flames, sampled_load


def burn(seconds: float) -> int:
    turns = 0
    until = perf_counter() + seconds
    while perf_counter() < until:
        turns += 1
    return turns


def cheap() -> int:
    return burn(0.0)


def load(_: Any) -> int:
    return burn(0.3) + cheap()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flames")


@pytest.fixture(scope="module")
def flames(folder: Path) -> Flames:
    return sampled_load(
        nullcontext, load, html=folder / "f.html", speedscope=folder / "f.json", title="a </script> load", enough=100
    )


def test_the_function_that_burns_the_time_is_the_hottest_and_what_calls_it_has_it_all(flames: Flames) -> None:
    hottest = flames.shares[0]
    whole = {one.name: one.whole for one in flames.shares}

    assert (hottest.name, hottest.place.rpartition("/")[2]) == (
        "burn",
        f"test_flames.py:{burn.__code__.co_firstlineno}",
    )
    assert hottest.own > 0.9
    assert whole["load"] == pytest.approx(1.0)
    assert sum(one.own for one in flames.shares) == pytest.approx(1.0)


def test_a_sample_of_the_profilers_own_ending_is_no_part_of_the_load(tmp_path: Path) -> None:
    stop = Profiler.stop
    code = compile(
        "def slowly(profiler):\n    ended = burn(0.05)\n    return stop(profiler)",
        pyinstrument.profiler.__file__,
        "exec",
    )
    names: dict[str, Any] = {"burn": burn, "stop": stop}
    exec(code, names)  # noqa: S102 - a function whose file is the profiler's
    with patch.object(Profiler, "stop", names["slowly"]):
        slow = sampled_load(
            nullcontext, load, html=tmp_path / "f.html", speedscope=tmp_path / "f.json", title="", enough=1
        )

    assert "slowly" not in {one.name for one in slow.shares}
    assert {one.name: one.whole for one in slow.shares}["load"] == pytest.approx(1.0)


def test_short_loads_are_repeated_until_there_are_enough_samples(flames: Flames) -> None:
    assert flames.samples >= 100 or flames.loads == 200


@pytest.mark.usefixtures("flames")
def test_the_speedscope_file_is_a_flame_graph_from_the_load_on(folder: Path) -> None:
    stored = json.loads((folder / "f.json").read_text())

    assert stored["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert {"load", "burn"} <= {frame["name"] for frame in stored["shared"]["frames"]}
    opened = [event["frame"] for event in stored["profiles"][0]["events"] if event["type"] == "O"]
    closed = [event["frame"] for event in stored["profiles"][0]["events"] if event["type"] == "C"]
    assert sorted(opened) == sorted(closed)


@pytest.mark.usefixtures("flames")
def test_the_page_may_ask_for_nothing_and_a_title_does_not_end_its_script(folder: Path) -> None:
    page = (folder / "f.html").read_text()

    assert page.index("Content-Security-Policy") < page.index("<script")
    assert "default-src 'none'" in page
    assert "a </script>" not in page
    assert "burn" in page


def test_without_pyinstrument_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyinstrument", None)

    with pytest.raises(BenchError, match="Flame graphs cannot be drawn") as raised:
        sampled_load(nullcontext, load, html=tmp_path / "f.html", speedscope=tmp_path / "f.json", title="")

    assert "orm-loading-bench[flames]" in raised.value.remedy
    assert not list(tmp_path.iterdir())
