"""What stands for a column's value in the lines of a graph: the same whichever driver or database it came from."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any


def plain_value(value: Any) -> str:
    """Return the text of a value that JSON has no form for.

    A moment is told in UTC and a time without its zone, for SQLite keeps none; a decimal without the zeros at its end,
    for databases differ in how many they keep; a member of an enumeration by its name, bytes as hexadecimal digits.
    """
    match value:
        case Enum():
            return value.name
        case datetime():
            return (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat()
        case date():
            return value.isoformat()
        case time():
            return value.replace(tzinfo=None).isoformat()
        case Decimal():
            digits = f"{value:f}"
            return (digits.rstrip("0").rstrip(".") if "." in digits else digits) if value else "0"
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
    return str(value)
