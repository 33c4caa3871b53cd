"""The loop that a careful person writes by hand: the yardstick of `selfbench_timing.py`. One load for each line read.

Arguments: the SQLite file, and the name of the strategy. Prints the nanoseconds of each load.
"""

from __future__ import annotations

import gc
import sys
import time

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, joinedload, lazyload, selectinload

from scenarios.one_to_many import User

OPTIONS = {"lazy": lazyload(User.books), "joined": joinedload(User.books), "selectin": selectinload(User.books)}


def main() -> None:
    """Answer each line on standard input with the time of one load."""
    path, name = sys.argv[1:]
    engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    option = OPTIONS[name]
    for _ in sys.stdin:
        with Session(engine) as session:
            gc.collect()
            gc.disable()
            start = time.perf_counter_ns()
            result = session.scalars(select(User).options(option))
            users = result.unique().all() if name == "joined" else result.all()
            for user in users:
                user.books  # noqa: B018 - the access is the load
            took = time.perf_counter_ns() - start
            gc.enable()
            del users
        print(took, flush=True)


if __name__ == "__main__":
    main()
