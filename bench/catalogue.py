"""The catalogue by name: which scenario and which strategies a user means."""

from __future__ import annotations

import difflib
import importlib.metadata
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from bench.errors import BenchError
from bench.model import Scenario, Strategy

_WITH_VALUES = re.compile(r"(.*)\[([^\[\]]*)\]")
_WITH_ARGUMENT = re.compile(r"([a-z_+]+)\[([+-]?[0-9]+(?:\.[0-9]+)?)\]", re.ASCII)
_COMMA = re.compile(r",(?![^\[]*\])")
_ARGUMENT = re.compile(r"0*[1-9][0-9]{0,8}", re.ASCII)


def scenarios() -> tuple[Scenario, ...]:
    """Return every scenario of the catalogue; imports SQLAlchemy."""
    from scenarios import SCENARIOS

    return SCENARIOS


def find_scenario(name: str) -> Scenario:
    """Return the scenario of that name, or the value that `path/to/file.py:NAME` or `package.module:NAME` names.

    Values of its parameters may follow in square brackets: `first_page[limit=50,offset=1000]`. Raises BenchError with
    the nearest name; for a file or a module, with what is wrong with it; for a value, with what is accepted.
    """
    plain, given = _parted(name)
    if ":" in plain:
        values, each, where = imported(plain)
        found = values.get(each)
        if not isinstance(found, Scenario):
            raise unknown_name(f"scenario in {where}", each, [k for k, v in values.items() if isinstance(v, Scenario)])
        return found.configured(given)
    known = {scenario.name: scenario for scenario in scenarios()}
    if plain in known:
        return known[plain].configured(given)
    if plain.endswith(".py"):
        raise BenchError(f"{plain!r} is a file.", remedy=f"Name a scenario in it: {plain}:NAME.")
    raise unknown_name("scenario", plain, known)


def scenario_names(text: str) -> list[str]:
    """Return the references in a list with commas, each once; `all` is the whole catalogue.

    A comma within brackets, between parameters, divides nothing.
    """
    if text == "all":
        return [scenario.name for scenario in scenarios()]
    return list(dict.fromkeys(part.strip() for part in _COMMA.split(text)))


def configured(name: str, values: Mapping[str, str | int]) -> str:
    """Return the name with values of the scenario's parameters behind it, those that it has already among them.

    Raises BenchError for a parameter that is given twice.
    """
    if not values:
        return name
    plain, given = _parted(name)
    if twice := sorted(set(given) & set(values)):
        raise BenchError(f"{', '.join(twice)} is given twice.", remedy="Give it as an option, or in the brackets.")
    return f"{plain}[{','.join(f'{key}={value}' for key, value in {**given, **values}.items())}]"


def _parted(name: str) -> tuple[str, dict[str, str]]:
    """Part a scenario's name from the values in square brackets behind it."""
    if (match := _WITH_VALUES.fullmatch(name)) is None:
        return name, {}
    plain, values = match.groups()
    pairs = [pair.partition("=") for pair in values.split(",")]
    if not all(key.strip() and value.strip() for key, _, value in pairs):
        raise BenchError(
            f"{name!r} is not a scenario with values of its parameters.",
            remedy="Write them as first_page[limit=50,offset=1000].",
        )
    return plain, {key.strip(): value.strip() for key, _, value in pairs}


def imported(reference: str) -> tuple[Mapping[str, object], str, str]:
    """Import what `path/to/file.py:NAME` or `package.module:NAME` names: its values, the name, and where it stands.

    The current folder is looked in first, as `python -m` does. Raises BenchError for what is not there, and for what
    raises or ends while it is imported.
    """
    where, _, name = reference.rpartition(":")
    if (here := os.getcwd()) not in sys.path:  # noqa: PTH109 - an entry of the path is text
        sys.path.insert(0, here)
    return (_from_file(where) if where.endswith(".py") else _from_module(where)), name, where


