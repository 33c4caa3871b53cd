"""A case while it is measured: what is known of it so far, so that an interruption loses nothing."""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from bench import databases
from bench.catalogue import find_scenario, find_strategy
from bench.measure.events import Doubted
from bench.measure.sampling import Timings
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
    Target,
    TargetFacts,
    Warned,
    parse_target,
)


@dataclass(slots=True)
class CaseUnderWay:
    """What a case is to be, and what has come of it; the stages of `bench.pipeline` fill it in."""

    spec: CaseSpec
    sampling: Sampling
    observed: list[Arm] = field(default_factory=list)
    timings: Timings = field(default_factory=Timings)
    warnings: list[Warned] = field(default_factory=list)
    observing_s: float = 0.0
    _target: Target | None = None
    _dataset: DatasetFacts | None = None
    _facts: TargetFacts | None = None

    @property
    def scenario(self) -> Scenario:
        """The scenario itself, its classes and its load."""
        return find_scenario(self.spec.scenario)

    @property
    def asked(self) -> Asked:
        """The database as it was asked for."""
        return parse_target(self.spec.target)

    @property
    def target(self) -> Target:
        """Where the seeded dataset is; there only once it has been seeded."""
        assert self._target is not None
        return self._target

    @property
    def dataset(self) -> DatasetFacts:
        """What was seeded; there only once it has been."""
        assert self._dataset is not None
        return self._dataset

    def seeded(self, target: Target, dataset: DatasetFacts) -> None:
        """Note where the dataset is, and what the server is while it is up."""
        self._target, self._dataset = target, dataset
        self._facts = databases.facts(target)

    def worker(self, *, hash_seed: int) -> WorkerProcess:
        """Start a fresh worker for this case."""
        return WorkerProcess(self.spec.scenario, self.target, hash_seed=hash_seed)

    def doubt(self, warning: Warned) -> Doubted:
        """Keep a warning with the case, and say it."""
        self.warnings.append(warning)
        return Doubted(warning=warning)

    def strategies(self) -> list[Arm]:
        """Return an arm for each strategy, with what its formulas expect, before anything is known of it."""
        shape = self.dataset.shape
        found = [find_strategy(self.scenario, name) for name in self.spec.strategies]
        return [
            Arm(
                name=strategy.name,
                kind="strategy",
                strategy=strategy.name,
                summary=strategy.summary,
                expected_statements=strategy.statements(shape),
                expected_rows=strategy.rows(shape),
            )
            for strategy in found
        ]

    def timed(self) -> list[Arm]:
        """Return the arms to time: the strategies that did equal work, their floors, and the baseline's twin."""
        equal = [arm for arm in self.observed if arm.error is None]
        floors = [
            Arm(
                name=f"{arm.name} (floor)",
                kind="floor",
                strategy=arm.strategy,
                summary=f"The statements of {arm.name}, replayed through the bare driver.",
            )
            for arm in equal
        ]
        return [*equal, *self._twin(equal), *floors]

    def partial(self) -> list[Case]:
        """Return what there is of a case that was cut short; nothing where not even the dataset was seeded."""
        return [] if self._dataset is None else [self._case("partial")]

    def finished(self) -> Case:
        """Return the case, complete: wrong, failed or measured by the worst of its arms; partial without any time."""
        case = self._case("measured")
        faults = {arm.fault for arm in case.arms if arm.error is not None}
        if "unequal" in faults:
            return replace(case, status="wrong")
        if faults:
            return replace(case, status="failed")
        return case if any(arm.samples for arm in case.arms) else replace(case, status="partial")

    def _twin(self, equal: list[Arm]) -> list[Arm]:
        """Return the A/A twin of the baseline, or of the first strategy where the baseline is not among them."""
        twinned = [arm.strategy for arm in equal if arm.strategy == self.scenario.baseline] or [
            arm.strategy for arm in equal[:1]
        ]
        return [
            Arm(name=f"{name} (twin)", kind="twin", strategy=name, summary=f"{name} once more, under another name.")
            for name in twinned
        ]

    def _case(self, status: Literal["measured", "partial"]) -> Case:
        assert self._facts is not None
        unseen = self.strategies()[len(self.observed) :]
        failed = [arm for arm in self.observed if arm.error is not None]
        arms = [self.timings.of(arm) for arm in self.timed()]
        return Case(
            spec=self.spec,
            scenario=scenario_facts(self.scenario),
            target=self._facts,
            dataset=self.dataset,
            status=status,
            arms=(*arms, *failed, *unseen),
            workers=tuple(self.timings.workers),
            warnings=tuple(self.warnings),
            timing=self.timings.spent,
            observing_s=self.observing_s,
        )


def scenario_facts(scenario: Scenario) -> ScenarioFacts:
    """Return what is stored of a scenario; the digest is that of the file that its load is written in."""
    source = Path(inspect.getfile(scenario.load))
    return ScenarioFacts(
        name=scenario.name,
        question=scenario.question,
        baseline=scenario.baseline,
        rule_strategy=scenario.rule_of_thumb.strategy,
        rule_says=scenario.rule_of_thumb.says,
        digest=hashlib.sha256(source.read_bytes()).hexdigest(),
    )
