"""The Makefile as a user types it, in a copy of the checkout; building an environment needs a package registry."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
OPTIONS = {
    "SIZE": "size", "SCENARIO": "scenario", "STRATEGY": "strategy", "DRIVER": "driver",
    "PROVIDER": "provider", "RTT": "rtt", "SQLALCHEMY": "sqlalchemy", "SEED": "seed", "BUDGET": "budget",
    "ROUNDS": "rounds", "WORKERS": "workers", "LABEL": "label", "CHILDREN": "children", "CHILDLESS": "childless",
    "ORDER": "order", "TEXT": "text-width", "RESULTS": "results",
}  # fmt: skip
OTHERS = {"DB", "QUICK", "PROFILE", "MEMORY", "FLAMES", "RUN", "ARGS", "PYTHON"}

# Says what it was given, as a shell would have split it: one argument a line, each in its Python spelling.
RECORDER = f"#!/bin/sh\nexec {sys.executable} -c 'import sys; print(*map(ascii, sys.argv[1:]), sep=chr(10))' \"$@\"\n"
TELLS_WHERE = "#!/bin/sh\nprintf '%s' \"$BENCH_DB\"\n"

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on this machine")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What make needs of a checkout, with an environment that is ready and whose Python only says its arguments."""
    folder = tmp_path_factory.mktemp("a checkout's folder")
    copy_make(folder)
    binaries = folder / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").write_text(RECORDER)
    (binaries / "python").chmod(0o755)
    for marker in ("ready-run", "ready-dev"):
        (folder / ".venv" / marker).touch()
    return folder