@cache
def _from_file(path: str) -> Mapping[str, object]:
    """Import a file of the user's, once in a process: its classes must be the same whenever it is asked for."""
    file = Path(path).resolve()
    if not file.is_file():
        raise BenchError(f"There is no file {path!r}.", remedy="Name it as path/to/file.py:NAME.")
    try:
        spec = importlib.util.spec_from_file_location(f"scenario_{file.stem}", file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a script without a guard may end the process that imports it
        raise _not_imported(path, error, f"python {path}") from error
    return vars(module)


def _from_module(path: str) -> Mapping[str, object]:
    """Import a module of the user's."""
    try:
        module = importlib.import_module(path)
    except (Exception, SystemExit) as error:  # the user's code may raise anything, a script may end the process
        if isinstance(error, ModuleNotFoundError) and error.name and f"{path}.".startswith(f"{error.name}."):
            raise BenchError(
                f"There is no module {path!r}.",
                remedy="Name it as package.module:NAME, from the folder that holds the package.",
            ) from error
        raise _not_imported(path, error, f"python -m {path}") from error
    return vars(module)


def _not_imported(path: str, error: BaseException, command: str) -> BenchError:
    """Return the error that says what the user's code raised, and the lines of it that led there."""
    if isinstance(error, BenchError):  # of a scenario that cannot be built: it says what to type instead
        return BenchError(f"{path}: {error.message}", remedy=error.remedy)
    ours = ("<frozen", __file__, str(importlib.__file__))
    lines = [line for line in traceback.extract_tb(error.__traceback__) if not line.filename.startswith(ours)]
    shown = "".join(traceback.format_list(lines)).rstrip()
    if isinstance(error, SyntaxError):  # it was raised by no line of theirs, and says itself which one it is about
        shown += "".join(traceback.format_exception_only(error)[:-1]).rstrip()
    return BenchError(
        f"{path} cannot be imported: {type(error).__name__}: {error}." + (f"\n{shown}" if shown else ""),
        remedy=f"\nCorrect it; `{command}` shows the same.",
    )


def find_strategy(scenario: Scenario, name: str) -> Strategy:
    """Return a strategy, a control or a member of a family (`selectin[100]`) by name.

    Raises BenchError with the nearest name, or with what the family's argument is.
    """
    known = {strategy.name: strategy for strategy in (*scenario.strategies, *scenario.controls)}
    if name in known:
        return known[name]
    families = {family.name: family for family in scenario.families}
    if (match := _WITH_ARGUMENT.fullmatch(name)) and match[1] in families:
        family = families[match[1]]
        if _ARGUMENT.fullmatch(match[2]):
            return family.make(int(match[2]))
        raise BenchError(
            f"{name!r}: the number of {family.argument} is a whole one from 1 to 999,999,999.",
            remedy=f"Try {family.name}[100].",
        )
    raise unknown_name("strategy", name, [*(one.name for one in scenario.strategies), *(f"{f}[100]" for f in families)])


def is_available(strategy: Strategy, version: str | None = None) -> bool:
    """Whether a version of SQLAlchemy has what the strategy uses; None for the installed one."""
    return strategy.since <= tuple(int(part) for part in (version or sqlalchemy_version()).split(".")[:2])


def sqlalchemy_version() -> str:
    """Return the version of the SQLAlchemy that is installed, without importing it."""
    return importlib.metadata.version("sqlalchemy")


def select_strategies(scenario: Scenario, text: str | None) -> tuple[Strategy, ...]:
    """Return the strategies that `text` names, in the order named and each once.

    None means those that people choose between, `all` every one. Raises BenchError for a name that there is none of,
    and for a control, which is no arm.
    """
    if text is None:
        return tuple(strategy for strategy in scenario.strategies if strategy.common)
    if text == "all":
        return scenario.strategies
    names = dict.fromkeys(name.strip() for name in text.split(","))
    if "all" in names:
        raise BenchError(
            f"{text!r}: `all` is every strategy, so it stands alone.",
            remedy="Give --strategy all, or names without it.",
        )
    chosen = tuple(find_strategy(scenario, name) for name in names)
    for strategy in chosen:
        if strategy in scenario.controls:
            raise BenchError(
                f"{strategy.name!r} is a control of {scenario.name}: it must fail, so there is nothing to time.",
                remedy=f"Choose among {', '.join(one.name for one in scenario.strategies)}.",
            )
    return tuple({strategy.name: strategy for strategy in chosen}.values())


def unknown_name(kind: str, name: str, known: Iterable[str]) -> BenchError:
    """Return the error that says that there is none of that name, and which is nearest."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return BenchError(
        f"There is no {kind} {name!r}" + (f"; did you mean {near[0]!r}?" if near else "."),
        remedy=f"Known: {', '.join(names)}." if names else "There is none in it at all.",
    )
