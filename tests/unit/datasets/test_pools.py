from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from unicodedata import is_normalized

import pytest

from bench.datasets.pools import pool, prose, word_starts
from bench.errors import BenchError

SCRIPT = Path(__file__).parents[3] / "scripts" / "draw_pools.py"


def test_the_script_draws_the_file_byte_for_byte() -> None:
    drawn_with = json.loads(files("bench.datasets").joinpath("pools.json").read_bytes())["faker"]
    if version("faker") != drawn_with:
        pytest.skip(f"the pools were drawn with Faker {drawn_with}, and {version('faker')} is installed")

    drawn = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False)

    assert (drawn.returncode, drawn.stderr) == (0, "The pools are as drawn.\n")


@pytest.mark.parametrize(
    ("name", "length", "widest"),
    [("name", 1000, 80), ("title", 1000, 120), ("city", 500, 80), ("word", 500, 80), ("sentence", 500, 120)],
)
def test_a_pool_has_as_many_strings_as_seeds_were_promised_and_all_differ(name: str, length: int, widest: int) -> None:
    strings = pool(name)

    assert len(strings) == len(set(strings)) == length
    assert all(0 < len(string) <= widest and is_normalized("NFC", string) for string in strings)


def test_some_names_are_outside_ascii_and_the_prose_is_not() -> None:
    assert sum(not name.isascii() for name in pool("name")) == 160
    assert prose().isascii()


def test_words_begin_where_they_are_said_to() -> None:
    assert [prose()[start:].split(" ", 1)[0] for start in word_starts()] == prose().split()


def test_an_unknown_pool_is_named_with_those_there_are() -> None:
    with pytest.raises(BenchError, match=r"There is no pool 'planet'. Known: name, title, city, word, sentence."):
        pool("planet")
