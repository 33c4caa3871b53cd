"""The facts of a run that a comparison names where they differ: what is seen may be theirs alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from bench.model import Case, DatasetOptions, Environment, EnvironmentFacts, Run, TargetFacts
from bench.model.asked import DRIVERS

SHORT = 12
"""Digits of a digest that are shown."""

UNKNOWN = "not known"
NONE = "none"
SETTING = "Setting "

DRIVER_PACKAGES = ("psycopg", "psycopg-binary", "psycopg-c", "asyncpg", "aiosqlite")
"""Packages whose versions are a matter of the driver."""

OF_AXIS: Mapping[str, tuple[str, ...]] = {
    "database": ("Database", "Package sqlite"),
    "driver": ("Driver", *(f"Package {name}" for name in DRIVER_PACKAGES)),
    "sqlalchemy": ("SQLAlchemy",),
    "python": ("Python", "Python build"),
    "revision": ("Revision", "Scenario's file"),
    "size": ("Size", "Dataset's graph"),
}
"""The facts that an axis consists of, by its name: where that is compared, they are the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """A fact that is not the same in all columns. values: a text for each column, in their order."""

    name: str
    values: tuple[str, ...]


def facts_of(run: Run, case: Case) -> dict[str, str]:
    """Return the facts of a case of one target, by name. None of them is a measurement."""
    return {
        **_of_environment(run.environment),
        "Database": database_of(case),
        **_of_target(case.targets[0]),
        **_of_its_own(case.targets[0].environment),
        "Python": python_of(run, case.targets[0]),
        **_of_dataset(case.spec.dataset),
        "Size": str(case.spec.size),
        "Dataset's graph": case.datasets[0].fingerprint[:SHORT],
        "Scenario's file": case.scenario.digest[:SHORT],
        "Sampling": "a quick look" if run.sampling.quick else "in full",
    }


def differing(columns: Sequence[Sequence[Mapping[str, str]]], axis: str) -> tuple[Differing, ...]:
    """Return the facts that differ between columns, but for those that the axis consists of.

    columns: the facts of each measurement in each; a column may have none, and says nothing then.
    """
    names = dict.fromkeys(name for column in columns for facts in column for name in facts)
    asked = OF_AXIS.get(axis, ())
    found = (
        Differing(name=name, values=tuple(_said(column, name) for column in columns))
        for name in names
        if name not in asked
    )
    return tuple(_joined([fact for fact in found if len({value for value in fact.values if value}) > 1]))


def _joined(found: Sequence[Differing]) -> Iterator[Differing]:
    """Yield the facts with the server's settings as one: those of two databases have not even their names in common."""
    settings = [fact for fact in found if fact.name.startswith(SETTING)]
    yield from (fact for fact in found if fact not in settings)
    if settings:
        each = [
            [f"{fact.name.removeprefix(SETTING)}={value}" for fact, value in zip(settings, column, strict=True)
             if value not in {"", NONE}]
            for column in zip(*(fact.values for fact in settings), strict=True)
        ]  # fmt: skip
        yield Differing(name="Settings", values=tuple(", ".join(column) or NONE for column in each))


def sqlalchemy_of(run: Run, target: TargetFacts) -> str:
    """The version of SQLAlchemy that loaded from a target."""
    return target.environment.sqlalchemy if target.environment else run.environment.sqlalchemy


def python_of(run: Run, target: TargetFacts) -> str:
    """The version of the Python that loaded from a target, after its name where it is not CPython."""
    return (target.environment.python if target.environment else run.environment.python).removeprefix("CPython ")


def driver_of(target: TargetFacts) -> str:
    """The driver and its version: `psycopg 3.3.9`; sqlite3 has none of its own, its version is that of Python."""
    version = "" if target.driver == DRIVERS["sqlite"][0] else target.driver_version
    return f"{target.driver} {version}".strip()


def revision_of(run: Run, target: TargetFacts) -> str:
    """The revision whose scenarios loaded from a target."""
    if target.environment and target.environment.revision:
        return target.environment.revision[:SHORT]
    return _checked_out(run.environment)


def _checked_out(environment: Environment) -> str:
    """The revision that was checked out, with a mark where it had changes."""
    revision = environment.git_revision[:SHORT] or UNKNOWN
    return f"{revision} with changes" if environment.git_dirty else revision


def database_of(case: Case) -> str:
    """The database of a case of one target and its version: `postgresql 17.10`; SQLite in memory is another one."""
    memory = ":memory" if case.spec.targets[0].memory else ""
    return f"{case.targets[0].dialect}{memory} {case.targets[0].server_version}".strip()


def _said(column: Sequence[Mapping[str, str]], name: str) -> str:
    values = sorted({facts.get(name, "") for facts in column})
    return " or ".join(value or NONE for value in values)


def _of_environment(environment: Environment) -> dict[str, str]:
    return {
        "Host": environment.host,
        "Processor": f"{environment.cpu}, {environment.cpu_count}",
        "Memory": f"{environment.memory_bytes / 2**30:.1f} GiB",
        "System": environment.os,
        "Python": environment.python,
        "Python build": environment.python_build,
        "Collector thresholds": ", ".join(map(str, environment.gc_thresholds)),
        "SQLAlchemy": environment.sqlalchemy,
        "SQLAlchemy's extensions": _extensions(compiled=environment.sqlalchemy_compiled),
        **{f"Package {name}": version for name, version in sorted(environment.packages.items())},
        "Revision": _checked_out(environment),
    }


def _of_its_own(environment: EnvironmentFacts | None) -> dict[str, str]:
    """The facts of a target's own environment, which stand in the place of the harness's."""
    if environment is None:
        return {}
    revision = {"Revision": environment.revision[:SHORT]} if environment.revision else {}
    return {
        "SQLAlchemy": environment.sqlalchemy,
        "SQLAlchemy's extensions": _extensions(compiled=environment.compiled),
        **revision,
    }


def _extensions(*, compiled: bool) -> str:
    return "compiled" if compiled else "pure Python"


def _of_target(target: TargetFacts) -> dict[str, str]:
    delay = f"{target.delay.asked_ns / 1e6:g} ms" if target.delay else ""
    return {
        "Driver": driver_of(target),
        "Provider": target.provider,
        "Origin": target.origin,
        "Image": target.image[:SHORT],
        "Added to a round trip": delay,
        "Fresh servers": str(target.clusters),
        **{f"{SETTING}{name}": value for name, value in sorted(target.settings.items())},
    }


def _of_dataset(options: DatasetOptions) -> dict[str, str]:
    return {f"Dataset's {name.replace('_', ' ')}": str(value) for name, value in asdict(options).items()}