def copy_make(folder: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "scripts/find_python.sh", "scripts/make_venv.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)


def make(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run make as from a plain shell: without what a make around these tests, or a shell, has set."""
    inherited = {
        name: value for name, value in os.environ.items() if name not in {*OPTIONS, *OTHERS} and "MAKE" not in name
    }
    return subprocess.run(
        ["make", *words], cwd=folder, env=inherited | more, capture_output=True, text=True, check=False  # noqa: S607 - the make on PATH
    )  # fmt: skip


def given_to_bench(folder: Path, *words: str, **more: str) -> list[str]:
    done = make(folder, *words, **more)
    assert done.returncode == 0, done.stderr
    return [eval(line) for line in done.stdout.splitlines()]  # noqa: S307 - written by the recorder above


def test_help_tells_of_every_target_and_every_variable() -> None:
    told = make(ROOT, "help").stdout
    targets = {
        name for name in re.findall(r"^([a-z][a-z-]*):(?!=)", MAKEFILE, re.MULTILINE) if name != "rebuild"
    }  # fmt: skip
    assert targets >= {"bench", "report", "list", "test", "test-unit", "lint", "format", "venv", "clean", "help"}
    for name in (*targets, *OPTIONS, *OTHERS):
        assert re.search(rf"^  {name} +\S", told, re.MULTILINE), name


def test_every_variable_that_is_documented_is_taken_as_data() -> None:
    documented = set(re.findall(r"^([A-Z]+) \?=", MAKEFILE, re.MULTILINE))
    assert documented == {*OPTIONS, *OTHERS}
    (declared,) = re.findall(r"^VARIABLES := ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)
    assert set(declared.replace("\\", "").split()) == documented


def test_help_is_what_make_alone_does() -> None:
    assert make(ROOT).stdout == make(ROOT, "help").stdout


def test_bench_passes_nothing_that_was_not_given(checkout: Path) -> None:
    assert given_to_bench(checkout, "bench") == ["-m", "bench", "run"]


def test_profile_passes_what_it_takes_and_the_scenario_last(checkout: Path) -> None:
    given = given_to_bench(checkout, "profile", "SIZE=7x2", "STRATEGY=lazy")
    assert given == ["-m", "bench", "profile", "--size=7x2", "--strategy=lazy", "--", "one_to_many"]
    assert given_to_bench(checkout, "profile", "SCENARIO=-x y")[-2:] == ["--", "-x y"]


@pytest.mark.parametrize("variable", OPTIONS)
def test_each_variable_becomes_its_option(variable: str, checkout: Path) -> None:
    assert given_to_bench(checkout, "bench", f"{variable}=7") == ["-m", "bench", "run", f"--{OPTIONS[variable]}=7"]


@pytest.mark.parametrize("url", ["postgresql://u:p w'$x@h/d?a=b", "postgres:14,postgres:18"])
def test_where_to_measure_goes_by_the_environment_for_it_may_hold_a_password(url: str, checkout: Path) -> None:
    assert given_to_bench(checkout, "bench", DB=url) == ["-m", "bench", "run"]
    python = checkout / ".venv" / "bin" / "python"
    python.write_text(TELLS_WHERE)
    try:
        assert make(checkout, "bench", DB=url).stdout == url
        assert make(checkout, "bench", f"DB={url}").stdout == url
    finally:
        python.write_text(RECORDER)


def test_a_variable_may_come_from_the_environment(checkout: Path) -> None:
    assert given_to_bench(checkout, "bench", SIZE="5x2") == ["-m", "bench", "run", "--size=5x2"]


@pytest.mark.parametrize(
    ("value", "given_"), [("1", ["--quick"]), ("yes", ["--quick"]), ("0", []), ("no", []), ("", [])]
)
def test_quick_is_a_switch(value: str, given_: list[str], checkout: Path) -> None:
    assert given_to_bench(checkout, "bench", f"QUICK={value}") == ["-m", "bench", "run", *given_]


@pytest.mark.parametrize(("value", "given_"), [("1", ["--profile"]), ("0", [])])
def test_profile_is_a_switch_of_bench(value: str, given_: list[str], checkout: Path) -> None:
    assert given_to_bench(checkout, "bench", f"PROFILE={value}") == ["-m", "bench", "run", *given_]


@pytest.mark.parametrize(("variable", "option"), [("MEMORY", "--memory"), ("FLAMES", "--flames")])
def test_what_a_profile_has_on_request_is_a_switch_of_either_command(
    variable: str, option: str, checkout: Path
) -> None:
    run = given_to_bench(checkout, "bench", "PROFILE=1", f"{variable}=1")
    assert run == ["-m", "bench", "run", "--profile", option]
    assert given_to_bench(checkout, "profile", f"{variable}=1")[3:] == [option, "--", "one_to_many"]
    assert given_to_bench(checkout, "profile", f"{variable}=0")[3:] == ["--", "one_to_many"]


@pytest.mark.parametrize("variable", ["BUDGET", "WORKERS", "QUICK", "TEXT"])
def test_profile_refuses_what_it_does_not_take(variable: str, checkout: Path) -> None:
    done = make(checkout, "profile", f"{variable}=$(touch x)'")

    assert (done.returncode, done.stdout) == (2, "")
    assert f"make profile does not take {variable}" in done.stderr


def test_further_arguments_are_split_and_neither_run_nor_expanded(checkout: Path) -> None:
    words = given_to_bench(
        checkout, "bench", "ARGS=--dry-run -v * `touch ran` $(shell touch ran) $$(touch ran); touch ran"
    )
    assert words[:6] == ["-m", "bench", "run", "--dry-run", "-v", "*"]
    assert not (checkout / "ran").exists()


@pytest.mark.parametrize(
    "value",
    [
        "two words", "it's", 'say "x"', "$HOME", "$$HOME", "$(shell touch ran)", "`touch ran`",
        "$(touch ran)", "; touch ran",
        "a\nb", "#no comment", "back\\slash", "*", "-1x3", "--help", "%", "$(error stop)", "ünï", "a'b\"c",
    ],
)  # fmt: skip
def test_a_value_arrives_as_it_was_typed_and_runs_nothing(value: str, checkout: Path) -> None:
    assert given_to_bench(checkout, "bench", f"LABEL={value}") == ["-m", "bench", "run", f"--label={value}"]
    assert not (checkout / "ran").exists()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12).filter(
        lambda text: not text.isspace()
    )
)
def test_any_value_arrives_as_it_was_typed(checkout: Path, value: str) -> None:
    arrived = given_to_bench(checkout, "bench", f"LABEL={value}")
    # make drops blanks before a value, and a backslash at its end joins lines: nobody needs either.
    assert arrived[3].rstrip("\\ ") == f"--label={value.lstrip()}".rstrip("\\ ")


def test_a_report_is_drawn_of_the_run_that_was_named(checkout: Path) -> None:
    assert given_to_bench(checkout, "report", "RUN=my run") == ["-m", "bench", "report", "my run"]


def test_a_report_is_drawn_of_the_latest_run(checkout: Path, tmp_path: Path) -> None:
    results = tmp_path / "the results"
    for name in ("20260101-000000-x", "20260301-000000-a", "20260201-000000-z"):
        (results / name).mkdir(parents=True)
    words = given_to_bench(checkout, "report", f"RESULTS={results}")
    assert words == ["-m", "bench", "report", str(results / "20260301-000000-a"), f"--results={results}"]


def test_a_report_without_a_run_says_how_to_make_one(checkout: Path) -> None:
    done = make(checkout, "report", "RESULTS=nowhere")
    assert done.returncode == 2
    assert "make bench SIZE=1000x50" in done.stderr


# What stands for a Python that cannot build the environment; `say` is what it answers, `status` how it ends.
OLD = ("old 3.8.18", 1)
WITHOUT_VENV = ("3.12.1", 1)
BROKEN = ("", 127)


def pretend_python(path: Path, say: str, status: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n[ -z '{say}' ] || echo '{say}'\nexit {status}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """What make needs of a checkout, with no environment yet."""
    folder = tmp_path / "bare"
    folder.mkdir()
    copy_make(folder)
    return folder


@pytest.mark.parametrize(
    ("pretended", "sentence"),
    [
        (OLD, "Python 3.11 or later is needed"),
        (WITHOUT_VENV, "comes without the venv module"),
        (BROKEN, "does not run as a Python"),
    ],
)
def test_an_unfit_python_gets_one_sentence_and_exit_2(
    pretended: tuple[str, int], sentence: str, bare: Path, tmp_path: Path
) -> None:
    python = pretend_python(tmp_path / "old python", *pretended)
    done = make(bare, "bench", f"PYTHON={python}")
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert not (bare / ".venv").exists()


def test_a_python_without_its_venv_module_is_found_out(bare: Path, tmp_path: Path) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError('as where Debian keeps it in a package of its own')")
    done = make(bare, "venv", f"PYTHON={sys.executable}", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert "comes without the venv module" in done.stderr


def test_a_python_that_is_named_runs_no_command_hidden_in_its_name(bare: Path) -> None:
    done = make(bare, "venv", "PYTHON='; touch ran; $(shell touch ran) `touch ran` '")
    assert done.returncode == 2
    assert not (bare / "ran").exists()


def find_python(path: str) -> str:
    return subprocess.run(
        ["/bin/sh", str(ROOT / "scripts/find_python.sh")],
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_a_python_that_exists_but_does_not_run_is_passed_over(tmp_path: Path) -> None:
    pretend_python(tmp_path / "shims" / "python3.13", *BROKEN)
    pretend_python(tmp_path / "shims" / "python3.12", *OLD)
    good = tmp_path / "good" / "python3.11"
    good.parent.mkdir()
    good.symlink_to(sys.executable)
    assert find_python(f"{tmp_path}/shims:{tmp_path}/good:/usr/bin:/bin") == str(good)


def test_the_newest_python_is_preferred(tmp_path: Path) -> None:
    for name in ("python3", "python3.11", "python3.13"):
        pretend_python(tmp_path / name, f"3.13.0\n{tmp_path / name}", 0)
    assert find_python(f"{tmp_path}:/usr/bin:/bin") == str(tmp_path / "python3.13")


def test_where_every_python_is_old_the_sentence_says_so(tmp_path: Path) -> None:
    pretend_python(tmp_path / "python3", *OLD)
    for tool in ("head", "tail"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    assert find_python(str(tmp_path)).startswith("error: Python 3.11 or later is needed and python3 is 3.8.18")


# A project of one module that needs nothing: what building does, without what it would fetch.
SMALL_PROJECT = """
[project]
name = "small"
version = "1"
[project.optional-dependencies]
dev = []
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small project")
    copy_make(folder)
    (folder / "pyproject.toml").write_text(SMALL_PROJECT + "[tool.setuptools]\npackages = []\n")
    (folder / "constraints.txt").write_text("")
    done = make(folder, "venv", f"PYTHON={sys.executable}")
    if done.returncode != 0 and re.search("from versions: none|NewConnectionError|timed out", done.stderr):
        pytest.skip(f"no package registry can be reached: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return folder


def test_an_environment_that_is_up_to_date_is_left_alone_without_a_network(small: Path) -> None:
    before = (small / ".venv" / "ready-dev").stat().st_mtime_ns
    done = make(small, "venv", PIP_INDEX_URL="http://127.0.0.1:9/", PIP_NO_INDEX="1")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert (small / ".venv" / "ready-dev").stat().st_mtime_ns == before


def test_a_source_that_was_touched_but_not_changed_needs_no_network(small: Path) -> None:
    (small / "pyproject.toml").touch()
    done = make(small, "venv", PIP_INDEX_URL="http://127.0.0.1:9/", PIP_NO_INDEX="1")
    assert (done.returncode, done.stderr) == (0, "")


def test_naming_the_python_that_built_it_leaves_the_environment_alone(small: Path) -> None:
    done = make(small, "venv", f"PYTHON={sys.executable}", PIP_NO_INDEX="1")
    assert (done.returncode, done.stderr) == (0, "")


def test_two_commands_at_once_build_one_environment(small: Path) -> None:
    shutil.rmtree(small / ".venv")
    command = ["make", "venv", f"PYTHON={sys.executable}"]
    both = [
        subprocess.Popen(command, cwd=small, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("Creating .venv" in text for text in said) == 1
    assert sum("Installing" in text for text in said) == 1
    assert make(small, "venv", PIP_NO_INDEX="1").returncode == 0


def test_a_changed_source_builds_the_environment_anew(small: Path) -> None:
    (small / "pyproject.toml").write_text((small / "pyproject.toml").read_text() + "# changed\n")
    done = make(small, "venv")
    assert done.returncode == 0, done.stderr
    assert "Installing" in done.stderr


def test_an_environment_whose_python_has_gone_is_built_anew(small: Path) -> None:
    (small / ".venv" / "bin" / "python").unlink()
    done = make(small, "venv", f"PYTHON={sys.executable}")
    assert done.returncode == 0, done.stderr
    assert "Creating .venv" in done.stderr


def test_a_build_that_fails_says_so_and_is_tried_again(small: Path) -> None:
    whole = (small / "pyproject.toml").read_text()
    (small / "pyproject.toml").write_text(whole.replace("dev = []", 'dev = ["no-such-distribution-anywhere>9"]'))
    done = make(small, "venv", PIP_NO_INDEX="1")
    assert done.returncode == 2
    assert "The environment could not be built" in done.stderr
    (small / "pyproject.toml").write_text(whole)
    assert make(small, "venv").returncode == 0
