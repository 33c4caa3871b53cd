"""`bench doctor`: what mapped classes say about their loading, read from the mapping alone, without a database."""

from bench.doctor.diagnosis import Diagnosis, Related, Unindexed, Walk, diagnose
from bench.doctor.finding import mapped_under
from bench.doctor.text import as_json, as_text

__all__ = ["Diagnosis", "Related", "Unindexed", "Walk", "as_json", "as_text", "diagnose", "mapped_under"]
