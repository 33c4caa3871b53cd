"""A server brought up and filled by hand, the yardstick of `selfbench_provisioning.py`: initdb, start, COPY, no more.

Reads a line of JSON: `account` (user and group to run as, or null), `folder`, `initdb` and `server` (commands),
`socket` (the folder and port to connect by) and `statements`. Prints the seconds of the three parts as JSON when the
last row is in; the server ends with the end of its input.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import Any

import psycopg


def main() -> None:
    """Bring it up, say how long that took, wait, and take it down."""
    asked = json.loads(sys.stdin.readline())
    how: dict[str, Any] = {
        **({"user": asked["account"][0], "group": asked["account"][1], "extra_groups": []} if asked["account"] else {}),
        "cwd": asked["folder"],
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    began = time.perf_counter()
    subprocess.run(asked["initdb"], check=True, **how)
    made = time.perf_counter()
    server = subprocess.Popen(asked["server"], **how)
    try:
        with _connected(server, **asked["socket"]) as connection:
            up = time.perf_counter()
            with connection.transaction():
                for statement in asked["statements"]:
                    connection.execute(statement.encode())
            filled = time.perf_counter()
        print(json.dumps({"initdb": made - began, "start": up - made, "seeding": filled - up}), flush=True)
        sys.stdin.read()
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def _connected(server: subprocess.Popen[bytes], *, host: str, port: int) -> psycopg.Connection[Any]:
    while server.poll() is None:
        try:
            return psycopg.connect(host=host, port=port, user="postgres", dbname="postgres")
        except psycopg.OperationalError:
            time.sleep(0.005)
    raise SystemExit("the server has ended")


if __name__ == "__main__":
    main()
