"""Peak memory of a load, as Python's own allocator saw it."""

from __future__ import annotations

import gc
import tracemalloc

from bench.measure.timing import Load, Opened


def peak_bytes(opened: Opened, load: Load) -> int:
    """Return the most memory that the load held at once, beyond what was held before, by tracemalloc.

    Memory that a driver takes from the C library, such as libpq's result buffers, is not seen. One frame is kept for
    each block, and the collector is off, so that the peak is the load's and not the collector's luck.
    """
    with opened() as source:
        gc.collect()
        gc.disable()
        tracemalloc.start(1)
        try:
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            result = load(source)
            _, peak = tracemalloc.get_traced_memory()
            del result
        finally:
            tracemalloc.stop()
            gc.enable()
    return peak - before
