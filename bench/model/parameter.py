"""Parameter: what a user may vary about one scenario, beside the size and the dataset."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bench.errors import BenchError

Value: TypeAlias = int | str

_WHOLE = re.compile(r"[0-9]{1,12}", re.ASCII)


class Given(dict[str, Value]):
    """The value of each of a scenario's parameters, by name."""

    def number(self, name: str) -> int:
        """Return the value of a parameter that is a whole number."""
        return int(self[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A whole number from `low` to `high`, or, where there are any, one of `choices`.

    help: one sentence for `--help`, without the default and what is accepted.
    """

    name: str
    help: str
    default: Value
    low: int = 0
    high: int = 1_000_000
    choices: tuple[str, ...] = ()

    @property
    def accepted(self) -> str:
        """What values it may have, in words."""
        return " or ".join(self.choices) if self.choices else f"a whole number from {self.low:,} to {self.high:,}"

    def parse(self, value: Value) -> Value:
        """Return a value, which may be text, as it is used. Raises BenchError where it may not have it."""
        text = str(value)
        if text in self.choices:
            return text
        if not self.choices and _WHOLE.fullmatch(text) and self.low <= int(text) <= self.high:
            return int(text)
        raise BenchError(f"{self.name}={text}: it is {self.accepted}.", remedy=f"Its default is {self.default}.")


def chosen(parameters: tuple[Parameter, ...], given: Mapping[str, Value], *, of: str) -> Given:
    """Return a value for each parameter, its default where none was given.

    Raises BenchError for a name that there is none of, with the nearest, and for a value that it may not have.
    """
    names = [parameter.name for parameter in parameters]
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
            raise BenchError(
                f"The scenario {of} has no parameter {name!r}" + (f"; did you mean {near[0]!r}?" if near else "."),
                remedy=f"Known: {', '.join(names) or 'none'}.",
            )
    return Given(
        {parameter.name: parameter.parse(given.get(parameter.name, parameter.default)) for parameter in parameters}
    )


def defaults(parameters: tuple[Parameter, ...]) -> Given:
    """Return the default of each parameter."""
    return Given({parameter.name: parameter.default for parameter in parameters})
