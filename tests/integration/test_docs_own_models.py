"""The page on one's own models, done as it says: its files written, its commands run, its tables counted."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import ROOT, Bench

PAGE = (ROOT / "docs" / "your-own-models.md").read_text()
FILES = re.findall(r"^```python\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^\$ bench (run .*)$", PAGE, re.MULTILINE)
DOCTOR = re.search(r"^\$ bench (doctor .*)\n((?:.*\n)*?)```$", PAGE, re.MULTILINE)
TABLE = re.compile(r"^\| strategy \| statements \| rows \|\n\|[-|]+\|\n((?:\|.*\|\n)+)", re.MULTILINE)
ONE_ROUND = ["--workers", "1", "--rounds", "1"]

FILL = """
from datetime import date, timedelta
from shop.models import Base, Order, OrderLine, Product
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

engine = create_engine("sqlite:///shop.db")
Base.metadata.create_all(engine)
with Session(engine) as session:
    products = [Product(id=number, name=f"product {number}") for number in range(1, 31)]
    for number in range(1, 201):
        lines = [OrderLine(product=products[number * nth % 30], quantity=1 + nth) for nth in range(number % 4)]
        placed = date(2025, 1, 1) + timedelta(days=number - 1)
        session.add(Order(id=number, customer=f"customer {number}", placed=placed, lines=lines))
    session.commit()
"""
"""Makes the database that the page takes to be the reader's."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The command in a folder with the page's files."""
    folder = tmp_path_factory.mktemp("own")
    for path, text in FILES:
        file = folder / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    bench = Bench(folder)
    subprocess.run([sys.executable, "-c", FILL], cwd=folder, env=bench.environment(), check=True)
    return bench


def counted(folder: Path) -> dict[str, tuple[int, int]]:
    """Statements and rows of each strategy of a run's only case."""
    (case,) = json.loads((folder / "run.json").read_text())["cases"]
    assert not [warning["text"] for warning in case["warnings"] if warning["code"] == "formula"]
    return {
        arm["name"]: (arm["counters"]["statements"], arm["counters"]["rows"])
        for arm in case["arms"]
        if arm["kind"] == "strategy"
    }


def shown() -> list[dict[str, tuple[int, int]]]:
    """The tables of counts on the page."""
    tables = []
    for body in TABLE.findall(PAGE):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines()]
        tables.append({name: (int(statements), int(rows)) for name, statements, rows in rows})
    return tables


def test_every_file_of_the_page_imports(bench: Bench) -> None:
    modules = [path.removesuffix(".py").replace("/", ".") for path, _ in FILES]
    command = [sys.executable, "-W", "error", "-c", f"import {', '.join(modules)}"]
    done = subprocess.run(
        command, cwd=bench.folder, env=bench.environment(), capture_output=True, text=True, check=False
    )

    assert len(modules) == 6
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_measures_and_counts_what_the_page_shows(command: str, bench: Bench) -> None:
    words = [word for word in shlex.split(command) if word != "--quick"]  # as much as a test has time for
    done = bench(*words, *ONE_ROUND)

    assert done.returncode == 0, done.stderr
    found = counted(bench.runs()[-1])
    assert any(found.items() <= table.items() for table in shown()), found


def test_each_table_of_the_page_is_counted_whole_by_one_of_its_commands(bench: Bench) -> None:
    found = [counted(folder) for folder in bench.runs()]

    assert shown()
    assert all(table in found for table in shown())


def test_what_the_page_shows_of_the_doctor_is_what_it_says(bench: Bench) -> None:
    assert DOCTOR is not None
    done = bench(*shlex.split(DOCTOR[1]))

    assert (done.returncode, done.stdout) == (0, DOCTOR[2]), done.stderr
