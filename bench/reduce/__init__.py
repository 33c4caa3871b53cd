"""Samples to summaries: pure functions that see the model alone, without I/O, clock or randomness."""
