"""Latency: a round-trip time added to the way to a server that is up; measured, and refused where it cannot be kept.

A proxy process (`proxy`, `relay`) holds back what it passes on; `calibration` sets by how much.
Without one it counts what it passes on (`relayed`).
"""

from bench.databases.latency.delayed import Delayed, delayed
from bench.databases.latency.relayed import Relayed, relayed

__all__ = ["Delayed", "Relayed", "delayed", "relayed"]
