"""The page on tests of applications, done as it says: its files written and run, its outputs compared."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import ROOT

PAGE = (ROOT / "docs" / "testing.md").read_text()
FILES = re.findall(r"^```python\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
OUTPUTS = re.findall(r"^```text\n(.*?)\n?^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest says of the page's files."""
    folder: Path = tmp_path_factory.mktemp("app")
    for path, text in FILES:
        file = folder / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"# {path}\n{text}")
    program = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(ROOT)!r}]; import pytest; pytest.main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", program, "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), "tests"],
        cwd=folder,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_the_tests_of_the_page_pass_but_those_that_are_shown_to_fail(said: str) -> None:
    assert "2 failed, 3 passed" in said, said
    assert set(re.findall(r"^FAILED \S+::(\w+)", said, re.MULTILINE)) == {"test_this_one_fails", "test_these_do"}


@pytest.mark.parametrize("output", OUTPUTS)
def test_each_failure_is_the_one_that_the_page_shows(output: str, said: str) -> None:
    lines = [line.removeprefix("E").strip() for line in said.splitlines() if line.startswith("E")]
    lines[:] = [line.removeprefix("AssertionError: ") for line in lines]

    assert len(OUTPUTS) == 2
    assert "\n".join(line.strip() for line in output.splitlines()) in "\n".join(lines), said
