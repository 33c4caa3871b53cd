"""What the documents show is what the commands beside it print today."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import ROOT

from bench.cli.gate import check

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
OWN_FOLDER = "your-own-models.md"
"""A page whose commands are run in the folder that it makes, by a test of its own."""
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands() -> Iterator[tuple[str, str, str]]:
    """Every command in a console block of a document, with what is shown below it."""
    for document in DOCUMENTS:
        for block in CONSOLE.findall(document.read_text()):
            for shown in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = shown.partition("\n")
                yield document.name, command, output


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def plain(text: str) -> str:
    """The text without blanks at line ends, which editors and the SQL compiler disagree about."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


@pytest.mark.parametrize(
    ("document", "command", "shown"), [case for case in commands() if case[1].startswith("python scripts/alice.py")]
)
def test_what_a_document_shows_of_alice_is_what_is_really_sent(document: str, command: str, shown: str) -> None:
    done = run([sys.executable, *shlex.split(command)[1:]])

    assert plain(done.stdout) == plain(shown), f"{document}: {command}"


def options_of_make(words: list[str]) -> list[str]:
    return ["make", "--dry-run", *words[1:]]


@pytest.mark.parametrize(
    ("document", "command"),
    [
        (document, command)
        for document, command, _ in commands()
        if command.startswith(("bench run", "make ")) and document != OWN_FOLDER
    ],
)
def test_a_command_in_a_document_is_one_that_is_accepted(document: str, command: str, tmp_path: Path) -> None:
    words = shlex.split(command, comments=True)
    if words[0] == "make":
        done = run(options_of_make(words))
    else:
        done = run([sys.executable, "-m", *words, "--dry-run", "--results", str(tmp_path)])

    assert done.returncode == 0, f"{document}: {command}: {done.stderr}"


WORKFLOWS = [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("docs/examples/*.yml")]
CHECKS = [
    (file.name, words)
    for file in [*WORKFLOWS, ROOT / "docs" / "ci.md"]
    for words in re.findall(r"^.*\bbench (check(?: [^`\n]*)?)$", file.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize(("file", "command"), CHECKS)
def test_a_check_in_a_workflow_or_in_its_document_is_one_that_is_accepted(file: str, command: str) -> None:
    words = shlex.split(command, comments=True)

    assert check.make_context(words[0], words[1:]).params["only"] is None, file


def test_the_workflow_to_copy_and_this_project_s_own_run_both_tiers() -> None:
    for workflow in WORKFLOWS:
        run_there = [command for file, command in CHECKS if file == workflow.name]
        assert ["--against HEAD^1" in command for command in run_there] == [False, True]
        assert "fetch-depth: 2" in workflow.read_text()  # without it there is no HEAD^1


def test_the_documents_show_commands_at_all() -> None:
    assert len([command for _, command, _ in commands() if "alice" in command]) >= 6
