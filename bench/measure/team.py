"""Workers that live side by side and take turns: started at the same time, on one processor, ended at the same time.

The processors of one machine are not alike: what else runs on them, on a shared host beside them too, makes one slower
than another for seconds. A worker stays where it is as long as nothing drives it away, so two workers on two processors
differ by these for as long as they live, and no number of rounds averages that. On one processor it hits both alike
(docs/performance.md has what it comes to). As only one of them loads at any moment they lose nothing by it; a server of
theirs is left where it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from bench.measure.workers import WorkerProcess

Team = Mapping[str, WorkerProcess]
"""The workers that are up at the same time, by the names of their targets."""


@contextmanager
def side_by_side(workers: Team) -> Iterator[Team]:
    """Yield the workers, started; they are gone when the block is left."""
    with ExitStack() as ends:
        for worker in workers.values():
            ends.push(worker)
        for worker in workers.values():
            worker.__enter__()
        if len(workers) > 1:
            share_processor([worker.pid for worker in workers.values()])
        yield workers
        for worker in workers.values():
            worker.dismiss()


def share_processor(pids: Collection[int]) -> int | None:
    """Have the processes run on one processor, that which the scheduler has the first of them on, and return it.

    Linux only: elsewhere they stay as they are, and None is returned; so it is where that may not be asked for.
    """
    if sys.platform != "linux":
        return None
    from psutil import Error, Process

    try:
        (processor, *_) = (Process(pid).cpu_num() for pid in pids)
        for pid in pids:
            os.sched_setaffinity(pid, {processor})
    except (Error, OSError):  # one has died, which is told when it is asked for something; or a sandbox forbids it
        return None
    return processor
