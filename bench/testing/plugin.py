"""A plugin of pytest: fixtures by the names of the functions, for tests that would rather not import them."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def count_statements() -> Any:
    """`count_statements` of `bench.testing`: a block's statements and rows, counted and held to a limit."""
    from bench import testing

    return testing.count_statements


@pytest.fixture(scope="session")
def assert_scaling() -> Any:
    """`assert_scaling` of `bench.testing`: a load sends no more statements for more parents."""
    from bench import testing

    return testing.assert_scaling


@pytest.fixture(scope="session")
def assert_scaling_async() -> Any:
    """`assert_scaling_async` of `bench.testing`: the same of a load that is awaited."""
    from bench import testing

    return testing.assert_scaling_async
