"""Latency: a round-trip time added to the way to a server that is up; measured, and refused where it cannot be kept.

A proxy process (`proxy`, `relay`) holds back what it passes on; `calibration` sets by how much.
"""

from bench.databases.latency.delayed import Delayed, delayed

__all__ = ["Delayed", "delayed"]
