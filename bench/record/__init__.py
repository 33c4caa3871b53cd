"""What is kept of a run: the environment it ran in, the doubts about it, and the versioned file it is stored in."""

from bench.record.environment import environment
from bench.record.folders import folder_of, new_folder
from bench.record.redact import redact
from bench.record.runfile import FORMAT_VERSION, load, save, to_json
from bench.record.store import Store, held
from bench.record.warnings import before_timing

__all__ = [
    "FORMAT_VERSION",
    "Store",
    "before_timing",
    "environment",
    "folder_of",
    "held",
    "load",
    "new_folder",
    "redact",
    "save",
    "to_json",
]
