"""Loads under the markers and loads without, in turn: the one says where time goes, the other what the saying costs."""

from __future__ import annotations

from sqlalchemy import Engine

from bench.measure.phases import phased_load
from bench.measure.server_time import ServerTime
from bench.measure.timing import Load, Opened, timed_load
from bench.measure.warming import warm_loads
from bench.model.profile import Observed, Times


def phase_times(engine: Engine, opened: Opened, load: Load, *, loads: int) -> Times:
    """Return so many loads of each kind, in turn, once the driver is warm."""
    for _ in range(warm_loads(engine.dialect.driver)):
        timed_load(opened, load, "default")
    server = ServerTime(engine)
    observed: list[Observed] = []
    unobserved_ns: list[int] = []
    for _ in range(loads):
        unobserved_ns.append(timed_load(opened, load, "default").wall_ns)
        phases, server_ns = server.around(lambda: phased_load(engine, opened, load))
        observed.append(Observed(phases=phases, server_ns=server_ns))
    return Times(observed=tuple(observed), unobserved_ns=tuple(unobserved_ns), silent=server.silent)
