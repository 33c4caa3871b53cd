"""A case while it is measured: what is known of it so far, so that an interruption loses nothing."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from bench.catalogue import find_scenario, find_strategy, is_available
from bench.databases import Fleet
from bench.environments import Prepared
from bench.measure.events import Doubted
from bench.measure.schedule import key
from bench.measure.surroundings import HERE
from bench.measure.timings import Timings
from bench.measure.workers import WorkerProcess
from bench.model import (
    Arm,
    Asked,
    Case,
    CaseSpec,
    DatasetFacts,
    Sampling,
    Scenario,
    ScenarioFacts,
    Shape,
    Target,
    TargetFacts,
    Warned,
)
from bench.model.run import TWIN_MARK
from bench.model.scenario import MaybeFormula
from bench.model.size import EXISTING


@dataclass(slots=True)
class CaseUnderWay:
    """What a case is to be, and what has come of it; the stages of `bench.pipeline` fill it in.

    fresh: whether each team of workers has servers of its own. environments: what was prepared, by the environments
    that were asked for; the harness's own is none of them.
    """

    spec: CaseSpec
    sampling: Sampling
    observed: list[Arm] = field(default_factory=list)
    timings: Timings = field(default_factory=Timings)
    warnings: list[Warned] = field(default_factory=list)
    observing_s: float = 0.0
    fresh: bool = False
    environments: Mapping[Asked, Prepared] = field(default_factory=dict)
    _fleet: Fleet | None = None
    _facts: dict[str, TargetFacts] = field(default_factory=dict)
    _datasets: dict[str, DatasetFacts] = field(default_factory=dict)

    @property
    def scenario(self) -> Scenario:
        """The scenario itself, its classes and its load."""
        return find_scenario(self.spec.scenario)

    @property
    def names(self) -> list[str]:
        """The names of the targets, the one that the others are compared with first."""
        return [str(asked) for asked in self.spec.targets]

    @property
    def fleet(self) -> Fleet:
        """The databases that are up now; there only once they have been seeded."""
        assert self._fleet is not None
        return self._fleet

    @property
    def dataset(self) -> DatasetFacts:
        """What was seeded on the first target; its graph and shape are those of all of them."""
        return self._datasets[self.names[0]]

    def seeded(self, fleet: Fleet) -> None:
        """Note what is up. Of fresh servers that follow the first ones, nothing is kept: they are the same again."""
        self._fleet = fleet
        self._facts = self._facts or dict(fleet.facts)
        self._datasets = self._datasets or dict(fleet.datasets)

    def fingerprint(self) -> str:
        """Return the fingerprint of the dataset, empty before it has been seeded once."""
        return self.dataset.fingerprint if self._datasets else ""

    def worker(self, target: str, *, hash_seed: int, behind: Target | None = None) -> WorkerProcess:
        """Start a fresh worker for a target, in the environment that was asked for there.

        behind: another way to the same target.
        """
        prepared = self.prepared(target)
        return WorkerProcess(
            self.spec.scenario,
            behind or self.fleet.targets[target],
            hash_seed=hash_seed,
            surroundings=prepared.surroundings if prepared else HERE,
        )

    def prepared(self, target: str) -> Prepared | None:
        """Return the environment of a target, or of its twin; None where it is the harness's own."""
        name = target.removesuffix(TWIN_MARK)
        return next((self.environments.get(asked) for asked in self.spec.targets if str(asked) == name), None)

    def doubt(self, warning: Warned) -> Doubted:
        """Keep a warning with the case, and say it."""
        self.warnings.append(warning)
        return Doubted(warning=warning)

    def strategies(self, target: str) -> list[Arm]:
        """Return an arm for each strategy on a target, with what its formulas expect, before anything is seen of it."""
        shape = self.dataset.shape
        prepared = self.prepared(target)
        version = prepared.facts.sqlalchemy if prepared else None
        named = [find_strategy(self.scenario, name) for name in self.spec.strategies]
        found = [strategy for strategy in named if is_available(strategy, version)]
        return [
            Arm(
                name=strategy.name,
                kind="strategy",
                strategy=strategy.name,
                summary=strategy.summary,
                expected_statements=self._by_formula(strategy.statements, shape),
                expected_rows=self._by_formula(strategy.rows, shape),
                target=target,
            )
            for strategy in found
        ]

    def _by_formula(self, formula: MaybeFormula, shape: Shape) -> int | None:
        """Return what a formula says; of existing data it may ask for what only a recipe has, and is not known then."""
        try:
            return formula(shape)
        except LookupError:
            if self.spec.size == EXISTING:
                return None
            raise

    def timed(self) -> list[Arm]:
        """Return the arms to time: on each target the strategies that did equal work, their floors, and a twin.

        Where there are several targets, one more twin stands on a worker of its own, and on a server of its own where
        these are fresh: what it differs by is the noise of comparing targets.
        """
        arms = [arm for name in self.names for arm in self._timed_on(name)]
        first = self.names[0]
        beside = [self._repeated(arm, first + TWIN_MARK) for arm in arms if arm.kind == "twin" and arm.target == first]
        return [*arms, *(beside[:1] if len(self.names) > 1 else [])]

    def _timed_on(self, target: str) -> list[Arm]:
        equal = [arm for arm in self.observed if arm.error is None and arm.target == target]
        floors = [
            Arm(
                name=f"{arm.name} (floor)",
                kind="floor",
                strategy=arm.strategy,
                summary=f"The statements of {arm.name}, replayed through the bare driver.",
                target=target,
            )
            for arm in equal
        ]
        baseline = [arm for arm in equal if arm.strategy == self.scenario.baseline] or equal
        return [*equal, *(self._repeated(arm, target) for arm in baseline[:1]), *floors]

    def _repeated(self, arm: Arm, target: str) -> Arm:
        """Return the A/A twin of a strategy's arm, for a target."""
        return Arm(
            name=arm.strategy + TWIN_MARK,
            kind="twin",
            strategy=arm.strategy,
            summary=f"{arm.strategy} once more, under another name.",
            target=target,
        )

    def partial(self) -> list[Case]:
        """Return what there is of a case that was cut short; nothing where not even the dataset was seeded."""
        return [self._case("partial")] if self._datasets else []

    def finished(self) -> Case:
        """Return the case, complete: wrong, failed or measured by the worst of its arms; partial without any time."""
        case = self._case("measured")
        faults = {arm.fault for arm in case.arms if arm.error is not None}
        if "unequal" in faults:
            return replace(case, status="wrong")
        if faults:
            return replace(case, status="failed")
        return case if any(arm.samples for arm in case.arms) else replace(case, status="partial")

    def _case(self, status: Literal["measured", "partial"]) -> Case:
        seen = {key(arm) for arm in self.observed}
        unseen = [arm for name in self.names for arm in self.strategies(name) if key(arm) not in seen]
        failed = [arm for arm in self.observed if arm.error is not None]
        arms = [self.timings.of(arm) for arm in self.timed()]
        clusters = sum(worker.target == self.names[0] for worker in self.timings.workers) if self.fresh else 1
        return Case(
            spec=self.spec,
            scenario=scenario_facts(self.scenario),
            targets=tuple(replace(self._facts_of(name), clusters=max(1, clusters)) for name in self.names),
            datasets=tuple(self._datasets[name] for name in self.names),
            status=status,
            arms=(*arms, *failed, *unseen),
            workers=tuple(self.timings.workers),
            warnings=tuple(self.warnings),
            timing=self.timings.spent,
            observing_s=self.observing_s,
        )

    def _facts_of(self, name: str) -> TargetFacts:
        """Return a target's facts, those of its environment among them, which has versions of its own."""
        facts, prepared = self._facts[name], self.prepared(name)
        if prepared is None:
            return facts
        seen = prepared.facts
        version = seen.sqlite if facts.dialect == "sqlite" else facts.server_version
        return replace(facts, environment=seen, driver_version=seen.driver_version, server_version=version)


def scenario_facts(scenario: Scenario) -> ScenarioFacts:
    """Return what is stored of a scenario; the digest is that of the file that its load is written in.

    Where the load was built for it, that of the mapped class stands in.
    """
    source = Path(inspect.getfile(scenario.load if inspect.isfunction(scenario.load) else scenario.entity))
    return ScenarioFacts(
        name=scenario.name,
        question=scenario.question,
        baseline=scenario.baseline,
        rule_strategy=scenario.rule_of_thumb.strategy,
        rule_says=scenario.rule_of_thumb.says,
        digest=hashlib.sha256(source.read_bytes()).hexdigest(),
    )
