"""What the process list shows of the command, whose arguments every user of the machine may read."""

from __future__ import annotations

import sys


def hide_passwords() -> None:
    """Have the process list show `***` for each word that may hold a password, where a URL may hold one."""
    words = sys.argv[1:]
    if not any("://" in word and "@" in word for word in words):
        return
    from setproctitle import setproctitle

    setproctitle(" ".join(["bench", *("***" if "@" in word else word for word in words)]))
