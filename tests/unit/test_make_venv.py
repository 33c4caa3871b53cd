"""What builds the environment says in a sentence why it cannot."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("in_the_way", [".venv.lock", ".venv/ready-run"])
def test_a_checkout_that_cannot_be_written_is_refused_in_a_sentence(tmp_path: Path, in_the_way: str) -> None:
    for name in ("pyproject.toml", "constraints.txt", "scripts/make_venv.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / in_the_way).mkdir(parents=True)  # a folder where a file is to be: refused to root too

    done = subprocess.run(
        [sys.executable, "scripts/make_venv.py", "run"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(f"The environment cannot be built in {tmp_path}: Is a directory")
    assert "that you may write to" in sentence
