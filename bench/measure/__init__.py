"""Measuring: the sampling loop and the processes it drives, and what a worker observes, one observer a file.

In a worker run `graph`, `statements` with `entities`, `memory`, `floor` and `timing`; in the parent `workers`,
`observing`, `schedule` and `sampling`, which yield `events`.
"""
