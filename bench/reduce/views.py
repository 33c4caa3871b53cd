"""Views: a case of several targets as one case a target, so that whatever reads a case reads each of them alike."""

from __future__ import annotations

from dataclasses import replace

from bench.model import Asked, Case, DatasetFacts, TargetFacts


def views(case: Case) -> tuple[Case, ...]:
    """Return a case for each target, with only that one's arms, workers, facts and dataset; in the targets' order.

    A case of one target is its own view. Of several, the twin that stands on a server or a worker of its own belongs
    to none, and the warnings are of the case as a whole: no view has them.
    """
    if len(case.targets) == 1:
        return (case,)
    of_each = zip(case.spec.targets, case.targets, case.datasets, strict=True)
    return tuple(_view(case, asked, target, dataset) for asked, target, dataset in of_each)


def _view(case: Case, asked: Asked, target: TargetFacts, dataset: DatasetFacts) -> Case:
    return replace(
        case,
        spec=replace(case.spec, targets=(asked,)),
        targets=(target,),
        datasets=(dataset,),
        arms=tuple(arm for arm in case.arms if arm.target == target.name),
        workers=tuple(worker for worker in case.workers if worker.target == target.name),
        warnings=(),
    )
