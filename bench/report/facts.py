"""Facts of a run that are not measurements: what was asked for, where it ran, and with what."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from bench.model import Case, EnvironmentFacts, Run, Shape, TargetFacts
from bench.model.size import EXISTING
from bench.reduce.crossover import level_name
from bench.reduce.types import Crossover
from bench.report.units import bytes_text, count_text, counted

ONE_OF = {"parents": "parent", "children": "child", "grandchildren": "grandchild"}

SHORT_DIGEST = 12
"""Digits of an image's digest that are shown; the run file has them all."""

Facts = tuple[tuple[str, str], ...]
"""Names and values, in the order in which they are shown; what is not known is left out."""


def case_title(case: Case) -> str:
    """The name of a case of one target: `one_to_many 1000x50 on sqlite`."""
    return f"{case.spec.scenario} {case.spec.size} on {case.targets[0].name}"


def crossover_title(crossover: Crossover, among: Sequence[Crossover]) -> str:
    """The name of a series: `Crossover: 1000xn, by children`, with what tells it from those of others.

    That is its scenario where those of several are told, and its target.
    """
    case = crossover.cases[0].case
    scenarios = {each.cases[0].case.spec.scenario for each in among}
    targets = {each.cases[0].case.targets[0].name for each in among}
    scenario = f"{case.spec.scenario} " if len(scenarios) > 1 else ""
    target = f", on {case.targets[0].name}" if len(targets) > 1 else ""
    return f"Crossover: {scenario}{crossover.fixed}, by {crossover.axis}{target}"


def targets_title(case: Case) -> str:
    """The name of what is said of all targets of a case: `Targets of one_to_many 1000x50`."""
    return f"Targets of {case.spec.scenario} {case.spec.size}"


def dataset_text(case: Case) -> str:
    """The dataset in a line: rows of each level, how children are spread and stored, the text's width, the seed."""
    options, shape = case.spec.dataset, case.datasets[0].shape
    if case.spec.size == EXISTING:
        return _existing_text(shape)
    rows = ", ".join(_rows(level, count) for level, count in enumerate(shape.rows))
    childless = f", {count_text(shape.childless[0])} parents without any" if any(shape.childless[:1]) else ""
    return (
        f"{rows}; children {options.children}{childless}, stored {options.order}; "
        f"text of {counted(options.text_width, 'character')}; dataset seed {options.seed}"
    )


def _existing_text(shape: Shape) -> str:
    """What there was of existing data: parents, and the rows that the load reaches, by table."""
    parents = counted(shape.parents, "parent")
    rows = ", ".join(f"{count_text(count)} of {table}" for table, count in shape.tables.items())
    reached = counted(sum(shape.tables.values()), "row")
    return f"existing data, only read: {parents} chosen by the scenario's query, {reached} reached ({rows})"


def run_facts(run: Run) -> Facts:
    """What ran where, for the head of every report."""
    environment = run.environment
    versions = _versions(environment.python, environment.sqlalchemy, compiled=environment.sqlalchemy_compiled)
    own = any(target.environment is None for case in run.cases for target in case.targets) or not run.cases
    return _known(
        {
            "Run": f"{run.id} ({run.status})",
            "Date": f"{run.created[:16].replace('T', ' ')} UTC" if run.created else "",
            "Target": "; ".join(_targets(run)),
            "Versions": versions + ("" if own else " (the harness; each target has its own)"),
            "Machine": f"{environment.cpu}, {counted(environment.cpu_count, 'CPU')}, "
            f"{bytes_text(environment.memory_bytes)} memory; {environment.os}; load {environment.load_1m:.2f}",
        }
    )


def settings_facts(run: Run) -> Facts:
    """What a reader needs to measure it again: the command, how much was sampled, versions and settings."""
    environment, sampling = run.environment, run.sampling
    fixed = [
        counted(count, noun) for count, noun in ((sampling.workers, "worker"), (sampling.rounds, "round")) if count
    ]
    budget = [f"budget {sampling.budget_s:g} s a case"] if sampling.budget_s is not None else []
    quick = ["a quick look"] if sampling.quick else []
    targets = {target.name: target.settings for case in run.cases for target in case.targets}
    return _known(
        {
            "Command": shlex.join(run.command),
            "Sampling": ", ".join([*quick, *budget, *fixed, f"seed {sampling.seed}"]),
            "Python build": environment.python_build,
            "Collector thresholds": ", ".join(map(str, environment.gc_thresholds)),
            "Clock": f"{environment.clock}, resolution {environment.clock_resolution_ns} ns",
            "Revision": environment.git_revision + (" with changes" if environment.git_dirty else ""),
            "Packages": _pairs(environment.packages, " "),
            **{f"Settings of {name}": _pairs(settings, "=") for name, settings in targets.items()},
            "Host": environment.host,
        }
    )


def _targets(run: Run) -> Iterable[str]:
    """Every target of a run once; by its name too where there are several."""
    found = {target.name: target_text(target) for case in run.cases for target in case.targets}
    return found.values() if len(found) == 1 else (f"{name}: {text}" for name, text in found.items())


def target_text(target: TargetFacts) -> str:
    """Where a case ran: `sqlite 3.40.1 by pysqlite 3.11.7 (embedded)`, whose build it was, and what was added."""
    driver = f"{target.driver} {target.driver_version}".rstrip()
    image = f"image {_short_digest(target.image)}" if target.image else ""
    delay = f"{round_trip_text(target.delay.asked_ns)} added to a round trip" if target.delay else ""
    how = ", ".join(part for part in (target.provider, target.origin, image, delay) if part)
    return f"{target.dialect} {target.server_version} by {driver} ({how})" + _environment_text(target.environment)


def _environment_text(facts: EnvironmentFacts | None) -> str:
    """What the workers of a target ran in, where it was not what the harness runs in."""
    if facts is None:
        return ""
    revision = f", revision {facts.revision[:SHORT_DIGEST]}" if facts.revision else ""
    return f", in {_versions(facts.python, facts.sqlalchemy, compiled=facts.compiled)}{revision}"


def _versions(python: str, sqlalchemy: str, *, compiled: bool) -> str:
    return f"Python {python}, SQLAlchemy {sqlalchemy} ({'compiled' if compiled else 'pure Python'})"


def round_trip_text(asked_ns: int) -> str:
    """A round-trip time as it was asked for: `0 ms`, `0.5 ms`, `1 ms`."""
    return f"{asked_ns / 1e6:g} ms"


def _short_digest(digest: str) -> str:
    """A digest as far as people compare them: `sha256:0123456789ab`."""
    kind, colon, digits = digest.rpartition(":")
    return f"{kind}{colon}{digits[:SHORT_DIGEST]}"


def _rows(level: int, count: int) -> str:
    name = level_name(level)
    return counted(count, ONE_OF.get(name, f"row of {name}"), name if name in ONE_OF else f"rows of {name}")


def _pairs(values: dict[str, str], between: str) -> str:
    return ", ".join(f"{name}{between}{value}" for name, value in sorted(values.items()))


def _known(facts: dict[str, str]) -> Facts:
    return tuple((name, value) for name, value in facts.items() if value)
