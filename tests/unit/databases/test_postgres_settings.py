from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.databases.postgres.settings import SETTINGS, configuration
from bench.errors import BenchError


def read(line: str) -> str:
    """Read a quoted value as PostgreSQL's configuration file does: doubled quotes and backslashes are one."""
    value = line.partition(" = ")[2].strip()
    assert value[0] == value[-1] == "'"
    return value[1:-1].replace("''", "'").replace("\\\\", "\\")


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="\xa0")).filter(str.isprintable))
def test_any_value_is_one_line_that_reads_as_it_was(value: str) -> None:
    lines = configuration({"work_mem": value}).splitlines()

    assert len(lines) == 1
    assert read(lines[0]) == value


def test_a_quote_cannot_end_the_value_and_begin_a_setting() -> None:
    assert configuration({"a": "1'\\' # fsync"}) == "a = '1''\\\\'' # fsync'\n"


@pytest.mark.parametrize("name", ["", "work mem", "a=b", "a\nb", "1a", "a.b.c", "größe"])
def test_what_is_no_name_of_a_setting_is_refused(name: str) -> None:
    with pytest.raises(BenchError, match="is not the name of a server setting"):
        configuration({name: "1"})


@pytest.mark.parametrize("value", ["1\nfsync = on", "\x00", "a\tb"])
def test_a_value_that_would_break_its_line_is_refused(value: str) -> None:
    with pytest.raises(BenchError, match="cannot be printed"):
        configuration({"work_mem": value})


def test_settings_are_lines_in_their_order() -> None:
    assert [line.partition(" ")[0] for line in configuration(SETTINGS).splitlines()] == list(SETTINGS)
