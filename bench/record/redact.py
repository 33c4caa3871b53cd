"""Taking secrets out of a text before it is stored, logged or shown."""

from __future__ import annotations

import re

HIDDEN = "***"

# SQLAlchemy reads a URL's user up to the colon and its password up to the at-sign, spaces included; a user may have
# left an at-sign in the password as it is, so whatever stands before the last one goes too. Too much rather than too
# little: the host may be lost where a text is odd, the password never stays.
_IN_URL = re.compile(r"(://[^:/]*:)[^@]*@(?:.*@)?", re.DOTALL)

_NAMED = re.compile(
    r"(?i)((?:password|passwd|pwd|passphrase|secret|token|api_?key|scram_(?:client|server)_key)\s*=\s*)('[^']*'|\"[^\"]*\"|[^\s&;]+)"
)


def redact(text: str) -> str:
    """Return the text without passwords: `postgresql://user:secret@host` becomes `postgresql://user:***@host`.

    Values of `password=`, `token=` and the like go too, in a URL's query as in a libpq connection string.
    """
    return _NAMED.sub(rf"\1{HIDDEN}", _IN_URL.sub(rf"\1{HIDDEN}@", text))
