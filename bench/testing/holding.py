"""How many entities the sessions of the process hold, which a load over them would not load again.

The sessions there are SQLAlchemy keeps weakly, under a name that is private: it is used in this file alone, and a test
fails when it changes.
"""

from __future__ import annotations

import gc
from typing import Any
from weakref import ref

from sqlalchemy.orm import Session
from sqlalchemy.orm import session as sqlalchemy_session


def held() -> dict[ref[Session], int]:
    """Return how many entities each session holds that are loaded and not expired; those that hold none are left out.

    Entities that only wait to be collected hide statements as others do, and by chance: they are collected first.
    """
    found = _held()
    if found:
        gc.collect()
        found = _held()
    return found


def _held() -> dict[ref[Session], int]:
    sessions: Any = getattr(sqlalchemy_session, "_sessions", None)
    # All at once: other threads make sessions meanwhile.
    living = [each() for each in sessions.valuerefs()] if sessions is not None else []
    counts = {ref(session): _loaded(session) for session in living if session is not None}
    return {session: count for session, count in counts.items() if count}


def _loaded(session: Session) -> int:
    return sum(not state.expired for state in session.identity_map.all_states())
