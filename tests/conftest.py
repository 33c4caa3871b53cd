"""For all tests: an interruption reaches what they start; benchmarks are collected by themselves."""

import signal
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent / "benchmarks"

# A shell that runs the tests in the background has them ignore SIGINT, and every process that they start inherits it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Collect benchmarks alone where they are asked for, by `--benchmark-only` or by their folder, and never else."""
    if collection_path.parent not in (BENCHMARKS, BENCHMARKS.parent):
        return None
    only = config.getoption("benchmark_only", default=False)
    if collection_path.is_relative_to(BENCHMARKS):
        named = (config.invocation_params.dir / argument.partition("::")[0] for argument in config.args)
        return None if only or any(path.resolve().is_relative_to(BENCHMARKS) for path in named) else True
    return True if only and collection_path.is_dir() else None
