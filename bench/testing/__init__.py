"""For tests of applications: how many statements and rows a block may send and fetch, whatever it loads.

The public names are looked up when first used: a plugin of pytest is imported by every test run on the machine, and
those that count nothing need not wait for SQLAlchemy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.testing.counting import Seen, count_statements
    from bench.testing.scaling import assert_scaling, assert_scaling_async

__all__ = ["Seen", "assert_scaling", "assert_scaling_async", "count_statements"]


def __getattr__(name: str) -> Any:
    if name in {"Seen", "count_statements"}:
        from bench.testing import counting

        return getattr(counting, name)
    if name in __all__:
        from bench.testing import scaling

        return getattr(scaling, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
